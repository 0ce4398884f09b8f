"""What one new order must keep to by itself: flags, price, quantity, value (``filters.md``; ``errors.md``).

What depends on the account's other orders is in ``counts``. All amounts are scaled; a product of two is scaled twice.
"""

from __future__ import annotations

from cryptotrader.core.orders import OrderType, PegPriceType, Side, TimeInForce
from cryptotrader.core.scaled import SCALE
from cryptotrader.exchange.engine.errors import (
    INVALID_MESSAGE,
    NO_QUOTE_MARKET_TEXT,
    UNSUPPORTED_COMBINATION_TEXT,
    ZERO_TEXT,
    Refusal,
    filter_failure,
    rejected,
)
from cryptotrader.exchange.engine.orders import NewOrder, Stop
from cryptotrader.exchange.engine.rules.symbol import SymbolRules

UNSUPPORTED_TEXT = {
    OrderType.MARKET: "Market orders are not supported for this symbol.",
    OrderType.STOP_LOSS: "Stop loss orders are not supported for this symbol.",
    OrderType.STOP_LOSS_LIMIT: "Stop loss limit orders are not supported for this symbol.",
    OrderType.TAKE_PROFIT: "Take profit orders are not supported for this symbol.",
    OrderType.TAKE_PROFIT_LIMIT: "Take profit limit orders are not supported for this symbol.",
}
ICEBERG_TEXT = "Iceberg orders are not supported for this symbol."
ICEBERG_QTY_TEXT = "IcebergQty exceeds QTY."
TRAILING_TEXT = "Trailing stop orders are not supported for this symbol."
STP_TEXT = "This symbol does not allow the specified self-trade prevention mode."
PEG_TEXT = "Pegged orders are not supported for this symbol."
PEG_TYPE_TEXT = "This order type may not use pegged price."
PEG_KIND_TEXT = "This price peg cannot be used with this order type."

_LIMIT = OrderType.LIMIT
_BUY = Side.BUY

# Tuples, since to look an enum up in a set hashes its name anew each time.
ALGO_TYPES = (OrderType.STOP_LOSS, OrderType.STOP_LOSS_LIMIT, OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT)
"""What ``filters.md`` calls "algo" orders."""

_UNPRICED = (OrderType.MARKET, OrderType.STOP_LOSS, OrderType.TAKE_PROFIT)

_TIMED = (OrderType.LIMIT, OrderType.STOP_LOSS_LIMIT, OrderType.TAKE_PROFIT_LIMIT)
"""Types whose ``timeInForce`` counts."""

_ABOVE = frozenset(
    {
        (OrderType.STOP_LOSS, Side.BUY),
        (OrderType.STOP_LOSS_LIMIT, Side.BUY),
        (OrderType.TAKE_PROFIT, Side.SELL),
        (OrderType.TAKE_PROFIT_LIMIT, Side.SELL),
    }
)
"""What triggers above the market, and so has the "above" bounds of TRAILING_DELTA."""


def is_plain_and_fits(rules: SymbolRules, new: NewOrder, average: int | None) -> bool:
    """Whether this is a LIMIT order without anything special that passes; False says nothing.

    Most orders are such. It takes a third of the time of ``check_order``, which knows what is wrong with the others.
    """
    price, qty = new.price, new.qty
    if (
        new.type is not _LIMIT
        or average is None
        or new.stop is not None
        or new.peg is not None
        or new.iceberg_qty
        or new.quote_order_qty
        or rules.multiplier_up
        or rules.plain_min_notional
        or not (rules.tick and rules.step and rules.max_price and rules.max_qty and rules.max_notional)
        or price % rules.tick
        or qty % rules.step
        or not 0 < rules.min_price <= price <= rules.max_price
        or not 0 < rules.min_qty <= qty <= rules.max_qty
    ):
        return False
    if rules.bid_multiplier_up:
        is_buy = new.side is _BUY
        down = rules.bid_multiplier_down if is_buy else rules.ask_multiplier_down
        up = rules.bid_multiplier_up if is_buy else rules.ask_multiplier_up
        if not average * down <= price * SCALE <= average * up:
            return False
    return (
        price * qty >= SCALE
        and rules.min_notional * SCALE <= price * qty <= rules.max_notional * SCALE
        and _LIMIT in rules.order_types
        and new.self_trade_prevention_mode in rules.allowed_stp_modes
    )


