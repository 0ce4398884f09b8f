"""Latest price (``ticker.price``)."""

from __future__ import annotations

from cryptotrader.services.binance.models.market import PriceTicker
from cryptotrader.services.binance.request import (
    Params,
    RequestSpec,
    SecurityType,
    Symbol,
    SymbolStatus,
    one_or_many,
    weight_by_symbols,
)
from cryptotrader.services.binance.rules import at_most_one_of


class PriceTickerParams(Params, frozen=True, kw_only=True):
    """Parameters of ``ticker.price``; none means every symbol."""

    symbol: Symbol | None = None
    symbols: list[Symbol] | None = None
    symbol_status: SymbolStatus | None = None


SPEC = RequestSpec(
    method="ticker.price",
    rest="GET /api/v3/ticker/price",
    security=SecurityType.NONE,
    weight=weight_by_symbols(one=2, steps={}, every=4),
    params=PriceTickerParams,
    result=one_or_many(PriceTicker),
    rules=(at_most_one_of("symbol", "symbols"),),
)
process_request = SPEC.process_request
