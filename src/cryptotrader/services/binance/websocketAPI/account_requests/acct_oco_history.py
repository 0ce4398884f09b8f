"""Every order list of the account (``allOrderLists``), oldest first."""

from __future__ import annotations

from cryptotrader.services.binance.models.order_lists import OrderList
from cryptotrader.services.binance.request import (
    Limit,
    Long,
    Millis,
    RequestSpec,
    SecurityType,
    SignedParams,
    fixed_weight,
)
from cryptotrader.services.binance.rules import at_most_one_of


class AllOrderListsParams(SignedParams, frozen=True, kw_only=True):
    """Parameters of ``allOrderLists``; the most recent ones without any, start and end at most 24 hours apart.

    REST refuses ``from_id`` beside a time and the WebSocket API passes over it, so it is refused here.
    """

    from_id: Long | None = None
    """First order list wanted."""
    start_time: Millis | None = None
    end_time: Millis | None = None
    limit: Limit | None = None


SPEC = RequestSpec(
    method="allOrderLists",
    rest="GET /api/v3/allOrderList",
    security=SecurityType.USER_DATA,
    weight=fixed_weight(20),
    params=AllOrderListsParams,
    result=list[OrderList],
    rules=(at_most_one_of("fromId", "startTime"), at_most_one_of("fromId", "endTime")),
)
process_request = SPEC.process_request
