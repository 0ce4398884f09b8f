"""When the fate of an order that nobody answered for counts as known. Pure: times and answers in, verdicts out.

Binance rejects a request that arrives more than ``recvWindow`` after its timestamp, 5,000 ms where none is sent
(``rest-api.md``, "Timing security"). So an order that does not exist once that window and some time for what was
already in the queue have passed will never exist.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum

import msgspec

from cryptotrader.core.clock import NS_PER_S
from cryptotrader.core.errors import CryptotraderError, UnknownOutcome, VenueRejected, VenueTimeout
from cryptotrader.core.orders import OrderStatus
from cryptotrader.services.binance.models.orders import CancelledOrder, ConditionalFields, PlacedOrder

NO_SUCH_ORDER = -2013
"""``errors.md``: "Order does not exist."."""

_UNKNOWN_CODES = frozenset({-1000, -1001, -1006, -1007})
"""``errors.md``: unknown error, disconnected, unexpected response, timeout: the order may have been placed."""


class Verdict(Enum):
    """What is known about an order."""

    LANDED = "landed"
    ABSENT = "absent"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class ResolvePolicy:
    """How the fate of an order is found out.

    Attributes:
        processing_window_s: After this long since sending, what does not exist will not come to exist.
            Reason: the default ``recvWindow`` of 5 s plus one second for the venue's own queue.
        absent_needed: How many answers "does not exist" in a row prove absence after the window. Reason: one could come
            from a replica that lags.
        first_delay_s: Pause after the first question; doubles each time.
        longest_delay_s: Longest pause.
        search_s: How long to search at least, after the venue's own ten seconds of silence. Reason: a venue that is
            silent altogether must not keep a client waiting much longer than those ten seconds (S0-55).
        settle_s: How long to search beyond the processing window.
        question_timeout_s: Longest wait for one answer.
    """

    processing_window_s: float = 6.0
    absent_needed: int = 2
    first_delay_s: float = 0.25
    longest_delay_s: float = 2.0
    search_s: float = 3.0
    settle_s: float = 2.0
    question_timeout_s: float = 1.5

    def delay_s(self, asked: int) -> float:
        """Pause after the ``asked``-th question (from 1)."""
        return min(self.longest_delay_s, self.first_delay_s * float(2 ** (asked - 1)))

    def deadline_ns(self, *, sent_ns: int, failed_ns: int) -> int:
        """When the search ends. Both times and the result are monotonic nanoseconds."""
        by_search = failed_ns + int(self.search_s * NS_PER_S)
        by_window = sent_ns + int((self.processing_window_s + self.settle_s) * NS_PER_S)
        return max(by_search, by_window)

    def is_absent(self, *, absent_in_a_row: int, since_sent_ns: int) -> bool:
        """Whether the order surely does not exist."""
        return absent_in_a_row >= self.absent_needed and since_sent_ns >= self.processing_window_s * NS_PER_S


def leaves_open(error: CryptotraderError) -> bool:
    """Whether the request may have been carried out in spite of this error."""
    match error:
        case VenueTimeout() | UnknownOutcome():
            return True
        case VenueRejected():
            return error.http_status >= 500 or error.venue_code in _UNKNOWN_CODES
        case _:
            return False


def _wire_names(kind: type[ConditionalFields]) -> list[str]:
    """Names as the venue writes them, those that always appear first."""
    conditional = {field.encode_name for field in msgspec.structs.fields(ConditionalFields)}
    names = [field.encode_name for field in msgspec.structs.fields(kind)]
    return sorted(names, key=lambda name: name in conditional)


_PLACED_FIELDS = _wire_names(PlacedOrder)
_CANCELLED_FIELDS = _wire_names(CancelledOrder)


def placed_from_report(report: bytes, fills: bytes | None) -> bytes:
    """The answer that the venue would have given to the order, from the order's state and its fills.

    Args:
        report: Answer of ``GET /api/v3/order``.
        fills: Answer of ``GET /api/v3/myTrades`` for this order; None where it could not be had: then the answer
            has no ``fills``, since an empty list would be untrue.
    """
    state = msgspec.json.decode(report, type=dict[str, object])
    state["transactTime"] = state.get("updateTime")
    answer = {name: state[name] for name in _PLACED_FIELDS if name in state}
    if fills is not None:
        answer["fills"] = [
            {
                "price": fill["price"],
                "qty": fill["qty"],
                "commission": fill["commission"],
                "commissionAsset": fill["commissionAsset"],
                "tradeId": fill["id"],
            }
            for fill in msgspec.json.decode(fills, type=list[dict[str, object]])
        ]
    return msgspec.json.encode(answer)


def cancelled_from_report(report: bytes) -> bytes:
    """The answer that the venue would have given to the cancellation, from the order's state."""
    state = msgspec.json.decode(report, type=dict[str, object])
    state["transactTime"] = state.get("updateTime")
    state["origClientOrderId"] = state.get("clientOrderId")
    return msgspec.json.encode({name: state[name] for name in _CANCELLED_FIELDS if name in state})


_OPEN = frozenset(status.value for status in OrderStatus if status.is_open)


class OrderState(msgspec.Struct, frozen=True, rename="camel"):
    """The part of an order's state that decides here."""

    order_id: int
    status: str
    executed_qty: str = "0"
    time: int = 0
    """When it was placed, by the venue's clock. Unit: epoch ms."""

    @property
    def is_open(self) -> bool:
        """Whether it can still trade."""
        return self.status in _OPEN

    @property
    def has_fills(self) -> bool:
        """Whether anything was traded."""
        return self.executed_qty.strip("0.") != ""

    @property
    def frees_name(self) -> bool:
        """Whether its name surely is meant for another order: it was cancelled, or ended without a trade."""
        return self.status == OrderStatus.CANCELED or not (self.is_open or self.has_fills)


def is_report(body: bytes) -> bool:
    """Whether an answer tells an order's state at all."""
    try:
        msgspec.json.decode(body, type=OrderState)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False
    return True


_TOLD_AS = {
    "side": "side",
    "type": "type",
    "timeInForce": "timeInForce",
    "quantity": "origQty",
    "quoteOrderQty": "origQuoteOrderQty",
    "price": "price",
    "stopPrice": "stopPrice",
}
"""What a report calls the parameters of an order."""

_WORDS = frozenset({"side", "type", "timeInForce"})


def is_same_order(report: bytes, fields: Iterable[tuple[str, str]]) -> bool:
    """Whether a report may be that of an order with these parameters; what it does not tell is not compared."""
    state = msgspec.json.decode(report, type=dict[str, object])
    for name, text in fields:
        told = state.get(_TOLD_AS.get(name, ""))
        if isinstance(told, str) and told != text and (name in _WORDS or _is_other_number(told, text)):
            return False
    return True


def _is_other_number(told: str, text: str) -> bool:
    try:
        return Decimal(told) != Decimal(text)
    except InvalidOperation:
        return False  # What is no number tells nothing.
