"""The book against a twin that is too simple to be wrong."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from sortedcontainers import SortedDict

from cryptotrader.core.events import BookSnapshot, Level
from cryptotrader.core.orders import Side
from cryptotrader.market.book import OrderBook

LEVELS = st.lists(st.tuples(st.integers(1, 40), st.one_of(st.just(0), st.integers(1, 9))), max_size=25)
UPDATES = st.lists(st.tuples(LEVELS, LEVELS), max_size=15)


class NaiveBook:
    """Two SortedDicts."""

    def __init__(self) -> None:
        self.bids = SortedDict()
        self.asks = SortedDict()

    def apply(self, bids: list[Level], asks: list[Level]) -> None:
        for side, levels in ((self.bids, bids), (self.asks, asks)):
            for price, quantity in levels:
                if quantity:
                    side[price] = quantity
                else:
                    side.pop(price, None)


@given(UPDATES)
def test_a_book_shows_the_same_levels_as_its_naive_twin_after_every_update(
    updates: list[tuple[list[Level], list[Level]]],
) -> None:
    book, twin = OrderBook("BTCUSDT"), NaiveBook()
    for number, (bids, asks) in enumerate(updates, 1):
        book.apply(bids, asks, number)
        twin.apply(bids, asks)
        assert book.last_id == number
        assert book.bids() == list(reversed(twin.bids.items()))
        assert book.asks() == list(twin.asks.items())
        assert book.bids(3) == book.bids()[:3]
        assert book.asks(0) == []
        assert book.best_bid == (twin.bids.peekitem(-1) if twin.bids else None)
        assert book.best_ask == (twin.asks.peekitem(0) if twin.asks else None)
        assert book.level_count == len(twin.bids) + len(twin.asks)
        crossed = bool(twin.bids and twin.asks) and twin.bids.peekitem(-1)[0] >= twin.asks.peekitem(0)[0]
        assert book.is_crossed == crossed
        assert all(book.quantity(Side.BUY, price) == twin.bids.get(price, 0) for price in range(41))


@given(UPDATES, LEVELS, LEVELS)
def test_the_diff_to_a_snapshot_turns_a_book_into_that_snapshot_and_is_minimal(
    updates: list[tuple[list[Level], list[Level]]], bids: list[Level], asks: list[Level]
) -> None:
    book = OrderBook("BTCUSDT")
    for number, (changed_bids, changed_asks) in enumerate(updates, 1):
        book.apply(changed_bids, changed_asks, number)
    target = OrderBook("BTCUSDT")
    target.load(BookSnapshot("BTCUSDT", 99, tuple(dict(bids).items()), tuple(dict(asks).items())))
    twin = book.copy()
    changes = book.diff_to(target.snapshot())
    twin.apply(*changes, last_id=99)
    assert twin == target
    assert twin.last_id == target.last_id
    assert twin.diff_to(target.snapshot()) == ([], [])
    for side, levels in zip((Side.BUY, Side.SELL), changes, strict=True):
        assert all(book.quantity(side, price) != quantity for price, quantity in levels)
