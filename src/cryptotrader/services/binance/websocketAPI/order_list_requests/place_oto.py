"""Place an OTO (``orderList.place.oto``): an order that sets another to work once it is filled."""

from __future__ import annotations

from cryptotrader.services.binance.legs import PendingParams, leg_rules
from cryptotrader.services.binance.models.order_lists import PlacedOrderList
from cryptotrader.services.binance.request import DecimalText, RequestSpec, SecurityType, fixed_weight


class OtoParams(PendingParams, frozen=True, kw_only=True):
    """Parameters of ``orderList.place.oto``. Which ones a type needs: ``legs.leg_fields``."""

    pending_quantity: DecimalText


SPEC = RequestSpec(
    method="orderList.place.oto",
    rest="POST /api/v3/orderList/oto",
    security=SecurityType.TRADE,
    weight=fixed_weight(1),
    params=OtoParams,
    result=PlacedOrderList,
    order_count=2,
    rules=leg_rules("working", "pending"),
)
process_request = SPEC.process_request
