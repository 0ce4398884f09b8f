"""A clock that a test turns."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable

from cryptotrader.core.clock import NS_PER_S

START_NS = 1_790_000_000 * NS_PER_S
"""Where the wall clock starts: an ordinary day in 2026."""

SETTLE_ROUNDS = 30
"""Turns of the event loop that tasks get after each step; more than any chain of awaits in this product needs."""


TURN_NS = 30 * NS_PER_S
"""Longest step in which a ``PaperClock`` turns. Unit: nanoseconds. Reason: an exchange that has slept for a minute goes
on in the present instead of catching up."""


async def settle(rounds: int = SETTLE_ROUNDS) -> None:
    """Let every task run until it waits for something that only time or input can bring."""
    for _ in range(rounds):
        await asyncio.sleep(0)


class FakeClock:
    """``net.clock.WaitingClock`` that stands still until ``advance``."""

    def __init__(self, now_ns: int = START_NS) -> None:
        self._start_ns = now_ns
        self._elapsed_ns = 0
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._count = 0

    def now_ns(self) -> int:
        """Wall-clock time in nanoseconds."""
        return self._start_ns + self._elapsed_ns

    def monotonic_ns(self) -> int:
        """Nanoseconds since the clock was made."""
        return self._elapsed_ns

    @property
    def sleepers(self) -> int:
        """How many wait now."""
        return sum(not future.done() for _, _, future in self._waiting)

    async def sleep(self, delay_s: float) -> None:
        """Wait until ``advance`` has passed the time."""
        if delay_s <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._waiting, (self._elapsed_ns + int(delay_s * NS_PER_S), self._count, future))
        await future

    async def advance(self, seconds: float) -> None:
        """Turn the clock, waking sleepers one by one in the order in which they are due."""
        await settle()
        goal_ns = self._elapsed_ns + int(seconds * NS_PER_S)
        while self._waiting and self._waiting[0][0] <= goal_ns:
            due_ns, _, future = heapq.heappop(self._waiting)
            self._elapsed_ns = max(self._elapsed_ns, due_ns)
            if not future.done():
                future.set_result(None)
                await settle()
        self._elapsed_ns = goal_ns
        await settle()


class PaperClock:
    """The time of a paper exchange that stands still until ``advance``. May be used from several threads.

    Args:
        now_ns: Where the wall clock starts. Unit: epoch nanoseconds.
    """

    def __init__(self, now_ns: int = START_NS) -> None:
        self._start_ns = now_ns
        self._elapsed_ns = 0
        self._on_turn: list[Callable[[], None]] = []

    def now_ns(self) -> int:
        """Wall-clock time in nanoseconds."""
        return self._start_ns + self._elapsed_ns

    def now_ms(self) -> int:
        """Wall-clock time in milliseconds: what a client's ``timestamp`` has to be."""
        return self.now_ns() // 1_000_000

    def monotonic_ns(self) -> int:
        """Nanoseconds since the clock was made."""
        return self._elapsed_ns

    def call_on_turn(self, call: Callable[[], None]) -> Callable[[], None]:
        """Call something after each turn; what is returned ends that."""
        self._on_turn.append(call)
        return lambda: self._on_turn.remove(call)

    def advance(self, seconds: float) -> None:
        """Turn the clock, in steps short enough for a market to follow; when it returns, the market has followed."""
        left_ns = int(seconds * NS_PER_S)
        while left_ns > 0:
            step_ns = min(left_ns, TURN_NS)
            left_ns -= step_ns
            self._elapsed_ns += step_ns
            for call in tuple(self._on_turn):
                call()
