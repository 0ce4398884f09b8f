"""What a client of the user feed has been told already. Pure; every memory is bounded."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from cryptotrader.core.orders import OrderStatus
from cryptotrader.services.binance.models.orders import OrderReport

MAX_ORDERS = 20_000
"""Orders remembered. Unit: orders. Overflow: the one that moved longest ago."""

MAX_KEYS = 100_000
"""Fills and other events remembered. Unit: keys of about 100 bytes. Overflow: the oldest. Reason: duplicates come
within seconds of each other; fills that a recovery could tell again reach back no further than the last outage."""

MAX_SYMBOLS = 200
"""Symbols asked about in a recovery. Unit: symbols. Overflow: the one that moved longest ago. Reason: each costs 40 of
6000 request weight."""

SAME_ORDER_MS = 1_000
"""How far two creation times of one order may lie apart. Unit: milliseconds. Beyond it the id has been given anew: the
venue was wiped and began to count from the start, as Binance's test network does each month."""

NO_TRADE = -1
"""``t`` of a report that tells of no trade (``user-data-stream.md``, "Order Update")."""


class Recent:
    """A set that forgets its oldest members.

    Args:
        capacity: Most members.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._members: OrderedDict[object, None] = OrderedDict()

    def __contains__(self, member: object) -> bool:
        return member in self._members

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Any:
        return iter(tuple(self._members))

    def add(self, member: object) -> bool:
        """Whether it is new. One that is known counts as seen again."""
        is_new = member not in self._members
        self._members[member] = None
        self._members.move_to_end(member)
        if len(self._members) > self._capacity:
            self._members.popitem(last=False)
        return is_new


@dataclass
class KnownOrder:
    """What has been told about an order."""

    symbol: str
    order_id: int
    is_open: bool = True
    was_announced: bool = False
    """Its NEW, or anything later, has been told."""
    was_ended: bool = False
    """Its cancellation, expiry or rejection has been told."""
    existed: bool = False
    """It was there before anyone listened, so its NEW is no news."""
    executed: Decimal = Decimal(0)
    """Filled quantity, as far as told (``z``)."""
    quote: Decimal = Decimal(0)
    """The same in quote units (``Z``)."""
    created_ms: int | None = None
    """When it was placed, epoch milliseconds; None while nobody has said it."""
    generation: int = 0
    """How many orders of a venue that was wiped since had the same id."""


class UserMemory:
    """Decides which events are news, and knows where to look for what was missed."""

    def __init__(self) -> None:
        self._orders: OrderedDict[tuple[str, int], KnownOrder] = OrderedDict()
        self._told = Recent(MAX_KEYS)
        self._symbols = Recent(MAX_SYMBOLS)
        self.balances: dict[str, tuple[str, str]] = {}
        """(free, locked) by asset, as last told."""

    @property
    def symbols(self) -> set[str]:
        """Symbols in which something happened."""
        return {str(symbol) for symbol in self._symbols}

    @property
    def open_orders(self) -> list[KnownOrder]:
        """Orders that were open when last heard of."""
        return [order for order in self._orders.values() if order.is_open]

    def is_news(self, event: dict[str, Any], payload: bytes) -> bool:
        """Take note of an event; False where a client has been told already."""
        if event.get("e") == "executionReport":
            return self._is_new_report(event)
        if not self._told.add(blake2b(payload, digest_size=16).digest()):
            return False
        if event.get("e") == "outboundAccountPosition":
            for row in event.get("B", ()):
                self.balances[row["a"]] = (row["f"], row["l"])
        return True

    def order(self, symbol: str, order_id: int, created_ms: int | None = None) -> KnownOrder:
        """What is known of an order; nothing, at first.

        Args:
            symbol: ``BTCUSDT``.
            order_id: The venue's id.
            created_ms: When the order in question was placed; where an older one had its id, that one is forgotten.
        """
        key = (symbol, order_id)
        known = self._orders.get(key)
        if known is not None and created_ms is not None:
            if known.created_ms is not None and abs(known.created_ms - created_ms) > SAME_ORDER_MS:
                generation = known.generation + 1
                known = self._orders[key] = KnownOrder(symbol, order_id, generation=generation)
            known.created_ms = created_ms
        if known is None:
            known = self._orders[key] = KnownOrder(symbol, order_id, created_ms=created_ms)
            if len(self._orders) > MAX_ORDERS:
                self._orders.popitem(last=False)
        self._orders.move_to_end(key)
        self._symbols.add(symbol)
        return known

    def note_existing(self, report: OrderReport) -> None:
        """An order that was open before anyone listened."""
        known = self.order(report.symbol, report.order_id, report.time)
        known.existed = True
        known.executed, known.quote = Decimal(report.executed_qty), Decimal(report.cummulative_quote_qty)

    def was_told(self, known: KnownOrder, trade_id: int) -> bool:
        """Whether a fill has been told."""
        return (known.symbol, known.order_id, known.generation, trade_id) in self._told

    def _is_new_report(self, event: dict[str, Any]) -> bool:
        symbol, order_id, kind = event["s"], event["i"], event["x"]
        execution_id, created_ms = event.get("I", -1), event.get("O")
        known = self.order(symbol, order_id, created_ms if isinstance(created_ms, int) else None)
        key = (symbol, order_id, known.generation)
        # Events made by a recovery have no execution id.
        if execution_id != -1 and not self._told.add((*key, kind, "I", execution_id)):
            return False
        match kind:
            case "TRADE":
                # Allocations of smart order routing have no trade id, but one of their own.
                number = event["t"] if event["t"] != NO_TRADE else ("a", event.get("a"))
                is_new = self._told.add((*key, number))
                known.was_announced = True
                if is_new:
                    known.executed = max(known.executed, Decimal(event["z"]))
                    known.quote = max(known.quote, Decimal(event["Z"]))
            case "NEW":
                is_new, known.was_announced = not known.was_announced, True
            case "CANCELED" | "EXPIRED" | "REJECTED" | "TRADE_PREVENTION":
                is_end = event["X"] not in (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED)
                is_new = not (is_end and known.was_ended)
                known.was_ended = known.was_ended or is_end
            case _:
                is_new = True
        if is_new:
            known.is_open = event["X"] in (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED, OrderStatus.PENDING_NEW)
        return is_new


def differing(old: dict[str, tuple[str, str]], new: dict[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """Balances of ``new`` that are not those of ``old``, compared as numbers; an asset that is absent has nothing."""
    return {
        asset: row
        for asset, row in new.items()
        if [Decimal(text) for text in row] != [Decimal(text) for text in old.get(asset, ("0", "0"))]
    }
