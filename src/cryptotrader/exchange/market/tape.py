"""Plays a recording as a live market: the recorded ids, prices and distances in time, but in the present.

Depth diffs, trades and tops are handed over exactly as they were recorded, only their times are shifted. The opening
book is the recorded REST snapshot although a few diffs precede it in the recording, as they do for anyone who follows
Binance's recipe (``web-socket-streams.md``, "How to manage a local order book correctly"): a consumer drops those with
``u <= lastUpdateId``.

At the end of a looped tape comes a seam: one depth diff from the closing book to the opening book, and the top of book
that results. Each further loop shifts update ids and trade ids by a constant, so that both stay contiguous.
"""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction

import msgspec

from cryptotrader.core.clock import NS_PER_MS, NS_PER_S
from cryptotrader.core.errors import ConfigError
from cryptotrader.core.events import BookSnapshot, BookTicker, DepthDiff, Trade
from cryptotrader.exchange.market.control import PlayState, speed_text
from cryptotrader.exchange.market.history import Anchor, SeededHistory, SymbolPast
from cryptotrader.exchange.market.playhead import Playhead, TapeMark
from cryptotrader.exchange.market.profiles import profile_like
from cryptotrader.exchange.market.recordings.columns import DEPTH, TRADE, Recording
from cryptotrader.exchange.market.source import MarketEvent
from cryptotrader.market.book import OrderBook

SEAM_PAUSE_NS = 100 * NS_PER_MS
"""Time between the last event of a loop and the seam. Reason: the interval of depth diffs, so nothing looks odd."""

MAX_SPEED_SKIP_LOOPS = 16
"""Loops left out when a tape at ``max`` resumes. Reason: a checkpoint may be a quarter second old, in which a short
tape loops several times, and ids must never be used twice."""

_SEAM_DIFF, _SEAM_TOP = -2, -1
"""Cursor places before the first recorded event of every loop but the first."""

_NS_PER_US = 1_000


