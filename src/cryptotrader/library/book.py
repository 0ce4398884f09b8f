"""A local order book that follows the venue's, for as long as it is open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from cryptotrader.bus import Subscription, Topic
from cryptotrader.core.errors import NotConnected, VenueTimeout
from cryptotrader.core.orders import Side
from cryptotrader.core.scaled import from_decimal, to_decimal
from cryptotrader.feeds.depth import DepthChange, DepthFeed
from cryptotrader.library.inbox import DEFAULT_CAPACITY, ChangeInbox
from cryptotrader.library.values import BookChange, Quote, TopOfBook, quote, quotes
from cryptotrader.market.book import OrderBook

if TYPE_CHECKING:
    from decimal import Decimal

    from cryptotrader.feeds import Lease
    from cryptotrader.library.market_data import MarketData

READY_TIMEOUT_S = 30.0
"""How long ``async with`` waits for a true book. Unit: seconds. Reason: one attempt to connect takes up to ten, and a
snapshot up to ten."""

LOOK_AGAIN_S = 0.5
"""How often a reader that waits for a true book looks whether the book was closed. Unit: seconds."""

T = TypeVar("T")


class BookNotReady(NotConnected):
    """The book is being rebuilt and must not be read; ``wait_ready`` tells when it is true again."""

    code = "book_not_ready"


class LocalOrderBook:
    """One symbol's book: snapshot and diffs by Binance's recipe, rebuilt after a gap, a crossing or an outage.

    Reads are answered at once from memory, and only while the book is proven to be true; otherwise they raise
    ``BookNotReady``. Use ``MarketData.book`` to make one, and ``async with`` to open and close it.

    Args:
        symbol: ``BTCUSDT``.
        market: Where its data comes from.
    """

    def __init__(self, symbol: str, market: MarketData) -> None:
        self.symbol = symbol
        self._market = market
        self._lease: Lease | None = None
        self._feed: DepthFeed | None = None
        self._closing: Topic[None] = Topic(f"closing {symbol}")

    async def open(self, *, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Subscribe and wait until the book is true.

        Raises:
            UnknownSymbol: The venue has no such symbol.
            VenueTimeout: The book was not true within ``timeout_s`` seconds.
            VenueError: The venue could not be asked.
        """
        if self._lease is not None:
            return
        await self._market.check_symbol(self.symbol)
        self._lease, self._feed = self._market.attach(self)
        is_true = False
        try:
            await self.wait_ready(timeout_s)
            is_true = True
        finally:
            if not is_true:
                self.close()

    def close(self) -> None:
        """Every iterator ends; nothing is received any more. Harmless where it is closed."""
        if self._lease is not None:
            self._market.detach(self, self._lease)
            self._lease = self._feed = None
            self._closing.publish(None)

    async def __aenter__(self) -> LocalOrderBook:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def is_ready(self) -> bool:
        """Whether the book is true at this moment."""
        return self._feed is not None and self._feed.is_ready

    async def wait_ready(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Wait until the book is true.

        Raises:
            VenueTimeout: It did not happen within ``timeout_s`` seconds.
            BookNotReady: The book is closed.
        """
        if self._feed is None:
            raise BookNotReady(f"the order book of {self.symbol} is closed")
        await self._feed.wait_ready(timeout_s)

    @property
    def scaled(self) -> OrderBook:
        """The book in scaled integers (units of 10**-8), for programs that read it very often; do not change it."""
        feed = self._feed
        if feed is None or not feed.is_ready:
            state = "closed" if feed is None else "being rebuilt"
            raise BookNotReady(f"the order book of {self.symbol} is {state}")
        return feed.book

    @property
    def update_id(self) -> int:
        """The venue's id of the newest update."""
        return self.scaled.last_id

    @property
    def best_bid(self) -> Quote | None:
        """Highest bid; None where nobody buys."""
        return quote(self.scaled.best_bid)

    @property
    def best_ask(self) -> Quote | None:
        """Lowest ask; None where nobody sells."""
        return quote(self.scaled.best_ask)

    @property
    def complete_levels(self) -> int:
        """How many levels of each side, from the best, are certainly all there.

        The venue's snapshot holds 5,000 a side; farther out only levels that changed since are known.
        """
        return self._feed.complete_levels if self._feed is not None else 0

    def bids(self, limit: int | None = None) -> tuple[Quote, ...]:
        """Up to ``limit`` bids (all by default), highest first."""
        return quotes(self.scaled.bids(limit))

    def asks(self, limit: int | None = None) -> tuple[Quote, ...]:
        """Up to ``limit`` asks (all by default), lowest first."""
        return quotes(self.scaled.asks(limit))

    def quantity(self, side: Side, price: Decimal) -> Decimal:
        """Quantity shown at a price, 0 where there is none."""
        return to_decimal(self.scaled.quantity(side, from_decimal(price)))

    def top(self) -> TopOfBook:
        """Best bid and ask now."""
        book = self.scaled
        assert self._feed is not None
        return TopOfBook(self.symbol, quote(book.best_bid), quote(book.best_ask), book.last_id, self._feed.event_ms)

    async def changes(self, *, capacity: int = DEFAULT_CAPACITY) -> AsyncGenerator[BookChange, None]:
        """A snapshot first, then every change, contiguous; ends when the book is closed.

        A reader that falls ``capacity`` changes behind gets what waits merged into one change (``merged`` tells how
        many), or a new snapshot where that is shorter. Nothing is lost in silence.
        """
        feed, inbox, wake = self._feed, ChangeInbox(capacity), asyncio.Event()

        def on_change(change: DepthChange) -> None:
            inbox.put(change.diff, change.kind)
            wake.set()

        if feed is None:
            return
        subscriptions = (feed.topic.subscribe(on_change), self._closing.subscribe(lambda _: wake.set()))
        try:
            while self._feed is feed:
                if inbox.needs_snapshot:
                    if await self._becomes_ready(feed):
                        yield self._whole(feed, inbox.snapshot_taken())
                elif (waiting := inbox.take()) is not None:
                    yield BookChange(
                        symbol=self.symbol,
                        kind=waiting.kind,
                        first_id=waiting.first_id,
                        last_id=waiting.last_id,
                        bids=quotes(waiting.bids.items()),
                        asks=quotes(waiting.asks.items()),
                        event_ms=waiting.event_ms,
                        merged=waiting.count,
                    )
                else:
                    wake.clear()
                    await wake.wait()
        finally:
            _close(subscriptions)

    async def tops(self) -> AsyncGenerator[TopOfBook, None]:
        """The best bid and ask now, then whenever either changes; ends when the book is closed.

        A reader that falls behind gets the newest, never an old one: values in between are left out.
        """
        feed, wake = self._feed, asyncio.Event()
        if feed is None:
            return
        told: object = None
        subscriptions = (
            feed.topic.subscribe(lambda _: wake.set()),
            self._closing.subscribe(lambda _: wake.set()),
        )
        try:
            while self._feed is feed:
                wake.clear()
                if not await self._becomes_ready(feed):
                    continue
                now = (feed.book.best_bid, feed.book.best_ask)
                if now != told:
                    told = now
                    yield self.top()
                else:
                    await wake.wait()
        finally:
            _close(subscriptions)

    def on_change(self, callback: Callable[[BookChange], Awaitable[None]]) -> Subscription:
        """Await ``callback`` for a snapshot and every change, one at a time, until the book or the subscription is
        closed. A callback that raises is logged, and starts again from a snapshot a second later.
        """
        return self._market.run(f"changes of {self.symbol}", lambda: _feed_callback(self.changes(), callback))

    def on_top(self, callback: Callable[[TopOfBook], Awaitable[None]]) -> Subscription:
        """Await ``callback`` for the best bid and ask, one at a time, as ``tops`` gives them."""
        return self._market.run(f"top of {self.symbol}", lambda: _feed_callback(self.tops(), callback))

    async def _becomes_ready(self, feed: DepthFeed) -> bool:
        """Wait a little for a true book; the caller looks in between whether it was closed."""
        if feed.is_ready:
            return True
        try:
            await feed.wait_ready(LOOK_AGAIN_S)
        except VenueTimeout:
            return False
        return self._feed is feed

    def _whole(self, feed: DepthFeed, skipped: int) -> BookChange:
        book = feed.book
        return BookChange(
            symbol=self.symbol,
            kind="snapshot",
            first_id=book.last_id,
            last_id=book.last_id,
            bids=quotes(book.bids()),
            asks=quotes(book.asks()),
            event_ms=feed.event_ms,
            merged=max(1, skipped),
        )


async def _feed_callback(items: AsyncGenerator[T, None], callback: Callable[[T], Awaitable[None]]) -> None:
    try:
        async for item in items:
            await callback(item)
    finally:
        await items.aclose()


def _close(subscriptions: tuple[Subscription, ...]) -> None:
    for subscription in subscriptions:
        subscription.close()
