"""The account's own events for any number of clients, each once, whatever the connection does (S0-45 to S0-48)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

from cryptotrader.bus import Subscription, Topic
from cryptotrader.config import get_logger
from cryptotrader.core.clock import NS_PER_MS
from cryptotrader.core.errors import NotConnected, VenueError
from cryptotrader.core.events import LinkChange, LinkState
from cryptotrader.feeds.base import VenueRest
from cryptotrader.feeds.catalogue import SymbolCatalogue
from cryptotrader.feeds.user_memory import UserMemory
from cryptotrader.feeds.user_recovery import UserRecovery
from cryptotrader.net import Supervisor
from cryptotrader.net.backoff import Backoff
from cryptotrader.net.clock import WaitingClock
from cryptotrader.services.binance.streams import UserStream

log = get_logger(__name__)

LINGER_S = 5.0
"""How long the stream stays after the last client left. Unit: seconds. Reason: a client that reconnects finds it up."""

HOLD_S = 15.0
"""How long live events wait for a recovery. Unit: seconds. Reason: a bot must not wait for its fill much longer than
the ten seconds that a request may take; after that events may come out of order, but still each once."""

MAX_HELD = 10_000
"""Live events that wait for a recovery. Unit: events. Overflow: the wait ends at once."""

LOOK_BACK_MS = 120_000
"""How long before a noticed break we look for missed events. Unit: milliseconds. Reason: a connection that died in
silence is noticed after 45 s."""


class UserEvent(msgspec.Struct, frozen=True, gc=False):
    """One event of the account."""

    kind: str
    """``executionReport``, ``outboundAccountPosition``, ``balanceUpdate``, ``listStatus``, ..."""
    payload: bytes
    """Bare JSON, as ``/ws/user`` sends it."""
    data: dict[str, Any]
    """The same, decoded. Recovered events bear ``"recovered": true``."""


class UserLease:
    """As long as it is open, the user stream stays up. Closing it twice is harmless."""

    def __init__(self, release: Callable[[], None]) -> None:
        self._release: Callable[[], None] | None = release

    def close(self) -> None:
        """Want the events no more."""
        if self._release is not None:
            release, self._release = self._release, None
            release()


class UserFeed:
    """Starts the user stream for the first client and releases it after the last.

    After each connect the stream is subscribed first; then REST tells what was missed (orders, fills, balances).
    Meanwhile live events wait, and what both tell is told once: fills are known by order and trade id, other events by
    execution id or content.

    Args:
        stream: Brings live events; started and closed by this object.
        rest: Requests to the venue.
        catalogue: Its symbols.
        clock: Time and waiting.
        draw: Random numbers of [0, 1).
    """

    def __init__(
        self,
        stream: UserStream,
        rest: VenueRest,
        *,
        catalogue: SymbolCatalogue,
        clock: WaitingClock,
        draw: Callable[[], float],
    ) -> None:
        self.topic: Topic[UserEvent] = Topic("user events")
        self._stream = stream
        self._rest = rest
        self._catalogue = catalogue
        self._clock = clock
        self._backoff = Backoff(draw)
        self._jobs = Supervisor("user feed", max_jobs=8)
        self._leases = 0
        self._is_managed = False
        self._wake = asyncio.Event()
        self._subscriptions: list[Subscription] = []
        self._recovering: asyncio.Task[None] | None = None
        self._forget()

    def _forget(self) -> None:
        self._memory = UserMemory()
        self._recovery = UserRecovery(self._rest, self._catalogue, self._memory, clock=self._clock)
        self._held: deque[tuple[dict[str, Any], bytes]] | None = None
        self._told_until_ms: int | None = None
        self._first_ms = 0
        self._clock_offset_ms = 0
        self._is_synced = False

    @property
    def is_live(self) -> bool:
        """Whether events flow and nothing is missing."""
        return self._is_synced and self._stream.is_connected

    @property
    def job_count(self) -> int:
        """Background jobs running now, those of the stream included."""
        return self._jobs.job_count + self._stream.job_count

    async def start(self) -> None:
        """Be ready for leases; connects nothing yet. The first lease does it as well."""
        self._ensure_managed()

    def _ensure_managed(self) -> None:
        if not self._is_managed:
            self._is_managed = True
            self._jobs.start("user feed", self._manage, restart=True)

    async def close(self) -> None:
        """Release the stream and end."""
        for subscription in self._subscriptions:
            subscription.close()
        await self._stream.close()
        await self._jobs.close()

    def lease(self) -> UserLease:
        """Want the account's events until the lease is closed."""
        self._ensure_managed()
        self._leases += 1
        self._wake.set()

        def release() -> None:
            self._leases -= 1
            self._wake.set()

        return UserLease(release)

    async def _manage(self) -> None:
        while True:
            await self._until(lambda: self._leases > 0)
            self._forget()
            self._subscriptions = [
                self._stream.events.subscribe(self._on_payload),
                self._stream.links.subscribe(self._on_link),
            ]
            await self._stream.start()
            while self._leases > 0:
                await self._until(lambda: self._leases == 0)
                await self._clock.sleep(LINGER_S)
            await self._stop()

    async def _stop(self) -> None:
        for subscription in self._subscriptions:
            subscription.close()
        if self._recovering is not None:
            self._recovering.cancel()
        await self._stream.close()

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._wake.clear()
            await self._wake.wait()

    def _on_link(self, change: LinkChange) -> None:
        if change.link != "user":
            return
        if change.state is LinkState.CONNECTED:
            if self._held is None:
                self._held = deque()
            self._recovering = self._jobs.start("user recovery", self._recover)
        else:
            if self._recovering is not None:
                self._recovering.cancel()
            if self._is_synced:
                self._told_until_ms = self._venue_ms()
            self._is_synced = False

    def _on_payload(self, payload: bytes) -> None:
        try:
            data = msgspec.json.decode(payload, type=dict[str, Any])
        except msgspec.DecodeError:
            log.error("a user event makes no sense and is dropped")
            return
        if self._held is None:
            self._tell(data, payload)
            return
        self._held.append((data, payload))
        if len(self._held) >= MAX_HELD:
            self._release()

    def _tell(self, data: dict[str, Any], payload: bytes) -> None:
        try:
            is_news = self._memory.is_news(data, payload)
        except (KeyError, TypeError, ArithmeticError):
            # The venue may change a field; an event that we cannot judge is better told twice than never.
            log.warning("a user event lacks a documented field")
            is_news = True
        if is_news:
            self.topic.publish(UserEvent(str(data.get("e", "")), payload, data))

    def _release(self, *, newer_than_ms: int | None = None) -> None:
        """Tell what waited. Balances that a recovery has told more newly are left out."""
        held, self._held = self._held, None
        for data, payload in held or ():
            is_balance = data.get("e") == "outboundAccountPosition"
            if not (newer_than_ms is not None and is_balance and data.get("u", newer_than_ms + 1) <= newer_than_ms):
                self._tell(data, payload)

    async def _recover(self) -> None:
        """Bring clients up to date; again and again until it works or the connection breaks."""
        self._backoff.reset()
        self._recovery.begin()
        holding = self._jobs.start("user hold", self._hold)
        try:
            while not self._is_synced:
                try:
                    await self._recover_once()
                except (VenueError, NotConnected) as error:
                    delay_s = max(self._backoff.next_delay_s(), error.retry_after_s or 0.0)
                    log.warning(f"user feed: {type(error).__name__} - retrying in {delay_s:.0f}s")
                    await self._clock.sleep(delay_s)
        finally:
            holding.cancel()

    async def _recover_once(self) -> None:
        venue_ms = await self._recovery.venue_ms()
        self._clock_offset_ms = venue_ms - self._clock.now_ns() // NS_PER_MS
        if self._told_until_ms is None:
            await self._recovery.take_stock()
            self._told_until_ms = self._first_ms = venue_ms
            self._is_synced = True
            self._release()
            return
        since_ms = max(self._first_ms, self._told_until_ms - LOOK_BACK_MS)
        events, position, update_ms = await self._recovery.missed(since_ms)
        for event in events:
            self._tell(event, msgspec.json.encode(event))
        if position is not None:
            self._tell(position, msgspec.json.encode(position))
        self._is_synced = True
        if events:
            log.info(f"user feed: {len(events)} missed events recovered")
        self._release(newer_than_ms=update_ms if position is not None else None)

    async def _hold(self) -> None:
        await self._clock.sleep(HOLD_S)
        log.warning("user feed: recovery takes long; live events are told without it")
        self._release()

    def _venue_ms(self) -> int:
        return self._clock.now_ns() // NS_PER_MS + self._clock_offset_ms
