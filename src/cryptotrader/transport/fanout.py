"""One message to many clients at the cost of the kernel's send, and nothing else per client.

Clients with the same subscriptions and the same encoding form a cohort. What is published is collected until the end of
the loop's wake-up (under load: of a short window), joined into one buffer per cohort, and that buffer is written to
every client. No await, task, timer or queue item exists per message and client.

A client that is behind leaves the buffer's way: it is told what it missed and decides itself what to keep of it (the
newest, a merged difference, everything), and it rejoins when its transport has caught up.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from cryptotrader.transport.frames import Frame
from cryptotrader.transport.types import Connection

T = TypeVar("T")

MAX_WINDOW_S = 0.005
"""Longest pause between two flushes. Unit: seconds. Reason: half of the 10 ms that fan-out may add at p99."""

MIN_WINDOW_S = 0.001
"""Shortest pause worth a timer. Unit: seconds. Reason: uvloop's timers have a resolution of a millisecond."""

WINDOW_FACTOR = 2.0
"""Pause after a flush, as a multiple of how long it took. Reason: twice leaves a third of a busy core to everything
else and halves the cost again, since more messages share a write."""

WINDOW_BATCH = 4
"""Messages that must have piled up for a cohort before a pause is worth it. Reason: with fewer there is little to join,
and a pause would only make them late."""

MAX_BATCH = 1_024
"""Messages collected before a flush is forced. Reason: bounds memory when one callback publishes without end."""


@dataclass(frozen=True, slots=True)
class Published(Generic[T]):
    """One message: its bytes and what they say."""

    topic: str
    frame: Frame
    item: T


class Member(Protocol[T]):
    """One subscribed client."""

    @property
    def connection(self) -> Connection:
        """Where its bytes go."""
        ...

    def on_missed(self, batch: Sequence[Published[T]]) -> None:
        """The client is behind and will not get these."""
        ...

    def on_caught_up(self) -> None:
        """It reads again: send what it needs to be level with the last thing it missed."""
        ...


class _Seat(Generic[T]):
    """A member's place in its cohort; moves it as its transport pauses and resumes."""

    __slots__ = ("cohort", "member", "owner")

    def __init__(self, owner: Broadcaster[T], member: Member[T], cohort: _Cohort[T]) -> None:
        self.owner = owner
        self.member = member
        self.cohort = cohort

    def on_behind(self) -> None:
        self.cohort.move_behind(self)

    def on_caught_up(self) -> None:
        self.owner.settle(self.cohort)
        self.member.on_caught_up()
        self.member.connection.flush()
        # Writing the catch-up may have filled the transport again; then the next resume comes back here.
        # The member may also have left meanwhile.
        if not self.member.connection.is_behind and self.owner.holds(self):
            self.cohort.move_ready(self)

    def on_gone(self) -> None:
        self.owner.leave(self.member)


class _Cohort(Generic[T]):
    """Clients that get exactly the same bytes."""

    __slots__ = ("_writers", "behind", "deflates", "pending", "ready", "topics")

    def __init__(self, topics: frozenset[str], *, deflates: bool) -> None:
        self.topics = topics
        self.deflates = deflates
        self.ready: dict[_Seat[T], Callable[[bytes], None]] = {}
        self.behind: dict[_Seat[T], None] = {}
        self.pending: list[Published[T]] = []
        self._writers: tuple[Callable[[bytes], None], ...] | None = None

    @property
    def is_empty(self) -> bool:
        return not self.ready and not self.behind

    def move_ready(self, seat: _Seat[T]) -> None:
        self.behind.pop(seat, None)
        self.ready[seat] = seat.member.connection.writer
        self._writers = None

    def move_behind(self, seat: _Seat[T]) -> None:
        if self.ready.pop(seat, None) is not None:
            self.behind[seat] = None
            self._writers = None

    def remove(self, seat: _Seat[T]) -> None:
        self.behind.pop(seat, None)
        if self.ready.pop(seat, None) is not None:
            self._writers = None

    def flush(self) -> int:
        """Write what is pending to everyone; returns how many messages times clients that was."""
        if not self.pending:
            return 0
        batch, self.pending = self.pending, []
        behind = tuple(self.behind)
        writers = self._writers
        if writers is None:
            writers = self._writers = tuple(self.ready.values())
        if writers:
            if self.deflates:
                data = b"".join([each.frame.deflated for each in batch])
            else:
                data = b"".join([each.frame.wire for each in batch])
            for write in writers:
                write(data)
        for seat in behind:
            seat.member.on_missed(batch)
        return len(batch) * len(writers)


@dataclass
class FanoutStats:
    """Counters since the start."""

    published: int = 0
    delivered: int = 0
    flushes: int = 0
    window_s: float = 0.0
    """The pause after the last flush."""


