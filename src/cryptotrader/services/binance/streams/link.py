"""One lasting link to the market streams: a succession of connections that clients never notice."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptotrader.bus import Topic
from cryptotrader.config import get_logger
from cryptotrader.core.clock import NS_PER_S, to_ms
from cryptotrader.core.errors import VenueError
from cryptotrader.core.events import LinkChange, LinkState, SystemEvent
from cryptotrader.net import Supervisor
from cryptotrader.net.backoff import Backoff, ConnectionBudget
from cryptotrader.net.clock import WaitingClock
from cryptotrader.net.ws import Connector
from cryptotrader.services.binance.streams.policy import StalenessClock, StreamPolicy
from cryptotrader.services.binance.streams.session import StreamSession, WireEvent
from cryptotrader.telemetry.metrics import UPSTREAM_LINKS, UPSTREAM_MESSAGES, UPSTREAM_RECONNECTS

log = get_logger(__name__)


@dataclass(frozen=True)
class LinkDeps:
    """What every link of a venue shares.

    Attributes:
        venue: ``binance``, ``paper``, ...
        url: Where to connect: ``wss://stream.binance.com:9443/stream``.
        connect: Opens a connection.
        clock: Time and waiting.
        draw: Random numbers of [0, 1).
        policy: Limits.
        budget: How often all links together may connect.
        links: Where changes of state are told.
        reports: Where streams that fell silent are told.
    """

    venue: str
    url: str
    connect: Connector
    clock: WaitingClock
    draw: Callable[[], float]
    policy: StreamPolicy
    budget: ConnectionBudget
    links: Topic[LinkChange]
    reports: Topic[SystemEvent] = field(default_factory=lambda: Topic("reports of streams"))


class StreamLink:
    """Keeps a set of streams flowing over one connection at a time, two while one replaces the other.

    Args:
        name: ``market-1``.
        deps: What it shares with the other links.
        deliver: Called with each event, in order per stream; duplicates occur around a replacement.
    """

    def __init__(self, name: str, deps: LinkDeps, deliver: Callable[[WireEvent], None]) -> None:
        self.name = name
        self._deps = deps
        self._deliver = deliver
        self._wanted: set[str] = set()
        self._staleness: dict[str, StalenessClock] = {}
        self._current: StreamSession | None = None
        self._successor: StreamSession | None = None
        self._state: LinkState | None = None
        self._backoff = Backoff(deps.draw, max_s=deps.policy.max_delay_s)
        self._retired: StreamSession | None = None
        self._replace_because = ""
        self._wake = asyncio.Event()
        self._progress = asyncio.Event()
        self._messages = UPSTREAM_MESSAGES.labels(link=name)
        self._uncounted = 0

    @property
    def stream_count(self) -> int:
        """Streams wanted."""
        return len(self._wanted)

    @property
    def state(self) -> LinkState:
        """Whether data can flow."""
        return self._state or LinkState.DISCONNECTED

    def is_active(self, stream: str) -> bool:
        """Whether the venue has acknowledged the subscription."""
        return self._current is not None and not self._current.ended and stream in self._current.active

    @property
    def is_heard(self) -> bool:
        """Whether the connection has spoken within ``StreamPolicy.hearing_s``."""
        return self._current is not None and self._current.silent_s <= self._deps.policy.hearing_s

    def add(self, stream: str) -> None:
        """Want a stream."""
        if stream not in self._wanted:
            self._wanted.add(stream)
            self._poke()

    def remove(self, stream: str) -> None:
        """Want it no more."""
        if stream in self._wanted:
            self._wanted.discard(stream)
            self._staleness.pop(stream, None)
            self._poke()

    async def run(self) -> None:
        """Connect, serve, replace, for ever. Ends only by cancellation, and then leaves nothing open."""
        async with Supervisor(self.name, max_jobs=8) as jobs:
            while True:
                session = await self._open(jobs)
                self._replace_because = ""
                await self._take_over(session)
                await self._until_due()
                UPSTREAM_RECONNECTS.labels(link=self.name).inc()
                log.info(f"{self.name}: connecting anew ({self._replace_because})")

    async def _until_due(self) -> None:
        """Wait until the connection has to be replaced; close the one that was replaced meanwhile."""
        while True:
            retired, self._retired = self._retired, None
            if retired is not None:
                await retired.close()
            if self._replace_because:
                return
            self._wake.clear()
            await self._wake.wait()

    async def check(self, now_ns: int) -> None:
        """Look after the connections; to be called every ``tick_s``."""
        self._count_messages()
        current, policy = self._current, self._deps.policy
        if self._successor is not None:
            await self._successor.check(now_ns)
        if current is None:
            return
        means_s = [clock.mean_s for clock in self._staleness.values() if clock.mean_s is not None]
        await current.check(now_ns, mean_s=min(means_s, default=None))
        if self._successor is not None:
            return
        if now_ns - current.opened_ns > current.lifetime_s * NS_PER_S:
            self._replace("24 hours are nearly over")
        for stream, clock in self._staleness.items():
            if clock.is_stale(now_ns):
                clock.restart(now_ns)
                log.warning(f"{self.name}: {stream} has fallen silent (limit {policy.stale_minimum_s:.0f} s or learnt)")
                self._report_silent(stream)
                self._replace("a stream is silent")

    def _report_silent(self, stream: str) -> None:
        symbol = stream.partition("@")[0].upper()
        now_ms = to_ms(self._deps.clock.now_ns())
        self._deps.reports.publish(
            SystemEvent(event="stream_stale", status="silent", at_ms=now_ms, symbol=symbol, detail=stream)
        )

    async def _open(self, jobs: Supervisor) -> StreamSession:
        """A new connection with every wanted stream acknowledged."""
        deps = self._deps
        delay_s = 0.0
        while True:
            if self._state is None:
                self._tell(LinkState.CONNECTING)
            delay_s = max(delay_s, deps.budget.reserve(deps.clock.monotonic_ns()))
            if delay_s > 0:
                await deps.clock.sleep(delay_s)
            try:
                wire = await deps.connect(deps.url)
            except VenueError as error:
                delay_s = max(self._backoff.next_delay_s(), error.retry_after_s or 0.0)
                self._tell(LinkState.DISCONNECTED, error.message)
                continue
            session = self._adopt(
                StreamSession(wire, self._wanted, self._on_event, clock=deps.clock, policy=deps.policy)
            )
            jobs.start(f"{self.name} session", functools.partial(self._serve, session))
            while not (session.is_ready or session.ended):
                self._progress.clear()
                await self._progress.wait()
            if session.is_ready:
                self._backoff.reset()
                return session
            delay_s = self._backoff.next_delay_s()
            self._tell(LinkState.DISCONNECTED, session.end_reason)

    def _adopt(self, session: StreamSession) -> StreamSession:
        policy, draw = self._deps.policy, self._deps.draw
        session.lifetime_s = policy.replace_after_s - draw() * policy.replace_jitter_s
        session.on_full = functools.partial(self._switch, session)
        session.on_change = functools.partial(self._on_change, session)
        self._successor = session
        return session

    async def _serve(self, session: StreamSession) -> None:
        """Run a connection to its end and tell when it was the one that carried the data."""
        UPSTREAM_LINKS.inc()
        try:
            await session.run()
        finally:
            UPSTREAM_LINKS.dec()
            if self._successor is session:
                self._successor = None
            if self._current is session:
                self._current = None
                self._on_loss(session.end_reason)

    def _on_loss(self, reason: str) -> None:
        """The connection that carried the data is gone."""
        successor = self._successor
        if successor is not None and successor.is_ready:
            self._switch(successor)
            return
        self._tell(LinkState.DISCONNECTED, reason)
        self._replace(reason)

    async def _take_over(self, session: StreamSession) -> None:
        """Let the new connection carry the data, after both ran side by side where there is an old one."""
        if self._current is not None and self._current is not session:
            await self._deps.clock.sleep(self._deps.policy.overlap_s)
        if session.ended:
            self._replace(session.end_reason)
            return
        self._switch(session)

    def _switch(self, session: StreamSession) -> None:
        if self._current is session or session.ended:
            return
        old, self._current, self._successor = self._current, session, None
        now_ns = self._deps.clock.monotonic_ns()
        for clock in self._staleness.values():
            clock.resume(now_ns)
        self._tell(LinkState.CONNECTED)
        if old is not None:
            # What the old one delivered comes first; what the new one held follows, and duplicates are dropped by id.
            old.mute()
            self._retired = old
            self._wake.set()
        session.release()
        self._on_change(session)

    def _on_change(self, session: StreamSession) -> None:
        self._progress.set()
        if session.is_shutting_down and session is self._current and self._successor is None:
            self._replace("the server shuts down")

    def _on_event(self, event: WireEvent) -> None:
        clock = self._staleness.get(event.stream)
        if clock is not None:
            clock.on_message(event.received_ns)
        elif event.stream in self._wanted:
            policy = self._deps.policy
            self._staleness[event.stream] = StalenessClock(
                event.received_ns, minimum_s=policy.stale_minimum_s, factor=policy.stale_factor
            )
        self._uncounted += 1
        self._deliver(event)

    def _count_messages(self) -> None:
        """Bring the metric up to date; done every ``tick_s``, since a message costs less than its counting did."""
        self._messages.inc(self._uncounted)
        self._uncounted = 0

    def _replace(self, reason: str) -> None:
        self._replace_because = self._replace_because or reason
        self._wake.set()

    def _poke(self) -> None:
        for session in (self._current, self._successor):
            if session is not None:
                session.poke()

    def _tell(self, state: LinkState, reason: str = "") -> None:
        if state is self._state:
            return
        self._state = state
        deps = self._deps
        log.info(f"{self.name} of {deps.venue}: {state}{': ' if reason else ''}{reason}")
        deps.links.publish(LinkChange(deps.venue, self.name, state, to_ms(deps.clock.now_ns()), reason))
