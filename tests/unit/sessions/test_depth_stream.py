"""``/ws/depth``: what each client gets, without sockets."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cryptotrader.core.events import BookSnapshot, DepthDiff, Level
from cryptotrader.core.scaled import SCALE
from cryptotrader.feeds.depth import DepthChange
from cryptotrader.net import Supervisor, SystemClock
from cryptotrader.sessions.client import ClientContext
from cryptotrader.sessions.depth import DepthChannel, DepthClient, DepthItem
from cryptotrader.telemetry.metrics import WS_SENT
from cryptotrader.transport.fanout import Broadcaster
from tests.support.streams import FakeConnection, FakeDepthFeed, FakeLease
from tests.support.waiting import eventually


def level(price: int, quantity: int) -> Level:
    return (price * SCALE, quantity * SCALE)


class Stage:
    """One channel and its clients."""

    def __init__(self, jobs: Supervisor) -> None:
        self.jobs = jobs
        self.feed = FakeDepthFeed()
        self.broadcaster: Broadcaster[DepthItem] = Broadcaster(max_window_s=0)
        self.leases = ["depth"]
        self.channel = DepthChannel(
            "depth/BTCUSDT",
            self.feed,
            FakeLease(self.leases, "depth"),
            broadcaster=self.broadcaster,
            jobs=jobs,
            now_ns=lambda: 7_000_000,
        )
        self.ids = itertools.count(1)

    def make_ready(self, last_id: int = 100) -> None:
        snapshot = BookSnapshot("BTCUSDT", last_id, (level(99, 1), level(98, 1)), (level(101, 1), level(102, 1)))
        self.feed.book.load(snapshot)
        self.feed.ready.set()

    def client(self, from_id: int | None = None) -> FakeConnection:
        client = DepthClient(self.context(), self.channel, from_id=from_id)
        connection = FakeConnection(id=f"c{next(self.ids)}")
        client.on_open(connection)
        return connection

    @staticmethod
    def context() -> ClientContext:
        return ClientContext("depth", "/ws/depth/btcusdt", "k1", SystemClock(), lambda _: None)

    def change(self, *bids: Level) -> None:
        next_id = self.feed.book.last_id + 1
        self.feed.apply(DepthDiff("BTCUSDT", next_id, next_id, tuple(bids), (), event_ms=next_id))


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with Supervisor("test") as jobs:
        yield Stage(jobs)


async def settle() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


def ids(messages: list[Any]) -> list[tuple[int, int]]:
    return [(message["U"], message["u"]) for message in messages]


async def test_the_first_message_is_the_whole_book_and_then_every_change_follows(stage: Stage) -> None:
    """S0-41, S0-43, S0-44."""
    stage.make_ready()
    connection = stage.client()
    for quantity in (2, 3, 4):
        stage.change(level(98, quantity))
    await settle()
    messages = connection.messages()
    assert messages[0] == {
        "e": "depthUpdate",
        "E": 7,
        "s": "BTCUSDT",
        "U": 100,
        "u": 100,
        "b": [["99.00000000", "1.00000000"], ["98.00000000", "1.00000000"]],
        "a": [["101.00000000", "1.00000000"], ["102.00000000", "1.00000000"]],
        "snapshot": True,
    }
    assert ids(messages) == [(100, 100), (101, 101), (102, 102), (103, 103)]
    assert messages[1]["b"] == [["99.00000000", "1.00000000"], ["98.00000000", "2.00000000"]]
    assert messages[1]["a"] == [["101.00000000", "1.00000000"]]


async def test_a_client_waits_for_a_book_that_is_known_to_be_right(stage: Stage) -> None:
    """DESIGN 4.6: a book known to be wrong is never served."""
    first, second = stage.client(), stage.client()
    await settle()
    assert first.messages() == []
    stage.make_ready()
    await eventually(lambda: first.messages() and second.messages())
    stage.change(level(98, 9))
    await settle()
    assert ids(first.messages()) == ids(second.messages()) == [(100, 100), (101, 101)]


async def test_the_first_book_of_the_feed_goes_to_who_waits(stage: Stage) -> None:
    """The feed announces its first book as a restart, before it calls itself ready."""
    connection = stage.client()
    await settle()
    snapshot = BookSnapshot("BTCUSDT", 7, (level(1, 1),), (level(2, 1),))
    stage.feed.book.load(snapshot)
    whole = DepthDiff("BTCUSDT", 7, 7, snapshot.bids, snapshot.asks, 1)
    stage.feed.topic.publish(DepthChange(whole, "restart", stage.feed.book))
    stage.feed.ready.set()
    await eventually(lambda: connection.messages())
    assert ids(connection.messages()) == [(7, 7)]


async def test_a_later_client_gets_a_recent_snapshot_and_what_followed_it(stage: Stage) -> None:
    stage.make_ready()
    stage.client()
    stage.change(level(98, 2))
    late = stage.client()
    stage.change(level(98, 3))
    await settle()
    assert ids(late.messages()) == [(100, 100), (101, 101), (102, 102)]


async def test_an_old_snapshot_is_not_used_again(stage: Stage) -> None:
    stage.make_ready()
    stage.client()
    for quantity in range(60):
        stage.change(level(98, quantity + 1))
    late = stage.client()
    await settle()
    assert ids(late.messages()) == [(160, 160)]


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (103, [(104, 104), (105, 105)]),
        (105, []),
        (100, [(101, 101), (102, 102), (103, 103), (104, 104), (105, 105)]),
    ],
)
async def test_a_client_that_comes_back_gets_exactly_what_it_missed(
    stage: Stage, seen: int, expected: list[tuple[int, int]]
) -> None:
    """S0-44: ``?from=``."""
    stage.make_ready()
    stage.client()
    for quantity in range(5):
        stage.change(level(98, quantity + 2))
    back = stage.client(from_id=seen)
    stage.change(level(98, 77))
    await settle()
    assert ids(back.messages()) == [*expected, (106, 106)]
    assert all("snapshot" not in message for message in back.messages())


@pytest.mark.parametrize("seen", [5, 99, 10_000])
async def test_where_the_ring_does_not_reach_back_there_is_a_snapshot(stage: Stage, seen: int) -> None:
    """S0-44: an explicit fresh snapshot, never a silent hole."""
    stage.make_ready()
    stage.client()
    stage.change(level(98, 5))
    back = stage.client(from_id=seen)
    await settle()
    assert back.messages()[0]["snapshot"] is True


async def test_a_slow_client_gets_one_message_that_does_what_it_missed(stage: Stage) -> None:
    """C-22, S0-42, S0-43."""
    stage.make_ready()
    connection = stage.client()
    connection.fall_behind()
    stage.change(level(98, 2))
    await settle()
    stage.change(level(100, 1), level(98, 0))
    connection.catch_up()
    stage.change(level(97, 1))
    await settle()
    messages = connection.messages()
    assert ids(messages) == [(100, 100), (101, 102), (103, 103)]
    assert messages[1]["b"] == [["100.00000000", "1.00000000"], ["98.00000000", "0.00000000"]]
    assert messages[1]["a"] == [["101.00000000", "1.00000000"]]


async def test_a_restart_of_the_venues_ids_is_a_snapshot_for_everyone(stage: Stage) -> None:
    """DESIGN 4.6. Fast, slow and returning clients all start again."""
    stage.make_ready()
    fast, slow = stage.client(), stage.client()
    stage.change(level(98, 2))
    slow.fall_behind()
    await settle()
    snapshot = BookSnapshot("BTCUSDT", 3, (level(50, 1),), (level(51, 1),))
    stage.feed.book.load(snapshot)
    whole = DepthDiff("BTCUSDT", 3, 3, snapshot.bids, snapshot.asks, 1)
    stage.feed.topic.publish(DepthChange(whole, "restart", stage.feed.book))
    await settle()
    stage.change(level(49, 1))
    slow.catch_up()
    stage.change(level(48, 1))
    back = stage.client(from_id=101)
    await settle()
    assert ids(fast.messages()) == [(100, 100), (101, 101), (3, 3), (4, 4), (5, 5)]
    assert ids(slow.messages()) == [(100, 100), (3, 3), (4, 4), (5, 5)]
    assert ids(back.messages()) == [(3, 3), (4, 4), (5, 5)]


async def test_ids_from_before_the_venue_began_anew_are_never_resumed_from(stage: Stage) -> None:
    """S0-44, DESIGN 4.6: the venue's ids went back and have passed the client's old one meanwhile; what follows that
    number now belongs to another book, so there is a snapshot. Newer numbers can be resumed from again."""
    stage.make_ready(last_id=100)
    stage.client()
    stage.change(level(98, 2))
    snapshot = BookSnapshot("BTCUSDT", 99, (level(50, 1),), (level(51, 1),))
    stage.feed.book.load(snapshot)
    whole = DepthDiff("BTCUSDT", 99, 99, snapshot.bids, snapshot.asks, 1)
    stage.feed.topic.publish(DepthChange(whole, "restart", stage.feed.book))
    for quantity in range(5):
        stage.change(level(49, quantity + 1))
    old, new = stage.client(from_id=101), stage.client(from_id=102)
    await settle()
    assert old.messages()[0]["snapshot"] is True
    assert ids(new.messages()) == [(103, 103), (104, 104)]


async def test_every_message_is_counted_once_for_each_client(stage: Stage) -> None:
    """S0-6, DESIGN 4.5: ``/metrics`` counts snapshots, resumed and merged messages too."""
    counter = WS_SENT.labels(kind="depth")
    stage.broadcaster = Broadcaster(on_delivered=counter.inc, max_window_s=0)
    stage.channel = DepthChannel(
        "depth/BTCUSDT", stage.feed, FakeLease(["a"], "a"),
        broadcaster=stage.broadcaster, jobs=stage.jobs, now_ns=lambda: 7_000_000,
    )  # fmt: skip
    before = counter._value.get()
    stage.make_ready()
    clients = [stage.client()]
    stage.change(level(98, 2))
    clients += [stage.client(), stage.client(from_id=100)]
    clients[0].fall_behind()
    stage.change(level(98, 3))
    await settle()
    stage.change(level(98, 4))
    await settle()
    clients[0].catch_up()
    await settle()
    assert counter._value.get() - before == sum(len(client.messages()) for client in clients)


async def test_a_hole_in_the_feed_becomes_a_snapshot_not_a_silent_hole(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    """S0-43."""
    stage.make_ready()
    connection = stage.client()
    stage.feed.apply(DepthDiff("BTCUSDT", 150, 151, (level(98, 3),), (), 1))
    stage.change(level(98, 4))
    await settle()
    messages = connection.messages()
    assert ids(messages) == [(100, 100), (151, 151), (152, 152)]
    assert messages[1]["snapshot"] is True
    assert "does not follow" in capsys.readouterr().err


async def test_closing_a_channel_lets_go_of_the_feed(stage: Stage) -> None:
    stage.make_ready()
    stage.channel.close()
    assert stage.leases == []
    assert stage.feed.topic.reader_count == 0


async def test_a_venue_that_is_away_for_long_is_waited_for(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Upstream failure does not close clients."""
    monkeypatch.setattr("cryptotrader.sessions.depth.READY_TIMEOUT_S", 0.01)
    monkeypatch.setattr("cryptotrader.sessions.depth.RETRY_DELAY_S", 0.01)
    connection = stage.client()
    log = ""

    def complained() -> bool:
        nonlocal log
        log += capsys.readouterr().err
        return "no book" in log

    await eventually(complained)
    stage.make_ready()
    await eventually(connection.messages)
    assert connection.closed is None


async def test_a_client_that_is_closing_when_the_book_comes_gets_nothing_more(stage: Stage) -> None:
    connection, other = stage.client(), stage.client()
    connection.close(1008, "token revoked")
    stage.make_ready()
    await eventually(other.messages)
    stage.change(level(98, 9))
    await settle()
    assert connection.messages() == []
    assert len(stage.broadcaster) == 1