class Broadcaster(Generic[T]):
    """Topics, cohorts and the flush. Lives in one event loop.

    Args:
        on_delivered: Told after each flush how many messages went out (messages times clients).
        max_window_s: Longest pause between two flushes; 0 flushes at every wake-up.
    """

    def __init__(
        self, *, on_delivered: Callable[[int], None] | None = None, max_window_s: float = MAX_WINDOW_S
    ) -> None:
        self.stats = FanoutStats()
        self._on_delivered = on_delivered
        self._max_window_s = max_window_s
        self._seats: dict[Member[T], _Seat[T]] = {}
        self._cohorts: dict[tuple[frozenset[str], bool], _Cohort[T]] = {}
        self._by_topic: dict[str, list[_Cohort[T]]] = {}
        self._waiting: list[_Cohort[T]] = []
        """Cohorts for which something was published since the last flush."""
        self._scheduled = False
        self._not_before_s = 0.0

    def __len__(self) -> int:
        return len(self._seats)

    def holds(self, seat: _Seat[T]) -> bool:
        """Whether the seat is still taken by its member."""
        return self._seats.get(seat.member) is seat

    def has_listeners(self, topic: str) -> bool:
        """Whether anybody is subscribed, so that an encoder can save its work."""
        return topic in self._by_topic

    def join(self, member: Member[T], topics: Iterable[str]) -> None:
        """Subscribe, or change the subscriptions of, a member.

        What was published before is not sent to it; what the member's connection was given before is sent first.
        """
        wanted = frozenset(topics)
        self.leave(member)
        connection = member.connection
        cohort = self._cohort(wanted, deflates=connection.deflates)
        self.settle(cohort)
        seat = _Seat(self, member, cohort)
        self._seats[member] = seat
        connection.flush()
        if connection.is_behind:
            cohort.behind[seat] = None
        else:
            cohort.move_ready(seat)
        connection.watch(seat)

    def leave(self, member: Member[T]) -> None:
        """Send the member nothing more. Harmless where it is not there."""
        seat = self._seats.pop(member, None)
        if seat is None:
            return
        member.connection.watch(None)
        cohort = seat.cohort
        self.settle(cohort)
        cohort.remove(seat)
        if cohort.is_empty:
            self._drop(cohort)

    def publish(self, topic: str, frame: Frame, item: T) -> None:
        """Send ``frame`` to all who are subscribed to ``topic`` now."""
        cohorts = self._by_topic.get(topic)
        if cohorts is None:
            return
        self.stats.published += 1
        message = Published(topic, frame, item)
        for cohort in cohorts:
            if not cohort.pending:
                self._waiting.append(cohort)
            cohort.pending.append(message)
            if len(cohort.pending) >= MAX_BATCH:
                self.settle(cohort)
        if not self._scheduled:
            self._schedule()

    def flush(self) -> int:
        """Send what is pending now; returns the length of the longest batch."""
        delivered = longest = 0
        waiting, self._waiting = self._waiting, []
        for cohort in waiting:
            longest = max(longest, len(cohort.pending))
            delivered += cohort.flush()
        self.stats.flushes += 1
        self._count(delivered)
        return longest

    def settle(self, cohort: _Cohort[T]) -> None:
        """Send what is pending for one cohort, before who belongs to it changes."""
        self._count(cohort.flush())

    def _count(self, delivered: int) -> None:
        self.stats.delivered += delivered
        if delivered and self._on_delivered is not None:
            self._on_delivered(delivered)

    def _schedule(self) -> None:
        self._scheduled = True
        loop = asyncio.get_running_loop()
        wait_s = self._not_before_s - time.monotonic()
        if wait_s >= MIN_WINDOW_S:
            loop.call_later(wait_s, self._run)
        else:
            loop.call_soon(self._run)

    def _run(self) -> None:
        started_s = time.monotonic()
        self._scheduled = False
        longest = self.flush()
        self.stats.window_s = 0.0
        if longest >= WINDOW_BATCH:
            # uvloop writes to the kernel after the callbacks of a wake-up, so the flush is over at the next one.
            asyncio.get_running_loop().call_soon(self._measure, started_s)

    def _measure(self, started_s: float) -> None:
        now_s = time.monotonic()
        window_s = min(WINDOW_FACTOR * (now_s - started_s), self._max_window_s)
        self.stats.window_s = window_s
        self._not_before_s = now_s + window_s

    def _cohort(self, topics: frozenset[str], *, deflates: bool) -> _Cohort[T]:
        key = (topics, deflates)
        cohort = self._cohorts.get(key)
        if cohort is None:
            cohort = self._cohorts[key] = _Cohort(topics, deflates=deflates)
            for topic in topics:
                self._by_topic.setdefault(topic, []).append(cohort)
        return cohort

    def _drop(self, cohort: _Cohort[T]) -> None:
        del self._cohorts[cohort.topics, cohort.deflates]
        for topic in cohort.topics:
            cohorts = self._by_topic[topic]
            cohorts.remove(cohort)
            if not cohorts:
                del self._by_topic[topic]
