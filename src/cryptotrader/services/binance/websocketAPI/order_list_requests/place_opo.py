"""Place an OPO (``orderList.place.opo``): an OTO that buys and then sells what it bought (``faqs/opo.md``)."""

from __future__ import annotations

from cryptotrader.services.binance.legs import PendingParams, leg_rules
from cryptotrader.services.binance.models.order_lists import PlacedOrderList
from cryptotrader.services.binance.request import RequestSpec, SecurityType, fixed_weight


class OpoParams(PendingParams, frozen=True, kw_only=True):
    """Parameters of ``orderList.place.opo``: the pending order has no quantity, since it sells what was bought."""


SPEC = RequestSpec(
    method="orderList.place.opo",
    rest="POST /api/v3/orderList/opo",
    security=SecurityType.TRADE,
    weight=fixed_weight(1),
    params=OpoParams,
    result=PlacedOrderList,
    order_count=2,
    rules=leg_rules("working", "pending"),
)
process_request = SPEC.process_request
