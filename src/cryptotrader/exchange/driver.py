"""Drives the market sources: hands over what is due, in small slices, and says how long nothing will be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from cryptotrader.core.clock import NS_PER_MS, NS_PER_S, Clock, to_ms
from cryptotrader.exchange.market.source import MarketEvent, MarketSource

BATCH_EVENTS = 64
"""Market events taken from a source at a time. Unit: events. Reason: a few milliseconds of work between two looks at
the clock."""

SLICE_NS = 4 * NS_PER_MS
"""How long the market may move before others get their turn. Unit: nanoseconds. Reason: orders must not wait behind a
recording that plays as fast as it can."""

IDLE_S = 0.25
"""Longest sleep without a look at the sources. Unit: seconds. Reason: a clock that was set must be noticed soon."""


LEAP_NS = 60 * NS_PER_S
"""Time not looked at after which the market goes on in the present instead of catching up. Unit: nanoseconds. Reason: a
minute is replayed in well under a second; a night in which the machine slept would take minutes of full load."""

SLOWDOWN = 2
"""How much slower the market runs while the wall clock is behind it. Reason: it must not stop, and it must meet the
wall clock again."""


Feed = Callable[[MarketEvent, int], None]
"""Gets an event and the time in epoch milliseconds."""


class MarketClock:
    """Wall time that never goes back.

    Where the wall clock is set back, the market goes on at half its speed until the wall clock has caught up: ids and
    times of a market only ever grow, and a market that stood still for as long as the step would look dead.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._now_ns = clock.now_ns()
        self._steady_ns = clock.monotonic_ns()

    def now_ns(self) -> int:
        """Epoch nanoseconds; never less than before."""
        wall_ns, steady_ns = self._clock.now_ns(), self._clock.monotonic_ns()
        slow_ns = self._now_ns + (steady_ns - self._steady_ns) // SLOWDOWN
        self._now_ns, self._steady_ns = (wall_ns if wall_ns >= self._now_ns else slow_ns), steady_ns
        return self._now_ns


class MarketDriver:
    """Sources in the order in which they were named.

    Args:
        sources: Who moves the market; where two serve a symbol, the last one counts.
        clock: Real time for what is due, monotonic time for the length of a slice.
    """

    def __init__(self, sources: Sequence[MarketSource], clock: Clock) -> None:
        self.sources = tuple(sources)
        self.by_symbol: dict[str, MarketSource] = {
            symbol: source for source in self.sources for symbol in source.symbols
        }
        self._clock = clock
        self._market_clock = MarketClock(clock)
        self._seen_ns = self._market_clock.now_ns()

    def start(self, checkpoints: Mapping[str, bytes]) -> int:
        """Start every source, or let it go on where its checkpoint says; returns the time (epoch nanoseconds)."""
        now_ns = self._seen_ns = self._market_clock.now_ns()
        for source in self.sources:
            data = checkpoints.get(_name(source))
            if data is None:
                source.start(now_ns)
            else:
                source.resume(data, now_ns)
        return now_ns

    def checkpoints(self) -> list[tuple[str, bytes]]:
        """(name, data) of every source."""
        return [(_name(source), source.checkpoint()) for source in self.sources]

    def release(self, symbol: str) -> bool:
        """Somebody watches the symbol now; False where no source serves it."""
        source = self.by_symbol.get(symbol)
        if source is not None:
            source.release(symbol, self._market_clock.now_ns())
        return source is not None

    def control(self, act: Callable[[MarketSource, int], bool], sources: Sequence[MarketSource], *, feed: Feed) -> None:
        """Do something to some sources; where ``act`` says so, the books are shown anew.

        Raises:
            ValueError: A source refuses; those before it have changed.
        """
        for source in sources:
            now_ns = self._market_clock.now_ns()
            if act(source, now_ns):
                for symbol in source.symbols:
                    if self.by_symbol[symbol] is source:
                        feed(source.snapshot(symbol), to_ms(now_ns))

    def now_ns(self) -> int:
        """The market's time (epoch nanoseconds); never less than before."""
        return self._market_clock.now_ns()

    def advance(self, feed: Feed) -> bool:
        """Call ``feed`` with (event, time in epoch ms) for what is due, for ``SLICE_NS`` at most; True: more is due."""
        started_ns = self._clock.monotonic_ns()
        more = False
        self._leap(feed)
        for source in self.sources:
            while True:
                now_ns = self._market_clock.now_ns()
                events = source.advance(now_ns, BATCH_EVENTS)
                now_ms = to_ms(now_ns)
                for event in events:
                    feed(event, now_ms)
                if len(events) < BATCH_EVENTS:
                    break
                if self._clock.monotonic_ns() - started_ns > SLICE_NS:
                    more = True
                    break
        return more

    def _leap(self, feed: Feed) -> None:
        """Where a long time was slept through, go on as after a restart: newer ids, and a book of the present."""
        now_ns = self._market_clock.now_ns()
        slept_ns, self._seen_ns = now_ns - self._seen_ns, now_ns
        if slept_ns < LEAP_NS:
            return
        for source in self.sources:
            source.resume(source.checkpoint(), now_ns)
        for symbol, source in self.by_symbol.items():
            feed(source.snapshot(symbol), to_ms(now_ns))

    def idle_s(self) -> float:
        """How long until something is due, at most ``IDLE_S``. Unit: seconds."""
        dues = [due for source in self.sources if (due := source.next_due_ns()) is not None]
        if not dues:
            return IDLE_S
        return min(max((min(dues) - self._market_clock.now_ns()) / NS_PER_S, 0.0), IDLE_S)


def _name(source: MarketSource) -> str:
    """What a checkpoint is kept under: the symbols, since the order of sources may change."""
    return ",".join(source.symbols)
