"""Who moves the market of the paper exchange: the port that a recording and the synthetic market both fill.

A source is driven from outside: it is told the time and hands over the events that are due. It never reads a clock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from cryptotrader.core.events import BookSnapshot, BookTicker, Candle, DepthDiff, Trade

MarketEvent = BookSnapshot | DepthDiff | Trade | BookTicker


class MarketHistory(Protocol):
    """What happened before the source started, made up from a seed but consistent."""

    def candles(
        self,
        symbol: str,
        interval: str,
        *,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 500,
    ) -> list[Candle]:
        """Candles that opened in ``[start_ms, end_ms]`` and before the live start, oldest first.

        As Binance's ``klines``: with a start the first ``limit`` from there, otherwise the last ``limit``. The candle
        in which the live market starts is the last; it is open, and holds what came before the start.

        Raises:
            ValueError: No such interval.
            KeyError: The source does not serve the symbol.
        """
        ...

    def trades(self, symbol: str, limit: int = 500) -> list[Trade]:
        """The last ``limit`` trades before the live start, oldest first; ids end right before the first live one."""
        ...


class MarketSource(Protocol):
    """A stream of market events for some symbols: ``start`` or ``resume`` once, then ``advance`` again and again."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols that this source serves, upper case."""
        ...

    @property
    def history(self) -> MarketHistory:
        """The past before the start; valid after ``start`` or ``resume``."""
        ...

    def start(self, now_ns: int) -> None:
        """Begin at ``now_ns`` (epoch nanoseconds)."""
        ...

    def snapshot(self, symbol: str) -> BookSnapshot:
        """The whole book as far as events were handed over. Later diffs continue it by Binance's recipe."""
        ...

    def advance(self, now_ns: int, max_events: int) -> list[MarketEvent]:
        """At most ``max_events`` events that are due by ``now_ns``, in order; ask again until fewer come."""
        ...

    def next_due_ns(self) -> int | None:
        """When the next event is due (epoch nanoseconds; 0 for "at once"), None while nothing will come by itself."""
        ...

    def release(self, symbol: str, now_ns: int) -> None:
        """Somebody watches the symbol now: a source that was told to hold begins."""
        ...

    def checkpoint(self) -> bytes:
        """What ``resume`` needs in another process. Small; store it after ``start`` and with every batch of events."""
        ...

    def resume(self, data: bytes, now_ns: int) -> None:
        """Instead of ``start``: go on with higher ids, as if the market had moved on while the process was away.

        A checkpoint of another market (another recording or seed) means a fresh start.

        Raises:
            ConfigError: The checkpoint cannot be read.
        """
        ...


@runtime_checkable
class FedSource(Protocol):
    """A source whose events come when they come, so that nobody can know when the next is due."""

    def call_when_due(self, wake: Callable[[], None]) -> None:
        """Tell ``wake`` whenever there is something to hand over."""
        ...
