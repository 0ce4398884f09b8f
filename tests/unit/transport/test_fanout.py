"""Cohorts: one buffer for many clients, and a way out for those that are behind."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from cryptotrader.transport.fanout import MAX_BATCH, WINDOW_BATCH, Broadcaster, Published
from cryptotrader.transport.frames import Frame
from tests.support.streams import FakeConnection
from tests.support.waiting import eventually


class Listener:
    """Keeps what it missed and sends it when it can."""

    def __init__(self, *, deflates: bool = False) -> None:
        self.connection = FakeConnection(deflates=deflates)
        self.missed: list[str] = []

    def on_missed(self, batch: Sequence[Published[str]]) -> None:
        self.missed += [published.item for published in batch]

    def on_caught_up(self) -> None:
        text = "+".join(self.missed)
        self.missed = []
        self.connection.send(Frame.text(b'"' + text.encode() + b'"'))


def say(broadcaster: Broadcaster[str], topic: str, text: str) -> None:
    broadcaster.publish(topic, Frame.text(b'"' + text.encode() + b'"'), text)


async def wake_up() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_what_is_published_in_one_wake_up_is_one_write_per_client() -> None:
    counted: list[int] = []
    broadcaster: Broadcaster[str] = Broadcaster(on_delivered=counted.append, max_window_s=0)
    listeners = [Listener() for _ in range(3)]
    for listener in listeners:
        broadcaster.join(listener, ["a"])
    for text in "xyz":
        say(broadcaster, "a", text)
    say(broadcaster, "nobody", "?")
    await wake_up()
    assert [listener.connection.messages() for listener in listeners] == [["x", "y", "z"]] * 3
    assert [listener.connection.writes for listener in listeners] == [1, 1, 1]
    assert counted == [9]
    assert (broadcaster.stats.published, broadcaster.stats.delivered) == (3, 9)


async def test_clients_get_exactly_the_topics_they_want_in_the_order_of_publishing() -> None:
    broadcaster: Broadcaster[str] = Broadcaster(max_window_s=0)
    both, one = Listener(), Listener()
    broadcaster.join(both, ["a", "b"])
    broadcaster.join(one, ["b"])
    for topic, text in (("a", "1"), ("b", "2"), ("a", "3")):
        say(broadcaster, topic, text)
    await wake_up()
    assert both.connection.messages() == ["1", "2", "3"]
    assert one.connection.messages() == ["2"]
    assert broadcaster.has_listeners("a")
    broadcaster.leave(both)
    assert not broadcaster.has_listeners("a")
    broadcaster.leave(both)
    assert len(broadcaster) == 1


async def test_a_newcomer_gets_its_own_messages_first_and_nothing_from_before() -> None:
    broadcaster: Broadcaster[str] = Broadcaster(max_window_s=0)
    early, late = Listener(), Listener()
    broadcaster.join(early, ["a"])
    say(broadcaster, "a", "old")
    late.connection.send(Frame.text(b'"snapshot"'))
    broadcaster.join(late, ["a"])
    say(broadcaster, "a", "new")
    await wake_up()
    assert early.connection.messages() == ["old", "new"]
    assert late.connection.messages() == ["snapshot", "new"]


async def test_a_client_that_is_behind_misses_nothing_and_rejoins() -> None:
    """C-22."""
    broadcaster: Broadcaster[str] = Broadcaster(max_window_s=0)
    slow, fast = Listener(), Listener()
    broadcaster.join(slow, ["a"])
    broadcaster.join(fast, ["a"])
    say(broadcaster, "a", "1")
    slow.connection.fall_behind()
    await wake_up()
    say(broadcaster, "a", "2")
    await wake_up()
    say(broadcaster, "a", "3")
    slow.connection.catch_up()
    say(broadcaster, "a", "4")
    await wake_up()
    assert fast.connection.messages() == ["1", "2", "3", "4"]
    assert slow.connection.messages() == ["1+2+3", "4"]


async def test_a_client_that_joins_while_it_is_behind_waits_for_its_turn() -> None:
    broadcaster: Broadcaster[str] = Broadcaster(max_window_s=0)
    slow = Listener()
    slow.connection.is_behind = True
    broadcaster.join(slow, ["a"])
    say(broadcaster, "a", "1")
    await wake_up()
    assert slow.connection.messages() == []
    slow.connection.catch_up()
    assert slow.connection.messages() == ["1"]


async def test_a_closing_client_is_written_to_no_more() -> None:
    broadcaster: Broadcaster[str] = Broadcaster(max_window_s=0)
    leaving = Listener()
    broadcaster.join(leaving, ["a"])
    say(broadcaster, "a", "last")
    leaving.connection.close(1000)
    say(broadcaster, "a", "never")
    await wake_up()
    assert leaving.connection.messages() == ["last"]
    assert len(broadcaster) == 0


async def test_compressing_clients_are_a_cohort_of_their_own() -> None:
    broadcaster: Broadcaster[str] = Broadcaster(max_window_s=0)
    plain, packed = Listener(), Listener(deflates=True)
    frame = Frame.text(b"x" * 1000)
    broadcaster.join(plain, ["a"])
    broadcaster.join(packed, ["a"])
    broadcaster.publish("a", frame, "")
    await wake_up()
    assert bytes(plain.connection.wire) == frame.wire
    assert bytes(packed.connection.wire) == frame.deflated


async def test_a_callback_that_publishes_without_end_is_flushed_in_between() -> None:
    broadcaster: Broadcaster[str] = Broadcaster(max_window_s=0)
    listener = Listener()
    broadcaster.join(listener, ["a"])
    for _ in range(MAX_BATCH):
        say(broadcaster, "a", "x")
    assert len(listener.connection.messages()) == MAX_BATCH


async def test_under_load_the_next_flush_waits_but_not_for_long() -> None:
    """DESIGN 4.4: a window after a flush that had much to join, bounded; none where messages come one by one."""
    broadcaster: Broadcaster[str] = Broadcaster(max_window_s=0.005)
    listener = Listener()
    broadcaster.join(listener, ["a"])
    say(broadcaster, "a", "alone")
    await wake_up()
    windows = [broadcaster.stats.window_s]
    for _ in range(WINDOW_BATCH):
        say(broadcaster, "a", "many")
    await wake_up()
    windows.append(broadcaster.stats.window_s)
    assert windows[0] == 0
    assert 0 < windows[1] <= 0.005
    say(broadcaster, "a", "last")
    await eventually(lambda: listener.connection.messages()[-1] == "last")
