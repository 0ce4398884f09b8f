"""Place an OCO the old way (``orderList.place``); deprecated since 2024-04-02 and still answered.

``trading_requests.create_new_oco_order`` is the way of today.
"""

from __future__ import annotations

from cryptotrader.core.orders import Side, TimeInForce
from cryptotrader.services.binance.legs import OrderListParams, StrategyType, TrailingDelta
from cryptotrader.services.binance.models.order_lists import PlacedOrderList
from cryptotrader.services.binance.request import (
    ClientOrderId,
    DecimalText,
    Long,
    RequestSpec,
    SecurityType,
    fixed_weight,
)
from cryptotrader.services.binance.rules import any_of, needs


class LegacyOcoParams(OrderListParams, frozen=True, kw_only=True):
    """Parameters of ``orderList.place``: a ``LIMIT_MAKER`` and a stop loss, with a price where it is a limit."""

    side: Side
    quantity: DecimalText
    """Of both orders."""
    price: DecimalText
    """Of the limit order."""
    limit_client_order_id: ClientOrderId | None = None
    limit_iceberg_qty: DecimalText | None = None
    limit_strategy_id: Long | None = None
    limit_strategy_type: StrategyType | None = None
    stop_price: DecimalText | None = None
    trailing_delta: TrailingDelta | None = None
    stop_client_order_id: ClientOrderId | None = None
    stop_limit_price: DecimalText | None = None
    stop_limit_time_in_force: TimeInForce | None = None
    stop_iceberg_qty: DecimalText | None = None
    stop_strategy_id: Long | None = None
    stop_strategy_type: StrategyType | None = None


SPEC = RequestSpec(
    method="orderList.place",
    rest="POST /api/v3/order/oco",
    security=SecurityType.TRADE,
    weight=fixed_weight(1),
    params=LegacyOcoParams,
    result=PlacedOrderList,
    order_count=1,
    rules=(any_of("stopPrice", "trailingDelta"), needs("stopLimitPrice", "stopLimitTimeInForce")),
)
process_request = SPEC.process_request
