"""How the orders of a list must fit together (``rest-api.md``, "Order lists"; ``errors.md``; ``faqs/opo.md``)."""

from __future__ import annotations

from cryptotrader.core.orders import OrderType, Side
from cryptotrader.exchange.engine.contingent.triggers import triggers_on_rise
from cryptotrader.exchange.engine.errors import (
    BAD_PRICES_TEXT,
    UNSUPPORTED_COMBINATION_TEXT,
    WOULD_TRIGGER_TEXT,
    Refusal,
    rejected,
)
from cryptotrader.exchange.engine.order_lists import ListKind, NewOrderList
from cryptotrader.exchange.engine.orders import NewOrder, Order

STOP_LOSSES = frozenset({OrderType.STOP_LOSS, OrderType.STOP_LOSS_LIMIT})
_TAKE_PROFITS = frozenset({OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT})
_WORKING_TYPES = frozenset({OrderType.LIMIT, OrderType.LIMIT_MAKER})

PAIR = 2
"""Legs of which one cancels the other."""

LEGS = {ListKind.OCO: 2, ListKind.OTO: 2, ListKind.OTOCO: 3, ListKind.OPO: 2, ListKind.OPOCO: 3}

_OCO_TYPE = Refusal(-1158, "Order type not supported in OCO.")
_BUY_LIMIT = Refusal(-1165, "A limit order in a buy OCO must be below.")
_SELL_LIMIT = Refusal(-1166, "A limit order in a sell OCO must be above.")
_BOTH_LIMIT = Refusal(-1168, "At least one OCO order must be contingent.")
_BUY_STOP = Refusal(-1196, "A stop loss order in a buy OCO must be above.")
_SELL_STOP = Refusal(-1197, "A stop loss order in a sell OCO must be below.")
_BUY_PROFIT = Refusal(-1198, "A take profit order in a buy OCO must be below.")
_SELL_PROFIT = Refusal(-1199, "A take profit order in a sell OCO must be above.")
_OPO_WORKING = Refusal(-1222, "Working order in an OPO list must be a bid.")
_OPO_PENDING = Refusal(-1223, "Pending orders in an OPO list must be asks.")


def fresh(refusal: Refusal) -> Refusal:
    """A refusal to raise: one that was raised before would drag its old traceback along."""
    return Refusal(refusal.code, refusal.message)


def pair_of(new: NewOrderList) -> tuple[NewOrder, NewOrder] | None:
    """The two legs of which one cancels the other, the stop loss first; None where the list has none such."""
    if new.kind in (ListKind.OTO, ListKind.OPO):
        return None
    above, below = new.legs[-2:]
    return (above, below) if above.type in STOP_LOSSES else (below, above)


def arranged(new: NewOrderList) -> tuple[NewOrder, ...]:
    """The legs in the order in which they get their ids: of a pair the stop loss comes first, as in every example of
    Binance's documents, whichever of the two lies above."""
    pair = pair_of(new)
    return new.legs if pair is None else (*new.legs[:-2], *pair)


def check_shape(new: NewOrderList) -> None:
    """Number, types and sides of the orders.

    Raises:
        Refusal: -1158 to -1168 and -1196 to -1199 for the pair, -1222 and -1223 for OPO, -2010 for the rest.
    """
    if len(new.legs) != LEGS[new.kind] or any(leg.symbol != new.symbol for leg in new.legs):
        raise rejected(UNSUPPORTED_COMBINATION_TEXT)
    if pair_of(new) is not None:
        _check_pair(*new.legs[-2:], is_placed=new.kind is ListKind.OCO)
    if new.kind is ListKind.OCO:
        return
    working, *pending = new.legs
    if working.type not in _WORKING_TYPES or any(leg.quote_order_qty for leg in new.legs):
        raise rejected(UNSUPPORTED_COMBINATION_TEXT)
    if new.kind.is_proportional:
        if working.side is not Side.BUY:
            raise fresh(_OPO_WORKING)
        if any(leg.side is not Side.SELL for leg in pending):
            raise fresh(_OPO_PENDING)


def _check_pair(above: NewOrder, below: NewOrder, *, is_placed: bool) -> None:
    """One is a stop loss, the other one is not; each on its side of the market.

    Of a pending pair Binance's documents have an example in which the two are the other way round: only their prices
    count then.
    """
    if above.side is not below.side or above.qty != below.qty:
        raise rejected(UNSUPPORTED_COMBINATION_TEXT)
    types = {above.type, below.type}
    if types - STOP_LOSSES - _TAKE_PROFITS - {OrderType.LIMIT_MAKER}:
        raise fresh(_OCO_TYPE)
    if types == {OrderType.LIMIT_MAKER}:
        raise fresh(_BOTH_LIMIT)
    is_buy = above.side is Side.BUY
    if is_placed:
        _check_place(above, belongs=not is_buy, is_buy=is_buy)
        _check_place(below, belongs=is_buy, is_buy=is_buy)
    elif (above.type in STOP_LOSSES) is (below.type in STOP_LOSSES):
        raise rejected(UNSUPPORTED_COMBINATION_TEXT)


def _check_place(leg: NewOrder, *, belongs: bool, is_buy: bool) -> None:
    """``belongs``: whether this is the place of the leg that takes the profit."""
    if leg.type in STOP_LOSSES and belongs:
        raise fresh(_BUY_STOP if is_buy else _SELL_STOP)
    if leg.type is OrderType.LIMIT_MAKER and not belongs:
        raise fresh(_BUY_LIMIT if is_buy else _SELL_LIMIT)
    if leg.type in _TAKE_PROFITS and not belongs:
        raise fresh(_BUY_PROFIT if is_buy else _SELL_PROFIT)


def _straddles(leg: NewOrder | Order) -> list[int]:
    """The prices of a leg that the last price must not reach; none where they are not known yet."""
    stop = leg.stop.price if leg.stop is not None else 0
    if leg.type in STOP_LOSSES or leg.type is OrderType.TAKE_PROFIT:
        return [stop] if stop else []
    return [price for price in (leg.price, stop) if price]


def check_pair_prices(stop_loss: NewOrder | Order, other: NewOrder | Order, last_price: int) -> None:
    """The prices of a pair lie on both sides of the last price.

    Raises:
        Refusal: -2010 where they do not. ``last_price`` 0: only their relation to each other is asked for.
    """
    above, below = (stop_loss, other) if stop_loss.side is Side.BUY else (other, stop_loss)
    highs, lows = _straddles(above), _straddles(below)
    if highs and lows and min(highs) <= max(lows):
        raise rejected(BAD_PRICES_TEXT)
    if last_price and (any(high <= last_price for high in highs) or any(low >= last_price for low in lows)):
        raise rejected(BAD_PRICES_TEXT)


def check_stop(order: NewOrder | Order, last_price: int) -> None:
    """A stop price lies where the last price has yet to go.

    Raises:
        Refusal: -2010 where the last price is there already.
    """
    stop = order.stop
    if stop is None or not stop.price or not last_price:
        return
    is_there = last_price >= stop.price if triggers_on_rise(order.type, order.side) else last_price <= stop.price
    if is_there:
        raise rejected(WOULD_TRIGGER_TEXT)
