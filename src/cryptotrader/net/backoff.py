"""When to try again to connect. Pure: randomness and time are handed in."""

from __future__ import annotations

from collections.abc import Callable

from cryptotrader.core.clock import NS_PER_S

BASE_DELAY_S = 0.5
"""Upper bound of the first delay. Unit: seconds. Reason: a restart of a local venue is over within a second."""

MAX_DELAY_S = 30.0
"""Upper bound of every delay. Unit: seconds. Reason: a venue that comes back should not wait long for us."""

BUDGET_BURST = 60
"""Attempts that may follow each other at once. Unit: connections."""

BUDGET_RATE_PER_S = 0.3
"""Attempts a second in the long run. Reason: with the burst this is 150 in five minutes, half of the 300 that Binance
allows per IP (``web-socket-streams.md``, "WebSocket Limits"), since other programs may share the address."""


class Backoff:
    """Exponential backoff with full jitter; it never gives up.

    The n-th delay is drawn evenly from 0 to ``min(max_s, base_s * 2**n)``, so that many clients of a venue that comes
    back do not return in step.

    Args:
        draw: Returns a number of [0, 1).
        base_s: Upper bound of the first delay in seconds; above 0.
        max_s: Upper bound of every delay in seconds.
    """

    def __init__(self, draw: Callable[[], float], *, base_s: float = BASE_DELAY_S, max_s: float = MAX_DELAY_S) -> None:
        if not 0 < base_s <= max_s:
            raise ValueError("delays must be positive, the base not above the maximum")
        self._draw = draw
        self._base_s = base_s
        self._max_s = max_s
        self.attempts = 0
        """Failures since the last success."""

    def next_delay_s(self) -> float:
        """Count one failure; seconds to wait before the next attempt."""
        # 2**64 seconds exceed every maximum; the cap keeps the power small however long an outage lasts.
        ceiling = min(self._max_s, self._base_s * 2.0 ** min(self.attempts, 64))
        self.attempts += 1
        return self._draw() * ceiling

    def reset(self) -> None:
        """The connection works."""
        self.attempts = 0


class ConnectionBudget:
    """How often all links of a process together may connect to a venue.

    Args:
        rate_per_s: Attempts that become free each second.
        burst: Most attempts saved up; it starts full.
    """

    def __init__(self, *, rate_per_s: float = BUDGET_RATE_PER_S, burst: int = BUDGET_BURST) -> None:
        if rate_per_s <= 0 or burst < 1:
            raise ValueError("a budget must allow something")
        self._rate_per_s = rate_per_s
        self._burst = float(burst)
        self._saved = float(burst)
        self._last_ns: int | None = None

    def reserve(self, now_ns: int) -> float:
        """Take one attempt; seconds to wait before making it (0.0 where it may be made at once).

        Attempts taken in advance make later ones wait longer, so that no order of callers exceeds the rate.
        """
        if self._last_ns is not None:
            earned = max(0, now_ns - self._last_ns) / NS_PER_S * self._rate_per_s
            self._saved = min(self._burst, self._saved + earned)
        self._last_ns = now_ns
        self._saved -= 1
        return max(0.0, -self._saved / self._rate_per_s)
