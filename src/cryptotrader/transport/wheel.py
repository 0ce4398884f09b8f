"""Many deadlines, one timer: a hashed wheel. Pure: the owner tells it the time."""

from __future__ import annotations

from collections.abc import Callable

Job = Callable[[float], None]
"""Called with the present time. A deadline that no longer matters is for the job to notice; nothing is cancelled."""


class TimerWheel:
    """Deadlines in slots of ``tick_s`` seconds; adding one and firing one take constant time.

    Args:
        tick_s: Width of a slot. A job runs up to one tick late, never early.
        now_s: The present, on the clock that ``advance`` will be given.
    """

    def __init__(self, tick_s: float, now_s: float) -> None:
        if tick_s <= 0:
            raise ValueError("a tick takes time")
        self._tick_s = tick_s
        self._slots: dict[int, list[Job]] = {}
        self._done = int(now_s / tick_s)

    def __len__(self) -> int:
        return sum(map(len, self._slots.values()))

    def add(self, due_s: float, job: Job) -> None:
        """Run ``job`` at the first ``advance`` at or after ``due_s``."""
        slot = max(int(due_s / self._tick_s) + 1, self._done + 1)
        self._slots.setdefault(slot, []).append(job)

    def advance(self, now_s: float) -> None:
        """Run everything that is due. Jobs may add others; those run at a later call."""
        reached = int(now_s / self._tick_s)
        first, self._done = self._done + 1, max(self._done, reached)
        if reached - first > len(self._slots):
            due = sorted(slot for slot in self._slots if slot <= reached)
        else:
            due = [slot for slot in range(first, reached + 1) if slot in self._slots]
        for jobs in [self._slots.pop(slot) for slot in due]:
            for job in jobs:
                job(now_s)
