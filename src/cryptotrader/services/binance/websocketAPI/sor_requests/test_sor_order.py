"""Test an order by smart order routing (``sor.order.test``): checked like a real one, never sent to be matched."""

from __future__ import annotations

from cryptotrader.services.binance.models.orders import TestedOrder
from cryptotrader.services.binance.request import RequestSpec, SecurityType, weight_if
from cryptotrader.services.binance.websocketAPI.sor_requests.place_sor_order import SPEC as PLACE_ORDER
from cryptotrader.services.binance.websocketAPI.sor_requests.place_sor_order import SorOrderParams


class SorOrderTestParams(SorOrderParams, frozen=True, kw_only=True):
    """Parameters of ``sor.order.test``: those of ``sor.order.place`` and one more."""

    compute_commission_rates: bool | None = None


SPEC = RequestSpec(
    method="sor.order.test",
    rest="POST /api/v3/sor/order/test",
    security=SecurityType.TRADE,
    weight=weight_if("computeCommissionRates", present=20, absent=1),
    params=SorOrderTestParams,
    result=TestedOrder,
    rules=PLACE_ORDER.rules,
)
process_request = SPEC.process_request
