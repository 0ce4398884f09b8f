"""User data: events of one account, shared by any number of iterators, across connections that replace each other."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any

import msgspec

from cryptotrader.core.errors import CryptotraderError, NotConnected
from cryptotrader.services.binance.signing import Credentials
from cryptotrader.services.binance.wsapi.reconnect import OverlapFilter
from cryptotrader.services.binance.wsapi.replies import envelope_of

GAP = "streamGap"
"""``e`` of an event of our own: ``{"e":"streamGap","reason":"..."}`` stands where events may be missing. Ask
``account.status`` and ``order.status`` for what you need to know."""

DEFAULT_CAPACITY = 10_000
"""Events an iterator holds. Overflow: the oldest is dropped, counted, and a gap event stands in its place."""

_GAP_OVERFLOW = msgspec.json.encode({"e": GAP, "reason": "overflow"})


class Feed:
    """The subscription of one account.

    Args:
        credentials: Whose events.
    """

    def __init__(self, credentials: Credentials) -> None:
        self.credentials = credentials
        self.is_confirmed = False
        """Whether the venue has ever said that it is subscribed."""
        self._filter: OverlapFilter | None = None
        self._newest = self._first = 0
        """Numbers of the connection that was subscribed last, and of the oldest one that is listened to."""
        self._readers: list[UserDataSubscription] = []

    def __repr__(self) -> str:
        return f"Feed({len(self._readers)} readers)"

    @property
    def is_wanted(self) -> bool:
        """Whether anybody listens."""
        return bool(self._readers)

    def overlap(self, is_on: bool) -> None:
        """Two connections bring the same events from now on, or no more."""
        self._filter = (self._filter or OverlapFilter()) if is_on else None

    def subscribed(self, link: int, *, is_late: bool) -> None:
        """The venue said so.

        Args:
            link: Number of the connection.
            is_late: Whether it had taken over already. The one before may tell late of what was before this moment: it
                is not listened to any more, so that no event comes after a later one.
        """
        self.is_confirmed = True
        if is_late and self._newest != link:
            self._first = link
            self.gap("subscribed anew on another connection")
        self._newest = link

    def deliver(self, link: int, payload: bytes) -> None:
        """An event that a connection brought."""
        if link < self._first:
            return
        if self._filter is not None and not self._filter.admit(link, payload):
            return
        for reader in self._readers:
            reader.put(payload)

    def gap(self, reason: str) -> None:
        """Events may be missing from here on."""
        payload = msgspec.json.encode({"e": GAP, "reason": reason})
        for reader in self._readers:
            reader.put_gap(payload)

    def end(self, error: CryptotraderError) -> None:
        """No more events will come."""
        for reader in list(self._readers):
            reader.end(error)

    def add(self, reader: UserDataSubscription) -> None:
        """One more iterator."""
        self._readers.append(reader)

    def discard(self, reader: UserDataSubscription) -> None:
        """One iterator less."""
        if reader in self._readers:
            self._readers.remove(reader)


class UserDataSubscription:
    """Async iterator of bare events (``{"e":"executionReport",...}``), and a context manager.

    It is subscribed anew whenever the connection is replaced. Where events may have been missed, because the connection
    was lost or the reader was too slow, an event ``{"e":"streamGap","reason":"..."}`` stands in their place.

    Args:
        open_feed: Subscribes.
        close_feed: Gives the subscription back.
        capacity: Events held. Overflow: the oldest is dropped, counted, and told by a gap event.
    """

    def __init__(
        self,
        *,
        open_feed: Callable[[UserDataSubscription], Awaitable[None]],
        close_feed: Callable[[UserDataSubscription], Awaitable[None]],
        capacity: int = DEFAULT_CAPACITY,
    ) -> None:
        if capacity < 2:
            raise ValueError("an iterator must hold at least two events")
        self.dropped = 0
        """Events lost because the reader was too slow."""
        self.gaps = 0
        """How often events may have been missed."""
        self._open_feed = open_feed
        self._close_feed = close_feed
        self._capacity = capacity
        self._queue: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._error: CryptotraderError | None = None
        self._started = False
        self._closed = False

    async def start(self) -> None:
        """Subscribe; iterating does it as well.

        Raises:
            VenueError: The venue refuses.
            NotConnected: There is no connection.
        """
        if not self._started:
            self._started = True
            is_open = False
            try:
                await self._open_feed(self)
                is_open = True
            finally:
                self._started = is_open

    async def close(self) -> None:
        """Give the subscription back; the iteration ends. Idempotent."""
        if not self._closed:
            self._closed = True
            self._wake.set()
            if self._started:
                await self._close_feed(self)

    async def __aenter__(self) -> UserDataSubscription:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __aiter__(self) -> UserDataSubscription:
        return self

    async def __anext__(self) -> dict[str, Any]:
        await self.start()
        while not self._queue:
            if self._error is not None:
                raise self._error
            if self._closed:
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()
        return envelope_of(self._queue.popleft())

    def put(self, payload: bytes) -> None:
        """An event; nothing comes any more once it is closed."""
        if self._closed:
            return
        if len(self._queue) >= self._capacity:
            self._overflow()
        self._queue.append(payload)
        self._wake.set()

    def put_gap(self, payload: bytes) -> None:
        """Events may be missing here."""
        if not self._closed:
            self.gaps += 1
            self.put(payload)

    def end(self, error: CryptotraderError) -> None:
        """No more events will come; what is held can still be read."""
        if isinstance(error, NotConnected):
            self._closed = True
        else:
            self._error = error
        self._wake.set()

    def _overflow(self) -> None:
        """Make room for one: the gap event stays in front, and what follows it goes."""
        if self._queue[0] is not _GAP_OVERFLOW:
            self._queue.popleft()
            self._queue.appendleft(_GAP_OVERFLOW)
            self.dropped += 1
            self.gaps += 1
        del self._queue[1]
        self.dropped += 1
