"""The depth feed through every kind of upstream trouble: no wrong book, no hole for a client (S0-41, S0-43)."""

from __future__ import annotations

import random

import pytest

from cryptotrader.core.errors import VenueTimeout, VenueUnreachable
from cryptotrader.core.events import BookSnapshot, SystemEvent
from cryptotrader.feeds import ALL_LEVELS, DEPTH, DepthFeed, FeedPolicy
from tests.support.depth_recording import depth_recording
from tests.support.live_world import SYMBOL, ChangeReader, LiveWorld, live_world

STREAM = "btcusdt@depth@100ms"


def is_ready(feed: DepthFeed) -> bool:
    """A type checker takes a property to stay as it is."""
    return feed.is_ready


def fill_book(world: LiveWorld, levels: int = 20) -> None:
    world.market.book.load(
        BookSnapshot(
            SYMBOL,
            100,
            tuple((1_000 - number, 5) for number in range(levels)),
            tuple((1_001 + number, 5) for number in range(levels)),
        )
    )


async def ready_feed(world: LiveWorld) -> tuple[DepthFeed, ChangeReader]:
    fill_book(world)
    feed = world.live.depth(SYMBOL)
    reader = ChangeReader()
    feed.topic.subscribe(reader.on_change)
    world.live.lease(SYMBOL, DEPTH)
    await world.clock.advance(0.6)
    world.market.change(bids=((1_000, 6),))
    await world.clock.advance(2)
    assert is_ready(feed)
    assert feed.book == world.market.book
    return feed, reader


async def test_a_book_becomes_ready_and_follows_every_change() -> None:
    async with live_world() as world:
        feed, reader = await ready_feed(world)
        for qty in range(1, 50):
            world.market.change(bids=((999, qty),))
        await world.clock.advance(0.1)
        assert feed.book == world.market.book
        assert reader.kinds[0] == "restart"
        assert set(reader.kinds[1:]) == {"diff"}
        assert reader.last_id == world.market.book.last_id
        assert world.rest.count("GET /api/v3/depth") == 1


async def test_a_quiet_market_gets_its_book_without_any_event() -> None:
    async with live_world() as world:
        fill_book(world)
        feed = world.live.depth(SYMBOL)
        await world.clock.advance(3)
        assert is_ready(feed)
        assert feed.complete_levels == ALL_LEVELS


async def test_waiting_for_a_book_that_does_not_come_times_out() -> None:
    async with live_world() as world:
        with pytest.raises(VenueTimeout):
            await world.live.depth(SYMBOL).wait_ready(0.01)


async def test_a_lost_event_leads_to_a_resync_that_clients_see_as_one_contiguous_change() -> None:
    async with live_world() as world:
        feed, reader = await ready_feed(world)
        world.market.change(bids=((1_000, 0),), silently=True)
        world.market.change(asks=((1_001, 9),))
        await world.clock.advance(0)
        assert feed.book == world.market.book or not is_ready(feed)
        await world.clock.advance(2)
        assert is_ready(feed)
        assert feed.book == world.market.book
        assert reader.kinds.count("resync") == 1
        assert reader.book.snapshot() == world.market.book.snapshot()


async def test_a_book_that_is_rebuilt_is_reported_when_it_begins_and_when_it_is_done() -> None:
    """S1-15: for the operator's eyes."""
    async with live_world() as world:
        told: list[SystemEvent] = []
        world.live.reports.subscribe(told.append)
        await ready_feed(world)
        assert told == []
        world.market.change(silently=True)
        world.market.change(asks=((1_001, 9),))
        await world.clock.advance(2)
        assert [(event.event, event.status, event.symbol, event.detail) for event in told] == [
            ("orderbook_resync", "started", SYMBOL, "gap"),
            ("orderbook_resync", "done", SYMBOL, "gap"),
        ]


async def test_while_it_recovers_a_book_is_not_ready() -> None:
    async with live_world() as world:
        feed, _ = await ready_feed(world)
        world.rest.failure = VenueUnreachable("down")
        world.market.change(silently=True)
        world.market.change()
        await world.clock.advance(10)
        assert not is_ready(feed)
        world.rest.failure = None
        await world.clock.advance(31)
        assert is_ready(feed)
        assert feed.book == world.market.book


async def test_snapshots_older_than_the_stream_are_fetched_again() -> None:
    async with live_world() as world:
        feed, _ = await ready_feed(world)
        old = world.market.book.snapshot()
        world.market.snapshot_lag = [old, old]
        world.market.change(silently=True)
        world.market.change(bids=((998, 77),))
        await world.clock.advance(10)
        assert is_ready(feed)
        assert feed.book == world.market.book
        assert world.rest.count("GET /api/v3/depth") == 4


async def test_a_break_in_which_nothing_changed_needs_no_snapshot() -> None:
    async with live_world() as world:
        feed, reader = await ready_feed(world)
        world.venue.drop_all()
        await world.clock.advance(0)
        assert not is_ready(feed)
        await world.clock.advance(0.6)
        world.market.change(bids=((1_000, 8),))
        await world.clock.advance(1)
        assert is_ready(feed)
        assert feed.book == world.market.book
        assert world.rest.count("GET /api/v3/depth") == 1
        assert "resync" not in reader.kinds


async def test_ids_that_went_back_make_a_restart() -> None:
    async with live_world() as world:
        feed, reader = await ready_feed(world)
        world.outage()
        await world.clock.advance(5)
        world.market.book.load(BookSnapshot(SYMBOL, 7, ((500, 1),), ((600, 1),)))
        world.back()
        await world.clock.advance(60)
        world.market.change(bids=((501, 2),))
        await world.clock.advance(20)
        assert is_ready(feed)
        assert feed.book == world.market.book
        assert reader.kinds.count("restart") == 2
        assert reader.book.snapshot() == world.market.book.snapshot()


