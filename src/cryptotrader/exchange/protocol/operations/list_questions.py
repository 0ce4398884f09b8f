"""Order lists that were placed: cancelled, asked for, listed."""

from __future__ import annotations

from cryptotrader.exchange.engine.accounts import Period
from cryptotrader.exchange.engine.order_lists import CancelList
from cryptotrader.exchange.protocol import render
from cryptotrader.exchange.protocol.operations.call import Call, Endpoint, endpoint, known_symbol
from cryptotrader.exchange.protocol.operations.market import DEFAULT_ROWS
from cryptotrader.exchange.protocol.operations.trading import check_period
from cryptotrader.services.binance.websocketAPI.account_requests import acct_oco_history
from cryptotrader.services.binance.websocketAPI.trading_requests import (
    cancel_oco_order,
    get_oco_order,
    get_open_oco_orders,
)


def _cancel(call: Call, params: cancel_oco_order.CancelOrderListParams) -> object:
    which = CancelList(
        symbol=known_symbol(call, params.symbol),
        list_id=params.order_list_id,
        client_list_id=params.list_client_order_id,
        new_client_order_id=params.new_client_order_id or "",
    )
    return render.cancelled_list(*call.venue.cancel_list(call.account, which))


def _status(call: Call, params: get_oco_order.QueryOrderListParams) -> object:
    """Where both names are sent, the client's counts (``web-socket-api.md``, "Query Order list")."""
    name = params.orig_client_order_id
    list_id = params.order_list_id if name is None else None
    return render.order_list(call.venue.order_list(call.account, list_id=list_id, client_list_id=name))


def _open(call: Call, params: get_open_oco_orders.OpenOrderListsParams) -> object:
    return [render.order_list(each) for each in call.venue.open_order_lists(call.account)]


def _all(call: Call, params: acct_oco_history.AllOrderListsParams) -> object:
    check_period(params.start_time, params.end_time)
    found = call.venue.order_lists(
        call.account,
        from_id=params.from_id,
        period=Period(params.start_time, params.end_time),
        limit=params.limit or DEFAULT_ROWS,
    )
    return [render.order_list(each) for each in found]


ENDPOINTS: tuple[Endpoint, ...] = (
    endpoint(cancel_oco_order.SPEC, _cancel),
    endpoint(get_oco_order.SPEC, _status),
    endpoint(get_open_oco_orders.SPEC, _open),
    endpoint(acct_oco_history.SPEC, _all),
)
