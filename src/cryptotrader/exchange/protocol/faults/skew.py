"""The time that the exchange tells, which a fault may move."""

from __future__ import annotations

from cryptotrader.core.clock import NS_PER_MS, Clock, to_ms
from cryptotrader.exchange.protocol.faults.book import FaultBook


class ReportedClock:
    """``Clock`` that is off by what ``clock_skew`` says.

    What clients see of the time, and what their timestamps are held against; the exchange itself goes by its own.
    """

    def __init__(self, clock: Clock, faults: FaultBook) -> None:
        self._clock = clock
        self._faults = faults

    def now_ns(self) -> int:
        """Wall-clock time in nanoseconds since 1970-01-01 UTC, as it is told."""
        now_ns = self._clock.now_ns()
        return now_ns + self._faults.skew_ms(to_ms(now_ns)) * NS_PER_MS

    def monotonic_ns(self) -> int:
        """Nanoseconds that never go back."""
        return self._clock.monotonic_ns()
