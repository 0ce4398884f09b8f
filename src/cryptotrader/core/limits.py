"""Rate limits as pure values: a time goes in, a verdict comes out."""

from __future__ import annotations

from collections import OrderedDict, deque

from cryptotrader.core.clock import NS_PER_S


class WindowLimit:
    """At most ``limit`` events per key in a sliding window, counted in slots of one second.

    A client that is told to wait for the window's length is never refused after it, and memory is bounded by the
    number of slots, not by the number of events.

    Args:
        limit: Events allowed per window; at least 1.
        window_s: Length of the window in seconds.
        max_keys: How many keys are remembered. When full, the key not seen for longest is forgotten.
    """

    def __init__(self, limit: int, *, window_s: int = 60, max_keys: int = 10_000) -> None:
        if limit < 1 or window_s < 1:
            raise ValueError("limit and window must be positive")
        self.limit = limit
        self._slots = window_s
        self._max_keys = max_keys
        self._logs: OrderedDict[str, _Log] = OrderedDict()

    def allow(self, key: str, now_ns: int, *, limit: int | None = None) -> bool:
        """Count one event of ``key`` if it is within the limit; an event that is refused does not count.

        Args:
            key: Whose event it is.
            now_ns: Monotonic time.
            limit: In place of the common limit; None goes by that.
        """
        log = self._logs.get(key)
        if log is None:
            log = self._logs[key] = _Log()
            if len(self._logs) > self._max_keys:
                self._logs.popitem(last=False)
        else:
            self._logs.move_to_end(key)
        slot = now_ns // NS_PER_S
        log.forget_before(slot - self._slots + 1)
        if log.total >= (self.limit if limit is None else limit):
            return False
        log.count(slot)
        return True


class _Log:
    """Events of one key by second."""

    __slots__ = ("slots", "total")

    def __init__(self) -> None:
        self.slots: deque[list[int]] = deque()
        self.total = 0

    def forget_before(self, slot: int) -> None:
        while self.slots and self.slots[0][0] < slot:
            self.total -= self.slots.popleft()[1]

    def count(self, slot: int) -> None:
        if not self.slots or self.slots[-1][0] != slot:
            self.slots.append([slot, 0])
        self.slots[-1][1] += 1
        self.total += 1


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
