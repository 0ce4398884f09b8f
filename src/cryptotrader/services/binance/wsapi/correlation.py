"""Which reply belongs to which request: exactly one end for each, and nothing that could trade is sent twice. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from functools import lru_cache
from typing import Protocol

import msgspec

from cryptotrader.core.errors import CryptotraderError
from cryptotrader.services.binance.request import SecurityType
from cryptotrader.services.binance.signing import Credentials
from cryptotrader.services.binance.wsapi.limits import Cost
from cryptotrader.services.binance.wsapi.replies import Reply
from cryptotrader.services.binance.wsapi.shapes import SigningShape


class Kind(Enum):
    """What repeating a request would mean."""

    READ = "read"
    """Nothing: it may be repeated."""
    TRADE = "trade"
    """It could trade or take a trade back: never sent again unless the venue certainly refused it."""
    STATE = "state"
    """It concerns the connection it is sent on: not repeated, the connection's successor has its own."""


READS = frozenset(
    {
        "ping",
        "time",
        "exchangeInfo",
        "executionRules",
        "depth",
        "trades.recent",
        "trades.historical",
        "blockTrades.historical",
        "trades.aggregate",
        "klines",
        "uiKlines",
        "avgPrice",
        "ticker.24hr",
        "ticker.tradingDay",
        "ticker",
        "ticker.price",
        "ticker.book",
        "referencePrice",
        "referencePrice.calculation",
        "order.status",
        "order.test",
        "sor.order.test",
        "order.amendments",
        "openOrders.status",
        "orderList.status",
        "openOrderLists.status",
        "allOrders",
        "allOrderLists",
        "myTrades",
        "myPreventedMatches",
        "myAllocations",
        "myFilters",
        "account.status",
        "account.commission",
        "account.rateLimits.orders",
        "session.status",
        "session.subscriptions",
    }
)
"""Methods that change nothing (``web-socket-api.md``); what is not listed is not repeated."""

ORDER_NAMES: dict[str, tuple[str, ...]] = {
    "order.place": ("newClientOrderId",),
    "sor.order.place": ("newClientOrderId",),
    "order.cancel": ("newClientOrderId",),
    "order.cancelReplace": ("newClientOrderId", "cancelNewClientOrderId"),
    "order.amend.keepPriority": ("newClientOrderId",),
    "orderList.place": ("limitClientOrderId", "listClientOrderId", "stopClientOrderId"),
    "orderList.place.oco": ("aboveClientOrderId", "listClientOrderId", "belowClientOrderId"),
    "orderList.place.oto": ("workingClientOrderId", "listClientOrderId", "pendingClientOrderId"),
    "orderList.place.opo": ("workingClientOrderId", "listClientOrderId", "pendingClientOrderId"),
    "orderList.place.otoco": (
        "workingClientOrderId",
        "listClientOrderId",
        "pendingAboveClientOrderId",
        "pendingBelowClientOrderId",
    ),
    "orderList.place.opoco": (
        "workingClientOrderId",
        "listClientOrderId",
        "pendingAboveClientOrderId",
        "pendingBelowClientOrderId",
    ),
    "orderList.cancel": ("newClientOrderId",),
}
"""Method to the names that are made before it is sent; the first is the one that the order is asked for by."""


@lru_cache(maxsize=512)
def kind_of(method: str, security: SecurityType) -> Kind:
    """What a method is; one that is not known is never repeated."""
    name = method.removeprefix("v3/")
    if name in READS:
        return Kind.READ
    if name.startswith(("session.", "userDataStream.")):
        return Kind.STATE
    if security is SecurityType.TRADE or name.startswith(("order", "sor.", "openOrders")):
        return Kind.TRADE
    return Kind.STATE


class Sink(Protocol):
    """Where a request ends: exactly one of its methods is called, once."""

    message_id: str
    """The id that the caller knows the request by; set before it is sent."""

    def answered(self, reply: Reply, data: bytes) -> None:
        """The venue's reply, good or bad, and its bytes."""
        ...

    def unsure(self, reply: Reply, data: bytes, lost: CryptotraderError) -> None:
        """The venue's reply to what could trade, which says that it does not know the outcome (-1006, -1007, 5xx)."""
        ...

    def failed(self, error: CryptotraderError) -> None:
        """There is no reply and will be none."""
        ...


class Call(msgspec.Struct, eq=False):
    """A request as the caller wants it; its repr shows no parameter."""

    method: str
    params: dict[str, object]
    kind: Kind
    cost: Cost
    needs_key: bool = False
    signed: bool = False
    on_ok: Callable[[Reply], None] | None = None
    """Called with a good reply at the very moment it is read, before any event that follows it."""
    credentials: Credentials | None = None
    """Whose request it is, where it is not the connection's owner's."""
    shape: SigningShape | None = None
    """How exactly these parameters are signed, where that is known."""

    def __repr__(self) -> str:
        return f"Call({self.method})"


class Pending(msgspec.Struct, eq=False):
    """One request until its end."""

    call: Call
    sink: Sink
    message_id: str
    """What the caller knows it by."""
    wire_id: str
    """What this transmission is known by; another for every transmission."""
    final_ns: int
    """When the caller stops waiting. Unit: monotonic nanoseconds."""
    deadline_ns: int
    link: int = 0
    """Number of the connection that it was sent on; 0 while it waits to be sent."""
    only_link: int = 0
    """Number of the one connection that it concerns; 0 where any will do."""
    sends: int = 0
    sent_ns: int = 0
    timestamp_ms: int = 0
    """The venue's time when it was signed."""
    healed: bool = False
    """Whether it was signed anew after -1021."""
    has_cost: bool = False
    """Whether its cost is taken and not settled."""
    refusal: tuple[Reply, bytes] | None = None
    """The venue's -1021, kept while the clock is set."""

    def __repr__(self) -> str:
        return f"Pending({self.call!r})"


class PendingTable:
    """Requests by the id of their transmission."""

    def __init__(self) -> None:
        self._by_id: dict[str, Pending] = {}
        self.unmatched = 0
        """Replies to nothing that is awaited: unknown, repeated, or too late."""

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Pending]:
        return iter(list(self._by_id.values()))

    def add(self, entry: Pending) -> None:
        """Await it; called before its frame is written."""
        self._by_id[entry.wire_id] = entry

    def match(self, wire_id: str | int | None, link: int) -> Pending | None:
        """Take out the request that a reply belongs to; None, counted, where there is none on this connection."""
        entry = self._by_id.get(wire_id) if isinstance(wire_id, str) else None
        if entry is None or entry.link != link:
            self.unmatched += 1
            return None
        del self._by_id[entry.wire_id]
        return entry

    def remove(self, entry: Pending) -> bool:
        """Await it no more under its present id; False where it was not awaited, because it has ended."""
        return self._by_id.pop(entry.wire_id, None) is not None

    def holds(self, entry: Pending) -> bool:
        """Whether it has not ended."""
        return self._by_id.get(entry.wire_id) is entry

    def on_link(self, link: int) -> list[Pending]:
        """Those sent on a connection, oldest first."""
        return [entry for entry in self._by_id.values() if entry.link == link]

    def count_on(self, link: int) -> int:
        """How many wait for a connection's replies."""
        return sum(entry.link == link for entry in self._by_id.values())

    def due(self, now_ns: int) -> list[Pending]:
        """Those whose deadline has passed."""
        return [entry for entry in self._by_id.values() if entry.deadline_ns <= now_ns]
