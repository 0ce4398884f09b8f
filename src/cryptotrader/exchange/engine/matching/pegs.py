"""Pegged orders take their price from the displayed book when they enter (``faqs/pegged_orders.md``)."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from cryptotrader.core.orders import OrderType, PegPriceType, Side, TimeInForce
from cryptotrader.exchange.engine.errors import UNSUPPORTED_COMBINATION_TEXT, rejected
from cryptotrader.exchange.engine.matching.market import SymbolMarket
from cryptotrader.exchange.engine.orders import NewOrder, Order, Peg

THIN_PEG_TEXT = "Order book liquidity is too low for this pegged order."

_AT_ONCE = frozenset({OrderType.LIMIT, OrderType.LIMIT_MAKER})


def pegged_price(market: SymbolMarket, side: Side, peg: Peg) -> int:
    """The price that a peg gives now: of the level so many levels behind the best.

    Raises:
        Refusal: -2010 where the book has no such level.
    """
    from_side = side if peg.price_type is PegPriceType.PRIMARY_PEG else side.opposite
    depth = peg.offset_value + 1
    levels = market.levels(from_side, depth)
    if len(levels) < depth:
        raise rejected(THIN_PEG_TEXT)
    return levels[-1][0]


def check_pegged(new: NewOrder, check: Callable[[NewOrder], None]) -> None:
    """What can be said of a pegged order without the book.

    Args:
        new: Has a peg. The price that the client sent besides is in the peg.
        check: Raises where an order breaks a rule.

    Raises:
        Refusal: A rule is broken, or such an order can't have such a peg.
    """
    peg = new.peg
    if peg is None:
        return
    is_primary_limit = new.type is OrderType.LIMIT and peg.price_type is PegPriceType.PRIMARY_PEG
    if new.use_sor or (is_primary_limit and new.time_in_force is not TimeInForce.GTC):
        raise rejected(UNSUPPORTED_COMBINATION_TEXT)
    check(msgspec.structs.replace(new, price=peg.price))


def price_new(market: SymbolMarket, new: NewOrder, check: Callable[[NewOrder], None]) -> NewOrder:
    """A pegged order with the price that it enters the book at; one that waits for a trigger as it is.

    Args:
        market: Where it enters.
        new: Has a peg.
        check: As for ``check_pegged``. The pegged price is for the caller to check.

    Raises:
        Refusal: As ``check_pegged``, or the book has no such level.
    """
    check_pegged(new, check)
    if new.peg is None or new.type not in _AT_ONCE:
        return new
    return msgspec.structs.replace(new, price=pegged_price(market, new.side, new.peg))


def price_waiting(market: SymbolMarket, order: Order) -> None:
    """An order that waited goes to work: give it the price that its peg gives now.

    Raises:
        Refusal: -2010 where the book has no such level.
    """
    if order.peg is not None:
        order.price = pegged_price(market, order.side, order.peg)