def check_order(rules: SymbolRules, new: NewOrder, *, average: int | None, is_qty_open: bool = False) -> None:
    """Check everything that needs neither book nor account.

    A pegged order has no price before it meets the book; whoever pegs it calls this again with the price in it.

    Args:
        rules: The symbol's.
        new: The order asked for.
        average: Weighted average price of the symbol, None where nothing is known.
        is_qty_open: The quantity will follow from another order's fills, so nothing can be said of it yet.

    Raises:
        Refusal: -1013 names the filter, -2010 says what the symbol does not do.
    """
    _check_flags(rules, new)
    stop = new.stop
    if stop is not None and (stop.price or not stop.trailing_delta):
        _check_tick(rules, stop.price)
    is_pegged = new.peg is not None and not new.price
    if new.type not in _UNPRICED and not is_pegged:
        _check_tick(rules, new.price)
        if average is not None:
            _check_percent(rules, new.side, price=new.price, average=average)
    if not is_qty_open:
        _check_qty(rules, new)
    if stop is not None and stop.trailing_delta:
        _check_trailing(rules, new, stop)
    if not is_qty_open and not is_pegged:
        _check_value(rules, new, average)


def _check_flags(rules: SymbolRules, new: NewOrder) -> None:
    """What the symbol does not do at all."""
    if new.type not in rules.order_types:
        raise rejected(UNSUPPORTED_TEXT.get(new.type, UNSUPPORTED_COMBINATION_TEXT))
    if new.self_trade_prevention_mode not in rules.allowed_stp_modes:
        raise Refusal(INVALID_MESSAGE, STP_TEXT)
    if (new.stop is None) is (new.type in ALGO_TYPES):
        raise rejected(UNSUPPORTED_COMBINATION_TEXT)
    if new.stop is not None and new.stop.trailing_delta and not rules.trailing_allowed:
        raise rejected(TRAILING_TEXT)
    if new.iceberg_qty:
        if not rules.iceberg_allowed:
            raise rejected(ICEBERG_TEXT)
        if new.type in _UNPRICED or (new.type in _TIMED and new.time_in_force is not TimeInForce.GTC):
            raise rejected(UNSUPPORTED_COMBINATION_TEXT)
    if new.peg is not None:
        if not rules.peg_allowed:
            raise rejected(PEG_TEXT)
        if new.type in _UNPRICED:
            raise rejected(PEG_TYPE_TEXT)
        if new.type is OrderType.LIMIT_MAKER and new.peg.price_type is PegPriceType.MARKET_PEG:
            raise rejected(PEG_KIND_TEXT)
    if new.quote_order_qty:
        if not rules.quote_order_qty_allowed:
            raise rejected(NO_QUOTE_MARKET_TEXT)
        if new.qty or new.type is not OrderType.MARKET:
            raise rejected(UNSUPPORTED_COMBINATION_TEXT)


def _check_tick(rules: SymbolRules, price: int) -> None:
    if price <= 0 or (rules.min_price and price < rules.min_price) or (rules.max_price and price > rules.max_price):
        raise filter_failure("PRICE_FILTER")
    if rules.tick and price % rules.tick:
        raise filter_failure("PRICE_FILTER")


def _check_percent(rules: SymbolRules, side: Side, *, price: int, average: int) -> None:
    if rules.multiplier_up and not _is_within(price, average, rules.multiplier_down, rules.multiplier_up):
        raise filter_failure("PERCENT_PRICE")
    if rules.bid_multiplier_up:
        if side is Side.BUY:
            down, up = rules.bid_multiplier_down, rules.bid_multiplier_up
        else:
            down, up = rules.ask_multiplier_down, rules.ask_multiplier_up
        if not _is_within(price, average, down, up):
            raise filter_failure("PERCENT_PRICE_BY_SIDE")


