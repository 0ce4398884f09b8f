"""Cancel an order (``order.cancel``), and with it the list that it belongs to."""

from __future__ import annotations

from typing import Literal

from cryptotrader.services.binance.models.orders import CancelledItem
from cryptotrader.services.binance.request import (
    ClientOrderId,
    OrderId,
    RequestSpec,
    SecurityType,
    SignedParams,
    Symbol,
    fixed_weight,
)
from cryptotrader.services.binance.rules import any_of


class CancelOrderParams(SignedParams, frozen=True, kw_only=True):
    """Parameters of ``order.cancel``; with both names, both must fit."""

    symbol: Symbol
    order_id: OrderId | None = None
    orig_client_order_id: str | None = None
    new_client_order_id: ClientOrderId | None = None
    """Name of the cancellation itself."""
    cancel_restrictions: Literal["ONLY_NEW", "ONLY_PARTIALLY_FILLED"] | None = None


SPEC = RequestSpec(
    method="order.cancel",
    rest="DELETE /api/v3/order",
    security=SecurityType.TRADE,
    weight=fixed_weight(1),
    params=CancelOrderParams,
    result=CancelledItem,
    rules=(any_of("origClientOrderId", "orderId"),),
)
process_request = SPEC.process_request