async def test_a_crossed_book_is_never_served() -> None:
    async with live_world() as world:
        feed, reader = await ready_feed(world)
        # The venue's stream lies: a bid above the best ask which its own book does not have.
        diff = world.market.change(bids=((999, 1),), silently=True)
        world.venue.publish(STREAM, world.market.wire_diff(diff) | {"b": [["0.00002000", "0.00000001"]]})
        await world.clock.advance(0)
        assert not is_ready(feed)
        await world.clock.advance(5)
        assert is_ready(feed)
        assert feed.book == world.market.book
        assert reader.book.snapshot() == world.market.book.snapshot()


async def test_it_tells_how_deep_the_book_is_certainly_complete_and_digs_deeper_when_the_price_moved() -> None:
    policy = FeedPolicy(snapshot_limit=50, refill_levels=10)
    async with live_world(policy) as world:
        fill_book(world, levels=200)
        feed = world.live.depth(SYMBOL)
        world.live.lease(SYMBOL, DEPTH)
        await world.clock.advance(3)
        assert feed.complete_levels == 50
        # The market falls: bid after bid is eaten, and what lies below the snapshot is not known.
        for price in range(1_000, 900, -1):
            world.market.change(bids=((price, 0),))
            await world.clock.advance(1)
            if is_ready(feed):
                known = feed.complete_levels
                assert known >= 10
                assert feed.book.bids(known) == world.market.book.bids(known)
        assert is_ready(feed)
        assert world.rest.count("GET /api/v3/depth") < 8


async def test_symbols_are_dropped_a_while_after_nobody_wants_them() -> None:
    async with live_world() as world:
        fill_book(world)
        lease = world.live.lease(SYMBOL, DEPTH)
        await world.clock.advance(500)
        assert STREAM in world.venue.open_wires[0].streams
        lease.close()
        lease.close()
        await world.clock.advance(50)
        assert STREAM in world.venue.open_wires[0].streams
        await world.clock.advance(15)
        assert world.venue.open_wires[0].streams == set()
        assert world.live.feed_count == 0


async def test_a_symbol_wanted_again_during_the_linger_stays_live() -> None:
    async with live_world() as world:
        fill_book(world)
        world.live.lease(SYMBOL, DEPTH).close()
        await world.clock.advance(50)
        feed = world.live.depth(SYMBOL)
        await world.clock.advance(50)
        assert world.live.peek(SYMBOL, DEPTH) is feed
        assert is_ready(feed)
        assert world.rest.count("GET /api/v3/depth") == 1


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_on_the_recording_ten_outages_and_lost_events_never_yield_a_wrong_book(seed: int) -> None:
    diffs, snapshot, tickers = depth_recording()
    draw = random.Random(seed)
    start = next(index for index, diff in enumerate(diffs) if diff.last_id > snapshot.last_id)
    outages = set(draw.sample(range(100, 1_900), 10))
    async with live_world() as world:
        world.market.book.load(snapshot)
        feed = world.live.depth(SYMBOL)
        reader = ChangeReader()
        feed.topic.subscribe(reader.on_change)
        world.live.lease(SYMBOL, DEPTH)
        compared = 0
        down_for = 0
        for index, diff in enumerate(diffs[start : start + 2_000]):
            if index in outages:
                world.outage()
                down_for = draw.randrange(1, 60)
            elif down_for:
                down_for -= 1
                if not down_for:
                    world.back()
            world.market.push_diff(diff, silently=draw.random() < 0.01)
            await world.clock.advance(0.1)
            ticker = tickers.get(feed.book.last_id)
            if is_ready(feed) and ticker is not None:
                assert feed.book.best_bid == (ticker.bid, ticker.bid_qty)
                assert feed.book.best_ask == (ticker.ask, ticker.ask_qty)
                assert reader.book.top() == (ticker.bid, ticker.bid_qty, ticker.ask, ticker.ask_qty)
                compared += 1
        world.back()
        await world.clock.advance(40)
        assert is_ready(feed)
        assert feed.book == world.market.book
        assert reader.book.snapshot() == world.market.book.snapshot()
        assert reader.kinds.count("restart") == 1
        assert reader.kinds.count("resync") >= 5
        assert compared > 50


async def test_a_venue_that_is_down_at_the_start_is_served_once_it_is_there() -> None:
    async with live_world() as world:
        fill_book(world)
        world.outage()
        feed = world.live.depth(SYMBOL)
        world.live.lease(SYMBOL, DEPTH)
        await world.clock.advance(300)
        assert not is_ready(feed)
        world.back()
        await world.clock.advance(40)
        world.market.change(bids=((1_000, 7),))
        await world.clock.advance(2)
        assert is_ready(feed)
        assert feed.book == world.market.book


async def test_a_planned_replacement_of_the_connection_loses_and_repeats_nothing() -> None:
    """The old server is late, the new one early: clients see one contiguous sequence without a resync."""
    async with live_world() as world:
        feed, reader = await ready_feed(world)
        old = world.venue.open_wires[0]
        old.push({"e": "serverShutdown", "E": 1})
        await world.clock.advance(1)
        [_, new] = world.venue.open_wires
        diffs = [world.market.change(bids=((1_000, number),), silently=True) for number in range(10, 30)]
        for diff in diffs:
            new.push({"stream": STREAM, "data": world.market.wire_diff(diff)})
        await world.clock.advance(0.5)
        for diff in diffs[:8]:
            old.push({"stream": STREAM, "data": world.market.wire_diff(diff)})
        await world.clock.advance(5)
        assert feed.book == world.market.book
        assert set(reader.kinds) == {"restart", "diff"}
        assert world.rest.count("GET /api/v3/depth") == 1
