"""How the source's liquidity meets users' resting orders. An order is always filled at its own price."""

from __future__ import annotations

from cryptotrader.core.events import BookTicker, Level, Trade
from cryptotrader.exchange.engine.events import TradePrinted
from cryptotrader.exchange.engine.execution import Execution
from cryptotrader.exchange.engine.matching.book import BookSide, Resting
from cryptotrader.exchange.engine.matching.market import SymbolMarket


def fill_crossed(market: SymbolMarket, run: Execution) -> None:
    """External liquidity that crosses users' orders fills them, in order of price and time, and is consumed by it."""
    for own, other in ((market.bids, market.asks), (market.asks, market.bids)):
        best = own.best_order_price()
        level = None if best is None else other.best_external()
        if best is None or level is None or own.is_better(level[0], best):
            continue
        for resting in own.resting():
            if not _fill_one_crossed(market, own, other, resting, run):
                break


def _fill_one_crossed(market: SymbolMarket, own: BookSide, other: BookSide, resting: Resting, run: Execution) -> bool:
    """Fill one order as far as external liquidity crosses it; whether there may be more for the next."""
    order = resting.order
    while order.remaining:
        level = other.best_external()
        if level is None or own.is_better(level[0], order.price):
            return False
        qty = min(order.remaining, level[1])
        other.consume(level[0], qty)
        run.fill_resting(market, resting, qty)
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
        for resting in own.resting():
            if not left or own.is_better(price, resting.order.price):
                break
            qty = min(resting.order.remaining, left)
            left -= qty
            other.consume(price, qty, early_id=ticker.update_id)
            run.fill_resting(market, resting, qty)


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
    due = _due_at_price(hit, trade, left)
    printed = market.print_external(trade, left - sum(qty for _, qty in due))
    if printed is not None:
        run.events.append(TradePrinted(printed))
    for resting, qty in due:
        run.fill_resting(market, resting, qty)


def _fill_through(market: SymbolMarket, book: BookSide, trade: Trade, left: int, run: Execution) -> int:
    best = book.best_order_price()
    if best is None or not book.is_better(best, trade.price):
        return left
    for resting in book.resting():
        if not left or not book.is_better(resting.order.price, trade.price):
            break
        qty = min(left, resting.order.remaining)
        left -= qty
        run.fill_resting(market, resting, qty)
    return left


def _due_at_price(book: BookSide, trade: Trade, volume: int) -> list[tuple[Resting, int]]:
    """Shorten the queues at a trade's price by its volume; whom that reaches, and by how much."""
    due = []
    for resting in book.queue(trade.price):
        if volume <= 0:
            break
        qty = resting.reached_by(volume, trade.time_ms)
        if qty:
            due.append((resting, qty))
            volume -= qty
    return due
