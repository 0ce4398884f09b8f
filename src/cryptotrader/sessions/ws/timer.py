"""All deadlines of all WebSocket sessions on one wheel with one timer of the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from cryptotrader.core.clock import NS_PER_S, Clock
from cryptotrader.transport.wheel import TimerWheel

TICK_S = 0.1
"""Width of a slot. Unit: seconds. Reason: a heartbeat of thirty seconds comes at most a tenth of a second late."""


class SharedTimer:
    """Runs jobs when they are due, up to one tick late and never early. Nothing ticks while nothing is waited for.

    Args:
        clock: Its monotonic time decides; tests turn it and call ``run_due``.
        tick_s: Resolution in seconds.
    """

    def __init__(self, clock: Clock, *, tick_s: float = TICK_S) -> None:
        self._clock = clock
        self._tick_s = tick_s
        self._wheel = TimerWheel(tick_s, self._now_s())
        self._ticking: asyncio.TimerHandle | None = None
        self._waiting = 0
        self._closed = False

    @property
    def waiting(self) -> int:
        """Jobs that wait for their time."""
        return self._waiting

    def at(self, due_ns: int, job: Callable[[], None]) -> None:
        """Run ``job`` once ``due_ns`` (monotonic) has come. Whether it still matters is for the job to notice."""

        def run(_: float) -> None:
            self._waiting -= 1
            job()

        if self._closed:
            return
        self._wheel.add(due_ns / NS_PER_S, run)
        self._waiting += 1
        if self._ticking is None:
            self._ticking = asyncio.get_running_loop().call_later(self._tick_s, self._tick)

    def run_due(self) -> None:
        """Run what is due now."""
        self._wheel.advance(self._now_s())

    def close(self) -> None:
        """Run nothing any more."""
        self._closed = True
        if self._ticking is not None:
            self._ticking.cancel()
            self._ticking = None

    def _tick(self) -> None:
        self._ticking = None
        try:
            self.run_due()
        finally:
            # A job that fails must not stop the time of everybody else.
            if self._waiting and not self._closed and self._ticking is None:
                self._ticking = asyncio.get_running_loop().call_later(self._tick_s, self._tick)

    def _now_s(self) -> float:
        return self._clock.monotonic_ns() / NS_PER_S
