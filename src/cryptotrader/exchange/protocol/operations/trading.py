"""Orders: place, test, query, cancel, list."""

from __future__ import annotations

from typing import Final

from cryptotrader.core.orders import OrderStatus, OrderType, TimeInForce
from cryptotrader.core.scaled import parse_scaled
from cryptotrader.exchange.engine.accounts import Period
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.engine.orders import CancelOrder, NewOrder, Order
from cryptotrader.exchange.protocol import render
from cryptotrader.exchange.protocol.operations.call import Call, Endpoint, endpoint, known_symbol
from cryptotrader.exchange.protocol.operations.market import DEFAULT_ROWS
from cryptotrader.services.binance.websocketAPI.account_requests import acct_order_history
from cryptotrader.services.binance.websocketAPI.trading_requests import (
    cancel_open_orders,
    cancel_order,
    current_open_orders,
    place_new_order,
    query_order,
    test_new_order,
)

DAY_MS: Final = 86_400_000

CANCEL_RESTRICTED_TEXT = "Order was not canceled due to cancel restrictions."

_UNSUPPORTED: Final = {
    OrderType.STOP_LOSS: "Stop loss orders are not supported for this symbol.",
    OrderType.STOP_LOSS_LIMIT: "Stop loss limit orders are not supported for this symbol.",
    OrderType.TAKE_PROFIT: "Take profit orders are not supported for this symbol.",
    OrderType.TAKE_PROFIT_LIMIT: "Take profit limit orders are not supported for this symbol.",
    OrderType.MARKET: "Market orders are not supported for this symbol.",
}

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


def new_order(call: Call, params: place_new_order.NewOrderParams) -> NewOrder:
    """The order that the parameters describe.

    Raises:
        Refusal: It asks for something that the symbol does not have.
    """
    rules = call.venue.rules[known_symbol(call, params.symbol)]
    if params.type not in rules.order_types:
        raise Refusal(-2010, _UNSUPPORTED.get(params.type, "Unsupported order combination"))
    if params.iceberg_qty is not None and amount("icebergQty", params.iceberg_qty):
        raise Refusal(-2010, "Iceberg orders are not supported for this symbol.")
    if params.peg_price_type is not None:
        raise Refusal(-2010, "Pegged orders are not supported for this symbol.")
    mode = params.self_trade_prevention_mode or rules.default_stp_mode
    if mode not in rules.allowed_stp_modes:
        raise Refusal(-1130, "Data sent for parameter 'selfTradePreventionMode' is not valid.")
    return NewOrder(
        symbol=params.symbol,
        side=params.side,
        type=params.type,
        time_in_force=params.time_in_force or TimeInForce.GTC,
        price=amount("price", params.price),
        qty=amount("quantity", params.quantity),
        quote_order_qty=amount("quoteOrderQty", params.quote_order_qty),
        client_order_id=params.new_client_order_id or "",
        self_trade_prevention_mode=mode,
        strategy_id=params.strategy_id,
        strategy_type=params.strategy_type,
    )


def _place(call: Call, params: place_new_order.NewOrderParams) -> object:
    new = new_order(call, params)
    call.desk.orders.check(call.account, now_ms=call.now_ms)
    # Counted before it is placed, since its first fill may be told while it is.
    call.desk.orders.placed(call.account, now_ms=call.now_ms)
    try:
        order = call.venue.submit(call.account, new)
    except Refusal:
        call.desk.orders.release(call.account, now_ms=call.now_ms)
        raise
    return placed(order, params.new_order_resp_type)


def placed(order: Order, wanted: str | None) -> render.Json:
    """A new order as the client wants to see it: ``ACK``, ``RESULT`` or ``FULL``; None is up to its type."""
    match wanted or ("FULL" if order.type in _ANSWERS_IN_FULL else "ACK"):
        case "ACK":
            return render.order_ack(order)
        case "RESULT":
            return render.order_result(order)
        case _:
            return render.order_full(order)


