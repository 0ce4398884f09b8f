"""Cancel every open order of a symbol (``openOrders.cancelAll``)."""

from __future__ import annotations

from cryptotrader.services.binance.models.orders import CancelledItem
from cryptotrader.services.binance.request import RequestSpec, SecurityType, SignedParams, Symbol, fixed_weight


class CancelOpenOrdersParams(SignedParams, frozen=True, kw_only=True):
    """Parameters of ``openOrders.cancelAll``."""

    symbol: Symbol


SPEC = RequestSpec(
    method="openOrders.cancelAll",
    rest="DELETE /api/v3/openOrders",
    security=SecurityType.TRADE,
    weight=fixed_weight(1),
    params=CancelOpenOrdersParams,
    result=list[CancelledItem],
)
process_request = SPEC.process_request
