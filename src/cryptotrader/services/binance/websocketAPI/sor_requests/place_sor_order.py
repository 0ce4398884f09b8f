"""Place an order by smart order routing (``sor.order.place``): it may take from the books of several symbols."""

from __future__ import annotations

from typing import Literal

from cryptotrader.core.orders import Side, TimeInForce
from cryptotrader.services.binance.legs import ResponseType, StrategyType
from cryptotrader.services.binance.models.orders import PlacedOrder
from cryptotrader.services.binance.request import (
    ClientOrderId,
    DecimalText,
    Long,
    RequestSpec,
    SecurityType,
    SignedParams,
    Symbol,
    fixed_weight,
    one_or_many,
)
from cryptotrader.services.binance.rules import order_fields


class SorOrderParams(SignedParams, frozen=True, kw_only=True):
    """Parameters of ``sor.order.place``; a LIMIT needs price and time in force."""

    symbol: Symbol
    side: Side
    type: Literal["LIMIT", "MARKET"]
    time_in_force: TimeInForce | None = None
    quantity: DecimalText
    price: DecimalText | None = None
    new_client_order_id: ClientOrderId | None = None
    new_order_resp_type: ResponseType | None = None
    iceberg_qty: DecimalText | None = None
    strategy_id: Long | None = None
    strategy_type: StrategyType | None = None
    self_trade_prevention_mode: str | None = None


SPEC = RequestSpec(
    method="sor.order.place",
    rest="POST /api/v3/sor/order",
    security=SecurityType.TRADE,
    weight=fixed_weight(1),
    params=SorOrderParams,
    # The WebSocket API answers an array of one, REST the order itself.
    result=one_or_many(PlacedOrder),
    order_count=1,
    rules=(order_fields,),
)
process_request = SPEC.process_request
