"""Events of the user data stream as values with exact decimals (``user-data-stream.md``).

What the venue adds tomorrow is not lost: a kind that is unknown here, or a known one that no longer has the documented
shape, becomes an ``OtherEvent``, and every event keeps the whole payload in ``raw``. Enumerations stay text.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import field

ZERO = Decimal(0)


class UserDataEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What every event has."""

    kind: str = field(name="e")
    """``executionReport``, ``outboundAccountPosition``, ..."""
    event_ms: int = field(name="E", default=0)
    """The venue's time of the event. Unit: milliseconds since 1970-01-01 UTC."""
    raw: dict[str, Any] = field(default_factory=dict)
    """The whole event as it came, fields included that no attribute shows."""


class OtherEvent(UserDataEvent, frozen=True, kw_only=True):
    """An event that has no type of its own; look into ``raw``."""


class ExecutionReport(UserDataEvent, frozen=True, kw_only=True):
    """Something happened to an order: ``{"e":"executionReport","s":"ETHBTC","x":"NEW","X":"NEW","i":4293153,...}``."""

    symbol: str = field(name="s")
    order_id: int = field(name="i")
    client_order_id: str = field(name="c")
    orig_client_order_id: str = field(name="C", default="")
    """Of a cancellation: the name of the order that is cancelled."""
    order_list_id: int = field(name="g", default=-1)
    side: str = field(name="S")
    order_type: str = field(name="o")
    time_in_force: str = field(name="f")
    quantity: Decimal = field(name="q")
    price: Decimal = field(name="p")
    stop_price: Decimal = field(name="P", default=ZERO)
    iceberg_quantity: Decimal = field(name="F", default=ZERO)
    quote_order_quantity: Decimal = field(name="Q", default=ZERO)
    execution_type: str = field(name="x")
    """Why this report exists: ``NEW``, ``CANCELED``, ``REPLACED``, ``REJECTED``, ``TRADE``, ``EXPIRED``,
    ``TRADE_PREVENTION``."""
    status: str = field(name="X")
    """State of the order now."""
    reject_reason: str = field(name="r", default="NONE")
    expiry_reason: str | None = field(name="eR", default=None)
    execution_id: int = field(name="I", default=-1)
    trade_id: int = field(name="t", default=-1)
    """-1 where this is no fill."""
    last_quantity: Decimal = field(name="l", default=ZERO)
    last_price: Decimal = field(name="L", default=ZERO)
    last_quote: Decimal = field(name="Y", default=ZERO)
    filled_quantity: Decimal = field(name="z")
    filled_quote: Decimal = field(name="Z", default=ZERO)
    commission: Decimal = field(name="n", default=ZERO)
    commission_asset: str | None = field(name="N", default=None)
    is_on_book: bool = field(name="w", default=False)
    is_maker: bool = field(name="m", default=False)
    created_ms: int = field(name="O", default=0)
    transaction_ms: int = field(name="T", default=0)
    working_ms: int | None = field(name="W", default=None)
    self_trade_prevention_mode: str = field(name="V", default="NONE")
    strategy_id: int | None = field(name="j", default=None)
    strategy_type: int | None = field(name="J", default=None)
    trailing_delta: int | None = field(name="d", default=None)
    trailing_ms: int | None = field(name="D", default=None)
    prevented_match_id: int | None = field(name="v", default=None)
    prevented_quantity: Decimal | None = field(name="A", default=None)
    pegged_price: Decimal | None = field(name="gp", default=None)

    @property
    def is_fill(self) -> bool:
        """Whether something was bought or sold."""
        return self.execution_type == "TRADE"

    @property
    def average_price(self) -> Decimal | None:
        """Quote paid per unit so far; None before the first fill."""
        return self.filled_quote / self.filled_quantity if self.filled_quantity else None


class AssetBalance(msgspec.Struct, frozen=True, kw_only=True):
    """``{"a":"ETH","f":"10000.000000","l":"0.000000"}``."""

    asset: str = field(name="a")
    free: Decimal = field(name="f")
    locked: Decimal = field(name="l")


class AccountPosition(UserDataEvent, frozen=True, kw_only=True):
    """Balances that may have changed: ``{"e":"outboundAccountPosition","u":1564034571073,"B":[...]}``."""

    updated_ms: int = field(name="u", default=0)
    balances: tuple[AssetBalance, ...] = field(name="B")


class BalanceUpdate(UserDataEvent, frozen=True, kw_only=True):
    """Deposit, withdrawal or transfer: ``{"e":"balanceUpdate","a":"BTC","d":"100.00000000","T":1573200697068}``."""

    asset: str = field(name="a")
    delta: Decimal = field(name="d")
    cleared_ms: int = field(name="T", default=0)


class ExternalLock(UserDataEvent, frozen=True, kw_only=True):
    """Balance locked elsewhere: ``{"e":"externalLockUpdate","a":"NEO","d":"10.00000000","T":1581557507268}``."""

    asset: str = field(name="a")
    delta: Decimal = field(name="d")
    transaction_ms: int = field(name="T", default=0)


class ListMember(msgspec.Struct, frozen=True, kw_only=True):
    """``{"s":"ETHBTC","i":17,"c":"AJYsMjErWJesZvqlJCTUgL"}``."""

    symbol: str = field(name="s")
    order_id: int = field(name="i")
    client_order_id: str = field(name="c")


class ListStatus(UserDataEvent, frozen=True, kw_only=True):
    """Something happened to an order list: ``{"e":"listStatus","g":2,"c":"OCO","l":"EXEC_STARTED",...}``."""

    symbol: str = field(name="s")
    order_list_id: int = field(name="g")
    contingency_type: str = field(name="c")
    list_status_type: str = field(name="l")
    list_order_status: str = field(name="L")
    reject_reason: str = field(name="r", default="NONE")
    list_client_order_id: str = field(name="C")
    transaction_ms: int = field(name="T", default=0)
    orders: tuple[ListMember, ...] = field(name="O", default=())


class StreamGap(UserDataEvent, frozen=True, kw_only=True):
    """Of our own: events may be missing here, because the connection was lost or the reader was too slow. Ask for the
    orders and balances that matter. ``{"e":"streamGap","reason":"overflow"}``."""

    reason: str = ""


_TYPES: dict[str, type[UserDataEvent]] = {
    "executionReport": ExecutionReport,
    "outboundAccountPosition": AccountPosition,
    "balanceUpdate": BalanceUpdate,
    "externalLockUpdate": ExternalLock,
    "listStatus": ListStatus,
    "streamGap": StreamGap,
}


def read_user_event(data: Mapping[str, Any]) -> UserDataEvent:
    """The typed form of a bare event, ``{"e":...,"E":...}``. Never raises for what a venue sends."""
    raw = dict(data)
    try:
        event = msgspec.convert(raw, _TYPES.get(str(raw.get("e")), OtherEvent))
    except msgspec.ValidationError:
        event_ms = raw.get("E")
        event = OtherEvent(kind=str(raw.get("e", "")), event_ms=event_ms if isinstance(event_ms, int) else 0)
    # The payload is no field of the wire, and the event is not shared yet.
    msgspec.structs.force_setattr(event, "raw", raw)
    return event
