"""Historical block trades (``blockTrades.historical``): agreed upon outside of the book, from an id on."""

from __future__ import annotations

from cryptotrader.services.binance.models.market import BlockTrade
from cryptotrader.services.binance.request import (
    Limit,
    Params,
    RequestSpec,
    SecurityType,
    Symbol,
    TradeId,
    fixed_weight,
)


class BlockTradesParams(Params, frozen=True, kw_only=True):
    """Parameters of ``blockTrades.historical``."""

    symbol: Symbol
    from_id: TradeId
    """First block trade wanted."""
    limit: Limit | None = None


SPEC = RequestSpec(
    method="blockTrades.historical",
    rest="GET /api/v3/historicalBlockTrades",
    security=SecurityType.NONE,
    weight=fixed_weight(25),
    params=BlockTradesParams,
    result=list[BlockTrade],
)
process_request = SPEC.process_request