def _is_within(price: int, average: int, down: int, up: int) -> bool:
    return average * down <= price * SCALE <= average * up


def _check_qty(rules: SymbolRules, new: NewOrder) -> None:
    if new.quote_order_qty:
        return
    check_lot(rules, new.qty)
    if new.iceberg_qty:
        check_lot(rules, new.iceberg_qty)
        if new.iceberg_qty > new.qty:
            raise rejected(ICEBERG_QTY_TEXT)
        check_iceberg_parts(rules, qty=new.qty, shown=new.iceberg_qty)
    if new.type in _UNPRICED:
        check_market_lot(rules, new.qty)


def check_lot(rules: SymbolRules, qty: int) -> None:
    """LOT_SIZE, which holds for orders of every type.

    Raises:
        Refusal: -1013 where it is broken.
    """
    if qty <= 0 or qty < rules.min_qty or (rules.max_qty and qty > rules.max_qty) or (rules.step and qty % rules.step):
        raise filter_failure("LOT_SIZE")


def check_iceberg_parts(rules: SymbolRules, *, qty: int, shown: int) -> None:
    """ICEBERG_PARTS.

    Raises:
        Refusal: -1013 where an order of ``qty`` that shows ``shown`` at a time has too many parts.
    """
    if rules.iceberg_parts and -(-qty // shown) > rules.iceberg_parts:
        raise filter_failure("ICEBERG_PARTS")


def check_market_lot(rules: SymbolRules, qty: int) -> None:
    """MARKET_LOT_SIZE.

    Raises:
        Refusal: -1013 where it is broken.
    """
    is_outside = qty < rules.market_min_qty or (rules.market_max_qty and qty > rules.market_max_qty)
    if is_outside or (rules.market_step and qty % rules.market_step):
        raise filter_failure("MARKET_LOT_SIZE")


def _check_trailing(rules: SymbolRules, new: NewOrder, stop: Stop) -> None:
    if (new.type, new.side) in _ABOVE:
        least, most = rules.min_trailing_above_delta, rules.max_trailing_above_delta
    else:
        least, most = rules.min_trailing_below_delta, rules.max_trailing_below_delta
    if stop.trailing_delta < least or (most and stop.trailing_delta > most):
        raise filter_failure("TRAILING_DELTA")


def value_of(new: NewOrder, average: int | None) -> int | None:
    """What an order is worth in the quote asset, scaled twice; None where no price is known.

    An order without a price counts at the average, as ``filters.md`` has it for MARKET orders.
    """
    if new.quote_order_qty:
        return new.quote_order_qty * SCALE
    if new.type not in _UNPRICED and new.price:
        return new.price * new.qty
    return None if average is None else average * new.qty


def _check_value(rules: SymbolRules, new: NewOrder, average: int | None) -> None:
    value = value_of(new, average)
    if new.type not in _UNPRICED:
        assert value is not None
        if value < SCALE:
            raise rejected(ZERO_TEXT)
        check_notional(rules, value)
        return
    if value is None:
        return
    if rules.apply_plain_min_to_market and value < rules.plain_min_notional * SCALE:
        raise filter_failure("MIN_NOTIONAL")
    if rules.apply_min_to_market and value < rules.min_notional * SCALE:
        raise filter_failure("NOTIONAL")
    if rules.apply_max_to_market and rules.max_notional and value > rules.max_notional * SCALE:
        raise filter_failure("NOTIONAL")


def check_notional(rules: SymbolRules, notional: int) -> None:
    """MIN_NOTIONAL and NOTIONAL of an order with a price; ``notional`` is the product of two scaled numbers.

    Raises:
        Refusal: -1013 where it is broken.
    """
    if notional < rules.plain_min_notional * SCALE:
        raise filter_failure("MIN_NOTIONAL")
    if notional < rules.min_notional * SCALE or (rules.max_notional and notional > rules.max_notional * SCALE):
        raise filter_failure("NOTIONAL")
