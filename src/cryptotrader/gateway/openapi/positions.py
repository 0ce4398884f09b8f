"""Answers about positions as the OpenAPI document shows them; the routes write the same from scaled integers."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Number = Annotated[float, Meta(description="An exact decimal, written as a JSON number")]
Millis = Annotated[int, Meta(description="Epoch milliseconds")]


class Fees(msgspec.Struct, frozen=True):
    """All commissions paid in one asset."""

    currency: str
    cost: Number


class ProtectionState(msgspec.Struct, frozen=True):
    """The latest protection of a position, and what came of it."""

    status: Literal["armed", "fired", "placed", "done", "partial", "refused", "gone"]
    stop_loss: Number | None
    take_profit: Number | None
    trailing_stop: Number | None
    trailing_stop_price: Number | None
    set_at: Millis
    cause: Literal["stop_loss", "take_profit", "trailing_stop"] | None
    trigger_price: Number | None
    triggered_at: Millis | None
    is_late: bool
    amount: Number
    filled: Number
    client_order_id: str | None
    detail: str


class PositionState(msgspec.Struct, frozen=True):
    """One position; percentages are percents, ``unrealized_pnl_percentage`` cut to two places."""

    symbol: str
    exchange: str
    timestamp: Millis
    type: Literal["spot"]
    side: Literal["long"]
    amount: Number
    cost: Number
    average_price: Number
    unrealized_pnl: Number
    unrealized_pnl_percentage: Number
    liquidation_price: None
    stop_loss: Number | None
    take_profit: Number | None
    trailing_stop: Number | None
    mark_price: Number | None
    realized_pnl: Number
    fees: list[Fees]
    untracked_sold: Number
    protection: ProtectionState | None


class Difference(msgspec.Struct, frozen=True):
    """An asset of which the balance is not what the positions in it hold."""

    asset: str
    balance: Number
    positions: Number
    difference: Number


class Portfolio(msgspec.Struct, frozen=True):
    """Everything that an account holds because of its trades."""

    positions: list[PositionState]
    complete: Annotated[bool, Meta(description="False while the account's history is still being read")]
    reconciliation: list[Difference]
    timestamp: Millis
