"""How the source's liquidity meets users' resting orders. An order is always filled at its own price.

How readily depends on ``Realism`` of the order's account:

- realistic: trades at its price once they have eaten the queue ahead of it; trades beyond its price; external liquidity
  that comes to lie at its price or beyond. Never more than what traded or was offered.
- optimistic: whole, as soon as the market trades at its price or beyond, or offers it.
- pessimistic: trades beyond its price and external liquidity beyond its price only. Liquidity that comes to lie at its
  very price goes to others: it is gone, so that the displayed book is never crossed, and the order is not filled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptotrader.core.events import BookTicker, Level, Trade
from cryptotrader.core.orders import FillReason, Realism
from cryptotrader.exchange.engine.events import TradePrinted
from cryptotrader.exchange.engine.matching.trades import fill_resting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptotrader.exchange.engine.execution import Execution
    from cryptotrader.exchange.engine.matching.book import BookSide, Resting
    from cryptotrader.exchange.engine.matching.market import SymbolMarket

_OPTIMISTIC, _PESSIMISTIC = Realism.OPTIMISTIC, Realism.PESSIMISTIC


def _realism(run: Execution, resting: Resting) -> Realism:
    return run.account(resting.order.account).realism


def _turns(book: BookSide, reach: int) -> Iterator[Resting]:
    """Users' orders at a price or better, each when its turn comes. An iceberg that was filled comes again."""
    for price in book.order_prices(reach):
        is_more = True
        while is_more:
            is_more = False
            for resting in book.queue(price):
                order = resting.order
                executed = order.executed
                yield resting
                if order.iceberg_qty and order.executed > executed and order.remaining:
                    is_more = True


def fill_crossed(market: SymbolMarket, run: Execution) -> None:
    """External liquidity that crosses users' orders fills them, in order of price and time, and is consumed by it."""
    for own, other in ((market.bids, market.asks), (market.asks, market.bids)):
        best = own.best_order_price()
        level = None if best is None else other.best_external()
        if best is None or level is None or own.is_better(level[0], best):
            continue
        spared: set[int] = set()
        for resting in _turns(own, level[0]):
            if not _fill_one_crossed(market, own, other, resting, run):
                spared.add(resting.order.price)
        for price in spared:
            left = other.external(price)
            if left and own.users_qty(price):
                other.consume(price, left)


def _fill_one_crossed(market: SymbolMarket, own: BookSide, other: BookSide, resting: Resting, run: Execution) -> bool:
    """Fill one order as far as external liquidity crosses it; False where it may not have what lies at its price."""
    order = resting.order
    realism = _realism(run, resting)
    due = resting.shown
    while due:
        level = other.best_external()
        if level is None or own.is_better(level[0], order.price):
            return True
        if realism is _PESSIMISTIC and level[0] == order.price:
            return False
        if realism is _OPTIMISTIC:
            other.consume(level[0], min(order.remaining, level[1]))
            fill_resting(run, market, resting, order.remaining, FillReason.TOUCH)
            return True
        qty = min(due, level[1])
        other.consume(level[0], qty)
        fill_resting(run, market, resting, qty, FillReason.CROSSED)
        due -= qty
    return True


def fill_from_ticker(market: SymbolMarket, ticker: BookTicker, run: Execution) -> None:
    """A best price that crosses users' orders before the book shows it: fill, and remember what was consumed."""
    offers = (
        (market.bids, market.asks, ticker.ask, ticker.ask_qty),
        (market.asks, market.bids, ticker.bid, ticker.bid_qty),
    )
    for own, other, price, quantity in offers:
        best = own.best_order_price()
        left = quantity - other.consumed(price)
        if best is None or left <= 0 or own.is_better(price, best):
            continue
        is_spared = False
        for resting in _turns(own, price):
            if not left:
                break
            realism = _realism(run, resting)
            if realism is _PESSIMISTIC and resting.order.price == price:
                is_spared = True
                continue
            is_whole = realism is _OPTIMISTIC
            wanted = resting.order.remaining if is_whole else resting.shown
            qty = min(wanted, left)
            left -= qty
            other.consume(price, qty, early_id=ticker.update_id)
            if is_whole:
                fill_resting(run, market, resting, wanted, FillReason.TOUCH)
            else:
                fill_resting(run, market, resting, qty, FillReason.CROSSED)
        if left and is_spared:
            other.consume(price, left, early_id=ticker.update_id)


