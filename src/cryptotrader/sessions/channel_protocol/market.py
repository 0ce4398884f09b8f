"""The public channels ``market_data`` and ``trades`` of one symbol (S1-9, S1-11)."""

from __future__ import annotations

from cryptotrader.core.clock import to_ms
from cryptotrader.core.events import Ticker24h, Trade
from cryptotrader.dialects.channels.encode import encode_ticker, encode_trade
from cryptotrader.sessions.channel_protocol.topics import ChannelTopic, Outlet, SourceKey
from cryptotrader.sessions.ports import Lease, LiveMarket
from cryptotrader.transport.frames import Frame

TICKER = "ticker"
TRADES = "trades"


class TickerSource:
    """Statistics: the newest at once, then each update; who is behind gets the newest."""

    def __init__(self, key: SourceKey, live: LiveMarket, outlet: Outlet) -> None:
        self._exchange = key.exchange
        self._topic = ChannelTopic(key, "").name
        self._outlet = outlet
        self._lease: Lease = live.lease(key.subject, TICKER)
        self._feed = live.ticker(key.subject)
        self._subscription = self._feed.topic.subscribe(self._on_ticker)

    def first(self, topic: ChannelTopic, now_ms: int) -> list[Frame]:
        """The newest."""
        latest = self._feed.latest
        return [] if latest is None else [self._frame(latest, now_ms)]

    def close(self) -> None:
        """Nobody wants it any more."""
        self._subscription.close()
        self._lease.close()

    def _on_ticker(self, ticker: Ticker24h) -> None:
        if self._outlet.wants(self._topic):
            now_ms = to_ms(self._outlet.clock.now_ns())
            self._outlet.publish(self._topic, self._frame(ticker, now_ms), key=self._topic)

    def _frame(self, ticker: Ticker24h, now_ms: int) -> Frame:
        return Frame.text(encode_ticker(self._exchange, ticker, now_ms=now_ms))


class TradeSource:
    """Every trade from now on, in order; none is left out."""

    def __init__(self, key: SourceKey, live: LiveMarket, outlet: Outlet) -> None:
        self._exchange = key.exchange
        self._topic = ChannelTopic(key, "").name
        self._outlet = outlet
        self._lease: Lease = live.lease(key.subject, TRADES)
        self._subscription = live.trades(key.subject).topic.subscribe(self._on_trade)

    def first(self, topic: ChannelTopic, now_ms: int) -> list[Frame]:
        """Nothing: a trade is an event, and what happened before is no news."""
        return []

    def close(self) -> None:
        """Nobody wants it any more."""
        self._subscription.close()
        self._lease.close()

    def _on_trade(self, trade: Trade) -> None:
        if self._outlet.wants(self._topic):
            now_ms = to_ms(self._outlet.clock.now_ns())
            self._outlet.publish(self._topic, Frame.text(encode_trade(self._exchange, trade, now_ms=now_ms)))
