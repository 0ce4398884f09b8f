"""Waiting orders go to work: stops that a trade triggered, pending orders whose working order is filled.

What is due is carried out one by one, first come first served, after the command or market event that made it due has
been carried out whole. Each order becomes due at most once as a stop and once as a pending order, so this ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cryptotrader.core.orders import ExecutionType, OrderStatus, OrderType
from cryptotrader.exchange.engine.accounts import TAKE_ANY_PRICE
from cryptotrader.exchange.engine.admission import check_again, plan_waiting
from cryptotrader.exchange.engine.contingent import lists
from cryptotrader.exchange.engine.contingent.lists import REJECTED, leg_touched, legs_of
from cryptotrader.exchange.engine.contingent.relations import PAIR, check_pair_prices, check_stop
from cryptotrader.exchange.engine.errors import (
    BAD_PRICES_TEXT,
    INSUFFICIENT_BALANCE_TEXT,
    WOULD_TAKE_TEXT,
    WOULD_TRIGGER_TEXT,
    Refusal,
)
from cryptotrader.exchange.engine.events import Cause, OrderKept
from cryptotrader.exchange.engine.matching.entry import enter
from cryptotrader.exchange.engine.matching.pegs import price_waiting
from cryptotrader.exchange.engine.orders import Order

if TYPE_CHECKING:
    from cryptotrader.exchange.engine.execution import Execution
    from cryptotrader.exchange.engine.matching.market import SymbolMarket
    from cryptotrader.exchange.engine.rules import SymbolRules

_REJECT_REASONS = {
    INSUFFICIENT_BALANCE_TEXT: "INSUFFICIENT_BALANCES",
    WOULD_TRIGGER_TEXT: "STOP_PRICE_WOULD_TRIGGER_IMMEDIATELY",
    WOULD_TAKE_TEXT: "WOULD_MATCH_IMMEDIATELY",
    BAD_PRICES_TEXT: "OCO_BAD_PRICES",
}
"""What a report calls a refusal (``user-data-stream.md``, "Order Reject Reason"); of others it does not tell."""


def settle(markets: Mapping[str, SymbolMarket], run: Execution) -> None:
    """Carry out what is due, and what becomes due by it."""
    due = run.due
    while due:
        item = due.popleft()
        if isinstance(item, OrderKept):
            run.keep(item.order)  # As it is by now.
        elif not isinstance(item, Order):
            run.events.append(item)
        elif item.is_open and not item.is_working:
            market = markets[item.symbol]
            if item.status is OrderStatus.PENDING_NEW:
                _release(market, item, run)
            else:
                market.stop_waiting(item)
                leg_touched(market, item, run)
                _go_to_work(market, item, run)


def _go_to_work(market: SymbolMarket, order: Order, run: Execution) -> None:
    """Put an order that waited on the book or let it match; it expires where it may not."""
    try:
        price_waiting(market, order)
        check_again(market, order, run.now_ms)
        plan = plan_waiting(market, order, run)
    except Refusal as refusal:
        run.close(market, order, OrderStatus.EXPIRED, reason=REJECTED, cause=_refused(refusal))
        return
    order.is_working = True
    order.working_ms = order.update_ms = run.now_ms
    is_alone = lists.sibling_of(run.account(order.account), order) is None
    if is_alone or order.type in TAKE_ANY_PRICE or order.peg is not None:
        # Of a pair it may have taken over what only the other one needed.
        lists.hold_anew(market, order, run)
    run.report(order, ExecutionType.NEW)
    enter(market, order, plan, run)


def _release(market: SymbolMarket, first: Order, run: Execution) -> None:
    """The working order is filled: its pending orders enter, all or none."""
    account = run.account(first.account)
    order_list = account.lists.open.get(first.order_list_id)
    if order_list is None:
        return
    pending = [leg for leg in legs_of(account, order_list) if leg.status is OrderStatus.PENDING_NEW]
    if order_list.kind.is_proportional:
        qty = _whole_lots(market.rules, first.held, pending)
        for leg in pending:
            leg.qty = qty
        run.hold(market, first, qty)
    for leg in pending:
        try:
            _check_release(market, leg, pending, run)
        except Refusal as refusal:
            run.close(market, leg, OrderStatus.EXPIRED, reason=REJECTED, cause=_refused(refusal))
            return
    for leg in pending:
        leg.status = OrderStatus.NEW
        leg.update_ms = run.now_ms
    for leg in pending:
        if leg.stop is not None:
            market.wait(leg, run.due, run.now_ms)
            run.report(leg, ExecutionType.NEW)
        else:
            _go_to_work(market, leg, run)


def _check_release(market: SymbolMarket, leg: Order, pending: list[Order], run: Execution) -> None:
    if len(pending) == PAIR:
        stop_loss, other = pending
        check_pair_prices(stop_loss, other, market.last_price)
    check_stop(leg, market.last_price)
    if leg.stop is None:
        price_waiting(market, leg)
    check_again(market, leg, run.now_ms)
    if leg.type is OrderType.LIMIT_MAKER:
        plan_waiting(market, leg, run)


def _refused(refusal: Refusal) -> Cause:
    return Cause(refused=_REJECT_REASONS.get(refusal.message, "NONE"))


def _whole_lots(rules: SymbolRules, amount: int, pending: list[Order]) -> int:
    """As much of an amount as the lot filters let an order have (``faqs/opo.md``)."""
    steps, most = [rules.step], [rules.max_qty]
    if any(leg.type in TAKE_ANY_PRICE for leg in pending):
        steps.append(rules.market_step)
        most.append(rules.market_max_qty)
    qty = min([amount, *(limit for limit in most if limit)])
    for step in steps:
        if step:
            qty -= qty % step
    return qty
