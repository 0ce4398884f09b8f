"""How an order was amended (``order.amendments``), oldest first."""

from __future__ import annotations

from cryptotrader.services.binance.models.amendments import PastAmendment
from cryptotrader.services.binance.request import (
    Limit,
    Long,
    OrderId,
    RequestSpec,
    SecurityType,
    SignedParams,
    Symbol,
    fixed_weight,
)


class AmendmentsParams(SignedParams, frozen=True, kw_only=True):
    """Parameters of ``order.amendments``."""

    symbol: Symbol
    order_id: OrderId
    from_execution_id: Long | None = None
    """First amendment wanted."""
    limit: Limit | None = None


SPEC = RequestSpec(
    method="order.amendments",
    rest="GET /api/v3/order/amendments",
    security=SecurityType.USER_DATA,
    weight=fixed_weight(4),
    params=AmendmentsParams,
    result=list[PastAmendment],
)
process_request = SPEC.process_request
