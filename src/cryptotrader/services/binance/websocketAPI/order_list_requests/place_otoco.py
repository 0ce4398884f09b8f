"""Place an OTOCO (``orderList.place.otoco``): an order that sets an OCO to work once it is filled."""

from __future__ import annotations

from cryptotrader.services.binance.legs import PendingPairParams, leg_rules
from cryptotrader.services.binance.models.order_lists import PlacedOrderList
from cryptotrader.services.binance.request import DecimalText, RequestSpec, SecurityType, fixed_weight


class OtocoParams(PendingPairParams, frozen=True, kw_only=True):
    """Parameters of ``orderList.place.otoco``. Which ones a type needs: ``legs.leg_fields``."""

    pending_quantity: DecimalText
    """Of both pending orders."""


SPEC = RequestSpec(
    method="orderList.place.otoco",
    rest="POST /api/v3/orderList/otoco",
    security=SecurityType.TRADE,
    weight=fixed_weight(1),
    params=OtocoParams,
    result=PlacedOrderList,
    order_count=3,
    rules=leg_rules("working", "pendingAbove", "pendingBelow"),
)
process_request = SPEC.process_request
