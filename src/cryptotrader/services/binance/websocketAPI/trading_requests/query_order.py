"""Query an order (``order.status``)."""

from __future__ import annotations

from cryptotrader.services.binance.models.orders import OrderReport
from cryptotrader.services.binance.request import OrderId, RequestSpec, SecurityType, SignedParams, Symbol, fixed_weight
from cryptotrader.services.binance.rules import any_of


class QueryOrderParams(SignedParams, frozen=True, kw_only=True):
    """Parameters of ``order.status``; with both names, both must fit."""

    symbol: Symbol
    order_id: OrderId | None = None
    orig_client_order_id: str | None = None


SPEC = RequestSpec(
    method="order.status",
    rest="GET /api/v3/order",
    security=SecurityType.USER_DATA,
    weight=fixed_weight(4),
    params=QueryOrderParams,
    result=OrderReport,
    rules=(any_of("origClientOrderId", "orderId"),),
)
process_request = SPEC.process_request
