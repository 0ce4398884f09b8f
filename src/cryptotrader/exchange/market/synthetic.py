"""The synthetic market: symbols that always move, made up from a seed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from heapq import heapify, heapreplace

import msgspec

from cryptotrader.core.clock import NS_PER_MS, NS_PER_S
from cryptotrader.core.errors import ConfigError
from cryptotrader.core.events import BookSnapshot
from cryptotrader.exchange.market.crowd import Crowd
from cryptotrader.exchange.market.history import Anchor, SeededHistory, SymbolPast
from cryptotrader.exchange.market.profiles import PROFILES
from cryptotrader.exchange.market.source import MarketEvent
from cryptotrader.market.candles import SECOND_MS


class _Checkpoint(msgspec.Struct, frozen=True):
    seed: int
    anchor_ms: int


class SyntheticSource:
    """Some of the ten symbols as a market source.

    The events depend on the seed and the start alone, not on how often ``advance`` is called. Ids and prices are
    functions of wall time, so a resumed market goes on where it would be by then; only the resting levels are new.

    Args:
        seed: Same seed and start, same market.
        symbols: Which of ``PROFILES``; all by default.

    Raises:
        ConfigError: A symbol that has no profile.
    """

    def __init__(self, *, seed: int = 1, symbols: Iterable[str] | None = None) -> None:
        self._seed = seed
        self._symbols = tuple(PROFILES) if symbols is None else tuple(symbols)
        unknown = [symbol for symbol in self._symbols if symbol not in PROFILES]
        if unknown:
            raise ConfigError(f"synthetic market: unknown symbol {unknown[0]}; there are {', '.join(PROFILES)}")
        self._crowds: dict[str, Crowd] = {}
        self._schedule: list[tuple[int, str]] = []
        self._pending: deque[MarketEvent] = deque()
        self._history = SeededHistory({})
        self._anchor_ms = 0

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
        self._open(now_ms, now_ms // SECOND_MS * SECOND_MS)

    def snapshot(self, symbol: str) -> BookSnapshot:
        """The book of a symbol; it may be a step ahead of the events handed over, whose diffs are then old."""
        return self._crowds[symbol].book.snapshot()

    def advance(self, now_ns: int, max_events: int) -> list[MarketEvent]:
        """Events whose time has come, in the order of their times, at most ``max_events``."""
        now_ms = now_ns // NS_PER_MS
        pending, schedule = self._pending, self._schedule
        while len(pending) < max_events and schedule and schedule[0][0] <= now_ms:
            symbol = schedule[0][1]
            crowd = self._crowds[symbol]
            pending.extend(crowd.step())
            heapreplace(schedule, (crowd.due_ms, symbol))
        return [pending.popleft() for _ in range(min(max_events, len(pending)))]

    def next_due_ns(self) -> int | None:
        """When the next step is due."""
        if self._pending:
            return 0
        return self._schedule[0][0] * NS_PER_MS if self._schedule else None

    def release(self, symbol: str, now_ns: int) -> None:
        """Nothing to do: a synthetic market never waits."""

    def checkpoint(self) -> bytes:
        """The seed and where the paths are pinned down; the same from start to end."""
        return msgspec.json.encode(_Checkpoint(seed=self._seed, anchor_ms=self._anchor_ms))

    def resume(self, data: bytes, now_ns: int) -> None:
        """Go on along the same paths from the next whole second; what happened meanwhile is part of the history.

        Not from the second before: the process that was killed may have handed over events of it, and ids must grow.
        With another seed the market begins anew; its ids still grow, since they follow wall time.
        """
        try:
            saved = msgspec.json.decode(data, type=_Checkpoint)
        except msgspec.MsgspecError as problem:
            raise ConfigError(f"synthetic market: unreadable checkpoint: {problem}") from None
        if saved.seed != self._seed:
            self.start(now_ns)
            return
        self._open(saved.anchor_ms, -(-now_ns // NS_PER_S) * SECOND_MS)

    def _open(self, anchor_ms: int, start_ms: int) -> None:
        self._anchor_ms = anchor_ms
        pasts = {
            symbol: SymbolPast(
                PROFILES[symbol], self._seed, anchor=Anchor(anchor_ms, PROFILES[symbol].price), end_ms=start_ms
            )
            for symbol in self._symbols
        }
        self._history = SeededHistory(pasts)
        self._crowds = {symbol: Crowd(past, self._seed, start_ms) for symbol, past in pasts.items()}
        self._schedule = [(crowd.due_ms, symbol) for symbol, crowd in self._crowds.items()]
        heapify(self._schedule)
        self._pending.clear()
