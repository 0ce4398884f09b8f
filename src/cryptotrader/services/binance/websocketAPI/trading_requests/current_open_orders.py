"""Open orders of a symbol or of all (``openOrders.status``)."""

from __future__ import annotations

from cryptotrader.services.binance.models.orders import OrderReport
from cryptotrader.services.binance.request import RequestSpec, SecurityType, SignedParams, Symbol, weight_if


class OpenOrdersParams(SignedParams, frozen=True, kw_only=True):
    """Parameters of ``openOrders.status``."""

    symbol: Symbol | None = None


SPEC = RequestSpec(
    method="openOrders.status",
    rest="GET /api/v3/openOrders",
    security=SecurityType.USER_DATA,
    weight=weight_if("symbol", present=6, absent=80),
    params=OpenOrdersParams,
    result=list[OrderReport],
)
process_request = SPEC.process_request
