"""Rate limits as pure values: a time goes in, a verdict comes out."""

from __future__ import annotations

from collections import OrderedDict

from cryptotrader.core.clock import NS_PER_S


class WindowLimit:
    """At most ``limit`` events per key in a sliding window, counted in two fixed halves (previous and current).

    The count of the previous window fades out linearly, which bounds bursts at a window's edge without keeping a
    timestamp per event.

    Args:
        limit: Events allowed per window; at least 1.
        window_s: Length of the window in seconds.
        max_keys: How many keys are remembered. When full, the key not seen for longest is forgotten.
    """

    def __init__(self, limit: int, *, window_s: int = 60, max_keys: int = 10_000) -> None:
        if limit < 1 or window_s < 1:
            raise ValueError("limit and window must be positive")
        self.limit = limit
        self._window_ns = window_s * NS_PER_S
        self._max_keys = max_keys
        self._counts: OrderedDict[str, tuple[int, int, int]] = OrderedDict()

    def allow(self, key: str, now_ns: int) -> bool:
        """Count one event of ``key`` if it is within the limit; an event that is refused does not count."""
        window = now_ns // self._window_ns
        last, current, previous = self._counts.get(key, (window, 0, 0))
        if window > last:
            previous = current if window == last + 1 else 0
            current = 0
        elapsed_ns = now_ns - window * self._window_ns
        faded = previous * (self._window_ns - elapsed_ns) // self._window_ns
        allowed = faded + current < self.limit
        self._counts[key] = (window, current + allowed, previous)
        self._counts.move_to_end(key)
        if len(self._counts) > self._max_keys:
            self._counts.popitem(last=False)
        return allowed


class TokenBucket:
    """``rate_per_s`` events a second on average, ``burst`` at once.

    Args:
        rate_per_s: Tokens that flow in each second.
        burst: Most tokens the bucket holds; it starts full.
    """

    def __init__(self, rate_per_s: float, burst: int) -> None:
        self._rate_per_ns = rate_per_s / NS_PER_S
        self._burst = float(burst)
        self._tokens = float(burst)
        self._last_ns: int | None = None

    def allow(self, now_ns: int) -> bool:
        """Take one token if there is one."""
        if self._last_ns is not None:
            self._tokens = min(self._burst, self._tokens + (now_ns - self._last_ns) * self._rate_per_ns)
        self._last_ns = now_ns
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