def top_with_users(market: SymbolMarket, ticker: BookTicker) -> tuple[Level | None, Level | None]:
    """The source's best bid and ask, less what users took, with users' orders."""
    return (
        _best_with_users(market.bids, ticker.bid, ticker.bid_qty),
        _best_with_users(market.asks, ticker.ask, ticker.ask_qty),
    )


def _best_with_users(book: BookSide, price: int, quantity: int) -> Level | None:
    left = quantity - book.consumed(price)
    best = (price, left) if left > 0 else book.best_external(beyond=price)
    own = book.best_order_price()
    if own is None:
        return best
    users = (own, book.users_qty(own))
    if best is None or book.is_better(own, best[0]):
        return users
    if own == best[0]:
        return own, best[1] + users[1]
    return best


def pass_trade(market: SymbolMarket, trade: Trade, run: Execution) -> None:
    """A public trade of the source fills users' orders that it would have met first, and is printed for the rest.

    Orders at a better price than the trade come first. At the trade's own price only the side that the aggressor hit
    counts; there the external queue ahead of an order is eaten before the order.
    """
    left = trade.qty
    for book in (market.bids, market.asks):
        if left:
            left = _fill_through(market, book, trade, left, run)
    hit = market.bids if trade.buyer_is_maker else market.asks
    due = _due_at_price(hit, trade, left, run)
    touched = _touched(market, trade, run)
    printed = market.print_external(trade, max(0, left - sum(qty for _, qty in due)))
    if printed is not None:
        run.events.append(TradePrinted(printed))
    for resting in touched:
        fill_resting(run, market, resting, resting.order.remaining, FillReason.TOUCH)
    for resting, qty in due:
        if _realism(run, resting) is not _OPTIMISTIC:
            fill_resting(run, market, resting, qty, FillReason.QUEUE)


def _fill_through(market: SymbolMarket, book: BookSide, trade: Trade, left: int, run: Execution) -> int:
    best = book.best_order_price()
    if best is None or not book.is_better(best, trade.price):
        return left
    for resting in _turns(book, trade.price):
        if not book.is_better(resting.order.price, trade.price):
            break
        if _realism(run, resting) is _OPTIMISTIC:
            left -= min(left, resting.order.remaining)
            fill_resting(run, market, resting, resting.order.remaining, FillReason.THROUGH)
        elif left:
            qty = min(left, resting.shown)
            left -= qty
            fill_resting(run, market, resting, qty, FillReason.THROUGH)
    return left


def _touched(market: SymbolMarket, trade: Trade, run: Execution) -> list[Resting]:
    """Orders of optimistic accounts at a trade's price, on either side."""
    return [
        resting
        for book in (market.bids, market.asks)
        for resting in book.queue(trade.price)
        if _realism(run, resting) is _OPTIMISTIC
    ]


def _due_at_price(book: BookSide, trade: Trade, volume: int, run: Execution) -> list[tuple[Resting, int]]:
    """Shorten the queues at a trade's price by its volume; whom that reaches, and by how much.

    The next slice of an iceberg gets nothing of a trade that used up the one before.
    """
    due = []
    for resting in book.queue(trade.price):
        if volume <= 0:
            break
        qty = resting.reached_by(volume, trade.time_ms)
        if qty and _realism(run, resting) is not _PESSIMISTIC:
            due.append((resting, qty))
            volume -= qty
    return due
