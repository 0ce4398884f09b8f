"""Requests that go straight to the engine: one job carries out all that have come, and their answers wait for the disk.

A task for each of them would take as long as the engine does.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

from cryptotrader.net import Supervisor

AT_A_TIME = 32
"""Requests that are carried out before the loop may do other things. Reason: two milliseconds; and the disk begins with
these while the next ones are carried out.
"""


class Turn(Protocol):
    """One request."""

    deadline_s: float
    """When its answer is too late, by the loop's clock. Unit: seconds."""
    is_over: bool
    """Whether there is nothing more to see to here."""

    def run(self) -> None:
        """Carry it out; answer, or wait for the disk."""
        ...

    def fail(self) -> None:
        """It could not be carried out, by a fault of ours."""
        ...

    def expire(self) -> None:
        """The disk takes too long."""
        ...


class Turns:
    """The requests of all connections, in the order in which they came.

    Args:
        jobs: Runs them, and logs what fails.
    """

    def __init__(self, jobs: Supervisor) -> None:
        self._jobs = jobs
        self._coming: deque[Turn] = deque()
        self._begun: deque[Turn] = deque()
        """Those without an answer, and some that have one already; oldest first."""
        self._is_running = False
        self._timer: asyncio.TimerHandle | None = None

    @property
    def count(self) -> int:
        """Requests that wait for their turn or for the disk."""
        self._forget()
        return len(self._coming) + len(self._begun)

    def add(self, turn: Turn) -> None:
        """Let a request have its turn at the next wake-up."""
        self._coming.append(turn)
        if not self._is_running:
            self._start()

    def _start(self) -> None:
        self._is_running = True
        self._jobs.start("ws-api-requests", self._run)

    async def _run(self) -> None:
        coming = self._coming
        try:
            while coming:
                for _ in range(min(len(coming), AT_A_TIME)):
                    self._run_one(coming.popleft())
                if coming:
                    await asyncio.sleep(0)
        except asyncio.CancelledError:
            while coming:
                coming.popleft().fail()
            raise
        finally:
            self._is_running = False
            if coming:  # One has failed; the supervisor tells of it, the others go on.
                self._start()
        self._forget()
        if self._begun and self._timer is None:
            self._watch(self._begun[0].deadline_s)

    def _run_one(self, turn: Turn) -> None:
        is_done = False
        try:
            turn.run()
            is_done = True
        finally:
            if not is_done:
                turn.fail()
        if not turn.is_over:
            self._begun.append(turn)

    def _forget(self) -> None:
        begun = self._begun
        while begun and begun[0].is_over:
            begun.popleft()

    def _watch(self, deadline_s: float) -> None:
        self._timer = asyncio.get_running_loop().call_at(deadline_s, self._expire)

    def _expire(self) -> None:
        self._timer = None
        now_s = asyncio.get_running_loop().time()
        begun = self._begun
        while begun and (begun[0].is_over or begun[0].deadline_s <= now_s):
            turn = begun.popleft()
            if not turn.is_over:
                turn.expire()
        if begun:
            self._watch(begun[0].deadline_s)
