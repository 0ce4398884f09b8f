"""Order lists are placed: OCO, the OCO of old, OTO, OTOCO, OPO, OPOCO (``rest-api.md``, "Order lists")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cryptotrader.core.orders import Side
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.engine.order_lists import ListKind, NewOrderList
from cryptotrader.exchange.protocol import render
from cryptotrader.exchange.protocol.auth import mandatory
from cryptotrader.exchange.protocol.operations.call import Call, Endpoint, endpoint, known_symbol
from cryptotrader.exchange.protocol.operations.new_orders import Leg, amount, counted, leg_order, placed, stp_mode
from cryptotrader.services.binance.legs import OrderListParams, PendingPairParams, PendingParams
from cryptotrader.services.binance.websocketAPI.order_list_requests import (
    place_legacy_oco,
    place_opo,
    place_opoco,
    place_oto,
    place_otoco,
)
from cryptotrader.services.binance.websocketAPI.trading_requests import create_new_oco_order

_LIMIT_MAKER: Final = "LIMIT_MAKER"

_LEGACY_LIMIT: Final = {
    "price": "Price",
    "limitClientOrderId": "ClientOrderId",
    "limitIcebergQty": "IcebergQty",
    "limitStrategyId": "StrategyId",
    "limitStrategyType": "StrategyType",
}
_LEGACY_STOP: Final = {
    "stopPrice": "StopPrice",
    "trailingDelta": "TrailingDelta",
    "stopLimitPrice": "Price",
    "stopLimitTimeInForce": "TimeInForce",
    "stopClientOrderId": "ClientOrderId",
    "stopIcebergQty": "IcebergQty",
    "stopStrategyId": "StrategyId",
    "stopStrategyType": "StrategyType",
}
"""What the OCO of old calls the parameters of its two orders, and what they are called since."""


def _check_iceberg(wire: Mapping[str, Any], *legs: str) -> None:
    """Only an order that stays until cancelled can show itself bit by bit.

    Raises:
        Refusal: -1160.
    """
    for leg in legs:
        name = f"{leg}IcebergQty"
        if name in wire and wire.get(f"{leg}Type") != _LIMIT_MAKER and wire.get(f"{leg}TimeInForce", "GTC") != "GTC":
            raise Refusal(-1160, f"Parameter '{name}' is not supported if `{leg}TimeInForce` is not GTC.")


def _check_contingent(above: str, below: str) -> None:
    if above == below == _LIMIT_MAKER:
        raise Refusal(-1168, "At least one OCO order must be contingent.")


def _check_pair(side: Side, above: str, below: str) -> None:
    """Of the two orders of an OCO one is a stop loss, on the side where the market hurts.

    Raises:
        Refusal: -1165, -1166, -1168 or -1196 to -1199.
    """
    _check_contingent(above, below)
    gain, loss = (below, above) if side is Side.BUY else (above, below)
    where = {Side.BUY: ("buy", "below", "above"), Side.SELL: ("sell", "above", "below")}[side]
    if loss == _LIMIT_MAKER:
        raise Refusal(-1165 if side is Side.BUY else -1166, f"A limit order in a {where[0]} OCO must be {where[1]}.")
    if gain.startswith("STOP_LOSS"):
        code = -1196 if side is Side.BUY else -1197
        raise Refusal(code, f"A stop loss order in a {where[0]} OCO must be {where[2]}.")
    if loss.startswith("TAKE_PROFIT"):
        code = -1198 if side is Side.BUY else -1199
        raise Refusal(code, f"A take profit order in a {where[0]} OCO must be {where[1]}.")


def _check_opo(params: PendingParams | PendingPairParams) -> None:
    if params.working_side is not Side.BUY:
        raise Refusal(-1222, "Working order in an OPO list must be a bid.")
    if params.pending_side is not Side.SELL:
        raise Refusal(-1223, "Pending orders in an OPO list must be asks.")


def _place(call: Call, params: OrderListParams, kind: ListKind, legs: list[tuple[str, Side, str | None]]) -> object:
    """Place a list of (name of the leg, side, parameter that holds its quantity)."""
    wire = params.wire()
    _check_iceberg(wire, *(name for name, _, _ in legs))
    return _submit(call, wire, kind, legs=legs)


def _submit(call: Call, wire: Mapping[str, Any], kind: ListKind, *, legs: list[tuple[str, Side, str | None]]) -> object:
    symbol = known_symbol(call, wire["symbol"])
    mode = stp_mode(call.venue.rules[symbol], wire.get("selfTradePreventionMode"))
    orders = tuple(
        leg_order(
            wire,
            Leg(symbol=symbol, name=name, side=side, qty=amount(qty, wire[qty]) if qty else 0, mode=mode),
        )
        for name, side, qty in legs
    )
    new = NewOrderList(symbol=symbol, kind=kind, legs=orders, client_list_id=wire.get("listClientOrderId", ""))
    with counted(call, len(orders)):
        told, reports = call.venue.submit_list(call.account, new)
    wanted = wire.get("newOrderRespType", "RESULT")
    return render.placed_list(told, [placed(order, wanted) for order in reports])


def _oco(call: Call, params: create_new_oco_order.NewOcoParams) -> object:
    _check_pair(params.side, params.above_type, params.below_type)
    return _place(call, params, ListKind.OCO, [("above", params.side, "quantity"), ("below", params.side, "quantity")])


def _legacy_oco(call: Call, params: place_legacy_oco.LegacyOcoParams) -> object:
    """The same under the names of old: a limit order, and a stop loss on the other side of the market."""
    if params.stop_iceberg_qty is not None and params.stop_limit_time_in_force not in (None, "GTC"):
        raise Refusal(-1160, "Parameter 'stopIcebergQty' is not supported if `stopLimitTimeInForce` is not GTC.")
    wire = params.wire()
    for name in _LEGACY_LIMIT.keys() | _LEGACY_STOP.keys() | {"quantity"}:
        if name.lower().endswith(("price", "qty", "quantity")):
            amount(name, wire.get(name))
    limit, stop = ("above", "below") if params.side is Side.SELL else ("below", "above")
    for leg, names in ((limit, _LEGACY_LIMIT), (stop, _LEGACY_STOP)):
        wire |= {leg + new: wire[old] for old, new in names.items() if old in wire}
    wire |= {f"{limit}Type": _LIMIT_MAKER, f"{stop}Type": "STOP_LOSS_LIMIT" if params.stop_limit_price else "STOP_LOSS"}
    return _submit(
        call, wire, ListKind.OCO, legs=[("above", params.side, "quantity"), ("below", params.side, "quantity")]
    )


def _oto(call: Call, params: place_oto.OtoParams) -> object:
    return _place(call, params, ListKind.OTO, _pending(params, "pendingQuantity"))


def _opo(call: Call, params: place_opo.OpoParams) -> object:
    _check_opo(params)
    return _place(call, params, ListKind.OPO, _pending(params, None))


def _otoco(call: Call, params: place_otoco.OtocoParams) -> object:
    return _place(call, params, ListKind.OTOCO, _pending_pair(params, "pendingQuantity"))


def _opoco(call: Call, params: place_opoco.OpocoParams) -> object:
    _check_opo(params)
    return _place(call, params, ListKind.OPOCO, _pending_pair(params, None))


def _pending(params: PendingParams, qty: str | None) -> list[tuple[str, Side, str | None]]:
    return [("working", params.working_side, "workingQuantity"), ("pending", params.pending_side, qty)]


def _pending_pair(params: PendingPairParams, qty: str | None) -> list[tuple[str, Side, str | None]]:
    """On which side of the market the two lie shows when they begin to work; the document's own example has them
    the other way round. Only one can be without a trigger.

    Raises:
        Refusal: -1102, there is only one of them; -1168.
    """
    if params.pending_below_type is None:
        raise mandatory("pendingBelowType")
    _check_contingent(params.pending_above_type, params.pending_below_type)
    return [
        ("working", params.working_side, "workingQuantity"),
        ("pendingAbove", params.pending_side, qty),
        ("pendingBelow", params.pending_side, qty),
    ]


ENDPOINTS: tuple[Endpoint, ...] = (
    endpoint(place_legacy_oco.SPEC, _legacy_oco),
    endpoint(create_new_oco_order.SPEC, _oco),
    endpoint(place_oto.SPEC, _oto),
    endpoint(place_otoco.SPEC, _otoco),
    endpoint(place_opo.SPEC, _opo),
    endpoint(place_opoco.SPEC, _opoco),
)
