"""A live market on a fake venue and a clock that the test turns."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cryptotrader.bus import Topic
from cryptotrader.core.errors import VenueUnreachable
from cryptotrader.core.events import BookSnapshot
from cryptotrader.feeds import DepthChange, FeedPolicy, LiveMarket, SymbolCatalogue
from cryptotrader.net.backoff import ConnectionBudget
from cryptotrader.services.binance.streams import LinkDeps, MarketStreams, StreamPolicy
from cryptotrader.testing import FakeClock, FakeMarket, FakeRest, FakeVenue
from tests.support.depth_recording import NaiveBook

SYMBOL = "BTCUSDT"


class LiveWorld:
    def __init__(self, policy: FeedPolicy) -> None:
        self.clock = FakeClock()
        self.venue = FakeVenue(self.clock)
        self.rest = FakeRest()
        self.market = FakeMarket(SYMBOL, self.venue, self.rest, clock=self.clock)
        deps = LinkDeps(
            venue="binance",
            url="ws://venue/stream",
            connect=self.venue.connect,
            clock=self.clock,
            draw=lambda: 0.5,
            policy=StreamPolicy(),
            budget=ConnectionBudget(),
            links=Topic("links"),
        )
        self.streams = MarketStreams(deps)
        self.live = LiveMarket(
            self.rest, self.streams, SymbolCatalogue(self.rest, self.clock), clock=self.clock, policy=policy
        )

    def outage(self) -> None:
        """The venue goes away, REST included."""
        self.venue.refuse()
        self.rest.failure = VenueUnreachable("down")

    def back(self) -> None:
        self.venue.accept()
        self.rest.failure = None


@asynccontextmanager
async def live_world(policy: FeedPolicy | None = None) -> AsyncIterator[LiveWorld]:
    world = LiveWorld(policy or FeedPolicy())
    await world.live.start()
    try:
        yield world
    finally:
        await world.live.close()
        assert world.live.job_count == 0
        assert world.venue.open_wires == []


class ChangeReader:
    """A client that knows nothing but the changes, and insists that they are contiguous."""

    def __init__(self) -> None:
        self.book = NaiveBook()
        self.changes: list[DepthChange] = []
        self.kinds: list[str] = []
        self.last_id: int | None = None

    def on_change(self, change: DepthChange) -> None:
        diff = change.diff
        if change.kind == "restart":
            self.book.load(BookSnapshot(diff.symbol, diff.last_id, diff.bids, diff.asks))
        else:
            assert self.last_id is not None
            assert diff.first_id == self.last_id + 1
            assert diff.last_id >= diff.first_id
            self.book.apply(diff)
        self.last_id = diff.last_id
        self.kinds.append(change.kind)
        assert change.book.last_id == diff.last_id
        assert not change.book.is_crossed
