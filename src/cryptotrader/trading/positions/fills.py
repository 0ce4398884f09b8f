"""Fills as the venue tells them, as rows of the portfolio. Pure.

Binance: ``user-data-stream.md``, "Order Update" (an allocation of smart order routing has ``t`` -1 and an id in ``a``);
``rest-api.md``, "Account trade list" and "Query Allocations".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cryptotrader.core.orders import ExecutionType, Side
from cryptotrader.core.scaled import mul_scaled, parse_scaled
from cryptotrader.portfolio.positions import FillRow
from cryptotrader.services.binance.models.account import AccountTrade, Allocation

NONE = -1


class _Report(msgspec.Struct, frozen=True):
    """What matters of an ``executionReport``."""

    s: str
    S: str
    i: int
    T: int
    t: int
    l: str  # noqa: E741 - the venue's name
    L: str
    n: str = "0"
    N: str | None = None
    Y: str | None = None
    a: int = NONE


def fill_of_report(report: Mapping[str, Any]) -> FillRow | None:
    """The fill that an ``executionReport`` tells of; None where it tells of none.

    Raises:
        ValueError: It lacks a documented field, or a number is none.
    """
    if report.get("x") != ExecutionType.TRADE:
        return None
    told = msgspec.convert(report, _Report)
    price, qty = parse_scaled(told.L), parse_scaled(told.l)
    if told.t == NONE and told.a == NONE:
        raise ValueError("a fill without an id")
    return FillRow(
        symbol=told.s,
        trade_id=told.t,
        order_id=told.i,
        is_buyer=told.S == Side.BUY,
        price=price,
        qty=qty,
        quote_qty=mul_scaled(price, qty) if told.Y is None else parse_scaled(told.Y),
        commission=parse_scaled(told.n or "0"),
        commission_asset=told.N or "",
        time_ms=told.T,
        allocation_id=told.a if told.t == NONE else NONE,
    )


def fill_of(row: AccountTrade | Allocation) -> FillRow:
    """A row of ``myTrades`` or ``myAllocations``; raises ValueError where a number is none."""
    if isinstance(row, AccountTrade):
        trade_id, allocation_id = row.id, NONE
    else:
        trade_id, allocation_id = NONE, row.allocation_id
    return FillRow(
        symbol=row.symbol,
        trade_id=trade_id,
        order_id=row.order_id,
        is_buyer=row.is_buyer,
        price=parse_scaled(row.price),
        qty=parse_scaled(row.qty),
        quote_qty=parse_scaled(row.quote_qty),
        commission=parse_scaled(row.commission),
        commission_asset=row.commission_asset,
        time_ms=row.time,
        allocation_id=allocation_id,
    )


def needs_value(fill: FillRow, base: str, quote: str) -> bool:
    """Whether its commission is in a third asset and nobody has said what it is worth."""
    return fill.commission_value is None and fill.commission != 0 and fill.commission_asset not in (base, quote, "")
