"""Events of ``/ws/user`` (S0-45 to S0-47). Pure.

They are Binance's own ("User Data Streams"), passed on as they came. Of an order that changed while the gateway had no
connection it makes them itself, marked ``"recovered":true``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType, field

from cryptotrader.services.binance.models import user_events

Recovered = (
    Annotated[Literal[True], Meta(description="There where the gateway found out itself what it had missed")]
    | UnsetType
)

HIDDEN = ("raw",)
"""What readers of events keep beside their fields; it is not on the wire."""


class ExecutionReport(user_events.ExecutionReport, frozen=True, kw_only=True, omit_defaults=True):
    """Something happened to an order: it was taken, filled, cancelled, changed, refused, or it expired."""

    is_best_match: bool = field(name="M", default=False)
    last_prevented_quantity: str | UnsetType = field(name="B", default=UNSET)
    trade_group_id: int | UnsetType = field(name="u", default=UNSET)
    counter_order_id: int | UnsetType = field(name="U", default=UNSET)
    counter_symbol: str | UnsetType = field(name="Cs", default=UNSET)
    prevented_execution_quantity: str | UnsetType = field(name="pl", default=UNSET)
    prevented_execution_price: str | UnsetType = field(name="pL", default=UNSET)
    prevented_execution_quote: str | UnsetType = field(name="pY", default=UNSET)
    match_type: str | UnsetType = field(name="b", default=UNSET)
    allocation_id: int | UnsetType = field(name="a", default=UNSET)
    working_floor: str | UnsetType = field(name="k", default=UNSET)
    used_sor: bool | UnsetType = field(name="uS", default=UNSET)
    peg_price_type: str | UnsetType = field(name="gP", default=UNSET)
    peg_offset_type: str | UnsetType = field(name="gOT", default=UNSET)
    peg_offset_value: int | UnsetType = field(name="gOV", default=UNSET)
    recovered: Recovered = UNSET


class AccountPosition(user_events.AccountPosition, frozen=True, kw_only=True, omit_defaults=True):
    """Balances that changed."""

    recovered: Recovered = UNSET


class BalanceUpdate(user_events.BalanceUpdate, frozen=True, kw_only=True, omit_defaults=True):
    """A deposit, a withdrawal or a transfer."""


class ExternalLock(user_events.ExternalLock, frozen=True, kw_only=True, omit_defaults=True):
    """A part of a balance was locked or freed elsewhere."""


class ListStatus(user_events.ListStatus, frozen=True, kw_only=True, omit_defaults=True):
    """Something happened to an order list."""
