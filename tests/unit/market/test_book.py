"""OrderBook, beyond what the naive twin checks."""

from __future__ import annotations

from cryptotrader.core.events import BookSnapshot
from cryptotrader.core.orders import Side
from cryptotrader.market.book import OrderBook


def make() -> OrderBook:
    book = OrderBook("BTCUSDT")
    book.load(BookSnapshot("BTCUSDT", 7, ((99, 1), (98, 2)), ((101, 3), (102, 4))))
    return book


def test_a_snapshot_replaces_everything() -> None:
    book = make()
    book.load(BookSnapshot("BTCUSDT", 3, ((50, 1),), ()))
    assert (book.last_id, book.bids(), book.asks()) == (3, [(50, 1)], [])
    assert book.best_ask is None
    assert not book.is_crossed


def test_levels_come_best_first_on_both_sides() -> None:
    book = make()
    assert book.levels(Side.BUY) == book.bids() == [(99, 1), (98, 2)]
    assert book.levels(Side.SELL, 1) == [(101, 3)]
    assert book.snapshot() == BookSnapshot("BTCUSDT", 7, ((99, 1), (98, 2)), ((101, 3), (102, 4)))


def test_a_copy_changes_on_its_own() -> None:
    book = make()
    twin = book.copy()
    twin.apply([(99, 0)], [], 8)
    assert book == make()
    assert book != twin
    assert book != "a book"


def test_a_touching_book_is_crossed() -> None:
    book = make()
    book.apply([(101, 1)], [], 8)
    assert book.is_crossed
    assert repr(book) == "OrderBook('BTCUSDT', last_id=8, levels=5)"
