"""Recent trades (``trades.recent``), oldest first."""

from __future__ import annotations

from cryptotrader.services.binance.models.market import PublicTrade
from cryptotrader.services.binance.request import Limit, Params, RequestSpec, SecurityType, Symbol, fixed_weight


class RecentTradesParams(Params, frozen=True, kw_only=True):
    """Parameters of ``trades.recent``."""

    symbol: Symbol
    limit: Limit | None = None


SPEC = RequestSpec(
    method="trades.recent",
    rest="GET /api/v3/trades",
    security=SecurityType.NONE,
    weight=fixed_weight(25),
    params=RecentTradesParams,
    result=list[PublicTrade],
)
process_request = SPEC.process_request
