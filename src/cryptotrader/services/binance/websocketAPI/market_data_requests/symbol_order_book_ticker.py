"""Best bid and ask (``ticker.book``)."""

from __future__ import annotations

from cryptotrader.services.binance.models.market import TopOfBook
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


class BookTickerParams(Params, frozen=True, kw_only=True):
    """Parameters of ``ticker.book``; none means every symbol."""

    symbol: Symbol | None = None
    symbols: list[Symbol] | None = None
    symbol_status: SymbolStatus | None = None


SPEC = RequestSpec(
    method="ticker.book",
    rest="GET /api/v3/ticker/bookTicker",
    security=SecurityType.NONE,
    weight=weight_by_symbols(one=2, steps={}, every=4),
    params=BookTickerParams,
    result=one_or_many(TopOfBook),
    rules=(at_most_one_of("symbol", "symbols"),),
)
process_request = SPEC.process_request
