"""Cancel an order list (``orderList.cancel``): OCO, OTO and all others, whole."""

from __future__ import annotations

from cryptotrader.services.binance.models.order_lists import CancelledOrderList
from cryptotrader.services.binance.request import (
    ClientOrderId,
    Long,
    RequestSpec,
    SecurityType,
    SignedParams,
    Symbol,
    fixed_weight,
)
from cryptotrader.services.binance.rules import any_of


class CancelOrderListParams(SignedParams, frozen=True, kw_only=True):
    """Parameters of ``orderList.cancel``; with both names, both must fit."""

    symbol: Symbol
    order_list_id: Long | None = None
    list_client_order_id: str | None = None
    new_client_order_id: ClientOrderId | None = None
    """Name of the cancellation itself."""


SPEC = RequestSpec(
    method="orderList.cancel",
    rest="DELETE /api/v3/orderList",
    security=SecurityType.TRADE,
    weight=fixed_weight(1),
    params=CancelOrderListParams,
    result=CancelledOrderList,
    rules=(any_of("orderListId", "listClientOrderId"),),
)
process_request = SPEC.process_request
