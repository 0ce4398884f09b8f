"""Whether a new order may enter, and what it would trade with at once."""

from __future__ import annotations

from cryptotrader.core.orders import OrderType, Side, TimeInForce
from cryptotrader.core.scaled import mul_scaled
from cryptotrader.exchange.engine.accounts import Account
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
from cryptotrader.exchange.engine.orders import NewOrder
from cryptotrader.exchange.engine.rules import check_new

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
    plan = _plan(market, new)
    if new.side is Side.SELL:
        account.wallet.require(rules.base, new.qty or plan.qty)
    elif new.type is OrderType.MARKET:
        account.wallet.require(rules.quote, new.quote_order_qty or plan.quote_qty)
    else:
        account.wallet.require(rules.quote, mul_scaled(new.price, new.qty))
    return plan


def _plan(market: SymbolMarket, new: NewOrder) -> Plan:
    book = market.side(new.side.opposite)
    if new.type is OrderType.MARKET:
        if new.quote_order_qty:
            return _plan_quote(market, new)
        return plan_by_qty(book, new.qty, limit=None)
    plan = plan_by_qty(book, new.qty, limit=new.price)
    if new.type is OrderType.LIMIT_MAKER:
        if plan.matches:
            raise rejected(WOULD_TAKE_TEXT)
        return NOTHING
    if new.time_in_force is TimeInForce.FOK and plan.is_dry:
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
