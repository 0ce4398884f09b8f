"""Open order lists of the account (``openOrderLists.status``)."""

from __future__ import annotations

from cryptotrader.services.binance.models.order_lists import OrderList
from cryptotrader.services.binance.request import RequestSpec, SecurityType, SignedParams, fixed_weight


class OpenOrderListsParams(SignedParams, frozen=True, kw_only=True):
    """``openOrderLists.status`` takes none of its own."""


SPEC = RequestSpec(
    method="openOrderLists.status",
    rest="GET /api/v3/openOrderList",
    security=SecurityType.USER_DATA,
    weight=fixed_weight(6),
    params=OpenOrderListsParams,
    result=list[OrderList],
)
process_request = SPEC.process_request
