"""``/ws/depth/{symbol}``: a snapshot, then every change, contiguous, best levels first (S0-41 to S0-44, C-22)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from cryptotrader.bus import Subscription
from cryptotrader.config import get_logger
from cryptotrader.core.clock import to_ms
from cryptotrader.core.errors import CryptotraderError
from cryptotrader.core.events import DepthDiff, Level
from cryptotrader.dialects.gateway_streams import DepthMerger, encode_depth, encode_snapshot
from cryptotrader.feeds.depth import DepthChange
from cryptotrader.market.book import OrderBook
from cryptotrader.net import Supervisor
from cryptotrader.sessions.client import Channel, ClientContext, StreamClient
from cryptotrader.sessions.ports import DepthFeed, Lease
from cryptotrader.sessions.ring import MessageRing
from cryptotrader.telemetry.metrics import WS_MERGED
from cryptotrader.transport.fanout import Broadcaster, Published
from cryptotrader.transport.frames import Frame, FrameBatch

log = get_logger(__name__)

READY_TIMEOUT_S = 30.0
"""How long one wait for a book may last before it is asked for again. Unit: seconds."""

RETRY_DELAY_S = 1.0
"""Pause between two such waits. Unit: seconds. Reason: a feed that fails at once must not spin."""

SNAPSHOT_REUSE = 50
"""A snapshot that is at most this many messages old is sent again, with those messages behind it. Reason: encoding a
whole book takes 5 to 10 ms, and a hundred clients that come at once must not stop everyone else for a second."""

DepthItem = DepthDiff | None
"""What a depth message says; None for a snapshot that replaces everything before it."""


class DepthChannel:
    """One symbol's messages: encoded once, kept for a while, sent to everyone.

    Args:
        topic: Name of the broadcaster's topic.
        feed: The live book.
        broadcaster: Sends.
        jobs: Runs the wait for the book.
        now_ns: Wall clock, for the time of a snapshot before any change was seen.
    """

    def __init__(
        self,
        topic: str,
        feed: DepthFeed,
        lease: Lease,
        *,
        broadcaster: Broadcaster[DepthItem],
        jobs: Supervisor,
        now_ns: Callable[[], int],
    ) -> None:
        self._topic = topic
        self._feed = feed
        self._lease = lease
        self._broadcaster = broadcaster
        self._jobs = jobs
        self._now_ns = now_ns
        self._ring = MessageRing()
        self._snapshot: tuple[int, Frame] | None = None
        self._last_id: int | None = None
        self._stale_up_to = -1
        """Ids up to this one may be from before the venue's ids went back, and then mean another book."""
        self._event_ms = 0
        self._best: tuple[Level | None, Level | None] = (None, None)
        self._waiting: dict[DepthClient, None] = {}
        self._is_awaited = False
        self._subscription: Subscription = feed.topic.subscribe(self._on_change)

    # Clients

    def enter(self, client: StreamClient[DepthItem]) -> None:
        """Bring a client up to date, now or when the book is known to be right."""
        assert isinstance(client, DepthClient)
        if self._feed.is_ready and self._is_level():
            self._admit(client)
            return
        self._waiting[client] = None
        if not self._is_awaited:
            self._is_awaited = True
            self._jobs.start(f"wait for {self._topic}", self._await_book)

    def leave(self, client: StreamClient[DepthItem]) -> None:
        """A client is gone."""
        assert isinstance(client, DepthClient)
        self._waiting.pop(client, None)
        self._broadcaster.leave(client)

    def close(self) -> None:
        """Nobody wants this symbol any more."""
        self._subscription.close()
        self._waiting.clear()
        self._lease.close()

    def catch_up(self, client: StreamClient[DepthItem]) -> None:
        """Send a client that was behind the folded change, or the book where there is no way to it."""
        assert isinstance(client, DepthClient)
        merger = client.merger
        if client.needs_snapshot or merger.is_full:
            client.needs_snapshot = False
            merger.clear()
            self._broadcaster.leave(client)
            client.from_id = None
            self.enter(client)
        elif merger.count:
            client.connection.send(Frame.text(encode_depth(merger.take(), *self._best)))
            client.count_sent(1)

    def _admit(self, client: DepthClient) -> None:
        frames = None if client.from_id is None else self._since(client.from_id)
        if frames is None:
            frames = self._snapshot_frames()
        if frames:
            client.connection.send(frames[0] if len(frames) == 1 else FrameBatch(frames))
            client.count_sent(len(frames))
        self._broadcaster.join(client, (self._topic,))

    def _since(self, last_seen: int) -> list[Frame] | None:
        """What a client that has seen ``last_seen`` missed; None where only a snapshot is certain to be right."""
        if last_seen <= self._stale_up_to:
            return None
        return [] if last_seen == self._last_id else self._ring.since(last_seen)

    def _snapshot_frames(self) -> list[Frame]:
        """The whole book: the last encoded snapshot and what followed it, or a new one."""
        if self._snapshot is not None:
            last_id, frame = self._snapshot
            newer = [] if last_id == self._last_id else self._ring.since(last_id)
            if newer is not None and len(newer) <= SNAPSHOT_REUSE:
                return [frame, *newer]
        return [self._encode_snapshot(self._feed.book)]

    def _encode_snapshot(self, book: OrderBook) -> Frame:
        payload = encode_snapshot(
            book.symbol,
            last_id=book.last_id,
            bids=book.bids(),
            asks=book.asks(),
            event_ms=self._event_ms or to_ms(self._now_ns()),
        )
        frame = Frame.text(payload)
        self._snapshot = (book.last_id, frame)
        self._last_id = book.last_id
        self._best = (book.best_bid, book.best_ask)
        return frame

    # The book

    def _is_level(self) -> bool:
        """Whether clients that are up to date have exactly the feed's book."""
        if self._last_id is None:
            self._last_id = self._feed.book.last_id
            self._best = (self._feed.book.best_bid, self._feed.book.best_ask)
        return self._last_id == self._feed.book.last_id

    def _on_change(self, change: DepthChange) -> None:
        diff, book = change.diff, change.book
        self._event_ms = diff.event_ms
        if change.kind == "restart" or (self._last_id is not None and diff.first_id != self._last_id + 1):
            if change.kind != "restart":
                log.error(f"{self._topic}: {diff.first_id} does not follow {self._last_id}; sending a snapshot")
            self._ring.clear()
            self._stale_up_to = max(self._stale_up_to, self._last_id or 0)
            self._broadcaster.publish(self._topic, self._encode_snapshot(book), None)
        else:
            self._last_id = diff.last_id
            self._best = (book.best_bid, book.best_ask)
            frame = Frame.text(encode_depth(diff, *self._best))
            self._ring.append(diff.first_id, diff.last_id, frame)
            self._broadcaster.publish(self._topic, frame, diff)
        if self._waiting and self._feed.is_ready:
            self._admit_all()

    def _admit_all(self) -> None:
        waiting, self._waiting = self._waiting, {}
        for client in waiting:
            self._admit(client)

    async def _await_book(self) -> None:
        """One job for all clients that wait; the venue may be away for long."""
        try:
            while self._waiting:
                try:
                    await self._feed.wait_ready(READY_TIMEOUT_S)
                except CryptotraderError as error:
                    log.warning(f"{self._topic}: {error.message}")
                    await asyncio.sleep(RETRY_DELAY_S)
                    continue
                if self._is_level():
                    self._admit_all()
                else:
                    # The feed is ahead of what it told us: its next change explains itself.
                    return
        finally:
            self._is_awaited = False


class DepthClient(StreamClient[DepthItem]):
    """A client of one symbol's changes.

    Args:
        from_id: Last update id it has seen, to resume from.
    """

    def __init__(self, context: ClientContext, channel: Channel[DepthItem], *, from_id: int | None) -> None:
        super().__init__(context, channel)
        self.from_id = from_id
        self.merger = DepthMerger()
        self.needs_snapshot = False

    def on_missed(self, batch: Sequence[Published[DepthItem]]) -> None:
        """Fold what the client did not get into one change; never drop any (C-22)."""
        WS_MERGED.inc(len(batch))
        for published in batch:
            if published.item is None:
                self.merger.clear()
                self.needs_snapshot = True
            elif not self.needs_snapshot:
                self.merger.add(published.item)
