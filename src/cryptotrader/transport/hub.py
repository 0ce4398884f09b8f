"""What all connections of one server share: the flush at the end of a loop wake-up, the timer, the counters."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptotrader.transport.policy import TransportPolicy
from cryptotrader.transport.wheel import Job, TimerWheel

if TYPE_CHECKING:
    from cryptotrader.transport.connection import ServerConnection


@dataclass
class HubStats:
    """Counters since the start."""

    opened: int = 0
    refused: int = 0
    conflated: int = 0
    overflowed: int = 0
    closed_slow: int = 0
    closed_silent: int = 0


class Hub:
    """One per server. Everything runs in the server's event loop."""

    def __init__(self, policy: TransportPolicy) -> None:
        self.policy = policy
        self.stats = HubStats()
        self.connections: set[ServerConnection] = set()
        self._dirty: list[ServerConnection] = []
        self._wheel = TimerWheel(policy.tick_s, time.monotonic())
        self._ticking: asyncio.TimerHandle | None = None

    def mark(self, connection: ServerConnection) -> None:
        """Flush ``connection`` once the callbacks of this wake-up have run."""
        if not self._dirty:
            asyncio.get_running_loop().call_soon(self._flush)
        self._dirty.append(connection)

    def _flush(self) -> None:
        dirty, self._dirty = self._dirty, []
        for connection in dirty:
            connection.flush()

    def after(self, delay_s: float, job: Job) -> None:
        """Run ``job(now)`` in about ``delay_s`` seconds."""
        self._wheel.add(time.monotonic() + delay_s, job)
        if self._ticking is None:
            self._schedule_tick()

    def _schedule_tick(self) -> None:
        self._ticking = asyncio.get_running_loop().call_later(self.policy.tick_s, self._tick)

    def _tick(self) -> None:
        self._wheel.advance(time.monotonic())
        self._ticking = None
        if len(self._wheel):
            self._schedule_tick()