class TapeSource:
    """One recording as a market source.

    Args:
        recording: What to play.
        speed: Seconds of recording per second; None plays as fast as events are asked for, stamping them with the
            time at which they are handed over.
        loop: Whether to begin again at the end.
        hold: Whether to wait for ``release`` before playing.
        seed: Seed of the made-up past before the recording.
    """

    def __init__(
        self,
        recording: Recording,
        *,
        speed: Fraction | None = Fraction(1),
        loop: bool = False,
        hold: bool = False,
        seed: int = 1,
    ) -> None:
        self._recording = recording
        self._speed = speed
        self._is_looped = loop
        self._is_held = hold
        self._seed = seed
        self._playhead: Playhead | None = None
        self._loop = 0
        self._index = 0
        self._granted = 0
        self._last_ms = {DEPTH: 0, TRADE: 0}
        self._last_trade_ms = 0
        columns = recording.columns
        first_live = recording.first_live_row
        self._first_live_id = (
            columns["depth_first_id"][first_live] if first_live < len(columns["depth_first_id"]) else 0
        )
        last_id = columns["depth_last_id"][-1] if columns["depth_last_id"] else recording.opening.last_id
        self._id_period = last_id - self._first_live_id + 2
        """Update ids per loop: those from the first live diff on, and one for the seam."""
        self._period_ns = recording.length_us * _NS_PER_US + SEAM_PAUSE_NS
        self._history: SeededHistory | None = None

    @property
    def symbols(self) -> tuple[str, ...]:
        """The one symbol of the recording."""
        return (self._recording.symbol,)

    @property
    def history(self) -> SeededHistory:
        """The past before the start."""
        if self._history is None:
            raise RuntimeError("not started")
        return self._history

    def start(self, now_ns: int) -> None:
        """Begin at the first event, unless held."""
        if self._is_looped:
            # Computed here rather than at the first seam, where it would hold up other symbols (0.1 s for ten minutes).
            _ = self._recording.closing
        self._set_history(now_ns)
        if not self._is_held:
            self._playhead = self._new_playhead(now_ns)

    def release(self, symbol: str, now_ns: int) -> None:
        """Begin a held tape."""
        if self._is_held and symbol in self.symbols:
            self._is_held = False
            self._playhead = self._playhead or self._new_playhead(now_ns)

    def snapshot(self, symbol: str) -> BookSnapshot:
        """The book after the events handed over so far, with the ids of this loop."""
        if symbol not in self.symbols:
            raise KeyError(symbol)
        recording, shift = self._recording, self._loop * self._id_period
        depth_rows = self._rows_before(DEPTH)
        if self._loop and self._index == _SEAM_DIFF:
            book = recording.closing
            return BookSnapshot(symbol, book.last_id + shift - self._id_period, book.bids, book.asks)
        if depth_rows <= recording.first_live_row:
            last_id = self._seam_id() if self._loop else recording.opening.last_id
            return BookSnapshot(symbol, last_id, recording.opening.bids, recording.opening.asks)
        book = recording.book_after(depth_rows).snapshot()
        return BookSnapshot(symbol, book.last_id + shift, book.bids, book.asks)

    def advance(self, now_ns: int, max_events: int) -> list[MarketEvent]:
        """Events whose time has come, at most ``max_events``."""
        playhead = self._playhead
        events: list[MarketEvent] = []
        if playhead is None:
            return events
        if playhead.is_paused or self._speed is None:
            budget = max_events if not playhead.is_paused else min(max_events, self._granted)
            while len(events) < budget and not self._is_over:
                self._take(events, now_ns // NS_PER_MS)
            self._granted = max(0, self._granted - len(events))
            return events
        position_ns = playhead.position_at(now_ns)
        while len(events) < max_events and not self._is_over and self._cursor_position_ns() <= position_ns:
            self._take(events, None)
        return events

    def next_due_ns(self) -> int | None:
        """When the next event is due; None when held, paused or at the end."""
        if self._playhead is None or self._is_over:
            return None
        if self._playhead.is_paused:
            return 0 if self._granted else None
        if self._speed is None:
            return 0
        return self._playhead.due_ns(self._cursor_position_ns())

    def checkpoint(self) -> bytes:
        """At a finite speed all that counts is where the playhead started; at ``max`` also the cursor."""
        return msgspec.json.encode(TapeMark(*self._identity(), self._playhead, self._loop, self._index))

    def resume(self, data: bytes, now_ns: int) -> None:
        """Stand where the tape would stand now had it never stopped; begin anew where ``data`` is of another tape."""
        try:
            saved = msgspec.json.decode(data, type=TapeMark)
        except msgspec.MsgspecError as problem:
            raise ConfigError(f"tape: unreadable checkpoint: {problem}") from None
        if (saved.symbol, saved.opening_id, saved.event_count) != self._identity():
            self.start(now_ns)
            return
        if self._is_looped:
            _ = self._recording.closing
        self._loop, self._index = saved.loop, saved.index
        if saved.playhead is not None:
            self._is_held = False
            self._playhead = saved.playhead.moved(now_ns, speed=self._speed)
            if not saved.playhead.is_paused:
                self._catch_up()
        self._set_history(now_ns)

    def _catch_up(self) -> None:
        assert self._playhead is not None
        if self._speed is not None:
            # The clock may have been set back to before the start; the tape then waits at its beginning.
            # Steps and other speeds may have taken the cursor further than the playhead.
            reached = self._loop, self._index
            self._stand_at(max(0, self._playhead.position_ns))
            self._loop, self._index = max(reached, (self._loop, self._index))
        elif self._is_looped:
            self._loop, self._index = self._loop + MAX_SPEED_SKIP_LOOPS, _SEAM_DIFF

    def pause(self, now_ns: int) -> None:
        """Stop where the tape stands."""
        if self._playhead is not None:
            self._playhead = self._playhead.moved(now_ns, is_paused=True)

    def play(self, now_ns: int) -> None:
        """Go on after ``pause``."""
        self._granted = 0
        if self._playhead is not None:
            self._playhead = self._playhead.moved(now_ns, is_paused=False)

    def step(self, count: int, now_ns: int) -> None:
        """Hand over the next ``count`` events of a paused tape.

        Raises:
            ValueError: It is not paused.
        """
        if self._playhead is None or not self._playhead.is_paused:
            raise ValueError("only a paused market can be stepped")
        self._granted += count

    def set_speed(self, speed: Fraction | None, now_ns: int) -> None:
        """Change the speed from here on; None is as fast as asked."""
        if self._playhead is not None:
            if self._speed is None:
                self._playhead = msgspec.structs.replace(
                    self._playhead, position_ns=self._cursor_position_ns(), anchor_ns=now_ns
                )
            self._playhead = self._playhead.moved(now_ns, speed=speed)
        self._speed = speed

    def seek(self, offset_ns: int, now_ns: int) -> None:
        """Jump ahead to a place in the recording, in the next loop where it lies behind; ids only ever grow.

        The events between are left out, so consumers need a fresh ``snapshot``.

        Raises:
            ValueError: The place is outside the recording, or lies behind on a tape that does not loop.
        """
        if self._playhead is None or not 0 <= offset_ns < self._period_ns:
            raise ValueError("no such place on the tape")
        here_ns = self._cursor_position_ns()
        goal_ns = self._loop * self._period_ns + offset_ns
        if goal_ns < here_ns:
            if not self._is_looped:
                raise ValueError("that place lies behind")
            goal_ns += self._period_ns
        self._playhead = msgspec.structs.replace(self._playhead, position_ns=goal_ns, anchor_ns=now_ns)
        self._stand_at(goal_ns)

    def reseed(self, seed: int, now_ns: int) -> None:
        """There is nothing to draw.

        Raises:
            ValueError: Always.
        """
        raise ValueError("a recording has no seed")

    def state(self, now_ns: int) -> PlayState:
        """What the tape does now."""
        here_ns = self._period_ns - 1 if self._is_over else self._cursor_position_ns()
        loop, offset_ns = divmod(here_ns, self._period_ns)
        return PlayState(
            kind="tape",
            symbols=self.symbols,
            is_paused=self._playhead is not None and self._playhead.is_paused,
            speed=speed_text(self._speed),
            position_s=offset_ns / NS_PER_S,
            length_s=self._period_ns / NS_PER_S,
            loop=loop,
            is_held=self._is_held,
            is_over=self._is_over,
        )

    def _identity(self) -> tuple[str, int, int]:
        recording = self._recording
        return recording.symbol, recording.opening.last_id, len(recording)

    @property
    def _is_over(self) -> bool:
        return self._index >= len(self._recording)

    def _set_history(self, now_ns: int) -> None:
        """Make up a past that ends at the last trade before the cursor."""
        recording = self._recording
        columns, row = recording.columns, self._rows_before(TRADE)
        price, next_id = recording.opening.bids[0][0], 1
        if recording.trade_count:
            price = columns["trade_price"][max(0, row - 1)]
            next_id = columns["trade_id"][0] + self._loop * recording.trade_count + row
        profile = profile_like(recording.symbol, price, prices=columns["level_price"], quantities=columns["level_qty"])
        past = SymbolPast(profile, self._seed, anchor=Anchor(now_ns // NS_PER_MS, price), last_trade_id=next_id - 1)
        self._history = SeededHistory({recording.symbol: past})

    def _new_playhead(self, now_ns: int) -> Playhead:
        speed = self._speed if self._speed is not None else Fraction(1)
        return Playhead(now_ns, 0, speed.numerator, speed.denominator)

    def _cursor_position_ns(self) -> int:
        """Timeline position of the event under the cursor."""
        offset_us = self._recording.columns["offset_us"][self._index] if self._index > 0 else 0
        return self._loop * self._period_ns + offset_us * _NS_PER_US

    def _stand_at(self, position_ns: int) -> None:
        """Put the cursor behind every event up to a position."""
        loop, offset_ns = divmod(position_ns, self._period_ns)
        offsets = self._recording.columns["offset_us"]
        if not self._is_looped:
            loop, offset_ns = 0, position_ns
        self._loop = loop
        self._index = bisect_right(offsets, offset_ns // _NS_PER_US)
        if self._is_over and self._is_looped:
            self._loop, self._index = loop + 1, _SEAM_DIFF

    def _rows_before(self, kind: int) -> int:
        """Events of one kind before the cursor in this loop."""
        rows, kinds = self._recording.rows, self._recording.columns["kind"]
        for index in range(max(0, self._index), len(kinds)):
            if kinds[index] == kind:
                return rows[index]
        return kinds.count(kind)

    def _seam_id(self) -> int:
        return self._first_live_id + self._loop * self._id_period - 1

    def _take(self, events: list[MarketEvent], stamp_ms: int | None) -> None:
        """Move the event under the cursor to ``events``; ``stamp_ms`` replaces its own time."""
        index = self._index
        self._index += 1
        if index < 0:
            events.append(self._seam(index, stamp_ms))
        else:
            kind, row = self._recording.columns["kind"][index], self._recording.rows[index]
            event = (self._depth, self._trade, self._top)[kind](row, stamp_ms)
            if event is not None:
                events.append(event)
        if self._is_over and self._is_looped:
            self._loop += 1
            self._index = _SEAM_DIFF

    def _seam(self, place: int, stamp_ms: int | None) -> MarketEvent:
        recording, seam_id = self._recording, self._seam_id()
        opening = recording.opening
        if place == _SEAM_TOP:
            (bid, bid_qty), (ask, ask_qty) = opening.bids[0], opening.asks[0]
            return BookTicker(recording.symbol, seam_id, bid, bid_qty, ask, ask_qty)
        book = OrderBook(recording.symbol)
        book.load(recording.closing)
        bids, asks = book.diff_to(opening)
        event_ms = self._shifted(DEPTH, recording.origin_ms, stamp_ms)
        return DepthDiff(recording.symbol, seam_id, seam_id, tuple(bids), tuple(asks), event_ms)

    def _depth(self, row: int, stamp_ms: int | None) -> DepthDiff | None:
        recording, columns = self._recording, self._recording.columns
        if self._loop and row < recording.first_live_row:
            return None
        shift = self._loop * self._id_period
        bids, asks = recording.levels(row)
        return DepthDiff(
            recording.symbol,
            columns["depth_first_id"][row] + shift,
            columns["depth_last_id"][row] + shift,
            bids,
            asks,
            self._shifted(DEPTH, columns["depth_event_ms"][row], stamp_ms),
        )

    def _trade(self, row: int, stamp_ms: int | None) -> Trade:
        columns = self._recording.columns
        event_ms = self._shifted(TRADE, columns["trade_event_ms"][row], stamp_ms)
        lag_ms = 0 if stamp_ms is not None else columns["trade_event_ms"][row] - columns["trade_time_ms"][row]
        self._last_trade_ms = max(self._last_trade_ms, event_ms - lag_ms)
        return Trade(
            self._recording.symbol,
            columns["trade_id"][row] + self._loop * self._recording.trade_count,
            columns["trade_price"][row],
            columns["trade_qty"][row],
            self._last_trade_ms,
            bool(columns["trade_buyer_is_maker"][row]),
            event_ms,
        )

    def _top(self, row: int, stamp_ms: int | None) -> BookTicker | None:
        columns = self._recording.columns
        update_id = columns["top_update_id"][row]
        if self._loop and update_id < self._first_live_id:
            return None
        return BookTicker(
            self._recording.symbol,
            update_id + self._loop * self._id_period,
            columns["top_bid"][row],
            columns["top_bid_qty"][row],
            columns["top_ask"][row],
            columns["top_ask_qty"][row],
        )

    def _shifted(self, kind: int, recorded_ms: int, stamp_ms: int | None) -> int:
        """An exchange time of the recording in the present; never before the last one of its kind."""
        if stamp_ms is None:
            assert self._playhead is not None
            offset_ns = (recorded_ms - self._recording.origin_ms) * NS_PER_MS
            stamp_ms = self._playhead.due_ns(self._loop * self._period_ns + offset_ns) // NS_PER_MS
        self._last_ms[kind] = max(self._last_ms[kind], stamp_ms)
        return self._last_ms[kind]
