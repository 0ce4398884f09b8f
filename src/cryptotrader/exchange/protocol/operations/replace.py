"""Cancel one order and place another: two steps, of which either may fail alone.

Source: ``web-socket-api.md``, "Cancel and replace order", with its table of modes and outcomes.
"""

from __future__ import annotations

from typing import Final

from cryptotrader.exchange.engine.errors import Refusal, rejected
from cryptotrader.exchange.engine.orders import CancelOrder, NewOrder
from cryptotrader.exchange.protocol import render
from cryptotrader.exchange.protocol.limits import LimitReached
from cryptotrader.exchange.protocol.operations.call import Call, Endpoint, endpoint
from cryptotrader.exchange.protocol.operations.new_orders import new_order, placed
from cryptotrader.exchange.protocol.operations.refusals import DetailedRefusal
from cryptotrader.exchange.protocol.operations.trading import cancelled
from cryptotrader.services.binance.websocketAPI.trading_requests import replace_order

PARTLY_FAILED: Final = (-2021, "Order cancel-replace partially failed.")
FAILED: Final = (-2022, "Order cancel-replace failed.")
NO_REPLACE_TEXT: Final = "Order cancel-replace is not supported for this symbol."

SUCCESS = "SUCCESS"
FAILURE = "FAILURE"
NOT_ATTEMPTED = "NOT_ATTEMPTED"

Step = tuple[str, render.Json | None]
"""What became of a half: ``SUCCESS``, ``FAILURE`` or ``NOT_ATTEMPTED``, and its answer."""


def _replace(call: Call, params: replace_order.ReplaceOrderParams) -> object:
    new = new_order(call, params)
    if not call.venue.rules[new.symbol].cancel_replace_allowed:
        raise rejected(NO_REPLACE_TEXT)
    # Filters and the count of orders come before either half.
    call.venue.check(call.account, new)
    excess = _count(call, params)
    first = _cancel(call, params)
    if first[0] == FAILURE and params.cancel_replace_mode == "STOP_ON_FAILURE":
        # An order that is not attempted counts all the same.
        raise _failed(first, (NOT_ATTEMPTED, None), status=400 if excess is None else excess.status)
    second = _place(call, params, new) if excess is None else (FAILURE, _error(excess))
    if FAILURE in (first[0], second[0]):
        raise _failed(first, second, status=409 if SUCCESS in (first[0], second[0]) else 400)
    return _outcome(first, second)


def _count(call: Call, params: replace_order.ReplaceOrderParams) -> LimitReached | None:
    """Count the new order; gives what is wrong where there are too many and only the old one is to be cancelled.

    Raises:
        LimitReached: There are too many, and nothing is to be done then.
    """
    try:
        call.desk.orders.check(call.account, now_ms=call.now_ms)
    except LimitReached as refusal:
        if params.order_rate_limit_exceeded_mode != "CANCEL_ONLY":
            raise
        return refusal
    call.desk.orders.placed(call.account, now_ms=call.now_ms)
    return None


def _cancel(call: Call, params: replace_order.ReplaceOrderParams) -> Step:
    which = CancelOrder(
        params.symbol,
        params.cancel_order_id,
        params.cancel_orig_client_order_id,
        params.cancel_new_client_order_id or "",
    )
    try:
        return SUCCESS, cancelled(call, which, params.cancel_restrictions)
    except Refusal as refusal:
        return FAILURE, _error(refusal)


def _place(call: Call, params: replace_order.ReplaceOrderParams, new: NewOrder) -> Step:
    try:
        order = call.venue.submit(call.account, new)
    except Refusal as refusal:
        call.desk.orders.release(call.account, now_ms=call.now_ms)
        return FAILURE, _error(refusal)
    return SUCCESS, placed(order, params.new_order_resp_type)


def _error(refusal: Refusal) -> render.Json:
    return {"code": refusal.code, "msg": refusal.message}


def _outcome(first: Step, second: Step) -> render.Json:
    return {
        "cancelResult": first[0],
        "newOrderResult": second[0],
        "cancelResponse": first[1],
        "newOrderResponse": second[1],
    }


def _failed(first: Step, second: Step, *, status: int) -> DetailedRefusal:
    has_effect = SUCCESS in (first[0], second[0])
    code, text = PARTLY_FAILED if has_effect else FAILED
    return DetailedRefusal(code, text, status=status, data=_outcome(first, second), has_effect=has_effect)


ENDPOINTS: tuple[Endpoint, ...] = (endpoint(replace_order.SPEC, _replace),)
