"""Aggregate trades (``trades.aggregate``): fills of one taker order at one price, added up."""

from __future__ import annotations

from cryptotrader.services.binance.models.market import AggTrade
from cryptotrader.services.binance.request import (
    Limit,
    Millis,
    Params,
    RequestSpec,
    SecurityType,
    Symbol,
    TradeId,
    fixed_weight,
)
from cryptotrader.services.binance.rules import at_most_one_of


class AggregateTradesParams(Params, frozen=True, kw_only=True):
    """Parameters of ``trades.aggregate``; the most recent ones without ``from_id`` and times."""

    symbol: Symbol
    from_id: TradeId | None = None
    start_time: Millis | None = None
    end_time: Millis | None = None
    limit: Limit | None = None


SPEC = RequestSpec(
    method="trades.aggregate",
    rest="GET /api/v3/aggTrades",
    security=SecurityType.NONE,
    weight=fixed_weight(4),
    params=AggregateTradesParams,
    result=list[AggTrade],
    rules=(at_most_one_of("fromId", "startTime"), at_most_one_of("fromId", "endTime")),
)
process_request = SPEC.process_request
