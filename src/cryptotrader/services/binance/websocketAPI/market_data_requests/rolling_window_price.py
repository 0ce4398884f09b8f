"""Statistics of a rolling window (``ticker``)."""

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
    one_or_many,
    weight_per_symbol,
)
from cryptotrader.services.binance.rules import any_of, at_most_one_of


class RollingWindowParams(Params, frozen=True, kw_only=True):
    """Parameters of ``ticker``; one of the two is needed."""

    symbol: Symbol | None = None
    symbols: Annotated[list[Symbol], Meta(max_length=100)] | None = None
    type: TickerType | None = None
    window_size: Annotated[str, Meta(pattern=r"^([1-9]|[1-5][0-9])m$|^([1-9]|1[0-9]|2[0-3])h$|^[1-7]d$")] | None = None
    """``1m`` to ``59m``, ``1h`` to ``23h``, ``1d`` to ``7d``; one day when absent."""
    symbol_status: SymbolStatus | None = None


SPEC = RequestSpec(
    method="ticker",
    rest="GET /api/v3/ticker",
    security=SecurityType.NONE,
    weight=weight_per_symbol(4, cap=200),
    params=RollingWindowParams,
    result=one_or_many(WindowTicker),
    rules=(any_of("symbol", "symbols"), at_most_one_of("symbol", "symbols")),
)
process_request = SPEC.process_request
