"""What every feed needs from the outside, and the life that feeds filled from REST have in common."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import msgspec

from cryptotrader.bus import Topic
from cryptotrader.config import get_logger
from cryptotrader.core.errors import NotConnected, VenueError
from cryptotrader.core.events import LinkState, SystemEvent
from cryptotrader.net import Supervisor
from cryptotrader.net.backoff import Backoff
from cryptotrader.net.clock import WaitingClock
from cryptotrader.services.binance.request import Params, RequestSpec

P = TypeVar("P", bound=Params)
R = TypeVar("R")
T = TypeVar("T")

log = get_logger(__name__)


class VenueRest(Protocol):
    """Requests to the venue; ``services.binance.restAPI.BinanceRest`` is one."""

    async def call(self, spec: RequestSpec[P, R], params: P) -> R:
        """Send a request.

        Raises:
            VenueError: The venue failed or refused.
        """
        ...


@dataclass(frozen=True)
class FeedPolicy:
    """Limits of the feeds."""

    linger_s: float = 60.0
    """How long a symbol stays subscribed after nobody wants it, so that a client that comes back finds it live."""
    sweep_s: float = 1.0
    """How often unwanted symbols are looked for."""
    max_feeds: int = 2_000
    """Feeds at a time. Reason: half of what the stream connections carry; one more is refused."""
    snapshots_at_a_time: int = 3
    """Book snapshots fetched side by side. Reason: each costs 250 of 6000 request weight a minute."""
    snapshot_limit: int = 5_000
    """Levels per side of a snapshot: the most that the venue gives, as its recipe says."""
    first_event_s: float = 1.0
    """How long the first event of a depth stream is awaited before a snapshot is taken without one."""
    poll_s: float = 0.02
    """How often such a wait looks."""
    refill_levels: int = 100
    """A book is rebuilt once fewer levels than this are known for certain, because the price has moved away from where
    the snapshot was taken (``web-socket-streams.md``, the note under the recipe)."""
    stale_ticker_s: float = 5.0
    """Age at which a ticker of a 1-per-second stream is no longer called fresh."""


@dataclass(frozen=True)
class FeedContext:
    """What the feeds of a venue share.

    Attributes:
        rest: Requests to the venue.
        clock: Time and waiting.
        draw: Random numbers of [0, 1).
        jobs: Where background work runs.
        policy: Limits.
        is_active: Whether a stream is subscribed and its connection open.
        is_heard: Whether that connection spoke a moment ago.
        snapshots: Lets few book snapshots be fetched at a time.
        reports: Where feeds tell what an operator wants to know.
    """

    rest: VenueRest
    clock: WaitingClock
    draw: Callable[[], float]
    jobs: Supervisor
    policy: FeedPolicy
    is_active: Callable[[str], bool]
    is_heard: Callable[[str], bool]
    snapshots: asyncio.Semaphore
    reports: Topic[SystemEvent] = field(default_factory=lambda: Topic("reports of feeds"))


class Feed(ABC):
    """One stream of one symbol, decoded and kept.

    Args:
        symbol: ``BTCUSDT``.
        stream: ``btcusdt@depth@100ms``.
        context: What it shares with other feeds.
    """

    def __init__(self, symbol: str, stream: str, context: FeedContext) -> None:
        self.symbol = symbol
        self.stream = stream
        self.context = context
        self._backoff = Backoff(context.draw)
        self._filling: asyncio.Task[None] | None = None
        self._refill = False
        self._is_waiting = False
        self._closed = False

    @abstractmethod
    def on_event(self, payload: msgspec.Raw) -> None:
        """One event of the stream; raises ValueError where it is not what it should be."""

    def on_link(self, state: LinkState) -> None:
        """The connection that carries the stream changed its state."""
        if state is LinkState.CONNECTED:
            self._backoff.reset()
            if self._is_waiting and self._filling is not None:
                # What failed before is likely to work now.
                self._filling.cancel()
                self._filling = None
            self.fill()

    @abstractmethod
    async def _fill_once(self) -> None:
        """Fetch what the stream does not tell; raises VenueError where the venue fails."""

    def fill(self) -> None:
        """Fetch in the background, again and again until it works; one fetch at a time."""
        if self._closed:
            return
        self._refill = True
        if self._filling is None or self._filling.done():
            self._filling = self.context.jobs.start(f"fill {self.stream}", self._fill)

    @property
    def is_filling(self) -> bool:
        """Whether something is being fetched."""
        return self._filling is not None and not self._filling.done()

    @property
    def is_active(self) -> bool:
        """Whether the stream is subscribed and its connection open."""
        return self.context.is_active(self.stream)

    @property
    def is_present(self) -> bool:
        """Whether what the stream told last is the present: it is active and its connection does not hang."""
        return self.is_active and self.context.is_heard(self.stream)

    def close(self) -> None:
        """Stop background work. The feed is of no use afterwards."""
        self._closed = True
        if self._filling is not None:
            self._filling.cancel()

    async def _fill(self) -> None:
        while self._refill:
            self._refill = False
            try:
                await self._fill_once()
                self._backoff.reset()
            except (VenueError, NotConnected) as error:
                self._refill = True
                delay_s = max(self._backoff.next_delay_s(), error.retry_after_s or 0.0)
                log.warning(f"{self.stream}: {type(error).__name__} - retrying in {delay_s:.0f}s")
                self._is_waiting = True
                try:
                    await self.context.clock.sleep(delay_s)
                finally:
                    self._is_waiting = False
