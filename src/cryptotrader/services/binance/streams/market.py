"""All market streams of a venue over one set of connections that every client shares."""

from __future__ import annotations

from cryptotrader.bus import Topic
from cryptotrader.core.events import LinkState
from cryptotrader.net import Supervisor
from cryptotrader.services.binance.streams.link import LinkDeps, StreamLink
from cryptotrader.services.binance.streams.session import WireEvent
from cryptotrader.telemetry.metrics import UPSTREAM_STREAMS

MAX_LINKS = 20
"""Connections at most. Unit: connections. Reason: with 200 streams each, more than every symbol's streams that a
gateway of ten thousand clients could want, and far below the documented 300 attempts in five minutes."""


class MarketStreams:
    """Turns "this stream is wanted" into subscriptions, and keeps them through every kind of failure.

    Counting who wants a stream is the caller's business. ``events`` carries each event as it comes; around a
    replacement of a connection (before 24 h, on ``serverShutdown``, where a stream fell silent) events may come twice,
    never late and never out of order.

    Args:
        deps: Where and how to connect.
    """

    def __init__(self, deps: LinkDeps) -> None:
        self._deps = deps
        self.events: Topic[WireEvent] = Topic("market events")
        self.links = deps.links
        self._links: list[StreamLink] = []
        self._place: dict[str, StreamLink] = {}
        self._jobs = Supervisor("market streams", max_jobs=MAX_LINKS + 1)
        self._started = False

    @property
    def stream_count(self) -> int:
        """Streams wanted now."""
        return len(self._place)

    @property
    def is_connected(self) -> bool:
        """Whether every link can carry data."""
        return bool(self._links) and all(link.state is LinkState.CONNECTED for link in self._links)

    @property
    def job_count(self) -> int:
        """Background jobs running now."""
        return self._jobs.job_count

    async def start(self) -> None:
        """Open the first connection in the background; idempotent."""
        if self._started:
            return
        self._started = True
        if not self._links:
            self._add_link()
        else:
            for link in self._links:
                self._jobs.start(link.name, link.run, restart=True)
        self._jobs.start("watch", self._watch, restart=True)

    async def close(self) -> None:
        """End every connection and job."""
        await self._jobs.close()

    def want(self, stream: str) -> None:
        """Subscribe to ``btcusdt@depth@100ms`` and the like; again has no effect.

        Raises:
            RuntimeError: More streams than ``MAX_LINKS`` connections may carry.
        """
        if stream in self._place:
            return
        link = next((link for link in self._links if link.stream_count < self._deps.policy.streams_per_link), None)
        if link is None:
            link = self._add_link()
        self._place[stream] = link
        link.add(stream)
        UPSTREAM_STREAMS.set(len(self._place))

    def unwant(self, stream: str) -> None:
        """Unsubscribe; harmless where the stream was not wanted."""
        link = self._place.pop(stream, None)
        if link is not None:
            link.remove(stream)
            UPSTREAM_STREAMS.set(len(self._place))

    def link_of(self, stream: str) -> str | None:
        """Name of the link that carries a stream, as ``links`` tells it; None where it is not wanted."""
        link = self._place.get(stream)
        return link.name if link else None

    def is_active(self, stream: str) -> bool:
        """Whether the venue has acknowledged the subscription on the connection that is open now."""
        link = self._place.get(stream)
        return link is not None and link.is_active(stream)

    def is_heard(self, stream: str) -> bool:
        """Whether the connection that carries the stream spoke a moment ago: it may hang before it is found dead."""
        link = self._place.get(stream)
        return link is not None and link.is_heard

    def _add_link(self) -> StreamLink:
        if len(self._links) >= MAX_LINKS:
            raise RuntimeError("too many streams")
        link = StreamLink(f"market-{len(self._links) + 1}", self._deps, self.events.publish)
        self._links.append(link)
        if self._started:
            self._jobs.start(link.name, link.run, restart=True)
        return link

    async def _watch(self) -> None:
        clock, tick_s = self._deps.clock, self._deps.policy.tick_s
        while True:
            await clock.sleep(tick_s)
            for link in tuple(self._links):
                await link.check(clock.monotonic_ns())
