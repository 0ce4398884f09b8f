"""Fills that smart order routing took from other books (``myAllocations``), oldest first."""

from __future__ import annotations

from cryptotrader.services.binance.models.account import Allocation
from cryptotrader.services.binance.request import (
    Limit,
    Long,
    Millis,
    OrderId,
    RequestSpec,
    SecurityType,
    SignedParams,
    Symbol,
    fixed_weight,
)
from cryptotrader.services.binance.rules import at_most_one_of


class AllocationsParams(SignedParams, frozen=True, kw_only=True):
    """Parameters of ``myAllocations``; start and end at most 24 hours apart, and not with an order or an id."""

    symbol: Symbol
    start_time: Millis | None = None
    end_time: Millis | None = None
    from_allocation_id: Long | None = None
    limit: Limit | None = None
    order_id: OrderId | None = None


SPEC = RequestSpec(
    method="myAllocations",
    rest="GET /api/v3/myAllocations",
    security=SecurityType.USER_DATA,
    weight=fixed_weight(20),
    params=AllocationsParams,
    result=list[Allocation],
    rules=tuple(
        at_most_one_of(name, time) for name in ("fromAllocationId", "orderId") for time in ("startTime", "endTime")
    ),
)
process_request = SPEC.process_request
