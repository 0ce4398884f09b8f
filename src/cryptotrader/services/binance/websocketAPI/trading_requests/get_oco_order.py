"""Query an order list (``orderList.status``)."""

from __future__ import annotations

from cryptotrader.services.binance.models.order_lists import OrderList
from cryptotrader.services.binance.request import Long, RequestSpec, SecurityType, SignedParams, fixed_weight
from cryptotrader.services.binance.rules import any_of


class QueryOrderListParams(SignedParams, frozen=True, kw_only=True):
    """Parameters of ``orderList.status``; with both names the venue goes by the client's."""

    order_list_id: Long | None = None
    orig_client_order_id: str | None = None
    """The list's own name (``listClientOrderId``)."""


SPEC = RequestSpec(
    method="orderList.status",
    rest="GET /api/v3/orderList",
    security=SecurityType.USER_DATA,
    weight=fixed_weight(4),
    params=QueryOrderListParams,
    result=OrderList,
    rules=(any_of("origClientOrderId", "orderListId"),),
)
process_request = SPEC.process_request
