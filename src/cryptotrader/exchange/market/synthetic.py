"""The synthetic market: symbols that always move, made up from a seed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from fractions import Fraction
from heapq import heapify, heapreplace
from typing import assert_never

import msgspec

from cryptotrader.core.clock import NS_PER_MS, NS_PER_S
from cryptotrader.core.errors import ConfigError
from cryptotrader.core.events import BookSnapshot, BookTicker, DepthDiff, Trade
from cryptotrader.exchange.market.control import PlayState, speed_text
from cryptotrader.exchange.market.crowd import IDS_PER_STEP, Crowd
from cryptotrader.exchange.market.history import LISTED_MS, Anchor, SeededHistory, SymbolPast
from cryptotrader.exchange.market.playhead import Playhead
from cryptotrader.exchange.market.profiles import PROFILES
from cryptotrader.exchange.market.source import MarketEvent
from cryptotrader.market.candles import SECOND_MS


class _Pin(msgspec.Struct, frozen=True):
    """Where one symbol is pinned down."""

    price: int
    trade_shift: int = 0
    update_shift: int = 0


class _Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    seed: int
    """As configured: with another one the market begins anew."""
    anchor_ms: int
    played_seed: int | None = None
    """The seed in use where it was changed while the market ran."""
    pins: dict[str, _Pin] = {}
    playhead: Playhead | None = None


class SyntheticSource:
    """Some of the made-up symbols as a market source.

    The events depend on the seed and the start alone, not on how often ``advance`` is called. Ids and prices are
    functions of the market's time, so a resumed market goes on where it would be by then; only the resting levels are
    new. The market's time is wall time until somebody pauses the market or changes its speed; its events are stamped
    with the wall time at which they happen all the same.

    Args:
        seed: Same seed and start, same market.
        symbols: Which of ``PROFILES``; all by default.

    Raises:
        ConfigError: A symbol that has no profile.
    """

    def __init__(self, *, seed: int = 1, symbols: Iterable[str] | None = None) -> None:
        self._configured_seed = self._seed = seed
        self._symbols = tuple(PROFILES) if symbols is None else tuple(symbols)
        unknown = [symbol for symbol in self._symbols if symbol not in PROFILES]
        if unknown:
            raise ConfigError(f"synthetic market: unknown symbol {unknown[0]}; there are {', '.join(PROFILES)}")
        self._pasts: dict[str, SymbolPast] = {}
        self._crowds: dict[str, Crowd] = {}
        self._schedule: list[tuple[int, str]] = []
        self._pending: deque[MarketEvent] = deque()
        self._history = SeededHistory({})
        self._anchor_ms = 0
        self._pins: dict[str, _Pin] = {}
        self._playhead: Playhead | None = None
        """None while the market's time is wall time."""
        self._granted = 0
        self._stamp_ms = 0

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols served."""
        return self._symbols

    @property
    def history(self) -> SeededHistory:
        """The past before the start."""
        return self._history

    def start(self, now_ns: int) -> None:
        """Begin at the whole second before ``now_ns``, at the profiles' prices."""
        now_ms = now_ns // NS_PER_MS
        self._playhead = None
        self._open(now_ms, now_ms // SECOND_MS * SECOND_MS)

    def snapshot(self, symbol: str) -> BookSnapshot:
        """The book of a symbol; it may be a step ahead of the events handed over, whose diffs are then old."""
        return self._crowds[symbol].book.snapshot()

    def advance(self, now_ns: int, max_events: int) -> list[MarketEvent]:
        """Events whose time has come, in the order of their times, at most ``max_events``."""
        head = self._playhead
        if head is None:
            events = self._take(now_ns // NS_PER_MS, max_events)
            for event in reversed(events):
                if isinstance(event, DepthDiff):
                    self._stamp_ms = event.event_ms
                    break
            return events
        if not head.is_paused:
            return [
                self._stamped(event, head) for event in self._take(head.position_at(now_ns) // NS_PER_MS, max_events)
            ]
        wanted = min(max_events, self._granted)
        events = self._take(None, wanted)
        self._granted -= len(events)
        if events:
            position_ms = min(self._schedule[0][0], max(crowd.due_ms for crowd in self._crowds.values())) - 1
            self._playhead = head = msgspec.structs.replace(
                head, anchor_ns=now_ns, position_ns=max(head.position_ns, position_ms * NS_PER_MS)
            )
        self._stamp_ms = max(self._stamp_ms, now_ns // NS_PER_MS)
        return [_at(event, self._stamp_ms) for event in events]

    def _take(self, until_ms: int | None, count: int) -> list[MarketEvent]:
        pending, schedule = self._pending, self._schedule
        while len(pending) < count and schedule and (until_ms is None or schedule[0][0] <= until_ms):
            symbol = schedule[0][1]
            crowd = self._crowds[symbol]
            pending.extend(crowd.step())
            heapreplace(schedule, (crowd.due_ms, symbol))
        return [pending.popleft() for _ in range(min(count, len(pending)))]

    def next_due_ns(self) -> int | None:
        """When the next step is due; None while paused."""
        head = self._playhead
        if head is not None and head.is_paused:
            return 0 if self._granted else None
        if self._pending:
            return 0
        if not self._schedule:
            return None
        due_ns = self._schedule[0][0] * NS_PER_MS
        return due_ns if head is None else head.due_ns(due_ns)

    def release(self, symbol: str, now_ns: int) -> None:
        """Nothing to do: a synthetic market never waits."""

    # Control

    def state(self, now_ns: int) -> PlayState:
        """What the market does now."""
        head = self._playhead
        return PlayState(
            kind="synthetic",
            symbols=self._symbols,
            is_paused=head is not None and head.is_paused,
            speed=speed_text(head.speed if head is not None else Fraction(1)),
            seed=self._seed,
        )

    def pause(self, now_ns: int) -> None:
        """Let the market's time stand still."""
        self._playhead = self._head(now_ns).moved(now_ns, is_paused=True)

    def play(self, now_ns: int) -> None:
        """Go on after ``pause``."""
        self._granted = 0
        self._playhead = self._head(now_ns).moved(now_ns, is_paused=False)

    def step(self, count: int, now_ns: int) -> None:
        """Hand over the next ``count`` events of a paused market.

        Raises:
            ValueError: It is not paused.
        """
        if self._playhead is None or not self._playhead.is_paused:
            raise ValueError("only a paused market can be stepped")
        self._granted += count

    def set_speed(self, speed: Fraction | None, now_ns: int) -> None:
        """Change the speed from here on.

        Raises:
            ValueError: ``None``: a market that never ends cannot be played as fast as it can be taken.
        """
        if speed is None:
            raise ValueError("a synthetic market needs a number for its speed")
        self._playhead = self._head(now_ns).moved(now_ns, speed=speed)

    def seek(self, offset_ns: int, now_ns: int) -> None:
        """There is nowhere to go.

        Raises:
            ValueError: Always.
        """
        raise ValueError("a synthetic market has no places to seek; change its seed or its speed")

    def reseed(self, seed: int, now_ns: int) -> None:
        """Go on from the present prices as another seed has it; consumers need a fresh ``snapshot``."""
        head = self._playhead
        position_ns = now_ns if head is None else head.position_at(now_ns)
        self._move(position_ns, now_ns, seed=seed)

    def _head(self, now_ns: int) -> Playhead:
        return self._playhead or Playhead(now_ns, now_ns)

    # Across processes

    def checkpoint(self) -> bytes:
        """The seed and where the paths are pinned down; the same from start to end unless somebody controls it."""
        return msgspec.json.encode(
            _Checkpoint(
                seed=self._configured_seed,
                played_seed=self._seed,
                anchor_ms=self._anchor_ms,
                pins=self._pins,
                playhead=self._playhead,
            )
        )

    def resume(self, data: bytes, now_ns: int) -> None:
        """Go on along the same paths from the next whole second; what happened meanwhile is part of the history.

        Not from the second before: the process that was killed may have handed over events of it, and ids must grow.
        Where the market's time was no longer wall time the past is made up anew, so that it ends here and now.
        With another seed than configured before the market begins anew; its ids still grow, since they follow the time.
        """
        try:
            saved = msgspec.json.decode(data, type=_Checkpoint)
        except msgspec.MsgspecError as problem:
            raise ConfigError(f"synthetic market: unreadable checkpoint: {problem}") from None
        if saved.seed != self._configured_seed:
            self.start(now_ns)
            return
        self._seed = saved.seed if saved.played_seed is None else saved.played_seed
        self._playhead = saved.playhead
        head = saved.playhead
        position_ns = now_ns if head is None else head.position_at(now_ns)
        self._open(saved.anchor_ms, _ceil_second_ms(position_ns), saved.pins)
        if head is not None:
            self._move(position_ns, now_ns, seed=self._seed)

    def _move(self, position_ns: int, now_ns: int, *, seed: int) -> None:
        """Pin the paths down at the next whole second of wall time, at the present prices, with higher ids."""
        start_ms, passed_ms = _ceil_second_ms(now_ns), _ceil_second_ms(position_ns)
        pins: dict[str, _Pin] = {}
        for symbol in self._symbols:
            profile, past, crowd, pin = PROFILES[symbol], self._pasts[symbol], self._crowds[symbol], self._pins[symbol]
            price = max(1, round(past.price_at(position_ns // NS_PER_MS) / profile.tick)) * profile.tick
            plain = SymbolPast(profile, seed, anchor=Anchor(start_ms, price))
            # A second more than was passed: a process that was killed may have been ahead of what it wrote.
            next_trade = past.trades_until(max(passed_ms, crowd.due_ms) + SECOND_MS)
            next_update = crowd.book.last_id + IDS_PER_STEP * (SECOND_MS // profile.step_ms + 1)
            update_id = (start_ms - LISTED_MS) // profile.step_ms * IDS_PER_STEP
            pins[symbol] = _Pin(
                price=price,
                trade_shift=max(pin.trade_shift, next_trade - plain.trades_until(start_ms)),
                update_shift=max(pin.update_shift, next_update - update_id),
            )
        self._seed = seed
        if self._playhead is not None:
            position_ns = start_ms * NS_PER_MS
            self._playhead = msgspec.structs.replace(self._playhead, anchor_ns=now_ns, position_ns=position_ns)
        self._open(start_ms, start_ms, pins)

    def _open(self, anchor_ms: int, start_ms: int, pins: Mapping[str, _Pin] | None = None) -> None:
        self._anchor_ms = anchor_ms
        self._pins = {symbol: (pins or {}).get(symbol) or _Pin(PROFILES[symbol].price) for symbol in self._symbols}
        self._pasts = {
            symbol: SymbolPast(
                PROFILES[symbol],
                self._seed,
                anchor=Anchor(anchor_ms, pin.price),
                end_ms=start_ms,
                id_shift=pin.trade_shift,
            )
            for symbol, pin in self._pins.items()
        }
        self._history = SeededHistory(self._pasts)
        self._crowds = {
            symbol: Crowd(past, self._seed, start_ms=start_ms, id_shift=self._pins[symbol].update_shift)
            for symbol, past in self._pasts.items()
        }
        self._schedule = [(crowd.due_ms, symbol) for symbol, crowd in self._crowds.items()]
        heapify(self._schedule)
        self._pending.clear()
        self._granted = 0

    def _stamped(self, event: MarketEvent, head: Playhead) -> MarketEvent:
        """With the wall time at which the market's time is that of the event; never before the one before."""
        if isinstance(event, DepthDiff | Trade):
            self._stamp_ms = max(self._stamp_ms, head.due_ns(event.event_ms * NS_PER_MS) // NS_PER_MS)
        return _at(event, self._stamp_ms)


def _ceil_second_ms(time_ns: int) -> int:
    return -(-time_ns // NS_PER_S) * SECOND_MS


def _at(event: MarketEvent, now_ms: int) -> MarketEvent:
    match event:
        case Trade():
            return msgspec.structs.replace(event, time_ms=now_ms, event_ms=now_ms)
        case DepthDiff():
            return msgspec.structs.replace(event, event_ms=now_ms)
        case BookTicker() | BookSnapshot():
            return event
        case _:
            assert_never(event)
