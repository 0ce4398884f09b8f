"""A true order book of one symbol, and every change of it without a hole."""

from __future__ import annotations

import asyncio
from typing import Literal

import msgspec

from cryptotrader.bus import Topic
from cryptotrader.config import get_logger
from cryptotrader.core.errors import VenueTimeout
from cryptotrader.core.events import BookSnapshot, DepthDiff, LinkState, SystemEvent
from cryptotrader.feeds.base import Feed, FeedContext
from cryptotrader.market.book import OrderBook
from cryptotrader.services.binance.normalise import depth_diff, snapshot_of
from cryptotrader.services.binance.sequencer import BookSequencer, Verdict
from cryptotrader.services.binance.websocketAPI.market_data_requests import order_book
from cryptotrader.telemetry.metrics import BOOK_RESYNCS

log = get_logger(__name__)

ALL_LEVELS = 1_000_000
"""What ``complete_levels`` says of a book that is known to its last level. Unit: levels."""

RESYNC = "orderbook_resync"
"""What a rebuilt book is called where it is reported; ``started`` and ``done`` come in pairs."""

MAX_BEHIND = 4
"""Snapshots in a row that may be older than the book before we believe that the venue's ids went back. Reason: the
venue's REST servers may lag a little behind its streams."""

BEHIND_DELAY_S = 0.5
"""Pause before the next try where a snapshot was too old. Unit: seconds. It grows with each try."""


class DepthChange(msgspec.Struct, frozen=True, gc=False):
    """What happened to a served book.

    Consecutive changes are contiguous: ``diff.first_id`` is the previous ``diff.last_id`` + 1, except at a restart.
    """

    diff: DepthDiff
    kind: Literal["diff", "resync", "restart"]
    """``diff``: as the venue sent it. ``resync``: computed, from the book served so far to a new snapshot. ``restart``:
    there is no way from the old book to this one (the first book, or the venue's ids went back); ``diff`` holds the
    whole book and must be taken as a snapshot."""
    book: OrderBook
    """The book after the change; the same object every time."""


