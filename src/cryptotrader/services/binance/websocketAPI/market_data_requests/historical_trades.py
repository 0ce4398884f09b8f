"""Historical trades (``trades.historical``), from a trade id on. Public since 2023-07-11."""

from __future__ import annotations

from cryptotrader.services.binance.models.market import PublicTrade
from cryptotrader.services.binance.request import (
    Limit,
    Params,
    RequestSpec,
    SecurityType,
    Symbol,
    TradeId,
    fixed_weight,
)


class HistoricalTradesParams(Params, frozen=True, kw_only=True):
    """Parameters of ``trades.historical``."""

    symbol: Symbol
    from_id: TradeId | None = None
    """First trade wanted; the most recent ones when absent."""
    limit: Limit | None = None


SPEC = RequestSpec(
    method="trades.historical",
    rest="GET /api/v3/historicalTrades",
    security=SecurityType.NONE,
    weight=fixed_weight(25),
    params=HistoricalTradesParams,
    result=list[PublicTrade],
)
process_request = SPEC.process_request
