"""What no symbol allows here (``exchangeInfo`` says so): order lists, amendments, smart order routing.

Parameters are checked as if it were allowed; then comes the matching engine's own refusal (``errors.md``).
"""

from __future__ import annotations

from typing import Final, NoReturn

from cryptotrader.core.orders import Side
from cryptotrader.exchange.engine.errors import ORDER_REJECTED, Refusal, no_such_order, unknown_order
from cryptotrader.exchange.protocol.operations.call import Call, Endpoint, endpoint, known_symbol
from cryptotrader.exchange.protocol.operations.trading import amount, check_period
from cryptotrader.services.binance.legs import OrderListParams, PendingPairParams, PendingParams, WorkingParams
from cryptotrader.services.binance.request import Params
from cryptotrader.services.binance.websocketAPI.account_requests import acct_oco_history
from cryptotrader.services.binance.websocketAPI.order_list_requests import (
    place_legacy_oco,
    place_opo,
    place_opoco,
    place_oto,
    place_otoco,
)
from cryptotrader.services.binance.websocketAPI.sor_requests import place_sor_order, test_sor_order
from cryptotrader.services.binance.websocketAPI.trading_requests import (
    amend_order,
    cancel_oco_order,
    create_new_oco_order,
    get_oco_order,
    get_open_oco_orders,
)

AMEND_REJECTED: Final = -2038
UNSUPPORTED_OPERATION: Final = -1020

NO_OCO_TEXT: Final = "OCO orders are not supported for this symbol"
NO_OTO_TEXT: Final = "OTO orders are not supported for this symbol."
NO_OPO_TEXT: Final = "OPO orders are not supported for this symbol."
NO_AMEND_TEXT: Final = "Order amend is not supported for this symbol."

_LIMIT_MAKER: Final = "LIMIT_MAKER"
_ENDS_OF_AMOUNTS: Final = ("price", "Price", "quantity", "Quantity", "Qty")


def _check(call: Call, params: OrderListParams | amend_order.AmendOrderParams | place_sor_order.SorOrderParams) -> None:
    """Symbol, precision of all amounts, mode of self-trade prevention.

    Raises:
        Refusal: -1121, -1111 or -1130.
    """
    rules = call.venue.rules[known_symbol(call, params.symbol)]
    for name, value in params.wire().items():
        if name.endswith(_ENDS_OF_AMOUNTS):
            amount(name, value)
    mode = params.wire().get("selfTradePreventionMode", rules.default_stp_mode)
    if mode not in rules.allowed_stp_modes:
        raise Refusal(-1130, "Data sent for parameter 'selfTradePreventionMode' is not valid.")


def _check_iceberg(params: Params, *legs: str) -> None:
    """Only an order that stays until cancelled can show itself bit by bit.

    Raises:
        Refusal: -1160.
    """
    wire = params.wire()
    for leg in legs:
        name = f"{leg}IcebergQty"
        if name in wire and wire.get(f"{leg}Type") != _LIMIT_MAKER and wire.get(f"{leg}TimeInForce", "GTC") != "GTC":
            raise Refusal(-1160, f"Parameter '{name}' is not supported if `{leg}TimeInForce` is not GTC.")


def _check_contingent(above: str, below: str | None) -> None:
    if above == below == _LIMIT_MAKER:
        raise Refusal(-1168, "At least one OCO order must be contingent.")


def _check_pair(side: Side, above: str, below: str) -> None:
    """Of the two orders of an OCO one is a stop loss, on the side where the market hurts.

    Raises:
        Refusal: -1165 to -1168 or -1196 to -1199.
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


def _check_pending(params: WorkingParams) -> None:
    match params:
        case PendingPairParams():
            _check_iceberg(params, "working", "pendingAbove", "pendingBelow")
            # On which side of the market they lie shows when they begin to work; only one can be without a trigger.
            _check_contingent(params.pending_above_type, params.pending_below_type)
        case _:
            _check_iceberg(params, "working", "pending")


def _legacy_oco(call: Call, params: place_legacy_oco.LegacyOcoParams) -> NoReturn:
    _check(call, params)
    if params.stop_iceberg_qty is not None and params.stop_limit_time_in_force not in (None, "GTC"):
        raise Refusal(-1160, "Parameter 'stopIcebergQty' is not supported if `stopLimitTimeInForce` is not GTC.")
    raise Refusal(ORDER_REJECTED, NO_OCO_TEXT)


def _oco(call: Call, params: create_new_oco_order.NewOcoParams) -> NoReturn:
    _check(call, params)
    _check_iceberg(params, "above", "below")
    _check_pair(params.side, params.above_type, params.below_type)
    raise Refusal(ORDER_REJECTED, NO_OCO_TEXT)


def _oto(call: Call, params: place_oto.OtoParams | place_otoco.OtocoParams) -> NoReturn:
    _check(call, params)
    _check_pending(params)
    raise Refusal(ORDER_REJECTED, NO_OTO_TEXT)


def _opo(call: Call, params: place_opo.OpoParams | place_opoco.OpocoParams) -> NoReturn:
    _check(call, params)
    _check_opo(params)
    _check_pending(params)
    raise Refusal(ORDER_REJECTED, NO_OPO_TEXT)


def _cancel_list(call: Call, params: cancel_oco_order.CancelOrderListParams) -> NoReturn:
    known_symbol(call, params.symbol)
    raise unknown_order()


def _list_status(call: Call, params: get_oco_order.QueryOrderListParams) -> NoReturn:
    raise no_such_order()


def _open_lists(call: Call, params: get_open_oco_orders.OpenOrderListsParams) -> object:
    return []


def _all_lists(call: Call, params: acct_oco_history.AllOrderListsParams) -> object:
    check_period(params.start_time, params.end_time)
    return []


def _amend(call: Call, params: amend_order.AmendOrderParams) -> NoReturn:
    _check(call, params)
    raise Refusal(AMEND_REJECTED, NO_AMEND_TEXT)


def _sor(call: Call, params: place_sor_order.SorOrderParams) -> NoReturn:
    """No asset has several symbols to route among (``sors`` of ``exchangeInfo``)."""
    _check(call, params)
    raise Refusal(UNSUPPORTED_OPERATION, "This operation is not supported.")


ENDPOINTS: tuple[Endpoint, ...] = (
    endpoint(place_legacy_oco.SPEC, _legacy_oco),
    endpoint(create_new_oco_order.SPEC, _oco),
    endpoint(place_oto.SPEC, _oto),
    endpoint(place_otoco.SPEC, _oto),
    endpoint(place_opo.SPEC, _opo),
    endpoint(place_opoco.SPEC, _opo),
    endpoint(cancel_oco_order.SPEC, _cancel_list),
    endpoint(get_oco_order.SPEC, _list_status),
    endpoint(get_open_oco_orders.SPEC, _open_lists),
    endpoint(acct_oco_history.SPEC, _all_lists),
    endpoint(amend_order.SPEC, _amend),
    endpoint(place_sor_order.SPEC, _sor),
    endpoint(test_sor_order.SPEC, _sor),
)
