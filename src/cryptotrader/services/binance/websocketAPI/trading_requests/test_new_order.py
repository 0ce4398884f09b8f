"""Test a new order (``order.test``): checked like a real one, never sent to the matching engine."""

from __future__ import annotations

from cryptotrader.services.binance.models.orders import TestedOrder
from cryptotrader.services.binance.request import RequestSpec, SecurityType, weight_if
from cryptotrader.services.binance.websocketAPI.trading_requests.place_new_order import SPEC as PLACE_ORDER
from cryptotrader.services.binance.websocketAPI.trading_requests.place_new_order import NewOrderParams


class OrderTestParams(NewOrderParams, frozen=True, kw_only=True):
    """Parameters of ``order.test``: those of ``order.place`` and one more."""

    compute_commission_rates: bool | None = None


SPEC = RequestSpec(
    method="order.test",
    rest="POST /api/v3/order/test",
    security=SecurityType.TRADE,
    weight=weight_if("computeCommissionRates", present=20, absent=1),
    params=OrderTestParams,
    result=TestedOrder,
    rules=PLACE_ORDER.rules,
)
process_request = SPEC.process_request
