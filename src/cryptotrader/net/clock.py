"""The machine's own clock."""

from __future__ import annotations

import time


class SystemClock:
    """``core.clock.Clock`` on the operating system's clocks."""

    def now_ns(self) -> int:
        """Wall-clock time in nanoseconds since 1970-01-01 UTC."""
        return time.time_ns()

    def monotonic_ns(self) -> int:
        """Nanoseconds that never go back."""
        return time.monotonic_ns()
