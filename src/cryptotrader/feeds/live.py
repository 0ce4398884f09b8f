"""The live market of a venue: what is wanted is subscribed, what nobody wants any more is dropped after a while."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import cast

from cryptotrader.bus import Subscription, Topic
from cryptotrader.config import get_logger
from cryptotrader.core.clock import NS_PER_S
from cryptotrader.core.errors import InvalidParams, SubscriptionLimit
from cryptotrader.core.events import LinkChange, SystemEvent
from cryptotrader.feeds.base import Feed, FeedContext, FeedPolicy, VenueRest
from cryptotrader.feeds.candles import CandleFeed
from cryptotrader.feeds.catalogue import SymbolCatalogue
from cryptotrader.feeds.depth import DepthFeed
from cryptotrader.feeds.tickers import TickerFeed
from cryptotrader.feeds.tops import TopFeed
from cryptotrader.feeds.trades import TradeFeed
from cryptotrader.market.candles import INTERVALS
from cryptotrader.net import Supervisor
from cryptotrader.net.clock import WaitingClock
from cryptotrader.services.binance.request import Interval
from cryptotrader.services.binance.streams import MarketStreams, WireEvent

log = get_logger(__name__)

DEPTH = "depth"
TICKER = "ticker"
TRADES = "trades"
TOP = "top"


def kline(interval: str) -> str:
    """The kind of a candle feed: ``kline:1h``."""
    return f"kline:{interval}"


class Lease:
    """As long as it is open, the feed stays. Closing it twice is harmless."""

    def __init__(self, feed: Feed, release: Callable[[], None]) -> None:
        self.feed = feed
        self._release: Callable[[], None] | None = release

    def close(self) -> None:
        """Want the feed no more; it lives on for the linger."""
        if self._release is not None:
            release, self._release = self._release, None
            release()


class _Entry:
    """A feed and who wants it."""

    __slots__ = ("feed", "leases", "wanted_until_ns")

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.leases = 0
        self.wanted_until_ns = 0


class LiveMarket:
    """Feeds by symbol and kind. Kinds are ``DEPTH``, ``TICKER``, ``TRADES``, ``TOP`` and ``kline(interval)``.

    Symbols must be in Binance's spelling and known to the catalogue; ask ``catalogue.require`` first.

    Args:
        rest: Requests to the venue.
        streams: Its market streams; started and closed by this object.
        catalogue: Its symbols.
        clock: Time and waiting.
        policy: Limits.
        draw: Random numbers of [0, 1).
    """

    def __init__(
        self,
        rest: VenueRest,
        streams: MarketStreams,
        catalogue: SymbolCatalogue,
        *,
        clock: WaitingClock,
        policy: FeedPolicy | None = None,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.catalogue = catalogue
        self.links = streams.links
        self.reports: Topic[SystemEvent] = Topic("reports of feeds")
        """Books that are rebuilt."""
        self._streams = streams
        self._clock = clock
        self._policy = policy or FeedPolicy()
        self._jobs = Supervisor("live market", max_jobs=2 * self._policy.max_feeds + 2)
        self._context = FeedContext(
            rest=rest,
            clock=clock,
            draw=draw,
            jobs=self._jobs,
            policy=self._policy,
            is_active=streams.is_active,
            is_heard=streams.is_heard,
            snapshots=asyncio.Semaphore(self._policy.snapshots_at_a_time),
            reports=self.reports,
        )
        self._entries: dict[tuple[str, str], _Entry] = {}
        self._by_stream: dict[str, Feed] = {}
        self._subscriptions: list[Subscription] = []

    async def start(self) -> None:
        """Connect in the background."""
        self._subscriptions = [
            self._streams.events.subscribe(self._on_event),
            self._streams.links.subscribe(self._on_link),
        ]
        await self._streams.start()
        self._jobs.start("linger", self._sweep, restart=True)

    async def close(self) -> None:
        """End every feed, job and connection."""
        for subscription in self._subscriptions:
            subscription.close()
        await self._streams.close()
        await self._jobs.close()

    @property
    def is_connected(self) -> bool:
        """Whether the market streams are up."""
        return self._streams.is_connected

    @property
    def feed_count(self) -> int:
        """Feeds that are kept up now."""
        return len(self._entries)

    @property
    def job_count(self) -> int:
        """Background jobs running now, those of the streams included."""
        return self._jobs.job_count + self._streams.job_count

    def lease(self, symbol: str, kind: str) -> Lease:
        """Keep a feed up until the lease is closed.

        Raises:
            InvalidParams: There is no such kind.
            SubscriptionLimit: Too many feeds.
        """
        entry = self._entry(symbol, kind)
        entry.leases += 1

        def release() -> None:
            entry.leases -= 1
            self._linger(entry)

        return Lease(entry.feed, release)

    def touch(self, symbol: str, kind: str) -> None:
        """Keep a feed up for the linger from now on; raises as ``lease`` does."""
        self._linger(self._entry(symbol, kind))

    def depth(self, symbol: str) -> DepthFeed:
        """The order book; touches it."""
        feed = self._touched(symbol, DEPTH)
        assert isinstance(feed, DepthFeed)
        return feed

    def ticker(self, symbol: str) -> TickerFeed:
        """The 24-hour statistics; touches them."""
        feed = self._touched(symbol, TICKER)
        assert isinstance(feed, TickerFeed)
        return feed

    def trades(self, symbol: str) -> TradeFeed:
        """The public trades; touches them."""
        feed = self._touched(symbol, TRADES)
        assert isinstance(feed, TradeFeed)
        return feed

    def candles(self, symbol: str, interval: str) -> CandleFeed:
        """The candles; touches them."""
        feed = self._touched(symbol, kline(interval))
        assert isinstance(feed, CandleFeed)
        return feed

    def peek(self, symbol: str, kind: str) -> Feed | None:
        """The feed if it is up, without wanting it."""
        entry = self._entries.get((symbol, kind))
        return entry.feed if entry else None

    def _touched(self, symbol: str, kind: str) -> Feed:
        entry = self._entry(symbol, kind)
        self._linger(entry)
        return entry.feed

    def _linger(self, entry: _Entry) -> None:
        entry.wanted_until_ns = self._clock.monotonic_ns() + int(self._policy.linger_s * NS_PER_S)

    def _entry(self, symbol: str, kind: str) -> _Entry:
        entry = self._entries.get((symbol, kind))
        if entry is not None:
            return entry
        if len(self._entries) >= self._policy.max_feeds:
            raise SubscriptionLimit("Too many symbols are subscribed at the venue")
        entry = self._entries[symbol, kind] = _Entry(self._build(symbol, kind))
        feed = entry.feed
        self._by_stream[feed.stream] = feed
        self._streams.want(feed.stream)
        feed.fill()
        return entry

    def _build(self, symbol: str, kind: str) -> Feed:
        if kind == DEPTH:
            return DepthFeed(symbol, self._context)
        if kind == TICKER:
            return TickerFeed(symbol, self._context)
        if kind == TRADES:
            return TradeFeed(symbol, self._context)
        if kind == TOP:
            return TopFeed(symbol, self._context)
        interval = kind.removeprefix("kline:")
        if interval != kind and interval in INTERVALS:
            return CandleFeed(symbol, cast(Interval, interval), self._context)
        raise InvalidParams(f"no such kind of feed: {kind}", param="kind", problem="unknown")

    def _on_event(self, event: WireEvent) -> None:
        feed = self._by_stream.get(event.stream)
        if feed is None:
            return  # Unsubscribed a moment ago.
        try:
            feed.on_event(event.payload)
        except ValueError as error:
            log.error(f"{event.stream}: a message makes no sense: {type(error).__name__}")

    def _on_link(self, change: LinkChange) -> None:
        for stream, feed in tuple(self._by_stream.items()):
            if self._streams.link_of(stream) == change.link:
                feed.on_link(change.state)

    async def _sweep(self) -> None:
        while True:
            await self._clock.sleep(self._policy.sweep_s)
            now_ns = self._clock.monotonic_ns()
            for key, entry in tuple(self._entries.items()):
                if entry.leases <= 0 and now_ns >= entry.wanted_until_ns:
                    del self._entries[key], self._by_stream[entry.feed.stream]
                    self._streams.unwant(entry.feed.stream)
                    entry.feed.close()
