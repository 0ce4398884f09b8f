"""Whether a new order may enter, and what it would trade with at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cryptotrader.core.orders import OrderType, Side
from cryptotrader.core.scaled import mul_scaled
from cryptotrader.exchange.engine.accounts import TAKE_ANY_PRICE, Account, needed_lock, waiting_lock
from cryptotrader.exchange.engine.contingent.lists import sibling_of
from cryptotrader.exchange.engine.contingent.relations import check_stop
from cryptotrader.exchange.engine.errors import (
    DUPLICATE_TEXT,
    Refusal,
    filter_failure,
    rejected,
)
from cryptotrader.exchange.engine.matching.entry import plan_entry
from cryptotrader.exchange.engine.matching.market import SymbolMarket
from cryptotrader.exchange.engine.matching.plan import Plan, nothing
from cryptotrader.exchange.engine.orders import NewOrder, Order
from cryptotrader.exchange.engine.rules import check_new
from cryptotrader.exchange.engine.rules.filters import check_order

if TYPE_CHECKING:
    from cryptotrader.exchange.engine.execution import Execution

# Names of their own: to look a word up in its enum takes a tenth of a microsecond.
_SELL = Side.SELL
_MARKET = OrderType.MARKET


def check_rules(market: SymbolMarket, account: Account, new: NewOrder, now_ms: int) -> None:
    """What ``order/test`` checks: the symbol's rules, neither balances nor the book.

    Raises:
        Refusal: The order breaks a rule.
    """
    check_new(market.rules, account, new, market.filter_price(now_ms))


def admit(market: SymbolMarket, account: Account, new: NewOrder, others: Sequence[SymbolMarket], now_ms: int) -> Plan:
    """Check everything and plan the order's immediate trades. Changes nothing.

    Args:
        market: Where it enters.
        account: Whose it is.
        new: The order, with the price that its peg gives.
        others: Smart order routing: the other markets that it may trade with.
        now_ms: Epoch ms.

    Raises:
        Refusal: The order may not enter.
    """
    rules = market.rules
    try:
        check_new(rules, account, new, market.filter_price(now_ms))
    except Refusal as refusal:
        if refusal.message == filter_failure("NOTIONAL").message and new.side is Side.BUY and new.price:
            # Who asks for more than anyone may and than they have hears of their money first (S0-28).
            account.wallet.require(rules.quote, mul_scaled(new.price, new.qty))
        raise
    if new.client_order_id and account.history(new.symbol).bears_open(new.client_order_id):
        raise rejected(DUPLICATE_TEXT)
    if new.stop is not None:
        check_stop(new, market.last_price)
        asset = rules.base if new.side is _SELL else rules.quote
        account.wallet.require(asset, waiting_lock(new, market.last_price))
        return nothing(new.qty)
    plan = plan_entry(market, new, account, now_ms, others)
    if new.side is _SELL:
        account.wallet.require(rules.base, new.qty or plan.qty + plan.moved_qty)
    elif new.type is _MARKET:
        account.wallet.require(rules.quote, new.quote_order_qty or plan.quote_qty + plan.moved_quote)
    else:
        account.wallet.require(rules.quote, mul_scaled(new.price, new.qty))
    return plan


def as_new(order: Order) -> NewOrder:
    """An order that waited, as its rules see it when it goes to work."""
    return NewOrder(
        symbol=order.symbol,
        side=order.side,
        type=order.type,
        time_in_force=order.time_in_force,
        price=order.price,
        qty=order.remaining,
        self_trade_prevention_mode=order.self_trade_prevention_mode,
        stop=order.stop,
        # One that was amended may be less than its slice; it shows all then.
        iceberg_qty=min(order.iceberg_qty, order.remaining) if order.amends else order.iceberg_qty,
        peg=order.peg,
        use_sor=order.use_sor,
    )


def check_again(market: SymbolMarket, order: Order, now_ms: int) -> None:
    """The filters, for an order that waited and goes to work: prices and values may be others now.

    Raises:
        Refusal: The order breaks a rule.
    """
    check_order(market.rules, as_new(order), average=market.filter_price(now_ms))


def plan_waiting(market: SymbolMarket, order: Order, run: Execution) -> Plan:
    """Plan the immediate trades of an order that waited. Changes nothing.

    Raises:
        Refusal: The order may not enter, or what it holds and what is free are not enough for it.
    """
    account = run.account(order.account)
    plan = plan_entry(market, order, account, run.now_ms)
    sibling = sibling_of(account, order)
    held = order.held + (sibling.held if sibling is not None else 0)
    rules = market.rules
    if order.side is _SELL:
        account.wallet.require(rules.base, order.remaining - held)
    else:
        need = plan.quote_qty + plan.moved_quote if order.type in TAKE_ANY_PRICE else needed_lock(order)
        account.wallet.require(rules.quote, need - held)
    return plan
