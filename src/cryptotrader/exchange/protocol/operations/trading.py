"""Orders: place, test, query, amend, cancel, list."""

from __future__ import annotations

from typing import Final

from cryptotrader.core.orders import OrderStatus
from cryptotrader.exchange.engine.accounts import Period
from cryptotrader.exchange.engine.errors import Refusal, unknown_order
from cryptotrader.exchange.engine.order_lists import CancelledList, CancelList
from cryptotrader.exchange.engine.orders import NO_ORDER_LIST, AmendOrder, CancelOrder
from cryptotrader.exchange.protocol import render
from cryptotrader.exchange.protocol.operations.call import Call, Endpoint, endpoint, known_symbol
from cryptotrader.exchange.protocol.operations.market import DEFAULT_ROWS
from cryptotrader.exchange.protocol.operations.new_orders import (
    amount,
    commission_for_order,
    counted,
    new_order,
    placed,
)
from cryptotrader.services.binance.websocketAPI.account_requests import acct_order_history
from cryptotrader.services.binance.websocketAPI.trading_requests import (
    amend_order,
    cancel_open_orders,
    cancel_order,
    current_open_orders,
    place_new_order,
    query_order,
    test_new_order,
)

DAY_MS: Final = 86_400_000

KEPT_MS: Final = 90 * DAY_MS
"""How long an order is kept that ended without a fill. Source: ``errors.md``, -2026."""

ARCHIVED: Final = (
    -2026,
    "Order was canceled or expired with no executed qty over 90 days ago and has been archived.",
)
OTHER_NAME: Final = (-2039, "Client order ID is not correct for this order ID.")
"""Only queries tell this; a cancellation finds no such order."""

CANCEL_RESTRICTED_TEXT: Final = "Order was not canceled due to cancel restrictions."

_ENDED_EMPTY: Final = frozenset({OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.EXPIRED_IN_MATCH})


def _place(call: Call, params: place_new_order.NewOrderParams) -> object:
    new = new_order(call, params)
    with counted(call):
        order = call.venue.submit(call.account, new)
    return placed(order, params.new_order_resp_type)


def _test(call: Call, params: test_new_order.OrderTestParams) -> object:
    new = new_order(call, params)
    call.venue.check(call.account, new)
    return commission_for_order(call, new) if params.compute_commission_rates else {}


def _query(call: Call, params: query_order.QueryOrderParams) -> object:
    symbol = known_symbol(call, params.symbol)
    name = params.orig_client_order_id
    order = call.venue.order(
        call.account, symbol, order_id=params.order_id, client_order_id=name if params.order_id is None else None
    )
    if name is not None and order.client_order_id != name:
        raise Refusal(*OTHER_NAME)
    if order.status in _ENDED_EMPTY and not order.executed and call.now_ms - order.update_ms > KEPT_MS:
        raise Refusal(*ARCHIVED)
    return render.order_report(order)


def _cancel(call: Call, params: cancel_order.CancelOrderParams) -> object:
    symbol = known_symbol(call, params.symbol)
    which = CancelOrder(symbol, params.order_id, params.orig_client_order_id, params.new_client_order_id or "")
    return cancelled(call, which, params.cancel_restrictions)


def cancelled(call: Call, which: CancelOrder, restrictions: str | None) -> render.Json:
    """Cancel an order, and with it the list that it belongs to.

    Args:
        call: The request.
        which: The order.
        restrictions: ``cancelRestrictions``: the state in which it must be.

    Raises:
        Refusal: -2011.
    """
    try:
        order = call.venue.order(
            call.account, which.symbol, order_id=which.order_id, client_order_id=which.client_order_id
        )
    except Refusal:
        raise unknown_order() from None
    if not order.is_open:
        raise unknown_order()
    if restrictions is not None:
        needed = OrderStatus.NEW if restrictions == "ONLY_NEW" else OrderStatus.PARTIALLY_FILLED
        if order.status is not needed:
            raise Refusal(-2011, CANCEL_RESTRICTED_TEXT)
    if order.order_list_id == NO_ORDER_LIST:
        return render.cancelled_order(call.venue.cancel(call.account, which))
    whole = CancelList(symbol=which.symbol, list_id=order.order_list_id, new_client_order_id=which.new_client_order_id)
    return render.cancelled_list(*call.venue.cancel_list(call.account, whole))


def _cancel_all(call: Call, params: cancel_open_orders.CancelOpenOrdersParams) -> object:
    gone = call.venue.cancel_all(call.account, known_symbol(call, params.symbol))
    return [
        render.cancelled_list(each.order_list, each.orders)
        if isinstance(each, CancelledList)
        else render.cancelled_order(each)
        for each in gone
    ]


def _amend(call: Call, params: amend_order.AmendOrderParams) -> object:
    which = AmendOrder(
        symbol=known_symbol(call, params.symbol),
        order_id=params.order_id,
        client_order_id=params.orig_client_order_id,
        qty=amount("newQty", params.new_qty),
        new_client_order_id=params.new_client_order_id or "",
    )
    return render.amended(*call.venue.amend(call.account, which))


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
    endpoint(amend_order.SPEC, _amend),
    endpoint(current_open_orders.SPEC, _open_orders),
    endpoint(acct_order_history.SPEC, _all_orders),
)
