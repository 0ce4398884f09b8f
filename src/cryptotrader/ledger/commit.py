"""Group commit: what happens in one wake-up of the loop is one write, and it is told after the disk has it.

While one write is under way, everything that happens meanwhile gathers for the next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from cryptotrader.config import get_logger
from cryptotrader.ledger.files import Journal

log = get_logger(__name__)

MAX_WAITING_BYTES: Final = 64 * 1024 * 1024
"""What may wait for the disk. Unit: bytes. Reason: a disk this far behind is broken, and memory must not fill."""


class StoreBroken(Exception):
    """The disk did not take something; nothing can be acknowledged any more."""


Told = Callable[[bool], None]
"""Gets whether it is on disk; short, and does not raise."""


class GroupCommit:
    """Gathers entries and appends them in a worker thread.

    Args:
        journal: Where to; recovered already.
        name: For the worker thread and the log.

    Attributes:
        commits: Writes so far.
        durable: Number of the newest entry that is on disk and whose ``after`` was called.
    """

    def __init__(self, journal: Journal, *, name: str) -> None:
        self.commits = 0
        self.durable = journal.last
        self._journal = journal
        self._name = name
        self._payloads: list[bytes] = []
        self._bytes = 0
        self._after: list[Callable[[], None]] = []
        self._waiters: list[asyncio.Future[None]] = []
        self._told: list[Told] = []
        self._told_in_flight: list[Told] = []
        self._in_flight: asyncio.Future[int] | None = None
        self._scheduled = False
        self._broken = False
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"{name}-journal")

    @property
    def is_broken(self) -> bool:
        """Whether a write failed."""
        return self._broken

    def fail(self, problem: str) -> None:
        """Take nothing any more."""
        if not self._broken:
            log.error(f"the {self._name} cannot keep what happens and takes nothing any more: {problem}")
        self._broken = True
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_exception(StoreBroken())
        told, self._told = self._told, []
        for tell in told:
            tell(False)

    def add(self, payload: bytes, after: Callable[[], None]) -> None:
        """Append an entry with the next write and call ``after`` when it is on disk.

        Raises:
            StoreBroken: A write failed before, or the disk is hopelessly behind.
        """
        if self._bytes > MAX_WAITING_BYTES:
            self.fail(f"the disk is more than {MAX_WAITING_BYTES} bytes behind")
        if self._broken:
            raise StoreBroken
        self._payloads.append(payload)
        self._bytes += len(payload)
        self._after.append(after)
        if self._scheduled or self._in_flight is not None:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.flush()
            return
        self._scheduled = True
        loop.call_soon(self._start)

    async def wait(self) -> None:
        """Return when everything added so far is on disk.

        Raises:
            StoreBroken: It cannot be.
        """
        if self._broken:
            raise StoreBroken
        if self._payloads:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter
        elif self._in_flight is not None:
            await asyncio.wait([self._in_flight])
            if self._broken:
                raise StoreBroken

    def tell(self, told: Told) -> None:
        """The same by a call back: at once where there is nothing to wait for.

        A third of the time that a task which waits takes, and most of what answering a request has to wait for.

        Raises:
            StoreBroken: It cannot be.
        """
        if self._broken:
            raise StoreBroken
        if self._payloads:
            self._told.append(told)
        elif self._in_flight is not None:
            self._told_in_flight.append(told)
        else:
            told(True)

    def flush(self) -> None:
        """Write what is waiting here and now; for use without a loop, when no write is under way.

        Raises:
            StoreBroken: The disk does not take it.
        """
        payloads, after = self._take()
        if not payloads:
            return
        told, self._told = self._told, []
        try:
            last = self._journal.append(payloads)
        except OSError as error:
            self._told = told
            self.fail(str(error))
            raise StoreBroken from None
        self.commits += 1
        for call in after:
            call()
        self.durable = last
        for tell in told:
            tell(True)

    async def close(self) -> None:
        """Write the rest and end the worker; the journal stays open."""
        while not self._broken and (self._payloads or self._in_flight is not None):
            await self.wait()
        self._pool.shutdown(wait=True)

    def _take(self) -> tuple[list[bytes], list[Callable[[], None]]]:
        payloads, self._payloads = self._payloads, []
        after, self._after = self._after, []
        self._bytes = 0
        return payloads, after

    def _start(self) -> None:
        self._scheduled = False
        if self._broken or self._in_flight is not None or not self._payloads:
            return
        payloads, after = self._take()
        waiters, self._waiters = self._waiters, []
        self._told_in_flight, self._told = self._told, []
        loop = asyncio.get_running_loop()
        self._in_flight = loop.run_in_executor(self._pool, self._journal.append, payloads)
        self._in_flight.add_done_callback(lambda done: self._finish(done, after=after, waiters=waiters))

    def _finish(
        self, done: asyncio.Future[int], *, after: list[Callable[[], None]], waiters: list[asyncio.Future[None]]
    ) -> None:
        self._in_flight = None
        told, self._told_in_flight = self._told_in_flight, []
        failure = asyncio.CancelledError() if done.cancelled() else done.exception()
        if failure is not None:
            self._waiters[:0] = waiters
            self._told[:0] = told
            self.fail(str(failure))
            return
        self.commits += 1
        for call in after:
            call()
        self.durable = done.result()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
        is_kept = not self._broken
        for tell in told:
            tell(is_kept)
        if self._payloads:
            self._start()
