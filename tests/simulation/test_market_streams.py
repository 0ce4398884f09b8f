"""The market streams against a scripted venue and a clock that the test turns."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from cryptotrader.bus import Topic
from cryptotrader.core.errors import VenueRateLimited
from cryptotrader.core.events import LinkChange, LinkState, SystemEvent
from cryptotrader.net.backoff import ConnectionBudget
from cryptotrader.services.binance.streams import LinkDeps, MarketStreams, StreamPolicy
from cryptotrader.testing import FakeClock, FakeVenue, FakeWire

DEPTH = "btcusdt@depth@100ms"


def is_closed(wire: FakeWire) -> bool:
    """A type checker takes an attribute to stay as it is."""
    return wire.closed


class World:
    def __init__(self, policy: StreamPolicy) -> None:
        self.clock = FakeClock()
        self.venue = FakeVenue(self.clock)
        self.changes: list[LinkChange] = []
        self.reports: list[SystemEvent] = []
        reports: Topic[SystemEvent] = Topic("reports")
        reports.subscribe(self.reports.append)
        links: Topic[LinkChange] = Topic("links")
        links.subscribe(self.changes.append)
        self.streams = MarketStreams(
            LinkDeps(
                venue="binance",
                url="ws://venue/stream",
                connect=self.venue.connect,
                clock=self.clock,
                draw=lambda: 0.5,
                policy=policy,
                budget=ConnectionBudget(),
                links=links,
                reports=reports,
            )
        )
        self.seen: list[tuple[str, bytes]] = []
        self.streams.events.subscribe(lambda event: self.seen.append((event.stream, bytes(event.payload))))

    @property
    def states(self) -> list[str]:
        return [change.state.value for change in self.changes]

    def numbers(self) -> list[int]:
        return [int(payload) for _, payload in self.seen]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    built = World(StreamPolicy())
    await built.streams.start()
    yield built
    await built.streams.close()
    assert built.venue.open_wires == []
    assert built.streams.job_count == 0


async def test_a_wanted_stream_is_subscribed_and_its_events_arrive(world: World) -> None:
    world.streams.want(DEPTH)
    await world.clock.advance(1)
    world.venue.publish(DEPTH, 1)
    await world.clock.advance(0)
    assert world.seen == [(DEPTH, b"1")]
    assert world.states == ["connecting", "connected"]
    assert world.streams.is_active(DEPTH)


async def test_many_streams_are_subscribed_in_few_frames_below_five_a_second(world: World) -> None:
    for number in range(190):
        world.streams.want(f"s{number}@trade")
    await world.clock.advance(0.9)
    [wire] = world.venue.wires
    assert 2 <= len(wire.sent) <= 4
    assert len(wire.streams) == 190


async def test_wanting_and_unwanting_quickly_stays_below_five_frames_a_second(world: World) -> None:
    await world.clock.advance(1)
    for number in range(40):
        world.streams.want(f"s{number}@trade")
        await world.clock.advance(0.05)
        world.streams.unwant(f"s{number}@trade")
    assert len(world.venue.wires[0].sent) <= 2 * 5
    await world.clock.advance(2)
    assert world.venue.wires[0].streams == set()


async def test_more_streams_than_one_connection_takes_open_another(world: World) -> None:
    for number in range(201):
        world.streams.want(f"s{number}@trade")
    await world.clock.advance(3)
    assert sorted(len(wire.streams) for wire in world.venue.open_wires) == [1, 200]
    assert world.streams.link_of("s200@trade") == "market-2"


async def test_after_a_break_everything_is_subscribed_again(world: World) -> None:
    world.streams.want(DEPTH)
    world.streams.want("btcusdt@trade")
    await world.clock.advance(2)
    world.venue.drop_all()
    await world.clock.advance(2)
    assert world.states == ["connecting", "connected", "disconnected", "connected"]
    assert world.venue.open_wires[0].streams == {DEPTH, "btcusdt@trade"}


async def test_it_never_gives_up_and_keeps_to_the_budget(world: World) -> None:
    await world.clock.advance(1)
    world.venue.refuse()
    await world.clock.advance(3_600)
    assert 100 < world.venue.attempts < 400
    world.venue.accept()
    await world.clock.advance(31)
    assert world.streams.is_connected


async def test_a_venue_that_says_when_to_come_back_is_obeyed(world: World) -> None:
    await world.clock.advance(1)
    world.venue.refusal = VenueRateLimited("429", retry_after_s=120)
    world.venue.drop_all()
    await world.clock.advance(60)
    assert world.venue.attempts == 2
    await world.clock.advance(61)
    assert world.venue.attempts == 3


@pytest.mark.parametrize("notice", [{"e": "serverShutdown", "E": 1}, {"stream": "!serverShutdown", "data": {"E": 1}}])
async def test_a_shutdown_notice_opens_the_successor_first_and_loses_nothing(
    world: World, notice: dict[str, object]
) -> None:
    world.streams.want(DEPTH)
    await world.clock.advance(1)
    [old] = world.venue.wires
    world.venue.publish(DEPTH, 1)
    old.push(notice)
    await world.clock.advance(0.5)
    assert not is_closed(old)
    assert len(world.venue.open_wires) == 2
    # Both carry the stream now; the old one is a little late.
    new = world.venue.wires[1]
    new.push({"stream": DEPTH, "data": 3})
    old.push({"stream": DEPTH, "data": 2})
    old.push({"stream": DEPTH, "data": 3})
    await world.clock.advance(4)
    assert is_closed(old)
    world.venue.publish(DEPTH, 4)
    await world.clock.advance(0)
    assert world.numbers() == [1, 2, 3, 3, 4]
    assert world.states == ["connecting", "connected"]


async def test_when_the_old_connection_dies_during_the_overlap_the_new_one_takes_over_at_once(world: World) -> None:
    world.streams.want(DEPTH)
    await world.clock.advance(1)
    [old] = world.venue.wires
    old.push({"e": "serverShutdown", "E": 1})
    await world.clock.advance(0.5)
    world.venue.wires[1].push({"stream": DEPTH, "data": 7})
    old.drop()
    await world.clock.advance(0)
    assert world.numbers() == [7]
    assert world.states == ["connecting", "connected"]
    await world.clock.advance(10)
    assert len(world.venue.open_wires) == 1


async def test_a_connection_is_replaced_before_24_hours_without_a_break() -> None:
    world = World(StreamPolicy(tick_s=20))
    await world.streams.start()
    world.streams.want(DEPTH)
    await world.clock.advance(22 * 3_600)
    assert len(world.venue.wires) == 1
    await world.clock.advance(1.5 * 3_600)
    assert len(world.venue.wires) == 2
    assert world.states == ["connecting", "connected"]
    assert is_closed(world.venue.wires[0])
    await world.streams.close()


async def test_a_connection_that_fell_silent_altogether_is_given_up(world: World) -> None:
    world.streams.want(DEPTH)
    await world.clock.advance(1)
    world.venue.frozen = True
    await world.clock.advance(46)
    assert world.venue.wires[0].pings >= 1
    assert is_closed(world.venue.wires[0])
    assert world.states[-1] == "disconnected"
    world.venue.frozen = False
    await world.clock.advance(60)
    assert world.streams.is_connected


async def test_a_busy_connection_that_falls_silent_is_given_up_within_seconds(world: World) -> None:
    world.streams.want(DEPTH)
    await world.clock.advance(1)
    for number in range(200):
        world.venue.publish(DEPTH, number)
        await world.clock.advance(0.1)
    world.venue.frozen = True
    await world.clock.advance(17)
    assert is_closed(world.venue.wires[0])
    assert world.states[-1] == "disconnected"


async def test_a_quiet_connection_that_answers_pings_is_kept(world: World) -> None:
    await world.clock.advance(600)
    assert len(world.venue.wires) == 1
    assert 10 < world.venue.wires[0].pings < 30


async def test_a_subscription_that_is_not_acknowledged_costs_the_connection(world: World) -> None:
    await world.clock.advance(1)
    world.venue.wires[0].answers_control = False
    world.streams.want(DEPTH)
    await world.clock.advance(9)
    assert not is_closed(world.venue.wires[0])
    await world.clock.advance(5)
    assert is_closed(world.venue.wires[0])
    assert world.streams.is_active(DEPTH)


async def test_a_stream_that_falls_silent_while_others_speak_gets_a_new_connection(world: World) -> None:
    """S1-15: and it is reported."""
    world.streams.want(DEPTH)
    world.streams.want("btcusdt@trade")
    await world.clock.advance(1)
    for number in range(30):
        world.venue.publish(DEPTH, number)
        world.venue.publish("btcusdt@trade", number)
        await world.clock.advance(1)
    for number in range(70):
        world.venue.publish("btcusdt@trade", number)
        await world.clock.advance(1)
    assert len(world.venue.wires) == 2
    assert LinkState.DISCONNECTED not in world.states
    assert [(event.event, event.status, event.symbol, event.detail) for event in world.reports] == [
        ("stream_stale", "silent", "BTCUSDT", DEPTH)
    ]
    # It stays silent: the market is halted. The next replacement waits twice as long each time.
    for _ in range(30):
        world.venue.publish("btcusdt@trade", 1)
        await world.clock.advance(20)
    assert len(world.venue.wires) <= 5


async def test_what_is_no_json_is_ignored(world: World) -> None:
    world.streams.want(DEPTH)
    await world.clock.advance(1)
    for rubbish in (b"", b"[", b"\xff\xfe", b"[1]", b'"x"', b'{"stream":5}'):
        world.venue.wires[0].push(rubbish)
    world.venue.publish(DEPTH, 1)
    await world.clock.advance(1)
    assert world.numbers() == [1]


async def test_a_refusal_of_nothing_that_was_asked_costs_the_connection(world: World) -> None:
    world.streams.want(DEPTH)
    await world.clock.advance(1)
    world.venue.wires[0].push({"code": 2, "msg": "Invalid request", "id": 1})
    await world.clock.advance(2)
    assert is_closed(world.venue.wires[0])
    assert world.streams.is_connected


async def test_one_refused_name_does_not_take_the_others_along(world: World) -> None:
    world.venue.refused_streams = {"bad@trade"}
    for name in ("a@trade", "bad@trade", "c@trade", "d@trade"):
        world.streams.want(name)
    await world.clock.advance(5)
    assert [wire.streams for wire in world.venue.open_wires] == [{"a@trade", "c@trade", "d@trade"}]
    assert world.states == ["connecting", "connected"]
    assert len(world.venue.wires) == 1


async def test_ten_breaks_in_a_row_leave_one_connection_and_no_extra_job(world: World) -> None:
    world.streams.want(DEPTH)
    await world.clock.advance(1)
    jobs = world.streams.job_count
    for _ in range(10):
        world.venue.refuse()
        await world.clock.advance(5)
        world.venue.accept()
        await world.clock.advance(31)
    assert world.streams.job_count == jobs
    assert len(world.venue.open_wires) == 1
    assert world.states.count("disconnected") == 10
