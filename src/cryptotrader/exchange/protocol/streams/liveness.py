"""When a connection is pinged, given up for dead or at the end of its day. Pure: times in, a verdict out."""

from __future__ import annotations

from collections import deque
from enum import Enum

from cryptotrader.core.clock import NS_PER_S
from cryptotrader.exchange.protocol.streams.policy import WsPolicy


class Due(Enum):
    """What has to be done now."""

    NOTHING = "nothing"
    PING = "ping"
    DEAD = "dead"
    """No pong in time: drop the connection."""
    OVER = "over"
    """The connection has lived as long as it may: close it."""


class Liveness:
    """Deadlines of one connection.

    Args:
        policy: Interval, timeout and lifetime.
        now_ns: When it was opened; any clock that never goes back.
    """

    def __init__(self, policy: WsPolicy, now_ns: int) -> None:
        self._interval_ns = int(policy.ping_interval_s * NS_PER_S)
        self._timeout_ns = int(policy.pong_timeout_s * NS_PER_S)
        self._ends_ns = now_ns + int(policy.lifetime_s * NS_PER_S)
        self._next_ping_ns = now_ns + self._interval_ns
        self._pings: deque[tuple[bytes, int]] = deque()

    @property
    def deadline_ns(self) -> int:
        """When ``poll`` has something to say at the earliest."""
        dead_ns = self._pings[0][1] + self._timeout_ns if self._pings else self._ends_ns
        return min(self._next_ping_ns, dead_ns, self._ends_ns)

    def poll(self, now_ns: int) -> Due:
        """What is due. After ``PING`` call ``pinged``."""
        if now_ns >= self._ends_ns:
            return Due.OVER
        if self._pings and now_ns >= self._pings[0][1] + self._timeout_ns:
            return Due.DEAD
        return Due.PING if now_ns >= self._next_ping_ns else Due.NOTHING

    def pinged(self, payload: bytes, now_ns: int) -> None:
        """A ping was sent."""
        self._pings.append((payload, now_ns))
        self._next_ping_ns = now_ns + self._interval_ns

    def ponged(self, payload: bytes) -> None:
        """A pong came; one that copies a ping answers that ping and all before it, any other counts for nothing."""
        if any(sent == payload for sent, _ in self._pings):
            while self._pings.popleft()[0] != payload:
                pass


class MessageRate:
    """At most ``limit`` messages in any ``window_s``."""

    def __init__(self, limit: int, window_s: float) -> None:
        self._window_ns = int(window_s * NS_PER_S)
        self._times: deque[int] = deque(maxlen=limit)

    def allow(self, now_ns: int) -> bool:
        """Count a message; False where it is one too many."""
        times = self._times
        if len(times) == times.maxlen and now_ns - times[0] < self._window_ns:
            return False
        times.append(now_ns)
        return True
