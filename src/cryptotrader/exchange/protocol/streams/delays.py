"""Messages that are sent late: in the order in which they would have been sent, or at least in that of their stream."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from random import Random

from cryptotrader.core.clock import NS_PER_MS, NS_PER_S, Clock
from cryptotrader.exchange.latency import NO_LATENCY, Latency

MAX_WAITING = 200_000
"""Messages on their way. Reason: bounds memory; beyond it the one that is due next is sent at once, early."""


class Delays:
    """Market data's way to the clients. Lives in one event loop.

    Args:
        clock: Time that never goes back.
        latency: How late everything is.
    """

    def __init__(self, clock: Clock, latency: Latency = NO_LATENCY) -> None:
        self._clock = clock
        self._numbers = count()
        self._waiting: list[tuple[int, int, str, Callable[[], None]]] = []
        self._lanes: dict[str, tuple[int, int]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._last_ns = 0
        self.latency = latency

    @property
    def latency(self) -> Latency:
        """How late everything is. Setting it begins the jitter anew."""
        return self._latency

    @latency.setter
    def latency(self, latency: Latency) -> None:
        self._latency = latency
        self._draw = Random(latency.seed)

    @property
    def is_idle(self) -> bool:
        """Whether everything is sent at once, and nothing waits."""
        return not self._waiting and self._latency.is_none

    def send(self, lane: str, extra_ms: int, call: Callable[[], None]) -> None:
        """Call ``call`` when its time has come, after everything of its lane that came before.

        Args:
            lane: What must not be overtaken: a stream.
            extra_ms: How much later than everything else.
            call: Sends the message; short, and does not raise.
        """
        now_ns = self._clock.monotonic_ns()
        due_ns = now_ns
        if not self._latency.is_none:
            jitter_ns = int(self._draw.random() * self._latency.jitter_ms * NS_PER_MS) if self._latency.jitter_ms else 0
            due_ns = self._last_ns = max(self._last_ns, now_ns + self._latency.fixed_ms * NS_PER_MS + jitter_ns)
        before_ns, inside = self._lanes.get(lane, (0, 0))
        due_ns = max(due_ns + extra_ms * NS_PER_MS, before_ns)
        if due_ns <= now_ns and not inside:
            call()
            return
        self._lanes[lane] = (due_ns, inside + 1)
        heappush(self._waiting, (due_ns, next(self._numbers), lane, call))
        if len(self._waiting) > MAX_WAITING:
            self._send_next()
        if self._waiting[0][0] == due_ns:
            self._schedule()

    def close(self) -> None:
        """Send nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._waiting.clear()
        self._lanes.clear()

    def _schedule(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting:
            wait_s = max(0.0, (self._waiting[0][0] - self._clock.monotonic_ns()) / NS_PER_S)
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._run)

    def _run(self) -> None:
        self._timer = None
        now_ns = self._clock.monotonic_ns()
        while self._waiting and self._waiting[0][0] <= now_ns:
            self._send_next()
        self._schedule()

    def _send_next(self) -> None:
        _, _, lane, call = heappop(self._waiting)
        due_ns, inside = self._lanes[lane]
        if inside > 1:
            self._lanes[lane] = (due_ns, inside - 1)
        else:
            del self._lanes[lane]
        call()
