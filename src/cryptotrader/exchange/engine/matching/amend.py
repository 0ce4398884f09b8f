"""Amending an order in its place (``faqs/order_amend_keep_priority.md``).

Where the document is silent: a quantity that leaves nothing to trade ends the order as EXPIRED (``CHANGELOG.md``,
2026-04-02, speaks of orders that expire because of an amendment), and its quantity becomes what is gone already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from cryptotrader.core.orders import ExecutionType, ListStatusType, OrderStatus
from cryptotrader.exchange.engine.contingent.lists import sibling_of
from cryptotrader.exchange.engine.errors import (
    AMEND_REJECTED,
    DUPLICATE_TEXT,
    UNKNOWN_ORDER_TEXT,
    Refusal,
)
from cryptotrader.exchange.engine.events import Cause, ListUpdate
from cryptotrader.exchange.engine.ids import make_client_order_id
from cryptotrader.exchange.engine.order_lists import OrderList
from cryptotrader.exchange.engine.orders import Amendment, AmendOrder, Order
from cryptotrader.exchange.engine.rules import check_amend

if TYPE_CHECKING:
    from cryptotrader.exchange.engine.accounts import Account
    from cryptotrader.exchange.engine.execution import Execution
    from cryptotrader.exchange.engine.matching.market import SymbolMarket

CLIENT_ID_INVALID = -2039
CLIENT_ID_TEXT = "Client order ID is not correct for this order ID."
INCREASE_TEXT = "Order amend (quantity increase) is not supported."
NO_CHANGE_TEXT = "The requested action would change no state; rejecting"
PENDING_OPO_TEXT = "Order amend (pending OPO order) is not supported."


class Amended(NamedTuple):
    """What came of it."""

    amendment: Amendment
    order: Order
    """As the answer shows it: ``orig_client_order_id`` is the id before."""
    order_list: OrderList | None


def find_amendable(market: SymbolMarket, account: Account, which: AmendOrder) -> list[Order]:
    """The order that is to be amended, and the other one of its OCO pair, which has to have the same quantity.

    Raises:
        Refusal: There is no such open order, or it may not have this quantity.
    """
    history = account.history(which.symbol)
    order = history.find(which.order_id, which.client_order_id)
    if order is None and which.order_id is not None and which.order_id in history.open:
        raise Refusal(CLIENT_ID_INVALID, CLIENT_ID_TEXT)
    if order is None or not order.is_open:
        raise Refusal(AMEND_REJECTED, UNKNOWN_ORDER_TEXT)
    order_list = account.lists.open.get(order.order_list_id)
    if order_list is not None and order_list.kind.is_proportional and order.status is OrderStatus.PENDING_NEW:
        raise Refusal(AMEND_REJECTED, PENDING_OPO_TEXT)
    if which.qty > order.qty:
        raise Refusal(AMEND_REJECTED, INCREASE_TEXT)
    if which.qty == order.qty:
        raise Refusal(AMEND_REJECTED, NO_CHANGE_TEXT)
    new_id = which.new_client_order_id
    if new_id and new_id != order.client_order_id and history.bears_open(new_id):
        raise Refusal(AMEND_REJECTED, DUPLICATE_TEXT)
    sibling = sibling_of(account, order)
    found = [order] if sibling is None else [order, sibling]
    for each in found:
        check_amend(market.rules, account, each, which.qty)
    return found


def amend(run: Execution, market: SymbolMarket, which: AmendOrder, orders: list[Order]) -> Amended:
    """Amend what ``find_amendable`` found."""
    order = orders[0]
    old_id = order.client_order_id
    new_id = which.new_client_order_id or make_client_order_id("amend", run.next_execution_id)
    order_list = _rename(run, order, new_id)
    first = _shrink(run, market, order, which.qty, old_id)
    for sibling in orders[1:]:
        _shrink(run, market, sibling, which.qty, sibling.client_order_id)
    for each in orders:
        # The other one of a pair may have lost to self-trade prevention what it was to keep.
        if not each.remaining and each.is_open:
            run.close(market, each, OrderStatus.EXPIRED)
    answer = order.snapshot()
    answer.orig_client_order_id = old_id
    return Amended(first, answer, order_list.snapshot() if order_list is not None else None)


def _rename(run: Execution, order: Order, new_id: str) -> OrderList | None:
    """Give the order its new client id, also in its list; tells where a list names it otherwise now."""
    account = run.account(order.account)
    order_list = account.lists.open.get(order.order_list_id)
    if new_id == order.client_order_id:
        return order_list
    account.history(order.symbol).rename(order, new_id)
    if order_list is not None:
        order_list.legs = tuple(
            msgspec.structs.replace(leg, client_order_id=new_id) if leg.order_id == order.order_id else leg
            for leg in order_list.legs
        )
        order_list.status_type = ListStatusType.UPDATED
        run.events.append(ListUpdate(order_list.snapshot(), run.now_ms))
    return order_list


def _shrink(run: Execution, market: SymbolMarket, order: Order, qty: int, old_id: str) -> Amendment:
    amendment = Amendment(
        account=order.account,
        symbol=order.symbol,
        order_id=order.order_id,
        execution_id=run.next_execution_id,
        orig_client_order_id=old_id,
        new_client_order_id=order.client_order_id,
        orig_qty=order.qty,
        new_qty=max(qty, order.executed + order.prevented_qty),
        time_ms=run.now_ms,
    )
    order.qty = amendment.new_qty
    order.amends += 1
    order.update_ms = run.now_ms
    if order.is_working:
        market.side(order.side).shrunk(order)
    run.rehold(market, order)
    run.account(order.account).history(order.symbol).amendments.append(amendment)
    run.touch(order.account, market.assets)
    run.report(order, ExecutionType.REPLACED, Cause(amendment=amendment))
    return amendment