def _test(call: Call, params: test_new_order.OrderTestParams) -> object:
    call.venue.check(call.account, new_order(call, params))
    return commission_for_order(call) if params.compute_commission_rates else {}


def commission_for_order(call: Call) -> render.Json:
    """What ``computeCommissionRates`` asks for."""
    account = call.venue.account(call.account)
    nothing = {"maker": render.commission_rate(0), "taker": render.commission_rate(0)}
    return {
        "standardCommissionForOrder": {
            "maker": render.commission_rate(account.maker_bps),
            "taker": render.commission_rate(account.taker_bps),
        },
        "specialCommissionForOrder": nothing,
        "taxCommissionForOrder": nothing,
        "discount": render.no_discount(),
    }


def _query(call: Call, params: query_order.QueryOrderParams) -> object:
    symbol = known_symbol(call, params.symbol)
    order = call.venue.order(
        call.account, symbol, order_id=params.order_id, client_order_id=params.orig_client_order_id
    )
    return render.order_report(order)


def _cancel(call: Call, params: cancel_order.CancelOrderParams) -> object:
    symbol = known_symbol(call, params.symbol)
    which = CancelOrder(symbol, params.order_id, params.orig_client_order_id, params.new_client_order_id or "")
    return cancelled(call, which, params.cancel_restrictions)


def cancelled(call: Call, which: CancelOrder, restrictions: str | None) -> render.Json:
    """Cancel an order, provided that its state is the one that ``cancelRestrictions`` names.

    Raises:
        Refusal: -2011.
    """
    if restrictions is not None:
        _check_restrictions(call, which, restrictions)
    return render.cancelled_order(call.venue.cancel(call.account, which))


def _check_restrictions(call: Call, which: CancelOrder, restrictions: str) -> None:
    try:
        order = call.venue.order(
            call.account, which.symbol, order_id=which.order_id, client_order_id=which.client_order_id
        )
    except Refusal:
        raise Refusal(-2011, "Unknown order sent.") from None
    needed = OrderStatus.NEW if restrictions == "ONLY_NEW" else OrderStatus.PARTIALLY_FILLED
    if order.is_open and order.status is not needed:
        raise Refusal(-2011, CANCEL_RESTRICTED_TEXT)


def _cancel_all(call: Call, params: cancel_open_orders.CancelOpenOrdersParams) -> object:
    orders = call.venue.cancel_all(call.account, known_symbol(call, params.symbol))
    return [render.cancelled_order(order) for order in orders]


def _open_orders(call: Call, params: current_open_orders.OpenOrdersParams) -> object:
    symbol = None if params.symbol is None else known_symbol(call, params.symbol)
    return [render.order_report(order) for order in call.venue.open_orders(call.account, symbol)]


def check_period(start_ms: int | None, end_ms: int | None) -> None:
    """A period of account history is at most a day and does not end before it begins.

    Raises:
        Refusal: -1127 or -1128.
    """
    if start_ms is None or end_ms is None:
        return
    if end_ms < start_ms:
        raise Refusal(-1128, "Combination of optional parameters invalid.")
    if end_ms - start_ms > DAY_MS:
        raise Refusal(-1127, "More than 24 hours between startTime and endTime.")


def _all_orders(call: Call, params: acct_order_history.AllOrdersParams) -> object:
    symbol = known_symbol(call, params.symbol)
    check_period(params.start_time, params.end_time)
    orders = call.venue.orders(
        call.account,
        symbol,
        from_order_id=params.order_id,
        period=Period(params.start_time, params.end_time),
        limit=params.limit or DEFAULT_ROWS,
    )
    return [render.order_report(order) for order in orders]


ENDPOINTS: tuple[Endpoint, ...] = (
    endpoint(place_new_order.SPEC, _place),
    endpoint(test_new_order.SPEC, _test),
    endpoint(query_order.SPEC, _query),
    endpoint(cancel_order.SPEC, _cancel),
    endpoint(cancel_open_orders.SPEC, _cancel_all),
    endpoint(current_open_orders.SPEC, _open_orders),
    endpoint(acct_order_history.SPEC, _all_orders),
)
