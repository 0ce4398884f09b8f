"""Keeps a connection up: opens it, replaces it in time, never gives up, and carries session and user data over."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec

from cryptotrader.config import get_logger
from cryptotrader.core.clock import NS_PER_S
from cryptotrader.core.errors import (
    ConfigError,
    CryptotraderError,
    NotConnected,
    VenueBanned,
    VenueError,
    VenueRateLimited,
    VenueRejected,
)
from cryptotrader.net.clock import WaitingClock
from cryptotrader.net.supervise import Supervisor
from cryptotrader.net.wire import Connector
from cryptotrader.services.binance.signing import Credentials
from cryptotrader.services.binance.wsapi.limits import RateLimits
from cryptotrader.services.binance.wsapi.reconnect import Attempts, ConnectionPolicy, is_permanent, lifetime_ns
from cryptotrader.services.binance.wsapi.replies import Reply, event_kind
from cryptotrader.services.binance.wsapi.shell.feeds import UserDataSubscription
from cryptotrader.services.binance.wsapi.shell.link import Link
from cryptotrader.services.binance.wsapi.shell.requests import Courier
from cryptotrader.services.binance.wsapi.shell.session import Session

log = get_logger(__name__)

Failure = (VenueError, NotConnected, ConfigError, msgspec.DecodeError)
"""What an attempt to connect may end with."""


CLOSE_POLL_S = 0.02
"""How often ``close`` looks whether every reply has come. Unit: seconds."""


@dataclass(frozen=True)
class KeeperDeps:
    """What a keeper needs from outside.

    Attributes:
        url: Where to connect.
        policy: Limits.
        limits: The venue's limits, shared.
        clock: Time and waiting.
        connect: Opens a connection.
        draw: Random numbers of [0, 1).
        credentials: Whose connection it is.
        on_error: Called with what goes wrong with the connection itself.
        on_reconnect: Called when another connection has taken over.
        on_tick: Called at every look at the clock.
    """

    url: str
    policy: ConnectionPolicy
    limits: RateLimits
    clock: WaitingClock
    connect: Connector
    draw: Callable[[], float]
    credentials: Credentials | None
    on_error: Callable[[CryptotraderError], None]
    on_reconnect: Callable[[], None]
    on_tick: Callable[[], None]


class Keeper:
    """The life of a connection and of its successors. ``courier`` is set right after it is made."""

    courier: Courier

    def __init__(self, deps: KeeperDeps) -> None:
        self._deps = deps
        self._jobs = Supervisor("binance ws api", max_jobs=64)
        self._attempts = Attempts(deps.draw, deps.policy)
        self._session: Session | None = None
        self._links: list[Link] = []
        self._count = 0
        self._wake = asyncio.Event()
        self._first: asyncio.Future[None] | None = None
        self._give_up_ns = 0
        self._ever_connected = False
        self._closed = False
        self._synced_ns = 0
        self._is_renewing = False
        self._lived_ns: int | None = None

    @property
    def session(self) -> Session:
        """Who we are on the connections."""
        if self._session is None:
            self._session = Session(self.courier, self._deps.credentials)
        return self._session

    def start_job(self, name: str, job: Callable[[], Awaitable[None]]) -> None:
        """Run something in the background; nothing is started any more once closed."""
        if not self._closed:
            self._jobs.start(name, job)

    # From the door

    async def connect(self) -> None:
        """Open the first connection, or wait for it."""
        if self._first is None or (self._first.done() and not self._ever_connected):
            self._first = asyncio.get_running_loop().create_future()
            self._first.add_done_callback(lambda done: done.cancelled() or done.exception())
            deps = self._deps
            self._give_up_ns = deps.clock.monotonic_ns() + int(deps.policy.connect_timeout_s * NS_PER_S)
            self.courier.is_open = True
            self._jobs.start("connection", self._run)
        await asyncio.shield(self._first)

    async def close(self) -> None:
        """End every connection and every request, after waiting for the replies that are still to come."""
        try:
            await self._last_replies()
        finally:
            self._closed = True
            self.courier.end_all()
            self.session.end()
            if self._first is not None and not self._first.done():
                self._first.set_exception(NotConnected("closed"))
            for link in list(self._links):
                await link.close()
            await self._jobs.close()

    async def _last_replies(self) -> None:
        """Take no more requests and wait for what the venue has been asked, within ``policy.close_wait_s``."""
        clock, table = self._deps.clock, self.courier.table
        self.courier.is_open = False
        end_ns = clock.monotonic_ns() + int(self._deps.policy.close_wait_s * NS_PER_S)
        while any(entry.link for entry in table) and clock.monotonic_ns() < end_ns:
            await clock.sleep(CLOSE_POLL_S)

    def user_data(self, *, capacity: int, credentials: Credentials | None) -> UserDataSubscription:
        """An iterator over an account's events."""
        return self.session.user_data(capacity=capacity, credentials=credentials)

    async def sync_clock(self) -> None:
        """Ask for the venue's time on the present connection."""
        if self.courier.link is None:
            raise NotConnected("not connected")
        await self.courier.sync_clock(self.courier.link)

    def on_event(self, link: Link, reply: Reply) -> bool:
        """An event; False where nobody here wants it."""
        kind = event_kind(reply.event)
        if kind == "serverShutdown":
            self._replace(link, kind)
            return False
        return self.session.on_event(link, reply, kind)

    # The life

    async def _run(self) -> None:
        self._jobs.start("watch", self._watch, restart=True)
        delay_s = 0.0
        while True:
            link = await self._open(delay_s)
            if link is None:
                return
            delay_s = 0.0
            if await self._adopt(link):
                await self._until_due(link)
            else:
                delay_s = self._attempts.after_failure(NotConnected(link.end_reason))

    async def _open(self, delay_s: float) -> Link | None:
        """A connection that works, logged on and subscribed; None where the first one could not be had."""
        deps = self._deps
        if self.courier.link is None and self._lived_ns is not None:
            delay_s = max(delay_s, self._attempts.after_loss(self._lived_ns))
        while True:
            delay_s = max(delay_s, deps.limits.connect_wait_s(deps.clock.monotonic_ns()))
            if delay_s > 0:
                await deps.clock.sleep(delay_s)
            try:
                return await self._try()
            except Failure as error:
                problem = error if isinstance(error, CryptotraderError) else VenueRejected("no answer", venue_code=0)
                log.warning(f"no connection to the WebSocket API: {type(error).__name__}")
                if isinstance(problem, VenueBanned):
                    # It is the address that is banned, so connections that are still open must be quiet as well.
                    deps.limits.obey(problem, now_ns=deps.clock.monotonic_ns())
                deps.on_error(problem)
                delay_s = self._attempts.after_failure(problem)
                if self._should_give_up(problem, delay_s):
                    return None

    def _should_give_up(self, error: CryptotraderError, delay_s: float) -> bool:
        """Only before the first connection: whoever waits for it must hear of it."""
        if self._ever_connected or self._first is None:
            return False
        is_late = self._deps.clock.monotonic_ns() + delay_s * NS_PER_S > self._give_up_ns
        if not (is_late or is_permanent(error)):
            return False
        self.courier.is_open = False
        if not self._first.done():
            self._first.set_exception(error)
        return True

    async def _hold(self) -> None:
        """Wait for what may have been told while the backoff ran; raises VenueRateLimited where ``connect`` cannot."""
        deps = self._deps
        while True:
            now_ns = deps.clock.monotonic_ns()
            wait_s = deps.limits.connect_hold_s(now_ns, venue_ms=self.courier.window_ms())
            if wait_s <= 0:
                return
            if not self._ever_connected and now_ns + wait_s * NS_PER_S > self._give_up_ns:
                raise VenueRateLimited("Rate limit exceeded", retry_after_s=wait_s)
            await deps.clock.sleep(wait_s)

    async def _try(self) -> Link:
        deps = self._deps
        await self._hold()
        deps.limits.connecting()
        is_open = False
        try:
            wire = await deps.connect(deps.url)
            is_open = True
        finally:
            deps.limits.connected(venue_ms=self.courier.venue_ms(), is_open=is_open)
        self._count += 1
        link = Link(
            wire,
            self._count,
            opened_ns=deps.clock.monotonic_ns(),
            policy=deps.policy,
            on_message=self.courier.on_message,
        )
        link.on_end = self._on_link_end
        self._links.append(link)
        self._jobs.start(f"link {link.number}", link.run)
        is_ready = False
        try:
            await self.courier.sync_clock(link)
            await self.session.resume(link, [other for other in self._links if other.is_open and other is not link])
            is_ready = link.is_open
        finally:
            if not is_ready:
                await link.close()
        if not is_ready:
            raise NotConnected(link.end_reason)
        return link

    async def _adopt(self, link: Link) -> bool:
        """Let a connection take over; False where it was lost meanwhile."""
        deps, old = self._deps, self.courier.link
        if old is not None and link.feeds:
            await deps.clock.sleep(deps.policy.overlap_s)
            if old.is_open:
                await self.session.catch_up(old)
        if not link.is_open:
            return False
        old = self.courier.link
        if old is not None:
            old.state = "draining"
            self._jobs.start(f"drain {old.number}", functools.partial(self._drain, old))
        link.state = "current"
        self.courier.link = link
        self._synced_ns = deps.clock.monotonic_ns()
        link.release()
        self.session.adopt(link)
        if self.session.is_wanted:
            self.start_job("end of overlap", self._end_overlap)
        log.info("the connection to the WebSocket API is up")
        if self._ever_connected:
            self.courier.stats.reconnects += 1
            deps.on_reconnect()
        self._ever_connected = True
        if self._first is not None and not self._first.done():
            self._first.set_result(None)
        self.courier.pump()
        return True

    async def _end_overlap(self) -> None:
        """The successor may bring copies of what the predecessor has told for as long as a message can take."""
        await self._deps.clock.sleep(self._deps.policy.drain_s)
        links = [link for link in self._links if link.is_open]
        if not any(link.state == "candidate" for link in links):
            self.session.end_overlap(links)

    async def _drain(self, old: Link) -> None:
        """Let the old connection bring its last replies."""
        clock, policy = self._deps.clock, self._deps.policy
        end_ns = clock.monotonic_ns() + int(policy.drain_s * NS_PER_S)
        while old.is_open and self.courier.table.count_on(old.number) and clock.monotonic_ns() < end_ns:
            await clock.sleep(policy.tick_s)
        await old.close()

    async def _until_due(self, link: Link) -> None:
        """Return when a successor is needed."""
        clock = self._deps.clock
        due_ns = clock.monotonic_ns() + lifetime_ns(self._deps.policy, self._deps.draw)
        while link.is_open and not link.replace_because:
            if clock.monotonic_ns() >= due_ns:
                self._replace(link, "24 hours are nearly over")
                break
            self._wake.clear()
            await self._wake.wait()
        if not self._closed:
            log.info(f"connecting anew: {link.replace_because or link.end_reason}")

    def _replace(self, link: Link, reason: str) -> None:
        link.replace_because = link.replace_because or reason
        self._wake.set()

    def _on_link_end(self, link: Link) -> None:
        if link in self._links:
            self._links.remove(link)
        if self.courier.link is link:
            self.courier.link = None
            self._lived_ns = self._deps.clock.monotonic_ns() - link.opened_ns
            if link.has_plain_subscription:
                log.warning("a user data subscription ended with its connection; user_data() subscribes anew by itself")
            if not self._closed:
                log.warning(f"the connection to the WebSocket API was lost: {link.end_reason}")
        self.courier.on_link_end(link)
        self.session.on_link_end(link, [other for other in self._links if other.is_open])
        self._wake.set()

    async def _watch(self) -> None:
        """Deadlines, silence, the clock, and the time of day for ``_until_due``."""
        clock, policy = self._deps.clock, self._deps.policy
        while True:
            await clock.sleep(policy.tick_s)
            self.courier.sweep()
            self._deps.on_tick()
            self._wake.set()
            link = self.courier.link
            if link is None:
                continue
            now_ns = clock.monotonic_ns()
            await link.check(now_ns, is_busy=self.courier.table.count_on(link.number) > 0)
            if now_ns - self._synced_ns >= policy.clock_every_s * NS_PER_S:
                self._synced_ns = now_ns
                self.start_job("clock", self._sync_quietly)
            if self.session.is_stale and not self._is_renewing:
                # Not awaited here: its own deadline is looked after by this very loop.
                self._is_renewing = True
                self.start_job("user data", functools.partial(self._renew, link))

    async def _renew(self, link: Link) -> None:
        try:
            await self.session.renew(link)
        finally:
            self._is_renewing = False

    async def _sync_quietly(self) -> None:
        try:
            await self.sync_clock()
        except Failure as error:
            log.info(f"the venue's time could not be had: {type(error).__name__}")

    async def log_on(self) -> None:
        """``session.logon``, now and on every later connection."""
        await self.session.log_on(self._current())

    async def log_out(self) -> None:
        """``session.logout``."""
        await self.session.log_out(self._current())

    def _current(self) -> Link:
        link = self.courier.link
        if link is None:
            raise NotConnected("not connected")
        return link
