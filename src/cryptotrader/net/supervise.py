"""The one place that starts background tasks: named, bounded in number, logged when they fail, all gone at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType

from cryptotrader.config import get_logger

log = get_logger(__name__)

RESTART_DELAY_S = 1.0
"""Pause before a failed job runs again. Unit: seconds. Reason: a job that fails at once must not spin."""

STOP_TIMEOUT_S = 5.0
"""How long cancelled jobs may take to end. Unit: seconds. Reason: half of the ten seconds a shutdown may last."""


class Supervisor:
    """Runs jobs until it is closed.

    Args:
        name: Shown in logs.
        max_jobs: Most jobs at a time; one more raises RuntimeError, since a number that grows without end is a leak.
    """

    def __init__(self, name: str, *, max_jobs: int = 1_000) -> None:
        self.name = name
        self._max_jobs = max_jobs
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def job_count(self) -> int:
        """Jobs running now."""
        return len(self._tasks)

    def start(self, name: str, job: Callable[[], Awaitable[None]], *, restart: bool = False) -> asyncio.Task[None]:
        """Run ``job``; with ``restart`` run it again after ``RESTART_DELAY_S`` whenever it fails."""
        if self._closed or len(self._tasks) >= self._max_jobs:
            raise RuntimeError(f"supervisor {self.name} takes no more jobs")
        task = asyncio.get_running_loop().create_task(self._run(name, job, restart=restart), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _run(self, name: str, job: Callable[[], Awaitable[None]], *, restart: bool) -> None:
        while True:
            try:
                await job()
                return
            except asyncio.CancelledError:
                raise
            except Exception:
                log.exception(f"job {name} of {self.name} failed")
                if not restart:
                    return
            await asyncio.sleep(RESTART_DELAY_S)

    async def close(self) -> None:
        """Cancel every job and wait for them."""
        self._closed = True
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        if tasks:
            _, pending = await asyncio.wait(tasks, timeout=STOP_TIMEOUT_S)
            for task in pending:
                log.error(f"job {task.get_name()} of {self.name} did not end")

    async def __aenter__(self) -> Supervisor:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
