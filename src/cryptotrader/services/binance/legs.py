"""Parameters that the requests for order lists share, and what each leg of a list needs.

A leg's parameters bear its name in front: ``workingPrice``, ``pendingAboveStopPrice``, ``belowType``. Source:
``web-socket-api.md``, "Order lists", with its tables of mandatory parameters by type.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta

from cryptotrader.core.errors import InvalidParams
from cryptotrader.core.orders import OrderType, Side, TimeInForce
from cryptotrader.services.binance.request import MAX_LONG, ClientOrderId, DecimalText, Long, Rule, SignedParams, Symbol
from cryptotrader.services.binance.rules import missing, needs

StrategyType = Annotated[int, Meta(ge=1_000_000, le=2**31 - 1)]
"""A number of one's own for a kind of strategy; smaller ones are the venue's."""

TrailingDelta = Annotated[int, Meta(ge=1, le=MAX_LONG)]
"""How far a trailing stop follows. Unit: basis points (0.01 %)."""

PegPriceType = Literal["PRIMARY_PEG", "MARKET_PEG"]
PegOffsetType = Literal["PRICE_LEVEL"]
PegOffset = Annotated[int, Meta(ge=0, le=100)]
"""Price levels away from the peg."""

ResponseType = Literal["ACK", "RESULT", "FULL"]
WorkingType = Literal["LIMIT", "LIMIT_MAKER"]
PairType = Literal["STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT", "LIMIT_MAKER"]
"""Types of the two orders of which one ends the other."""


class OrderListParams(SignedParams, frozen=True, kw_only=True):
    """What every new order list has."""

    symbol: Symbol
    list_client_order_id: ClientOrderId | None = None
    """Name of the list; its orders have names of their own."""
    new_order_resp_type: ResponseType | None = None
    self_trade_prevention_mode: str | None = None


class WorkingParams(OrderListParams, frozen=True, kw_only=True):
    """The order that works at once and, once it is filled, sets the pending ones to work."""

    working_type: WorkingType
    working_side: Side
    working_client_order_id: ClientOrderId | None = None
    working_price: DecimalText
    working_quantity: DecimalText
    working_iceberg_qty: DecimalText | None = None
    working_time_in_force: TimeInForce | None = None
    working_strategy_id: Long | None = None
    working_strategy_type: StrategyType | None = None
    working_peg_price_type: PegPriceType | None = None
    working_peg_offset_type: PegOffsetType | None = None
    working_peg_offset_value: PegOffset | None = None


class PendingParams(WorkingParams, frozen=True, kw_only=True):
    """One pending order of any type, without its quantity."""

    pending_type: OrderType
    pending_side: Side
    pending_client_order_id: ClientOrderId | None = None
    pending_price: DecimalText | None = None
    pending_stop_price: DecimalText | None = None
    pending_trailing_delta: TrailingDelta | None = None
    pending_iceberg_qty: DecimalText | None = None
    pending_time_in_force: TimeInForce | None = None
    pending_strategy_id: Long | None = None
    pending_strategy_type: StrategyType | None = None
    pending_peg_price_type: PegPriceType | None = None
    pending_peg_offset_type: PegOffsetType | None = None
    pending_peg_offset_value: PegOffset | None = None


class PendingPairParams(WorkingParams, frozen=True, kw_only=True):
    """Two pending orders, above and below the market, of which one ends the other; without their quantity."""

    pending_side: Side
    pending_above_type: PairType
    pending_above_client_order_id: ClientOrderId | None = None
    pending_above_price: DecimalText | None = None
    pending_above_stop_price: DecimalText | None = None
    pending_above_trailing_delta: TrailingDelta | None = None
    pending_above_iceberg_qty: DecimalText | None = None
    pending_above_time_in_force: TimeInForce | None = None
    pending_above_strategy_id: Long | None = None
    pending_above_strategy_type: StrategyType | None = None
    pending_above_peg_price_type: PegPriceType | None = None
    pending_above_peg_offset_type: PegOffsetType | None = None
    pending_above_peg_offset_value: PegOffset | None = None
    pending_below_type: PairType | None = None
    pending_below_client_order_id: ClientOrderId | None = None
    pending_below_price: DecimalText | None = None
    pending_below_stop_price: DecimalText | None = None
    pending_below_trailing_delta: TrailingDelta | None = None
    pending_below_iceberg_qty: DecimalText | None = None
    pending_below_time_in_force: TimeInForce | None = None
    pending_below_strategy_id: Long | None = None
    pending_below_strategy_type: StrategyType | None = None
    pending_below_peg_price_type: PegPriceType | None = None
    pending_below_peg_offset_type: PegOffsetType | None = None
    pending_below_peg_offset_value: PegOffset | None = None


_TRIGGER = ("StopPrice", "TrailingDelta")
_PRICE = ("Price", "PegPriceType")
_REQUIRED: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "LIMIT": (_PRICE, ("TimeInForce",)),
    "LIMIT_MAKER": (_PRICE,),
    "STOP_LOSS": (_TRIGGER,),
    "TAKE_PROFIT": (_TRIGGER,),
    "STOP_LOSS_LIMIT": (_PRICE, _TRIGGER, ("TimeInForce",)),
    "TAKE_PROFIT_LIMIT": (_PRICE, _TRIGGER, ("TimeInForce",)),
}
"""Type of a leg to groups of parameters, of which one per group must be sent. A peg stands in for a price."""

_WITHOUT_PRICE = frozenset({"MARKET", "STOP_LOSS", "TAKE_PROFIT"})
_WITHOUT_TRIGGER = frozenset({"MARKET", "LIMIT", "LIMIT_MAKER"})
_NOT_KNOWN: Mapping[str, frozenset[str]] = {
    "Price": _WITHOUT_PRICE,
    "StopPrice": _WITHOUT_TRIGGER,
    "TrailingDelta": _WITHOUT_TRIGGER,
}
"""Parameter to the types of legs that do not know it."""


def leg_fields(leg: str) -> Rule:
    """A leg (``above``, ``pendingBelow``, ...) has what its type needs and nothing that its type does not know."""

    def check(params: Mapping[str, Any]) -> None:
        kind = params.get(f"{leg}Type")
        for group in _REQUIRED.get(str(kind), ()):
            if all(params.get(leg + name) is None for name in group):
                raise missing(*(leg + name for name in (group[:1] if group is _PRICE else group)))
        for name, kinds in _NOT_KNOWN.items():
            if kind in kinds and params.get(leg + name) is not None:
                raise InvalidParams(f"Parameter not required: {leg}{name}", param=leg + name, problem="not_required")

    return check


def leg_peg(leg: str) -> tuple[Rule, Rule]:
    """Offset and type of the offset go together."""
    value, kind = f"{leg}PegOffsetValue", f"{leg}PegOffsetType"
    return needs(value, kind), needs(kind, value)


def leg_rules(*legs: str) -> tuple[Rule, ...]:
    """All rules of these legs."""
    return tuple(rule for leg in legs for rule in (leg_fields(leg), *leg_peg(leg)))
