"""What the end or the first fill of one leg of a list does to the others (``rest-api.md``, "Order lists")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptotrader.core.orders import ListOrderStatus, ListStatusType, OrderStatus
from cryptotrader.exchange.engine.accounts import Account, needed_lock, waiting_lock
from cryptotrader.exchange.engine.events import ListUpdate
from cryptotrader.exchange.engine.order_lists import ListKind, OrderList
from cryptotrader.exchange.engine.orders import Fill, Order

if TYPE_CHECKING:
    from cryptotrader.exchange.engine.execution import Execution
    from cryptotrader.exchange.engine.matching.market import SymbolMarket

OCO_TRIGGER = "OCO_TRIGGER"
OTO_PHASE_ONE_EXPIRED = "OTO_PHASE_ONE_EXPIRED"
REJECTED = "REJECTED"

UNDISCOUNTED_ASSET = "BNB"
"""The asset whose commission is taken from what was received in any case (``faqs/opo.md``)."""

Follower = tuple[Order, OrderStatus, str]
"""An order that ends with another one, how, and its expiry reason."""


def legs_of(account: Account, order_list: OrderList) -> list[Order]:
    """The orders of a list that are still remembered; open ones always are."""
    orders = account.history(order_list.symbol).orders
    return [orders[leg.order_id] for leg in order_list.legs if leg.order_id in orders]


def sibling_of(account: Account, order: Order) -> Order | None:
    """The other one of two open legs of which one cancels the other."""
    order_list = account.lists.open.get(order.order_list_id)
    if order_list is None or order_list.kind in (ListKind.OTO, ListKind.OPO):
        return None
    pair = [leg.order_id for leg in order_list.legs[-2:]]
    if order.order_id not in pair:
        return None
    return account.history(order.symbol).open.get(pair[0] if order.order_id == pair[1] else pair[1])


def leg_touched(market: SymbolMarket, order: Order, run: Execution) -> None:
    """A leg triggers or is about to trade: the other one of its pair expires, and hands over what it holds."""
    sibling = sibling_of(run.account(order.account), order)
    if sibling is not None:
        order.held += sibling.held
        sibling.held = 0
        run.withdraw(market, sibling, OrderStatus.EXPIRED, reason=OCO_TRIGGER)


def leg_filled(market: SymbolMarket, order: Order, fill: Fill, run: Execution) -> None:
    """A leg traded. Full, a working order releases the pending ones; OPO sets aside for them what each fill brings."""
    account = run.account(order.account)
    order_list = account.lists.open.get(order.order_list_id)
    if order_list is None:
        return
    if order_list.kind is not ListKind.OCO and order.order_id == order_list.legs[0].order_id:
        pending = account.history(order.symbol).open.get(order_list.legs[1].order_id)
        if pending is not None and order_list.kind.is_proportional:
            run.hold(market, pending, pending.held + _received(market, account, fill))
            run.keep(pending)
        if pending is not None and not order.is_open:
            run.due.append(pending)
    if not order.is_open:
        _finish_if_done(account, order_list, order, (), run)


def _received(market: SymbolMarket, account: Account, fill: Fill) -> int:
    """What a fill of the working order brings for the pending ones.

    A commission in the asset bought comes from other free funds where there are enough of them.
    """
    base = market.rules.base
    if fill.commission_asset != base:
        return fill.qty
    if base != UNDISCOUNTED_ASSET and account.wallet.free(base) >= fill.qty:
        return fill.qty
    return fill.qty - fill.commission


def leg_closed(order: Order, run: Execution) -> list[Follower]:
    """A leg ended without being filled whole: who ends with it. Tells that the list is done, where it is."""
    account = run.account(order.account)
    order_list = account.lists.open.get(order.order_list_id)
    if order_list is None:
        return []
    followers: list[Follower] = []
    if order.expiry_reason != OCO_TRIGGER:
        is_cancelled = order.status is OrderStatus.CANCELED
        is_working_leg = order_list.kind is not ListKind.OCO and order.order_id == order_list.legs[0].order_id
        status = OrderStatus.CANCELED if is_cancelled else OrderStatus.EXPIRED
        reason = "" if is_cancelled else OTO_PHASE_ONE_EXPIRED if is_working_leg else OCO_TRIGGER
        others = [leg for leg in legs_of(account, order_list) if leg.is_open and leg is not order]
        followers = [(other, status, reason) for other in others]
    _finish_if_done(account, order_list, order, followers, run)
    return followers


def _finish_if_done(
    account: Account, order_list: OrderList, order: Order, followers: list[Follower] | tuple[()], run: Execution
) -> None:
    ending = {order.order_id, *(follower.order_id for follower, _, _ in followers)}
    still_open = account.history(order_list.symbol).open
    if any(leg.order_id in still_open and leg.order_id not in ending for leg in order_list.legs):
        return
    finish(account, order_list, run)


def finish(account: Account, order_list: OrderList, run: Execution) -> None:
    """A list is done: tell."""
    order_list.status_type = ListStatusType.ALL_DONE
    order_list.order_status = ListOrderStatus.ALL_DONE
    account.lists.close(order_list)
    run.events.append(ListUpdate(order_list.snapshot(), run.now_ms))


def hold_anew(market: SymbolMarket, order: Order, run: Execution, *, most: int | None = None) -> None:
    """Hold what an open order needs now, and no less than the other one of its pair does, as far as that was held.

    With ``most`` no more than that.
    """
    sibling = sibling_of(run.account(order.account), order)
    need = _need(market, order)
    if sibling is not None:
        need = max(need, min(_need(market, sibling), order.held + sibling.held))
        if sibling.held:
            order.held += sibling.held
            sibling.held = 0
            run.keep(sibling)
    run.hold(market, order, need if most is None else min(most, need))


def rehold(market: SymbolMarket, order: Order, run: Execution) -> None:
    """An open order needs less than it did: hold no more than it and the other one of its pair need."""
    sibling = sibling_of(run.account(order.account), order)
    hold_anew(market, order, run, most=order.held + (sibling.held if sibling is not None else 0))


def _need(market: SymbolMarket, order: Order) -> int:
    return needed_lock(order) if order.is_working else waiting_lock(order, market.last_price)
