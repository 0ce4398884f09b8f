"""Statistics of the trading day (``ticker.tradingDay``)."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from cryptotrader.services.binance.models.market import WindowTicker
from cryptotrader.services.binance.request import (
    Params,
    RequestSpec,
    SecurityType,
    Symbol,
    SymbolStatus,
    TickerType,
    TimeZone,
    one_or_many,
    weight_per_symbol,
)
from cryptotrader.services.binance.rules import any_of, at_most_one_of


class TradingDayParams(Params, frozen=True, kw_only=True):
    """Parameters of ``ticker.tradingDay``; one of the two is needed."""

    symbol: Symbol | None = None
    symbols: Annotated[list[Symbol], Meta(max_length=100)] | None = None
    time_zone: TimeZone | None = None
    type: TickerType | None = None
    symbol_status: SymbolStatus | None = None


SPEC = RequestSpec(
    method="ticker.tradingDay",
    rest="GET /api/v3/ticker/tradingDay",
    security=SecurityType.NONE,
    weight=weight_per_symbol(4, cap=200),
    params=TradingDayParams,
    result=one_or_many(WindowTicker),
    rules=(any_of("symbol", "symbols"), at_most_one_of("symbol", "symbols")),
)
process_request = SPEC.process_request
