"""From the parameters of a request to the orders that it asks for; from placed orders to their answers.

What an order must have and must not have by its type: ``services/binance/rules.py`` and ``legs.py``. What its symbol
allows: ``engine/rules``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from cryptotrader.core.orders import OrderType, PegOffsetType, PegPriceType, Side, TimeInForce
from cryptotrader.core.scaled import parse_scaled
from cryptotrader.exchange.engine.errors import Refusal, filter_failure
from cryptotrader.exchange.engine.orders import NewOrder, Order, Peg, Stop
from cryptotrader.exchange.engine.rules import SymbolRules
from cryptotrader.exchange.engine.rules.commission import for_order
from cryptotrader.exchange.protocol import render
from cryptotrader.exchange.protocol.operations.call import Call, known_symbol
from cryptotrader.services.binance.websocketAPI.trading_requests import place_new_order

STP_MODES: Final = frozenset({"NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT", "TRANSFER"})
"""Source: ``enums.md``, "STP Modes"."""

NO_SUCH_MODE: Final = (-1130, "Data sent for parameter 'selfTradePreventionMode' is not valid.")
MODE_NOT_ALLOWED: Final = (-1013, "This symbol does not allow the specified self-trade prevention mode.")
"""Source: ``faqs/stp_faq.md``, "How do I know which symbol uses STP?"."""

_ANSWERS_IN_FULL: Final = frozenset({OrderType.LIMIT, OrderType.MARKET})
"""Order types whose answer is FULL unless asked otherwise (``rest-api.md``, "New order")."""


def amount(name: str, text: str | None) -> int:
    """A price or quantity, scaled; 0 where it was not sent.

    Raises:
        Refusal: -1111, it has more places than any asset.
    """
    if text is None:
        return 0
    try:
        return parse_scaled(text)
    except ValueError:
        raise Refusal(-1111, f"Parameter '{name}' has too much precision.") from None


def stp_mode(rules: SymbolRules, wanted: str | None) -> str:
    """The mode of self-trade prevention that an order gets.

    Raises:
        Refusal: -1130, there is no such mode; -1013, the symbol does not allow it.
    """
    if wanted is None:
        return rules.default_stp_mode
    if wanted not in STP_MODES:
        raise Refusal(*NO_SUCH_MODE)
    if wanted not in rules.allowed_stp_modes:
        raise Refusal(*MODE_NOT_ALLOWED)
    return wanted


def new_order(call: Call, params: place_new_order.NewOrderParams) -> NewOrder:
    """The order that the parameters describe.

    Raises:
        Refusal: An amount or the mode of self-trade prevention cannot be used.
    """
    rules = call.venue.rules[known_symbol(call, params.symbol)]
    mode = stp_mode(rules, params.self_trade_prevention_mode)
    price = amount("price", params.price)
    peg = None
    if params.peg_price_type is not None or params.peg_offset_type is not None:
        peg = _peg(params.wire(), "", price)
    return NewOrder(
        symbol=params.symbol,
        side=params.side,
        type=params.type,
        time_in_force=params.time_in_force or TimeInForce.GTC,
        price=price if peg is None else 0,
        qty=amount("quantity", params.quantity),
        quote_order_qty=amount("quoteOrderQty", params.quote_order_qty),
        client_order_id=params.new_client_order_id or "",
        self_trade_prevention_mode=mode,
        strategy_id=params.strategy_id,
        strategy_type=params.strategy_type,
        stop=_stop("stopPrice", params.stop_price, params.trailing_delta),
        iceberg_qty=amount("icebergQty", params.iceberg_qty),
        peg=peg,
    )


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """Which order of a list is meant, and what the list says for it."""

    symbol: str
    name: str
    """What its parameters begin with: ``above``, ``pendingBelow``."""
    side: Side
    qty: int
    mode: str


def leg_order(wire: Mapping[str, Any], leg: Leg) -> NewOrder:
    """One order of a list, from the parameters that bear its name in front.

    Raises:
        Refusal: An amount cannot be used.
    """
    name = leg.name
    price = amount(f"{name}Price", wire.get(f"{name}Price"))
    peg = _peg(wire, name, price)
    return NewOrder(
        symbol=leg.symbol,
        side=leg.side,
        type=OrderType(wire[f"{name}Type"]),
        time_in_force=TimeInForce(wire.get(f"{name}TimeInForce", TimeInForce.GTC)),
        price=price if peg is None else 0,
        qty=leg.qty,
        client_order_id=wire.get(f"{name}ClientOrderId", ""),
        self_trade_prevention_mode=leg.mode,
        strategy_id=wire.get(f"{name}StrategyId"),
        strategy_type=wire.get(f"{name}StrategyType"),
        stop=_stop(f"{name}StopPrice", wire.get(f"{name}StopPrice"), wire.get(f"{name}TrailingDelta")),
        iceberg_qty=amount(f"{name}IcebergQty", wire.get(f"{name}IcebergQty")),
        peg=peg,
    )


def _stop(name: str, price: str | None, trailing_delta: int | None) -> Stop | None:
    if price is None and trailing_delta is None:
        return None
    level = amount(name, price)
    if price is not None and not level:
        raise filter_failure("PRICE_FILTER")
    return Stop(price=level, trailing_delta=trailing_delta or 0)


def _peg(wire: Mapping[str, Any], leg: str, price: int) -> Peg | None:
    def name_of(field: str) -> str:
        return leg + field if leg else field[0].lower() + field[1:]

    kind, offset_type = wire.get(name_of("PegPriceType")), wire.get(name_of("PegOffsetType"))
    if kind is None:
        if offset_type is not None:
            raise Refusal(-1106, f"Parameter '{name_of('PegOffsetType')}' sent when not required.")
        return None
    return Peg(
        price_type=PegPriceType(kind),
        offset_type=None if offset_type is None else PegOffsetType(offset_type),
        offset_value=wire.get(name_of("PegOffsetValue"), 0),
        price=price,
    )


class counted:  # noqa: N801  # It reads as what it does.
    """Count orders that are placed in the block, and take them back where they are refused.

    They are counted before they are placed, since a first fill may be told while they are. A class, which takes half
    the time of a generator.

    Raises:
        LimitReached: -1015, the account has too many unfilled orders.
    """

    __slots__ = ("_call", "_orders")

    def __init__(self, call: Call, orders: int = 1) -> None:
        self._call = call
        self._orders = orders

    def __enter__(self) -> None:
        call, counter = self._call, self._call.desk.orders
        counter.check(call.account, now_ms=call.now_ms, orders=self._orders)
        counter.placed(call.account, now_ms=call.now_ms, orders=self._orders)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, Refusal):
            self._call.desk.orders.release(self._call.account, now_ms=self._call.now_ms, orders=self._orders)


def placed(order: Order, wanted: str | None) -> render.Json:
    """A new order as the client wants to see it: ``ACK``, ``RESULT`` or ``FULL``; None is up to its type."""
    match wanted or ("FULL" if order.type in _ANSWERS_IN_FULL else "ACK"):
        case "ACK":
            return render.order_ack(order)
        case "RESULT":
            return render.order_result(order)
        case _:
            return render.order_full(order)


def commission_for_order(call: Call, new: NewOrder) -> render.Json:
    """What ``computeCommissionRates`` asks for."""
    fees = call.venue.engine.fees(call.account)
    on_symbol = fees.on(new.symbol)
    return {
        "standardCommissionForOrder": render.order_rates(for_order(on_symbol.standard, new.side)),
        "specialCommissionForOrder": render.order_rates(for_order(on_symbol.special, new.side)),
        "taxCommissionForOrder": render.order_rates(for_order(on_symbol.tax, new.side)),
        "discount": render.discount(fees, new.symbol),
    }
