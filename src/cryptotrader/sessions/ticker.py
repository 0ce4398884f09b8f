"""``/ws/ticker/{symbol}``: the newest statistics at once, then each update; a slow client gets the newest (S0-40)."""

from __future__ import annotations

from collections.abc import Sequence

from cryptotrader.core.events import Ticker24h
from cryptotrader.dialects.gateway_streams import encode_ticker
from cryptotrader.sessions.client import Channel, ClientContext, StreamClient
from cryptotrader.sessions.ports import Lease, TickerFeed
from cryptotrader.telemetry.metrics import WS_CONFLATED
from cryptotrader.transport.fanout import Broadcaster, Published
from cryptotrader.transport.frames import Frame


class TickerChannel:
    """One symbol's statistics, encoded once per update."""

    def __init__(self, topic: str, feed: TickerFeed, lease: Lease, *, broadcaster: Broadcaster[Ticker24h]) -> None:
        self._topic = topic
        self._feed = feed
        self._lease = lease
        self._broadcaster = broadcaster
        self._newest: tuple[Ticker24h, Frame] | None = None
        self._subscription = feed.topic.subscribe(self._on_ticker)

    def enter(self, client: StreamClient[Ticker24h]) -> None:
        """Send the newest and keep sending."""
        latest = self._feed.latest
        if latest is not None:
            client.connection.send(self._frame(latest))
        self._broadcaster.join(client, (self._topic,))

    def leave(self, client: StreamClient[Ticker24h]) -> None:
        """A client is gone."""
        self._broadcaster.leave(client)

    def catch_up(self, client: StreamClient[Ticker24h]) -> None:
        """Send a client that was behind the newest that it missed."""
        assert isinstance(client, TickerClient)
        if client.newest is not None:
            client.connection.send(client.newest)
            client.newest = None

    def close(self) -> None:
        """Nobody wants this symbol any more."""
        self._subscription.close()
        self._lease.close()

    def _on_ticker(self, ticker: Ticker24h) -> None:
        self._broadcaster.publish(self._topic, self._frame(ticker), ticker)

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
