"""How often a client may speak. Pure: times in, a verdict out."""

from __future__ import annotations

from collections import deque

from cryptotrader.core.clock import NS_PER_S


class MessageRate:
    """At most ``limit`` messages in any ``window_s``, or any number (``web-socket-streams.md``, "WebSocket Limits")."""

    def __init__(self, limit: int | None, window_s: float) -> None:
        self._window_ns = int(window_s * NS_PER_S)
        self._times: deque[int] = deque(maxlen=limit or 0)

    def allow(self, now_ns: int) -> bool:
        """Count a message; False where it is one too many."""
        times = self._times
        if not times.maxlen:
            return True
        if len(times) == times.maxlen and now_ns - times[0] < self._window_ns:
            return False
        times.append(now_ns)
        return True
