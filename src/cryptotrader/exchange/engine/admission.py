"""Whether a new order may enter, and what it would trade with at once."""

from __future__ import annotations

from cryptotrader.core.orders import OrderType, Side, TimeInForce
from cryptotrader.core.scaled import mul_scaled
from cryptotrader.exchange.engine.accounts import TAKE_ANY_PRICE, Account, needed_lock, waiting_lock
from cryptotrader.exchange.engine.contingent.lists import sibling_of
from cryptotrader.exchange.engine.contingent.relations import check_stop
from cryptotrader.exchange.engine.errors import (
    DUPLICATE_TEXT,
    EMPTY_BOOK_TEXT,
    THIN_LOT_TEXT,
    THIN_MARKET_LOT_TEXT,
    WOULD_TAKE_TEXT,
    Refusal,
    filter_failure,
    rejected,
)
from cryptotrader.exchange.engine.matching.market import SymbolMarket
from cryptotrader.exchange.engine.matching.plan import Plan, plan_by_qty, plan_by_quote
from cryptotrader.exchange.engine.orders import NewOrder, Order
from cryptotrader.exchange.engine.rules import check_new
from cryptotrader.exchange.engine.rules.filters import check_order

NOTHING = Plan([], 0, 0, 0)


def check_rules(market: SymbolMarket, account: Account, new: NewOrder, now_ms: int) -> None:
    """What ``order/test`` checks: the symbol's rules, neither balances nor the book.

    Raises:
        Refusal: The order breaks a rule.
    """
    check_new(market.rules, account, new, market.average_price(now_ms))


def admit(market: SymbolMarket, account: Account, new: NewOrder, now_ms: int) -> Plan:
    """Check everything and plan the order's immediate trades. Changes nothing.

    Raises:
        Refusal: The order may not enter.
    """
    rules = market.rules
    try:
        check_rules(market, account, new, now_ms)
    except Refusal as refusal:
        if refusal.message == filter_failure("NOTIONAL").message and new.side is Side.BUY and new.price:
            # Who asks for more than anyone may and than they have hears of their money first (S0-28).
            account.wallet.require(rules.quote, mul_scaled(new.price, new.qty))
        raise
    if new.client_order_id and account.history(new.symbol).bears_open(new.client_order_id):
        raise rejected(DUPLICATE_TEXT)
    if new.stop is not None:
        check_stop(new, market.last_price)
        asset = rules.base if new.side is Side.SELL else rules.quote
        account.wallet.require(asset, waiting_lock(new, market.last_price))
        return NOTHING
    plan = plan_of(market, new)
    if new.side is Side.SELL:
        account.wallet.require(rules.base, new.qty or plan.qty)
    elif new.type is OrderType.MARKET:
        account.wallet.require(rules.quote, new.quote_order_qty or plan.quote_qty)
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
        iceberg_qty=order.iceberg_qty,
        peg=order.peg,
        use_sor=order.use_sor,
    )


def check_again(market: SymbolMarket, order: Order, now_ms: int) -> None:
    """The filters, for an order that waited and goes to work: prices and values may be others now.

    Raises:
        Refusal: The order breaks a rule.
    """
    check_order(market.rules, as_new(order), average=market.average_price(now_ms))


def plan_waiting(market: SymbolMarket, account: Account, order: Order) -> Plan:
    """Plan the immediate trades of an order that waited. Changes nothing.

    Raises:
        Refusal: The order may not enter, or what it holds and what is free are not enough for it.
    """
    plan = plan_of(market, order)
    sibling = sibling_of(account, order)
    held = order.held + (sibling.held if sibling is not None else 0)
    rules = market.rules
    if order.side is Side.SELL:
        account.wallet.require(rules.base, order.remaining - held)
    else:
        need = plan.quote_qty if order.type in TAKE_ANY_PRICE else needed_lock(order)
        account.wallet.require(rules.quote, need - held)
    return plan


def plan_of(market: SymbolMarket, order: NewOrder | Order) -> Plan:
    """What an order trades with at once, when it enters now.

    Raises:
        Refusal: A LIMIT_MAKER would take, or an amount finds too little on the book.
    """
    book = market.side(order.side.opposite)
    qty = order.remaining if isinstance(order, Order) else order.qty
    if order.type in TAKE_ANY_PRICE:
        if isinstance(order, NewOrder) and order.quote_order_qty:
            return _plan_quote(market, order)
        return plan_by_qty(book, qty, limit=None)
    plan = plan_by_qty(book, qty, limit=order.price)
    if order.type is OrderType.LIMIT_MAKER:
        if plan.matches:
            raise rejected(WOULD_TAKE_TEXT)
        return NOTHING
    if order.time_in_force is TimeInForce.FOK and plan.is_dry:
        return NOTHING
    return plan


def _plan_quote(market: SymbolMarket, new: NewOrder) -> Plan:
    """A MARKET order by amount. What it comes to in base must pass the lot filters."""
    rules = market.rules
    plan = plan_by_quote(market.side(new.side.opposite), new.quote_order_qty, step=rules.market_step or rules.step)
    if market.side(new.side.opposite).best() is None:
        raise rejected(EMPTY_BOOK_TEXT)
    if plan.is_dry and plan.qty < rules.min_qty:
        raise rejected(THIN_LOT_TEXT)
    if plan.is_dry and plan.qty < rules.market_min_qty:
        raise rejected(THIN_MARKET_LOT_TEXT)
    if plan.qty < rules.min_qty or (rules.max_qty and plan.qty > rules.max_qty):
        raise filter_failure("LOT_SIZE")
    if rules.market_max_qty and plan.qty > rules.market_max_qty:
        raise filter_failure("MARKET_LOT_SIZE")
    return plan
