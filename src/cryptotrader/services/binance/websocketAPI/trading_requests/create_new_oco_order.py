"""Place an OCO (``orderList.place.oco``): two orders, one above and one below the market; one ends the other.

It took the place of ``orderList.place``, which is in ``order_list_requests.place_legacy_oco``.
"""

from __future__ import annotations

from cryptotrader.core.orders import Side, TimeInForce
from cryptotrader.services.binance.legs import (
    OrderListParams,
    PairType,
    PegOffset,
    PegOffsetType,
    PegPriceType,
    StrategyType,
    TrailingDelta,
    leg_rules,
)
from cryptotrader.services.binance.models.order_lists import PlacedOrderList
from cryptotrader.services.binance.request import (
    ClientOrderId,
    DecimalText,
    Long,
    RequestSpec,
    SecurityType,
    fixed_weight,
)


class NewOcoParams(OrderListParams, frozen=True, kw_only=True):
    """Parameters of ``orderList.place.oco``. Which ones a type needs: ``legs.leg_fields``.

    One order is ``LIMIT_MAKER`` or a take profit, the other a stop loss.
    """

    side: Side
    quantity: DecimalText
    """Of both orders."""
    above_type: PairType
    above_client_order_id: ClientOrderId | None = None
    above_iceberg_qty: DecimalText | None = None
    above_price: DecimalText | None = None
    above_stop_price: DecimalText | None = None
    above_trailing_delta: TrailingDelta | None = None
    above_time_in_force: TimeInForce | None = None
    above_strategy_id: Long | None = None
    above_strategy_type: StrategyType | None = None
    above_peg_price_type: PegPriceType | None = None
    above_peg_offset_type: PegOffsetType | None = None
    above_peg_offset_value: PegOffset | None = None
    below_type: PairType
    below_client_order_id: ClientOrderId | None = None
    below_iceberg_qty: DecimalText | None = None
    below_price: DecimalText | None = None
    below_stop_price: DecimalText | None = None
    below_trailing_delta: TrailingDelta | None = None
    below_time_in_force: TimeInForce | None = None
    below_strategy_id: Long | None = None
    below_strategy_type: StrategyType | None = None
    below_peg_price_type: PegPriceType | None = None
    below_peg_offset_type: PegOffsetType | None = None
    below_peg_offset_value: PegOffset | None = None


SPEC = RequestSpec(
    method="orderList.place.oco",
    rest="POST /api/v3/orderList/oco",
    security=SecurityType.TRADE,
    weight=fixed_weight(1),
    params=NewOcoParams,
    result=PlacedOrderList,
    order_count=2,
    rules=leg_rules("above", "below"),
)
process_request = SPEC.process_request
