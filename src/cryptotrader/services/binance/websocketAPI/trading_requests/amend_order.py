"""Reduce the quantity of an open order that keeps its place in the queue (``order.amend.keepPriority``)."""

from __future__ import annotations

from cryptotrader.services.binance.models.amendments import Amendment
from cryptotrader.services.binance.request import (
    ClientOrderId,
    DecimalText,
    OrderId,
    RequestSpec,
    SecurityType,
    SignedParams,
    Symbol,
    fixed_weight,
)
from cryptotrader.services.binance.rules import any_of


class AmendOrderParams(SignedParams, frozen=True, kw_only=True):
    """Parameters of ``order.amend.keepPriority``."""

    symbol: Symbol
    order_id: OrderId | None = None
    orig_client_order_id: str | None = None
    new_client_order_id: ClientOrderId | None = None
    """The order's name from then on; the one that it has may be kept."""
    new_qty: DecimalText
    """More than zero and less than the order has."""


SPEC = RequestSpec(
    method="order.amend.keepPriority",
    rest="PUT /api/v3/order/amend/keepPriority",
    security=SecurityType.TRADE,
    weight=fixed_weight(4),
    params=AmendOrderParams,
    result=Amendment,
    rules=(any_of("origClientOrderId", "orderId"),),
)
process_request = SPEC.process_request
