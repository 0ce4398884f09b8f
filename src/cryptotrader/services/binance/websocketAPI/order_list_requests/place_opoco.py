"""Place an OPOCO (``orderList.place.opoco``): buys, then sells what it bought by an OCO (``faqs/opo.md``)."""

from __future__ import annotations

from cryptotrader.services.binance.legs import PendingPairParams, leg_rules
from cryptotrader.services.binance.models.order_lists import PlacedOrderList
from cryptotrader.services.binance.request import RequestSpec, SecurityType, fixed_weight


class OpocoParams(PendingPairParams, frozen=True, kw_only=True):
    """Parameters of ``orderList.place.opoco``: the pending orders have no quantity, since one sells what was bought."""


SPEC = RequestSpec(
    method="orderList.place.opoco",
    rest="POST /api/v3/orderList/opoco",
    security=SecurityType.TRADE,
    weight=fixed_weight(1),
    params=OpocoParams,
    result=PlacedOrderList,
    order_count=3,
    rules=leg_rules("working", "pendingAbove", "pendingBelow"),
)
process_request = SPEC.process_request
