"""24-hour price statistics (``ticker.24hr``)."""

from __future__ import annotations

from cryptotrader.services.binance.models.market import DayTicker
from cryptotrader.services.binance.request import (
    Params,
    RequestSpec,
    SecurityType,
    Symbol,
    SymbolStatus,
    TickerType,
    one_or_many,
    weight_by_symbols,
)
from cryptotrader.services.binance.rules import at_most_one_of


class Ticker24hParams(Params, frozen=True, kw_only=True):
    """Parameters of ``ticker.24hr``; none means every symbol."""

    symbol: Symbol | None = None
    symbols: list[Symbol] | None = None
    type: TickerType | None = None
    symbol_status: SymbolStatus | None = None


SPEC = RequestSpec(
    method="ticker.24hr",
    rest="GET /api/v3/ticker/24hr",
    security=SecurityType.NONE,
    weight=weight_by_symbols(one=2, steps={20: 2, 100: 40}, every=80),
    params=Ticker24hParams,
    result=one_or_many(DayTicker),
    rules=(at_most_one_of("symbol", "symbols"),),
)
process_request = SPEC.process_request
