"""Order book (``depth``): current bids and asks, best first."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from cryptotrader.services.binance.models.market import OrderBook
from cryptotrader.services.binance.request import (
    Params,
    RequestSpec,
    SecurityType,
    Symbol,
    SymbolStatus,
    weight_by_limit,
)


class OrderBookParams(Params, frozen=True, kw_only=True):
    """Parameters of ``depth``."""

    symbol: Symbol
    limit: Annotated[int, Meta(ge=1, le=5000)] | None = None
    """Levels per side; the venue answers 100 when it is absent."""
    symbol_status: SymbolStatus | None = None


SPEC = RequestSpec(
    method="depth",
    rest="GET /api/v3/depth",
    security=SecurityType.NONE,
    weight=weight_by_limit({100: 5, 500: 25, 1000: 50, 5000: 250}),
    params=OrderBookParams,
    result=OrderBook,
)
process_request = SPEC.process_request
