"""Order lists come and go: whether one may enter, how its orders enter, how it is cancelled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from cryptotrader.core.orders import OrderStatus, Side
from cryptotrader.exchange.engine.accounts import Account, waiting_lock
from cryptotrader.exchange.engine.admission import check_rules
from cryptotrader.exchange.engine.contingent.lists import finish, legs_of
from cryptotrader.exchange.engine.contingent.relations import arranged, check_pair_prices, check_shape, pair_of
from cryptotrader.exchange.engine.errors import DUPLICATE_TEXT, rejected
from cryptotrader.exchange.engine.events import Cause
from cryptotrader.exchange.engine.matching.entry import enter, plan_entry
from cryptotrader.exchange.engine.matching.pegs import price_new
from cryptotrader.exchange.engine.matching.plan import nothing
from cryptotrader.exchange.engine.order_lists import ListKind, NewOrderList, OrderList
from cryptotrader.exchange.engine.orders import NOT_WORKING_MS, NewOrder, Order
from cryptotrader.exchange.engine.rules import check_list

if TYPE_CHECKING:
    from cryptotrader.exchange.engine.execution import Execution
    from cryptotrader.exchange.engine.matching.market import SymbolMarket
    from cryptotrader.exchange.engine.matching.plan import Plan


class Admitted(NamedTuple):
    """A list that may enter."""

    legs: tuple[NewOrder, ...]
    """In the order in which they get their ids."""
    plan: Plan
    """What the order that works at once trades."""
    locks: tuple[int, ...]
    """What each leg holds: of two of which one cancels the other the first holds for both."""


def admit_list(
    market: SymbolMarket, accounts: Mapping[str, Account], account_id: str, new: NewOrderList, now_ms: int
) -> Admitted:
    """Check everything about a list. Changes nothing.

    Raises:
        Refusal: The list may not enter.
    """
    account = accounts[account_id]
    check_shape(new)
    check_list(market.rules, account, new, market.filter_price(now_ms))
    legs = arranged(new)
    _check_names(account, new)
    is_oco = new.kind is ListKind.OCO
    ready = list(legs)
    working = next((place for place, leg in enumerate(legs) if is_at_work(new.kind, place, leg)), None)
    if working is not None:
        ready[working] = price_new(market, legs[working], lambda each: check_rules(market, account, each, now_ms))
    if pair_of(new) is not None:
        # Before the book is asked: a limit on the wrong side of the market is about the pair, not about taking.
        check_pair_prices(ready[-2], ready[-1], market.last_price if is_oco else 0)
    plan = nothing(0) if working is None else plan_entry(market, ready[working], account, now_ms)
    locks = _locks(market, new, ready)
    needs: dict[str, int] = {}
    for leg, lock in zip(ready, locks, strict=True):
        asset = market.rules.quote if leg.side is Side.BUY else market.rules.base
        needs[asset] = needs.get(asset, 0) + lock
    for asset, need in needs.items():
        account.wallet.require(asset, need)
    return Admitted(tuple(ready), plan, locks)


def _check_names(account: Account, new: NewOrderList) -> None:
    history = account.history(new.symbol)
    names = [leg.client_order_id for leg in new.legs if leg.client_order_id]
    if len(set(names)) < len(names) or any(history.bears_open(name) for name in names):
        raise rejected(DUPLICATE_TEXT)
    if new.client_list_id and account.lists.bears_open(new.client_list_id):
        raise rejected(DUPLICATE_TEXT)


def _locks(market: SymbolMarket, new: NewOrderList, legs: list[NewOrder]) -> tuple[int, ...]:
    needs = [waiting_lock(leg, market.last_price) for leg in legs]
    if new.kind is ListKind.OCO:
        return max(needs), 0
    working, *pending = needs
    together = 0 if new.kind.is_proportional else max(pending)
    return (working, together, *(0 for _ in pending[1:]))


def is_at_work(kind: ListKind, place: int, leg: NewOrder) -> bool:
    """Whether a leg works from the start; ``place`` counts from 0 in the order of the ids."""
    return leg.stop is None if kind is ListKind.OCO else place == 0


def place(market: SymbolMarket, order_list: OrderList, orders: list[Order], admitted: Admitted, run: Execution) -> None:
    """The orders of an admitted list enter, in the order of their ids."""
    is_oco = order_list.kind is ListKind.OCO
    for leg, order in enumerate(orders):
        order.order_list_id = order_list.list_id
        if not is_at_work(order_list.kind, leg, admitted.legs[leg]):
            order.is_working = False
            order.working_ms = NOT_WORKING_MS
            order.status = OrderStatus.NEW if is_oco else OrderStatus.PENDING_NEW
            if is_oco:
                market.wait(order, run.due, run.now_ms)
        run.accept(market, order, lock=admitted.locks[leg])
    for order in orders:
        if order.is_working:
            enter(market, order, admitted.plan, run)


def cancel_whole(
    market: SymbolMarket, account: Account, order_list: OrderList, cancel_id: str, run: Execution
) -> list[Order]:
    """Cancel what is open of a list.

    Returns:
        Copies of all its orders; ``client_order_id`` of those cancelled names the cancel.
    """
    finish(account, order_list, run)
    answers = []
    for order in legs_of(account, order_list):
        was_open = order.is_open
        if was_open:
            run.withdraw(market, order, OrderStatus.CANCELED, cause=Cause(cancel_id=cancel_id))
        answer = order.snapshot()
        answer.orig_client_order_id = order.client_order_id
        if was_open:
            answer.client_order_id = cancel_id
        answers.append(answer)
    return answers
