"""Cancel an order and place another (``order.cancelReplace``), one after the other and not as one.

Where one half fails the venue answers with -2021 (HTTP status 409: the other half was carried out) or -2022.
"""

from __future__ import annotations

from typing import Literal

from cryptotrader.services.binance.models.amendments import ReplacedOrder
from cryptotrader.services.binance.request import ClientOrderId, OrderId, RequestSpec, SecurityType, fixed_weight
from cryptotrader.services.binance.rules import any_of
from cryptotrader.services.binance.websocketAPI.trading_requests.place_new_order import SPEC as PLACE_ORDER
from cryptotrader.services.binance.websocketAPI.trading_requests.place_new_order import NewOrderParams


class ReplaceOrderParams(NewOrderParams, frozen=True, kw_only=True):
    """Parameters of ``order.cancelReplace``: those of ``order.place``, and which order is cancelled and how.

    With both names of the old order, both must fit.
    """

    cancel_replace_mode: Literal["STOP_ON_FAILURE", "ALLOW_FAILURE"]
    """Whether the new order is placed even where the old one could not be cancelled."""
    cancel_order_id: OrderId | None = None
    cancel_orig_client_order_id: str | None = None
    cancel_new_client_order_id: ClientOrderId | None = None
    """Name of the cancellation itself."""
    cancel_restrictions: Literal["ONLY_NEW", "ONLY_PARTIALLY_FILLED"] | None = None
    order_rate_limit_exceeded_mode: Literal["DO_NOTHING", "CANCEL_ONLY"] | None = None
    """What to do where the account has too many unfilled orders; nothing when absent."""


SPEC = RequestSpec(
    method="order.cancelReplace",
    rest="POST /api/v3/order/cancelReplace",
    security=SecurityType.TRADE,
    weight=fixed_weight(1),
    params=ReplaceOrderParams,
    result=ReplacedOrder,
    order_count=1,
    rules=(any_of("cancelOrigClientOrderId", "cancelOrderId"), *PLACE_ORDER.rules),
)
process_request = SPEC.process_request
