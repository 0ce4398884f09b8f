"""Place a new order (``order.place``)."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from cryptotrader.core.orders import OrderType, Side, TimeInForce
from cryptotrader.services.binance.models.orders import PlacedOrder
from cryptotrader.services.binance.request import (
    MAX_LONG,
    ClientOrderId,
    DecimalText,
    Long,
    RequestSpec,
    SecurityType,
    SignedParams,
    Symbol,
    fixed_weight,
)
from cryptotrader.services.binance.rules import needs, order_fields


class NewOrderParams(SignedParams, frozen=True, kw_only=True):
    """Parameters of ``order.place``. Which ones a type needs: ``rules.REQUIRED_BY_TYPE``."""

    symbol: Symbol
    side: Side
    type: OrderType
    time_in_force: TimeInForce | None = None
    quantity: DecimalText | None = None
    quote_order_qty: DecimalText | None = None
    price: DecimalText | None = None
    new_client_order_id: ClientOrderId | None = None
    strategy_id: Long | None = None
    strategy_type: Annotated[int, Meta(ge=1_000_000, le=2**31 - 1)] | None = None
    stop_price: DecimalText | None = None
    trailing_delta: Annotated[int, Meta(ge=1, le=MAX_LONG)] | None = None
    """Basis points (0.01 %)."""
    iceberg_qty: DecimalText | None = None
    new_order_resp_type: Literal["ACK", "RESULT", "FULL"] | None = None
    """``FULL`` for LIMIT and MARKET when absent, else ``ACK``."""
    self_trade_prevention_mode: str | None = None
    peg_price_type: Literal["PRIMARY_PEG", "MARKET_PEG"] | None = None
    peg_offset_value: Annotated[int, Meta(ge=0, le=100)] | None = None
    peg_offset_type: Literal["PRICE_LEVEL"] | None = None


SPEC = RequestSpec(
    method="order.place",
    rest="POST /api/v3/order",
    security=SecurityType.TRADE,
    weight=fixed_weight(1),
    params=NewOrderParams,
    result=PlacedOrder,
    order_count=1,
    rules=(order_fields, needs("pegOffsetValue", "pegOffsetType"), needs("pegOffsetType", "pegOffsetValue")),
)
process_request = SPEC.process_request
