"""Every fill of the account (``myTrades``), oldest first."""

from __future__ import annotations

from cryptotrader.services.binance.models.account import AccountTrade
from cryptotrader.services.binance.request import (
    Limit,
    Millis,
    OrderId,
    RequestSpec,
    SecurityType,
    SignedParams,
    Symbol,
    TradeId,
    weight_if,
)
from cryptotrader.services.binance.rules import at_most_one_of


class MyTradesParams(SignedParams, frozen=True, kw_only=True):
    """Parameters of ``myTrades``; start and end at most 24 hours apart."""

    symbol: Symbol
    order_id: OrderId | None = None
    start_time: Millis | None = None
    end_time: Millis | None = None
    from_id: TradeId | None = None
    """First fill wanted; the most recent ones when absent."""
    limit: Limit | None = None


SPEC = RequestSpec(
    method="myTrades",
    rest="GET /api/v3/myTrades",
    security=SecurityType.USER_DATA,
    weight=weight_if("orderId", present=5, absent=20),
    params=MyTradesParams,
    result=list[AccountTrade],
    rules=(
        at_most_one_of("fromId", "startTime"),
        at_most_one_of("fromId", "endTime"),
        at_most_one_of("orderId", "startTime"),
        at_most_one_of("orderId", "endTime"),
    ),
)
process_request = SPEC.process_request