class DepthFeed(Feed):
    """Follows Binance's recipe (``services.binance.sequencer``) for one symbol.

    ``book`` must be read only while ``is_ready``; while the feed recovers it keeps the last state served, which is
    needed to compute the resync.
    """

    def __init__(self, symbol: str, context: FeedContext) -> None:
        super().__init__(symbol, f"{symbol.lower()}@depth@100ms", context)
        self.book = OrderBook(symbol)
        self.topic: Topic[DepthChange] = Topic(f"depth {symbol}")
        self.event_ms = 0
        """The venue's time of the newest event, in milliseconds; 0 before the first."""
        self._sequencer = BookSequencer()
        self._ready = asyncio.Event()
        self._was_served = False
        self._must_replace = False
        self._recovers_from = ""
        self._behind = 0
        self._lowest_bid: int | None = None
        self._highest_ask: int | None = None
        self._complete: tuple[int, int] = (-1, 0)

    @property
    def is_ready(self) -> bool:
        """Whether ``book`` is proven to be true."""
        return self._ready.is_set()

    @property
    def is_fresh(self) -> bool:
        """Whether ``book`` is true and the connection that keeps it so does not hang."""
        return self.is_ready and self.is_present

    async def wait_ready(self, timeout_s: float) -> None:
        """Wait until ``is_ready``.

        Raises:
            VenueTimeout: It did not happen within ``timeout_s`` seconds.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._ready.wait()
        except TimeoutError:
            raise VenueTimeout(f"no order book of {self.symbol} within {timeout_s:g} s") from None

    @property
    def complete_levels(self) -> int:
        """How many levels of each side, from the best, are certainly all there; ``ALL_LEVELS`` where the book is whole.

        Beyond the depth of the snapshot only levels that changed since are known.
        """
        last_id, levels = self._complete
        if last_id != self.book.last_id:
            levels = min(self._known_bids(), self._known_asks())
            self._complete = (self.book.last_id, levels)
        return levels

    def on_event(self, payload: msgspec.Raw) -> None:
        """``depthUpdate``."""
        diff = depth_diff(payload)
        match self._sequencer.on_diff(diff):
            case Verdict.APPLY:
                self._apply(diff)
                if self._sequencer.is_live:
                    self._be_ready()
            case Verdict.GAP:
                self._recover("gap")
            case Verdict.HELD if not self.is_filling:
                self.fill()
            case _:
                pass

    def on_link(self, state: LinkState) -> None:
        """The book is good for its id, but without a connection it is not the market's."""
        if state is LinkState.DISCONNECTED:
            self._sequencer.suspend()
            self._ready.clear()
        super().on_link(state)

    def _apply(self, diff: DepthDiff) -> None:
        first_id = self.book.last_id + 1
        if diff.first_id != first_id:
            # An event may reach back before the snapshot; what clients see is contiguous all the same.
            diff = msgspec.structs.replace(diff, first_id=first_id)
        self.book.apply(diff.bids, diff.asks, diff.last_id)
        self.event_ms = diff.event_ms
        if self.book.is_crossed:
            self._must_replace = True
            self._sequencer.restart()
            self._recover("crossed")
            return
        self.topic.publish(DepthChange(diff, "diff", self.book))
        if not self._is_deep_enough():
            self._must_replace = True
            self._sequencer.restart()
            self._recover("shallow")

    def _recover(self, reason: str) -> None:
        self._ready.clear()
        BOOK_RESYNCS.labels(reason=reason).inc()
        log.warning(f"order book of {self.symbol} is rebuilt: {reason}")
        self._recovers_from = reason
        self._report("started", reason)
        self.fill()

    def _be_ready(self) -> None:
        self._ready.set()
        reason, self._recovers_from = self._recovers_from, ""
        if reason:
            self._report("done", reason)

    def _report(self, status: str, reason: str) -> None:
        self.context.reports.publish(
            SystemEvent(event=RESYNC, status=status, at_ms=self._now_ms(), symbol=self.symbol, detail=reason)
        )

    async def _fill_once(self) -> None:
        clock, policy, tries = self.context.clock, self.context.policy, 0
        while not self._is_live():
            await self._wait_for_first_event()
            if self._is_live():
                return
            async with self.context.snapshots:
                params = order_book.OrderBookParams(symbol=self.symbol, limit=policy.snapshot_limit)
                snapshot = snapshot_of(self.symbol, await self.context.rest.call(order_book.SPEC, params))
            if self._is_live() or not self.is_active:
                continue
            if not self._take(snapshot):
                tries += 1
                await clock.sleep(BEHIND_DELAY_S * min(tries, MAX_BEHIND))

    async def _wait_for_first_event(self) -> None:
        """Until there is an event to start from, or the stream is on and says nothing."""
        clock, policy = self.context.clock, self.context.policy
        waited_s = 0.0
        while not (self._is_live() or (self.is_active and self._sequencer.buffered)):
            if waited_s >= policy.first_event_s and self.is_active:
                return
            await clock.sleep(policy.poll_s)
            waited_s = waited_s + policy.poll_s if self.is_active else 0.0

    def _take(self, snapshot: BookSnapshot) -> bool:
        """Start from a snapshot; False where it is too old and another one is needed."""
        final_id = max(snapshot.last_id, self._sequencer.newest_id)
        if self._was_served and final_id < self.book.last_id and self._behind < MAX_BEHIND:
            self._behind += 1
            return False
        held = self._sequencer.on_snapshot(snapshot)
        if held is None:
            return False
        self._behind = 0
        target = OrderBook(self.symbol)
        target.load(snapshot)
        while held and target.last_id < self.book.last_id:
            diff = held.pop(0)
            target.apply(diff.bids, diff.asks, diff.last_id)
        self._replace_by(target, snapshot)
        for diff in held:
            if self._sequencer.is_live:
                self._apply(diff)
        if self._sequencer.is_live:
            self._be_ready()
        return True

    def _replace_by(self, target: OrderBook, snapshot: BookSnapshot) -> None:
        """Lead the served book over to ``target`` and tell everyone how."""
        book, old_id = self.book, self.book.last_id
        if self._was_served and target.last_id == old_id and not self._must_replace:
            return
        limit = self.context.policy.snapshot_limit
        self._lowest_bid = snapshot.bids[-1][0] if len(snapshot.bids) >= limit else None
        self._highest_ask = snapshot.asks[-1][0] if len(snapshot.asks) >= limit else None
        self._complete = (-1, 0)
        whole = target.snapshot()
        if self._was_served and target.last_id > old_id:
            bids, asks = book.diff_to(whole)
            diff = DepthDiff(self.symbol, old_id + 1, target.last_id, tuple(bids), tuple(asks), self._now_ms())
            book.apply(diff.bids, diff.asks, diff.last_id)
            change = DepthChange(diff, "resync", book)
        else:
            book.load(whole)
            diff = DepthDiff(self.symbol, whole.last_id, whole.last_id, whole.bids, whole.asks, self._now_ms())
            change = DepthChange(diff, "restart", book)
        self._was_served, self._must_replace = True, False
        self.event_ms = diff.event_ms
        self.topic.publish(change)

    def _is_live(self) -> bool:
        """A method, since a type checker takes a property to stay as it is across an await."""
        return self._sequencer.is_live

    def _now_ms(self) -> int:
        return self.context.clock.now_ns() // 1_000_000

    def _is_deep_enough(self) -> bool:
        """Whether the levels known for certain still reach beyond the top of the book."""
        wanted = self.context.policy.refill_levels
        if self._lowest_bid is not None:
            bids = self.book.bids(wanted)
            if len(bids) < wanted or bids[-1][0] < self._lowest_bid:
                return False
        if self._highest_ask is not None:
            asks = self.book.asks(wanted)
            if len(asks) < wanted or asks[-1][0] > self._highest_ask:
                return False
        return True

    def _known_bids(self) -> int:
        floor = self._lowest_bid
        return ALL_LEVELS if floor is None else sum(price >= floor for price, _ in self.book.bids())

    def _known_asks(self) -> int:
        ceiling = self._highest_ask
        return ALL_LEVELS if ceiling is None else sum(price <= ceiling for price, _ in self.book.asks())
