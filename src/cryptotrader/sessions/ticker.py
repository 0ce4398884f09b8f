"""``/ws/ticker/{symbol}``: the newest statistics at once, then each update; a slow client gets the newest (S0-40).

A venue says nothing where nothing changes; the documented stream has about one message a second all the same. So while
the venue's stream is up and quiet, the newest statistics are said again with the present time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from cryptotrader.core.events import Ticker24h
from cryptotrader.dialects.gateway_streams import encode_ticker
from cryptotrader.net import Supervisor
from cryptotrader.sessions.client import Channel, ClientContext, StreamClient
from cryptotrader.sessions.ports import Lease, TickerFeed
from cryptotrader.telemetry.metrics import WS_CONFLATED
from cryptotrader.transport.fanout import Broadcaster, Published
from cryptotrader.transport.frames import Frame

REPEAT_S = 1.2
"""Silence after which the newest is said again. Unit: seconds. Reason: about one a second (S0-40), and longer than a
venue's own second may be late."""

MIN_WAIT_S = 0.05
"""Shortest wait between two looks at the silence. Unit: seconds."""


class TickerChannel:
    """One symbol's statistics, encoded once per update."""

    def __init__(
        self,
        topic: str,
        feed: TickerFeed,
        lease: Lease,
        *,
        broadcaster: Broadcaster[Ticker24h],
        jobs: Supervisor,
        repeat_s: float = REPEAT_S,
    ) -> None:
        self._topic = topic
        self._feed = feed
        self._lease = lease
        self._broadcaster = broadcaster
        self._newest: tuple[Ticker24h, Frame] | None = None
        self._heard_s = self._said_s = asyncio.get_running_loop().time()
        self._repeat_s = repeat_s
        self._subscription = feed.topic.subscribe(self._on_ticker)
        self._repeating = jobs.start(f"repeat {topic}", self._repeat)

    def enter(self, client: StreamClient[Ticker24h]) -> None:
        """Send the newest and keep sending."""
        latest = self._feed.latest
        if latest is not None:
            client.connection.send(self._frame(latest))
            client.count_sent(1)
        self._broadcaster.join(client, (self._topic,))

    def leave(self, client: StreamClient[Ticker24h]) -> None:
        """A client is gone."""
        self._broadcaster.leave(client)

    def catch_up(self, client: StreamClient[Ticker24h]) -> None:
        """Send a client that was behind the newest that it missed."""
        assert isinstance(client, TickerClient)
        if client.newest is not None:
            client.connection.send(client.newest)
            client.count_sent(1)
            client.newest = None

    def close(self) -> None:
        """Nobody wants this symbol any more."""
        self._repeating.cancel()
        self._subscription.close()
        self._lease.close()

    def _on_ticker(self, ticker: Ticker24h) -> None:
        self._heard_s = self._said_s = asyncio.get_running_loop().time()
        self._broadcaster.publish(self._topic, self._frame(ticker), ticker)

    async def _repeat(self) -> None:
        now_s = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(max(self._said_s + self._repeat_s - now_s(), MIN_WAIT_S))
            if now_s() - self._said_s < self._repeat_s:
                continue
            self._said_s = now_s()
            latest = self._feed.latest
            # Without the venue's stream nobody knows whether the statistics still hold.
            if latest is not None and self._feed.is_active:
                event_ms = latest.event_ms + int((self._said_s - self._heard_s) * 1_000)
                again = msgspec.structs.replace(latest, event_ms=event_ms)
                self._broadcaster.publish(self._topic, Frame.text(encode_ticker(again)), again)

    def _frame(self, ticker: Ticker24h) -> Frame:
        if self._newest is None or self._newest[0] is not ticker:
            self._newest = (ticker, Frame.text(encode_ticker(ticker)))
        return self._newest[1]


class TickerClient(StreamClient[Ticker24h]):
    """A client of one symbol's statistics."""

    def __init__(self, context: ClientContext, channel: Channel[Ticker24h]) -> None:
        super().__init__(context, channel)
        self.newest: Frame | None = None

    def on_missed(self, batch: Sequence[Published[Ticker24h]]) -> None:
        """Keep the newest."""
        WS_CONFLATED.labels(kind="ticker").inc(len(batch) - (self.newest is None))
        self.newest = batch[-1].frame
