"""Every order of the account, open or not (``allOrders``), oldest first."""

from __future__ import annotations

from cryptotrader.services.binance.models.orders import OrderReport
from cryptotrader.services.binance.request import (
    Limit,
    Millis,
    OrderId,
    RequestSpec,
    SecurityType,
    SignedParams,
    Symbol,
    fixed_weight,
)


class AllOrdersParams(SignedParams, frozen=True, kw_only=True):
    """Parameters of ``allOrders``; start and end at most 24 hours apart."""

    symbol: Symbol
    order_id: OrderId | None = None
    """First order wanted; the most recent ones when absent."""
    start_time: Millis | None = None
    end_time: Millis | None = None
    limit: Limit | None = None


SPEC = RequestSpec(
    method="allOrders",
    rest="GET /api/v3/allOrders",
    security=SecurityType.USER_DATA,
    weight=fixed_weight(20),
    params=AllOrdersParams,
    result=list[OrderReport],
)
process_request = SPEC.process_request
