"""The channel ``orderbook`` of one symbol: the best levels, whole, whenever they changed (S1-10)."""

from __future__ import annotations

from cryptotrader.core.clock import to_ms
from cryptotrader.core.events import Level
from cryptotrader.dialects.channels.encode import encode_book
from cryptotrader.feeds.depth import DepthChange
from cryptotrader.market.book import OrderBook
from cryptotrader.sessions.channel_protocol.topics import ChannelTopic, Outlet, SourceKey
from cryptotrader.sessions.ports import Lease, LiveMarket
from cryptotrader.transport.frames import Frame

DEPTH = "depth"

OWED_S = 0.5
"""How often it is looked whether a book has become right without a change. Unit: seconds."""

Top = tuple[list[Level], list[Level]]


class _Rung:
    """One number of levels that somebody wants."""

    __slots__ = ("depth", "is_owed", "told", "topic")

    def __init__(self, depth: int, topic: str) -> None:
        self.depth = depth
        self.topic = topic
        self.told: Top | None = None
        """What subscribers have."""
        self.is_owed = False
        """Whether a subscriber waits for its first message."""

    def top(self, book: OrderBook) -> Top:
        return book.bids(self.depth), book.asks(self.depth)


class BookSource:
    """The book of one symbol at every depth that is subscribed to. Who is behind gets the newest."""

    def __init__(self, key: SourceKey, live: LiveMarket, outlet: Outlet) -> None:
        self._key = key
        self._outlet = outlet
        self._rungs: dict[int, _Rung] = {}
        self._lease: Lease = live.lease(key.subject, DEPTH)
        self._feed = live.depth(key.subject)
        self._subscription = self._feed.topic.subscribe(self._on_change)

    def first(self, topic: ChannelTopic, now_ms: int) -> list[Frame]:
        """The book as it is; a book that is not known to be right is not shown but owed."""
        rung = self._rung(topic)
        if not self._feed.is_ready:
            if not rung.is_owed:
                rung.is_owed = True
                self._outlet.later(OWED_S, lambda: self._pay(rung))
            return []
        return [self._frame(rung.top(self._feed.book), self._feed.event_ms or now_ms, now_ms)]

    def close(self) -> None:
        """Nobody wants it any more."""
        self._rungs.clear()
        self._subscription.close()
        self._lease.close()

    def _rung(self, topic: ChannelTopic) -> _Rung:
        depth = int(topic.detail)
        rung = self._rungs.get(depth)
        if rung is None:
            rung = self._rungs[depth] = _Rung(depth, topic.name)
            if self._feed.is_ready:
                rung.told = rung.top(self._feed.book)
        return rung

    def _on_change(self, change: DepthChange) -> None:
        now_ms = to_ms(self._outlet.clock.now_ns())
        for rung in list(self._rungs.values()):
            if not self._outlet.wants(rung.topic):
                del self._rungs[rung.depth]
                continue
            top = rung.top(change.book)
            if top != rung.told or rung.is_owed:
                rung.told, rung.is_owed = top, False
                frame = self._frame(top, change.diff.event_ms, now_ms)
                self._outlet.publish(rung.topic, frame, key=rung.topic)

    def _pay(self, rung: _Rung) -> None:
        """A book may prove to have been right all along; then no change tells so."""
        if not rung.is_owed or self._rungs.get(rung.depth) is not rung:
            return
        if not self._feed.is_ready:
            self._outlet.later(OWED_S, lambda: self._pay(rung))
            return
        now_ms = to_ms(self._outlet.clock.now_ns())
        rung.told, rung.is_owed = rung.top(self._feed.book), False
        frame = self._frame(rung.told, self._feed.event_ms or now_ms, now_ms)
        self._outlet.publish(rung.topic, frame, key=rung.topic)

    def _frame(self, top: Top, event_ms: int, now_ms: int) -> Frame:
        return Frame.text(encode_book(self._key.exchange, self._key.subject, top, event_ms=event_ms, now_ms=now_ms))
