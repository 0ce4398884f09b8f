"""The clock port. Pure code is given times; shells ask a ``Clock``; tests hand in one that they turn themselves."""

from __future__ import annotations

from typing import Protocol

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000


class Clock(Protocol):
    """Where time comes from."""

    def now_ns(self) -> int:
        """Wall-clock time in nanoseconds since 1970-01-01 UTC."""
        ...

    def monotonic_ns(self) -> int:
        """Nanoseconds that never go back; only differences mean something."""
        ...


def to_ms(time_ns: int) -> int:
    """Epoch nanoseconds to epoch milliseconds, cut."""
    return time_ns // NS_PER_MS
