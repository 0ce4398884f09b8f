"""The library's local order book on a fake venue and clock: true, contiguous, never silent about what it left out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from decimal import Decimal
from typing import TypeVar

import pytest

from cryptotrader.core.errors import UnknownSymbol, VenueRejected, VenueTimeout
from cryptotrader.core.events import BookSnapshot
from cryptotrader.core.orders import Side
from cryptotrader.core.scaled import SCALE
from cryptotrader.library import BookChange, BookNotReady, LocalOrderBook, MarketData, Quote, TopOfBook
from cryptotrader.library.market_data import Surroundings
from cryptotrader.services.binance.endpoints import paper
from cryptotrader.services.binance.request import Params, RequestSpec
from cryptotrader.testing import FakeClock, FakeMarket, FakeRest, FakeVenue, settle

SYMBOL = "BTCUSDT"
P = TypeVar("P", bound=Params)
R = TypeVar("R")


class FakeRequester:
    """Answers what ``BinanceWebSocketConnection.request`` would."""

    def __init__(self, rest: FakeRest) -> None:
        self.rest = rest

    async def request(self, spec: RequestSpec[P, R], params: P) -> R:
        return await self.rest.call(spec, params)


class World:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.venue = FakeVenue(self.clock)
        self.rest = FakeRest()
        self.rest.on("GET /api/v3/ticker/price", lambda params: {"symbol": params["symbol"], "price": "1"})
        self.feed = FakeMarket(SYMBOL, self.venue, self.rest, clock=self.clock)
        self.feed.book.load(
            BookSnapshot(
                SYMBOL,
                100,
                tuple(((1_000 - number) * SCALE, 5 * SCALE) for number in range(150)),
                tuple(((1_001 + number) * SCALE, 5 * SCALE) for number in range(150)),
            )
        )
        around = Surroundings(self.clock, self.venue.connect, lambda: 0.5)
        self.market = MarketData(FakeRequester(self.rest), paper(), around=around)

    async def opened(self) -> LocalOrderBook:
        book = self.market.book(SYMBOL)
        opening = asyncio.ensure_future(book.open())
        await self.clock.advance(2)
        await opening
        return book

    def bid(self, price: int, qty: int, *, silently: bool = False) -> None:
        self.feed.change(bids=((price * SCALE, qty * SCALE),), silently=silently)


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    made = World()
    async with made.market:
        yield made
    assert made.venue.open_wires == []


class Copy:
    """A program that knows nothing but the changes, and insists that they are contiguous."""

    def __init__(self) -> None:
        self.bids: dict[Decimal, Decimal] = {}
        self.last_id = 0
        self.kinds: list[str] = []
        self.merged: list[int] = []

    def take(self, change: BookChange) -> None:
        if change.kind == "snapshot":
            self.bids.clear()
        else:
            assert change.first_id == self.last_id + 1
        self.last_id = change.last_id
        self.kinds.append(change.kind)
        self.merged.append(change.merged)
        for price, quantity in change.bids:
            if quantity:
                self.bids[price] = quantity
            else:
                self.bids.pop(price, None)

    def equals(self, book: LocalOrderBook) -> bool:
        return self.last_id == book.update_id and self.bids == dict(book.bids())


async def test_a_book_answers_exact_decimals_from_memory() -> None:
    async with world() as it:
        book = await it.opened()
        it.bid(1_000, 7)
        await settle()
        assert book.best_bid == Quote(Decimal(1_000), Decimal(7))
        assert book.best_ask == Quote(Decimal(1_001), Decimal(5))
        assert book.bids(2) == ((Decimal(1_000), Decimal(7)), (Decimal(999), Decimal(5)))
        assert [ask.price for ask in book.asks(2)] == [1_001, 1_002]
        assert book.quantity(Side.BUY, Decimal("999.00")) == 5
        assert book.update_id == 101
        assert book.complete_levels > 1_000


async def test_opening_a_book_of_no_symbol_says_so() -> None:
    async with world() as it:
        it.rest.on("GET /api/v3/ticker/price", _refuse)
        with pytest.raises(UnknownSymbol, match="Invalid symbol"):
            await it.market.book("NOPE").open()


def _refuse(params: object) -> object:
    raise VenueRejected("Invalid symbol.", venue_code=-1121)


async def test_a_book_that_does_not_become_true_in_time_is_closed_again() -> None:
    async with world() as it:
        it.venue.refuse()
        book = it.market.book(SYMBOL)
        with pytest.raises(VenueTimeout):
            await book.open(timeout_s=0.01)
        with pytest.raises(BookNotReady, match="closed"):
            book.top()


async def test_changes_begin_with_the_book_and_keep_a_copy_equal() -> None:
    async with world() as it:
        book, copy = await it.opened(), Copy()
        async with aclosing(book.changes()) as changes:
            copy.take(await anext(changes))
            for quantity in range(1, 6):
                it.bid(999, quantity)
                await settle()
                copy.take(await anext(changes))
        assert copy.kinds == ["snapshot", *["diff"] * 5]
        assert copy.merged == [1] * 6
        assert copy.equals(book)


async def test_a_slow_reader_gets_one_merged_change_that_says_how_many_it_stands_for() -> None:
    async with world() as it:
        book, copy = await it.opened(), Copy()
        async with aclosing(book.changes(capacity=3)) as changes:
            copy.take(await anext(changes))
            for quantity in range(1, 9):
                it.bid(990 + quantity % 3, quantity)
            await settle()
            copy.take(await anext(changes))
            while not copy.equals(book):
                copy.take(await anext(changes))
        assert sum(copy.merged[1:]) == 8
        assert max(copy.merged) >= 4


async def test_a_gap_is_healed_and_told_as_a_resync() -> None:
    async with world() as it:
        book, copy = await it.opened(), Copy()
        async with aclosing(book.changes()) as changes:
            copy.take(await anext(changes))
            it.rest.gate = asyncio.Event()
            it.bid(1_000, 0, silently=True)
            it.bid(998, 3)
            await settle()
            assert not book.is_ready
            with pytest.raises(BookNotReady, match="rebuilt"):
                _ = book.best_bid
            it.rest.gate.set()
            await it.clock.advance(2)
            copy.take(await anext(changes))
        assert copy.kinds == ["snapshot", "resync"]
        assert copy.equals(book)
        assert book.best_bid == Quote(Decimal(999), Decimal(5))


async def test_an_outage_ends_with_a_true_book_and_contiguous_changes() -> None:
    async with world() as it:
        book, copy = await it.opened(), Copy()
        async with aclosing(book.changes()) as changes:
            copy.take(await anext(changes))
            it.venue.refuse()
            await it.clock.advance(1)
            assert not book.is_ready
            for quantity in range(1, 20):
                it.bid(995, quantity)
            it.venue.accept()
            await it.clock.advance(60)
            it.bid(994, 1)
            await it.clock.advance(2)
            while not copy.equals(book):
                copy.take(await anext(changes))
        assert copy.kinds[0] == "snapshot"
        assert "snapshot" not in copy.kinds[1:]


async def test_the_top_of_the_book_conflates_to_the_newest() -> None:
    async with world() as it:
        book = await it.opened()
        async with aclosing(book.tops()) as tops:
            first = await anext(tops)
            assert first.bid == Quote(Decimal(1_000), Decimal(5))
            for quantity in range(1, 9):
                it.bid(1_000, quantity)
            await settle()
            assert (await anext(tops)).bid == Quote(Decimal(1_000), Decimal(8))
            it.bid(900, 1)
            it.bid(1_000, 9)
            await settle()
            top = await anext(tops)
            assert (top.bid, top.update_id) == (Quote(Decimal(1_000), Decimal(9)), book.update_id)


async def test_callbacks_get_what_the_iterators_give_until_they_are_closed() -> None:
    async with world() as it:
        book, copy = await it.opened(), Copy()
        tops: list[TopOfBook] = []

        async def on_change(change: BookChange) -> None:
            copy.take(change)

        async def on_top(top: TopOfBook) -> None:
            tops.append(top)

        first, second = book.on_change(on_change), book.on_top(on_top)
        await settle()
        it.bid(1_000, 3)
        await settle()
        assert copy.equals(book)
        assert tops[-1].bid == Quote(Decimal(1_000), Decimal(3))
        first.close()
        second.close()
        await settle()
        it.bid(1_000, 4)
        await settle()
        assert copy.last_id == book.update_id - 1


async def test_closing_a_book_ends_its_iterators() -> None:
    async with world() as it:
        book = await it.opened()

        async def count(items: object) -> int:
            number = 0
            async for _ in items:  # type: ignore[attr-defined]
                number += 1
            return number

        readers = [asyncio.ensure_future(count(items)) for items in (book.changes(), book.tops())]
        await settle()
        book.close()
        assert await asyncio.gather(*readers) == [1, 1]
        assert await count(book.changes()) == 0
        with pytest.raises(BookNotReady):
            await book.wait_ready()


async def test_books_of_one_symbol_share_what_is_received() -> None:
    async with world() as it:
        first = await it.opened()
        second = it.market.book(SYMBOL.lower())
        await second.open()
        assert len(it.venue.open_wires) == 1
        assert it.rest.count("GET /api/v3/depth") == 1
        first.close()
        it.bid(1_000, 2)
        await settle()
        assert second.best_bid == Quote(Decimal(1_000), Decimal(2))
