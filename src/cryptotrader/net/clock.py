"""The machine's own clock."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

from cryptotrader.core.clock import Clock


class WaitingClock(Clock, Protocol):
    """A clock that can also be waited on, so that a test can turn the waiting as well as the time."""

    async def sleep(self, delay_s: float) -> None:
        """Return after ``delay_s`` seconds; at once, but not before other tasks had a turn, where it is 0 or less."""
        ...


class SystemClock:
    """``core.clock.Clock`` on the operating system's clocks."""

    def now_ns(self) -> int:
        """Wall-clock time in nanoseconds since 1970-01-01 UTC."""
        return time.time_ns()

    monotonic_ns = staticmethod(time.monotonic_ns)
    """Nanoseconds that never go back. Not a method of our own, since every stream message asks for it."""

    async def sleep(self, delay_s: float) -> None:
        """Wait for real."""
        await asyncio.sleep(max(0.0, delay_s))
