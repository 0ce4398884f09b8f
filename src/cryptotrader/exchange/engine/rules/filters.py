"""Trading rules that an order must pass, checked in Binance's order (``filters.md``)."""

from __future__ import annotations

from cryptotrader.core.orders import OrderType, Side
from cryptotrader.core.scaled import SCALE
from cryptotrader.exchange.engine.errors import (
    MARKET_CLOSED_TEXT,
    NO_QUOTE_MARKET_TEXT,
    UNSUPPORTED_COMBINATION_TEXT,
    ZERO_TEXT,
    filter_failure,
    rejected,
)
from cryptotrader.exchange.engine.orders import NewOrder
from cryptotrader.exchange.engine.rules import SymbolRules

_UNSUPPORTED_TEXT = {
    OrderType.MARKET: "Market orders are not supported for this symbol.",
    OrderType.STOP_LOSS: "Stop loss orders are not supported for this symbol.",
    OrderType.STOP_LOSS_LIMIT: "Stop loss limit orders are not supported for this symbol.",
    OrderType.TAKE_PROFIT: "Take profit orders are not supported for this symbol.",
    OrderType.TAKE_PROFIT_LIMIT: "Take profit limit orders are not supported for this symbol.",
}


def check_order(rules: SymbolRules, new: NewOrder, *, average: int | None, open_orders: int) -> None:
    """Check everything that needs neither book nor balances.

    Args:
        rules: The symbol's.
        new: The order asked for.
        average: Weighted average price of the symbol, None where nothing is known.
        open_orders: How many orders the account has open on the symbol.

    Raises:
        Refusal: -1013 names the filter, -2010 says what the symbol does not do.
    """
    if rules.status != "TRADING":
        raise rejected(MARKET_CLOSED_TEXT)
    if new.type not in rules.order_types:
        raise rejected(_UNSUPPORTED_TEXT.get(new.type, UNSUPPORTED_COMBINATION_TEXT))
    if new.self_trade_prevention_mode not in rules.allowed_stp_modes:
        raise rejected(UNSUPPORTED_COMBINATION_TEXT)
    if new.type is OrderType.MARKET:
        _check_market(rules, new, average)
    else:
        _check_price(rules, new, average)
        check_lot(rules, new.qty)
        if new.price * new.qty < SCALE:
            raise rejected(ZERO_TEXT)
        check_notional(rules, new.price * new.qty)
    if rules.max_num_orders and open_orders >= rules.max_num_orders:
        raise filter_failure("MAX_NUM_ORDERS")


def _check_market(rules: SymbolRules, new: NewOrder, average: int | None) -> None:
    if new.quote_order_qty:
        if not rules.quote_order_qty_allowed:
            raise rejected(NO_QUOTE_MARKET_TEXT)
        if new.qty:
            raise rejected(UNSUPPORTED_COMBINATION_TEXT)
        notional = new.quote_order_qty * SCALE
    else:
        check_lot(rules, new.qty)
        check_market_lot(rules, new.qty)
        if average is None:
            return
        notional = average * new.qty
    if rules.apply_min_to_market and notional < rules.min_notional * SCALE:
        raise filter_failure("NOTIONAL")
    if rules.apply_max_to_market and rules.max_notional and notional > rules.max_notional * SCALE:
        raise filter_failure("NOTIONAL")


def _check_price(rules: SymbolRules, new: NewOrder, average: int | None) -> None:
    price = new.price
    if price <= 0 or (rules.min_price and price < rules.min_price) or (rules.max_price and price > rules.max_price):
        raise filter_failure("PRICE_FILTER")
    if rules.tick and price % rules.tick:
        raise filter_failure("PRICE_FILTER")
    if average is None:
        return
    if rules.multiplier_up and not _is_within(price, average, rules.multiplier_down, rules.multiplier_up):
        raise filter_failure("PERCENT_PRICE")
    if rules.bid_multiplier_up:
        if new.side is Side.BUY:
            down, up = rules.bid_multiplier_down, rules.bid_multiplier_up
        else:
            down, up = rules.ask_multiplier_down, rules.ask_multiplier_up
        if not _is_within(price, average, down, up):
            raise filter_failure("PERCENT_PRICE_BY_SIDE")


def _is_within(price: int, average: int, down: int, up: int) -> bool:
    return average * down <= price * SCALE <= average * up


def check_lot(rules: SymbolRules, qty: int) -> None:
    """LOT_SIZE, which holds for orders of every type.

    Raises:
        Refusal: -1013 where it is broken.
    """
    if qty <= 0 or qty < rules.min_qty or (rules.max_qty and qty > rules.max_qty) or (rules.step and qty % rules.step):
        raise filter_failure("LOT_SIZE")


def check_market_lot(rules: SymbolRules, qty: int) -> None:
    """MARKET_LOT_SIZE.

    Raises:
        Refusal: -1013 where it is broken.
    """
    is_outside = qty < rules.market_min_qty or (rules.market_max_qty and qty > rules.market_max_qty)
    if is_outside or (rules.market_step and qty % rules.market_step):
        raise filter_failure("MARKET_LOT_SIZE")


def check_notional(rules: SymbolRules, notional: int) -> None:
    """NOTIONAL of an order with a price; ``notional`` is the unscaled product of two scaled numbers.

    Raises:
        Refusal: -1013 where it is broken.
    """
    if notional < rules.min_notional * SCALE or (rules.max_notional and notional > rules.max_notional * SCALE):
        raise filter_failure("NOTIONAL")
