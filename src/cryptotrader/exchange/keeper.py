"""Keeps what the paper exchange has acknowledged: a journal that is ahead, and a store that follows.

Nothing is told to anyone before the journal entry that holds it is on disk, so ``kill -9`` at any instant loses nothing
that was acknowledged. Every few seconds the records that changed are folded into the store in the background, each once
however often it changed, and the segments of the journal that are then not needed are deleted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import apsw

from cryptotrader.config import get_logger
from cryptotrader.core.clock import NS_PER_S, Clock, to_ms
from cryptotrader.core.errors import ConfigError, LedgerError
from cryptotrader.exchange.store import Row, Store
from cryptotrader.ledger.commit import GroupCommit, Told
from cryptotrader.ledger.entries import apply_entry, pack_entry
from cryptotrader.ledger.files import Journal
from cryptotrader.ledger.lock import FileLock

log = get_logger(__name__)

FOLD_S: Final = 2.0
"""How long changes may wait before they are folded into the store. Unit: seconds. Reason: bounds the journal that a
start has to read, while a record that changes with every order is still written once in thousands of changes."""

FOLD_ROWS: Final = 50_000
"""Changed records that are folded without waiting. Unit: records. Reason: some tens of megabytes, and a third of a
second of work for the store's thread."""

MAX_WAITING_ROWS: Final = 2_000_000
"""Changed records that may wait while the store cannot be written. Unit: records. Reason: memory; the journal has them,
but a process that ran on like this for hours could not start again within minutes."""


@dataclass(frozen=True)
class Recovery:
    """What a start found in the journal.

    Attributes:
        entries: Entries that the store did not have yet.
        records: Records that were put into the store for them.
        cut_bytes: Length of a last write that was not whole; 0 where the journal was clean.
        seconds: How long it took.
    """

    entries: int = 0
    records: int = 0
    cut_bytes: int = 0
    seconds: float = 0.0


class Keeper:
    """Journal, store and the background work between them.

    Args:
        path: The store; the journal and the lock lie beside it. None keeps nothing: then everything is at once as good
            as written.
        clock: The exchange's time.
        keeps_all: Never delete a part of the journal.

    Raises:
        ConfigError: Another process has it open, it is damaged, or it cannot be used.
    """

    def __init__(self, path: Path | None, *, clock: Clock, keeps_all: bool = False) -> None:
        self.store: Store | None = None
        self.recovery = Recovery()
        self.folds = 0
        self._clock = clock
        self._waiting: dict[bytes, bytes] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._in_flight: asyncio.Future[None] | None = None
        self._is_closed = False
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(path.with_suffix(".lock"), owner="another paper exchange")
        try:
            self.store = Store(path)
            self.journal = Journal(path.with_suffix(".journal"), applied=self.store.applied, keeps_all=keeps_all)
            self.recovery = self._recover(self.store)
        except ConfigError:
            if self.store is not None:
                self.store.close()
            self._lock.release()
            raise
        self._commit = GroupCommit(self.journal, name="paper exchange")
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="exchange-store")

    def _recover(self, store: Store) -> Recovery:
        """Fold what the store does not have yet."""
        started_ns = self._clock.monotonic_ns()
        entries = records = number = 0
        rows: dict[bytes, bytes] = {}
        try:
            for number, payload in self.journal.recover():
                entries += 1
                apply_entry(payload, rows)
                if len(rows) >= FOLD_ROWS:
                    records += len(rows)
                    store.fold(rows, number)
                    rows = {}
            if rows:
                records += len(rows)
                store.fold(rows, number)
            self.journal.clear()
        except (ValueError, apsw.Error, OSError) as error:
            raise LedgerError(f"cannot recover from the journal in {self.journal.folder}: {error}") from None
        cut_bytes = self.journal.cut.lost_bytes if self.journal.cut else 0
        return Recovery(entries, records, cut_bytes, (self._clock.monotonic_ns() - started_ns) / NS_PER_S)

    # Keeping

    @property
    def is_broken(self) -> bool:
        """Whether the disk did not take something."""
        return self.store is not None and self._commit.is_broken

    @property
    def commits(self) -> int:
        """Writes so far."""
        return self._commit.commits if self.store is not None else 0

    def add(self, rows: Iterable[Row], after: Callable[[], None] | None = None, *, command: str = "account") -> None:
        """Keep what one command changed, and call ``after`` when that is on disk.

        Raises:
            StoreBroken: The disk did not take something before, or is hopelessly behind.
        """
        if self.store is None:
            if after is not None:
                after()
            return
        changed = dict(rows)
        payload = pack_entry(command, to_ms(self._clock.now_ns()), changed)

        def durable() -> None:
            self._waiting.update(changed)
            self._plan()
            if after is not None:
                after()

        self._commit.add(payload, durable)

    async def wait(self) -> None:
        """Return when everything added so far is on disk.

        Raises:
            StoreBroken: It cannot be.
        """
        if self.store is not None:
            await self._commit.wait()

    def tell(self, told: Told) -> None:
        """Call back when everything added so far is on disk, or cannot be; at once where there is nothing to wait for.

        Raises:
            StoreBroken: It cannot be.
        """
        if self.store is not None:
            self._commit.tell(told)
        else:
            told(True)

    # Folding

    def _plan(self) -> None:
        """See to it that what waits is folded before long."""
        if self._in_flight is not None or self._is_closed or not self._waiting:
            return
        if len(self._waiting) >= FOLD_ROWS:
            self._fold()
        elif self._timer is None:
            try:
                self._timer = asyncio.get_running_loop().call_later(FOLD_S, self._fold)
            except RuntimeError:
                return  # Before the loop runs little happens; it is folded when it does.

    def _fold(self) -> None:
        """Begin to fold what is in the journal by now; ends with ``_folded``."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._in_flight is not None or self._is_closed or self.store is None or not self._waiting:
            return
        rows, self._waiting = self._waiting, {}
        loop = asyncio.get_running_loop()
        self._in_flight = loop.run_in_executor(self._pool, self._fold_now, self.store, rows, self._commit.durable)
        self._in_flight.add_done_callback(lambda done: self._folded(done, rows))

    def _fold_now(self, store: Store, rows: dict[bytes, bytes], applied: int) -> None:
        store.fold(rows, applied)
        self.journal.drop(applied)

    def _folded(self, done: asyncio.Future[None], rows: dict[bytes, bytes]) -> None:
        self._in_flight = None
        failure = asyncio.CancelledError() if done.cancelled() else done.exception()
        if failure is None:
            self.folds += 1
        else:
            log.error(f"the paper exchange cannot write its store, the journal grows meanwhile: {failure}")
            self._waiting = rows | self._waiting
            if len(self._waiting) > MAX_WAITING_ROWS:
                self._commit.fail("its store could not be written for too long")
        self._plan()

    async def close(self) -> None:
        """Keep the rest, fold it, and close the files; the next start finds an empty journal."""
        if self.store is None:
            return
        await self._commit.close()
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._in_flight is not None:
            await asyncio.wait([self._in_flight])
        store, self.store = self.store, None
        try:
            if self._waiting:
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(self._pool, self._fold_now, store, self._waiting, self._commit.durable)
            if not self._commit.is_broken:
                self.journal.clear()
        except (apsw.Error, OSError) as error:
            log.error(
                f"the paper exchange could not write its store; the next start takes it from the journal: {error}"
            )
        self._pool.shutdown(wait=True)
        self.journal.close()
        store.close()
        self._lock.release()
