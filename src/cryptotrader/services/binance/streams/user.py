"""The account's own events, over connections that replace each other unnoticed (S0-45, C-23)."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from cryptotrader.bus import Topic
from cryptotrader.config import get_logger
from cryptotrader.core.clock import NS_PER_S, to_ms
from cryptotrader.core.errors import NotConnected, VenueAuthError, VenueError, VenueRejected
from cryptotrader.core.events import LinkChange, LinkState
from cryptotrader.net import Supervisor
from cryptotrader.net.backoff import Backoff, ConnectionBudget
from cryptotrader.net.clock import WaitingClock
from cryptotrader.services.binance.restAPI.errors import TIMESTAMP_REFUSED
from cryptotrader.services.binance.streams.policy import SilenceWatch, StreamPolicy
from cryptotrader.services.binance.streams.user_session import SessionMaker, UserSession, is_not_offered
from cryptotrader.telemetry.metrics import UPSTREAM_LINKS, UPSTREAM_MESSAGES, UPSTREAM_RECONNECTS

log = get_logger(__name__)

LINK = "user"

AUTH_RETRY_S = 60.0
"""Pause after the venue refused the credentials. Unit: seconds. Reason: they will not become right by asking often."""

Way = Literal["signature", "listenkey"]
Mode = Literal["auto", "signature", "listenkey"]


@dataclass(frozen=True)
class UserDeps:
    """What the user stream needs from outside.

    Attributes:
        venue: ``binance``, ``paper``, ...
        maker: Opens sessions.
        clock: Time and waiting.
        draw: Random numbers of [0, 1).
        policy: Limits.
        budget: How often all links of the venue may connect; shared with the market streams.
        links: Where changes of state are told.
    """

    venue: str
    maker: SessionMaker
    clock: WaitingClock
    draw: Callable[[], float]
    policy: StreamPolicy
    budget: ConnectionBudget
    links: Topic[LinkChange]


class UserStream:
    """Delivers bare events (``{"e":"executionReport",...}``) on ``events``.

    ``auto`` subscribes by signature and falls back to listen keys where the venue says that it does not have that, and
    the other way round. A stream can be started again after it was closed.

    Args:
        deps: What it needs from outside.
        mode: Which ways may be taken.
    """

    def __init__(self, deps: UserDeps, *, mode: Mode = "auto") -> None:
        self._deps = deps
        self._mode = mode
        self.way: Way = "listenkey" if mode == "listenkey" else "signature"
        """The way in use, or the one to be tried next."""
        self.events: Topic[bytes] = Topic("user events")
        self.links = deps.links
        self.state = LinkState.DISCONNECTED
        self._current: UserSession | None = None
        self._successor: UserSession | None = None
        self._retired: UserSession | None = None
        self._jobs: Supervisor | None = None
        self._backoff = Backoff(deps.draw, max_s=deps.policy.max_delay_s)
        self._replace_because = ""
        self._wake = asyncio.Event()
        self._messages = UPSTREAM_MESSAGES.labels(link=LINK)

    @property
    def is_connected(self) -> bool:
        """Whether events flow."""
        return self.state is LinkState.CONNECTED

    @property
    def job_count(self) -> int:
        """Background jobs running now."""
        return self._jobs.job_count if self._jobs else 0

    async def start(self) -> None:
        """Connect in the background; idempotent."""
        if self._jobs is None:
            self._jobs = Supervisor("user stream", max_jobs=16)
            self._jobs.start("user stream", self._run, restart=True)
            self._jobs.start("user watch", self._watch, restart=True)

    async def close(self) -> None:
        """Give the subscription back and end every connection; idempotent."""
        jobs, self._jobs = self._jobs, None
        if jobs is None:
            return
        current, self._current = self._current, None
        if current is not None:
            await self._retire(current, is_last=True)
        await jobs.close()
        self._successor = self._retired = None
        self._tell(LinkState.DISCONNECTED, "closed")

    async def _run(self) -> None:
        clock, policy = self._deps.clock, self._deps.policy
        while True:
            session = await self._open()
            self._replace_because = ""
            if self._current is not None:
                await clock.sleep(policy.overlap_s)
            if session.ended:
                continue
            self._switch(session)
            lifetime_s = policy.replace_after_s - self._deps.draw() * policy.replace_jitter_s
            await self._until_due(clock.monotonic_ns() + int(lifetime_s * NS_PER_S))
            UPSTREAM_RECONNECTS.labels(link=LINK).inc()
            log.info(f"user stream: connecting anew ({self._replace_because})")

    async def _open(self) -> UserSession:
        """A session that is subscribed, held until it takes over."""
        deps = self._deps
        delay_s = 0.0
        while True:
            delay_s = max(delay_s, deps.budget.reserve(deps.clock.monotonic_ns()))
            if delay_s > 0:
                await deps.clock.sleep(delay_s)
            try:
                session = await self._try()
            except (VenueError, NotConnected) as error:
                self._tell_failure(error)
                delay_s = self._delay_after(error)
                continue
            self._backoff.reset()
            return session

    async def _try(self) -> UserSession:
        session = await self._deps.maker.open(self.way, self._on_event)
        jobs = self._jobs
        if jobs is None:
            await session.close()
            raise NotConnected("closed")
        self._successor = session
        session.on_full = functools.partial(self._switch, session)
        session.on_change = functools.partial(self._on_change, session)
        jobs.start("user session", functools.partial(self._serve, session))
        is_subscribed = False
        try:
            await session.subscribe()
            is_subscribed = True
        except VenueRejected as error:
            if error.venue_code == TIMESTAMP_REFUSED:
                await self._deps.maker.sync_clock()
            raise
        finally:
            if not is_subscribed:
                await session.close()
        return session

    def _delay_after(self, error: VenueError | NotConnected) -> float:
        if self._mode == "auto" and isinstance(error, VenueError) and is_not_offered(error):
            self.way = "listenkey" if self.way == "signature" else "signature"
            log.info(f"user stream: the venue refuses that way ({error.message}); trying {self.way}")
            # Both ways refused must not become a busy loop.
            return 0.0 if self.way == "listenkey" else self._backoff.next_delay_s()
        if isinstance(error, VenueAuthError):
            return AUTH_RETRY_S
        return max(self._backoff.next_delay_s(), error.retry_after_s or 0.0)

    async def _serve(self, session: UserSession) -> None:
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
        self._tell(LinkState.DISCONNECTED, reason)
        self._replace_because = self._replace_because or reason
        self._wake.set()

    def _switch(self, session: UserSession) -> None:
        if self._current is session or session.ended:
            return
        old, self._current, self._successor = self._current, session, None
        if old is not None:
            old.mute()
            self._retired = old
        self._tell(LinkState.CONNECTED)
        session.release()
        self._on_change(session)

    def _on_change(self, session: UserSession) -> None:
        if session is self._current and session.replace_because and self._successor is None:
            self._replace_because = self._replace_because or session.replace_because
            self._wake.set()

    async def _until_due(self, due_ns: int) -> None:
        while True:
            retired, self._retired = self._retired, None
            if retired is not None:
                await self._retire(retired, is_last=False)
            if self._replace_because:
                return
            if self._deps.clock.monotonic_ns() >= due_ns:
                self._replace_because = "24 hours are nearly over"
                return
            self._wake.clear()
            await self._wake.wait()

    async def _retire(self, session: UserSession, *, is_last: bool) -> None:
        try:
            if not session.ended:
                await session.give_back(is_last=is_last)
        except (VenueError, NotConnected, TimeoutError) as error:
            log.info(f"user stream: could not be given back: {type(error).__name__}")
        session.mute()
        await session.close()

    async def _watch(self) -> None:
        """Look after silence, renew, and wake the main job so that it sees the time."""
        clock, policy = self._deps.clock, self._deps.policy
        kept_ns = clock.monotonic_ns()
        watched: UserSession | None = None
        silence = SilenceWatch(policy)
        while True:
            await clock.sleep(policy.tick_s)
            self._wake.set()
            session = self._current
            if session is None:
                kept_ns = clock.monotonic_ns()
                continue
            if session is not watched:
                watched, silence = session, SilenceWatch(policy)
            await session.check(silence, clock.monotonic_ns())
            if clock.monotonic_ns() - kept_ns >= policy.keepalive_s * NS_PER_S:
                kept_ns = clock.monotonic_ns()
                await self._keep_alive(session)

    async def _keep_alive(self, session: UserSession) -> None:
        try:
            await session.keep_alive()
        except (VenueError, NotConnected) as error:
            log.warning(f"user stream: it could not be renewed: {type(error).__name__}")
            session.ask_replacement("not renewed")

    def _on_event(self, payload: bytes) -> None:
        self._messages.inc()
        self.events.publish(payload)

    def _tell_failure(self, error: VenueError | NotConnected) -> None:
        if self._current is None:
            self._tell(LinkState.DISCONNECTED, error.message)
        log.warning(f"user stream: {type(error).__name__}: {error.message}")

    def _tell(self, state: LinkState, reason: str = "") -> None:
        if state is self.state:
            return
        self.state = state
        log.info(f"user stream of {self._deps.venue}: {state}{': ' if reason else ''}{reason}")
        now_ms = to_ms(self._deps.clock.now_ns())
        self.links.publish(LinkChange(self._deps.venue, LINK, state, now_ms, reason))
