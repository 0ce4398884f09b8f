"""Where the paper exchange keeps what it has acknowledged: SQLite with a write-ahead log, one transaction per wake-up.

Nothing is told to anyone before the transaction that holds it is on disk, so ``kill -9`` at any instant loses nothing
that was acknowledged. While one transaction is being written, everything that happens meanwhile gathers for the next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import apsw

from cryptotrader.config import get_logger
from cryptotrader.core.errors import ConfigError

log = get_logger(__name__)

SCHEMA_VERSION: Final = 1

BUSY_TIMEOUT_MS: Final = 2_000
"""How long to wait for another reader or writer. Unit: milliseconds. Reason: a backup may hold a lock for a moment."""

MAX_WAITING_ROWS: Final = 100_000
"""Rows that may wait for the disk. Unit: rows. Reason: a disk this far behind is broken, and memory must not fill."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    kind TEXT NOT NULL, key TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (kind, key)
) WITHOUT ROWID;
"""

_UPSERT = (
    "INSERT INTO records (kind, key, data) VALUES (?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET data = excluded.data"
)

Row = tuple[str, str, bytes]
"""(kind, key, data). A later row of the same kind and key replaces the earlier one."""


class StoreBroken(Exception):
    """The disk did not take a transaction; nothing can be acknowledged any more."""


class Store:
    """The file. Not for use by two threads at once; ``GroupCommit`` sees to that.

    Args:
        path: The database; its folder is made if it is missing.

    Raises:
        ConfigError: It cannot be opened, or a newer version of the product wrote it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = apsw.Connection(str(path))
            self._db.set_busy_timeout(BUSY_TIMEOUT_MS)
            self._db.pragma("journal_mode", "wal")
            self._db.pragma("synchronous", "full")
            version = int(self._db.pragma("user_version"))
            if version > SCHEMA_VERSION:
                raise ConfigError(f"{path} was written by a newer version of this program")
            self._db.execute(_SCHEMA)
            self._db.pragma("user_version", SCHEMA_VERSION)
        except (apsw.Error, OSError) as error:
            raise ConfigError(f"cannot open {path}: {error}") from None

    def read(self, kind: str) -> list[tuple[str, bytes]]:
        """All records of a kind as (key, data), by key."""
        rows = self._db.execute("SELECT key, data FROM records WHERE kind = ? ORDER BY key", (kind,))
        return [(str(key), bytes(data)) for key, data in rows]

    def write(self, rows: list[Row]) -> None:
        """One transaction; when it returns, the rows are on disk."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany(_UPSERT, rows)
        except apsw.Error:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        self._db.close()


class GroupCommit:
    """Gathers rows and writes them in a worker thread, one transaction at a time.

    Args:
        store: The file, or None to keep nothing: then everything is at once as good as written.
    """

    def __init__(self, store: Store | None) -> None:
        self._store = store
        self._rows: list[Row] = []
        self._after: list[Callable[[], None]] = []
        self._waiters: list[asyncio.Future[None]] = []
        self._in_flight: asyncio.Future[None] | None = None
        self._scheduled = False
        self._broken = False
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="exchange-store") if store else None
        self.commits = 0

    @property
    def is_broken(self) -> bool:
        """Whether a transaction failed."""
        return self._broken

    def add(self, rows: list[Row], after: Callable[[], None] | None = None) -> None:
        """Write ``rows`` with the next transaction and call ``after`` when they are on disk.

        Raises:
            StoreBroken: A transaction failed before, or the disk is hopelessly behind.
        """
        if self._store is None:
            if after is not None:
                after()
            return
        if len(self._rows) > MAX_WAITING_ROWS:
            self._broken = True
        if self._broken:
            raise StoreBroken
        self._rows.extend(rows)
        if after is not None:
            self._after.append(after)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.flush()
            return
        if not self._scheduled and self._in_flight is None:
            self._scheduled = True
            loop.call_soon(self._start)

    async def wait(self) -> None:
        """Return when everything added so far is on disk.

        Raises:
            StoreBroken: It cannot be.
        """
        if self._broken:
            raise StoreBroken
        if self._rows or self._after:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter
        elif self._in_flight is not None:
            await asyncio.wait([self._in_flight])
            if self._broken:
                raise StoreBroken

    def flush(self) -> None:
        """Write what is waiting here and now; for start, stop and use without a loop."""
        if self._store is not None and self._rows:
            rows, self._rows = self._rows, []
            self._store.write(rows)
            self.commits += 1
        after, self._after = self._after, []
        for call in after:
            call()

    async def close(self) -> None:
        """Write the rest and close the file."""
        while not self._broken and (self._rows or self._in_flight is not None):
            await self.wait()
        if self._pool is not None and self._store is not None:
            self._pool.shutdown(wait=True)
            self._store.close()
            self._pool, self._store = None, None

    def _start(self) -> None:
        self._scheduled = False
        if self._store is None or self._pool is None or not (self._rows or self._after):
            return
        rows, self._rows = self._rows, []
        after, self._after = self._after, []
        waiters, self._waiters = self._waiters, []
        loop = asyncio.get_running_loop()
        self._in_flight = loop.run_in_executor(self._pool, self._store.write, rows)
        self._in_flight.add_done_callback(lambda done: self._finish(done, after=after, waiters=waiters))

    def _finish(
        self, done: asyncio.Future[None], *, after: list[Callable[[], None]], waiters: list[asyncio.Future[None]]
    ) -> None:
        self._in_flight = None
        failure = asyncio.CancelledError() if done.cancelled() else done.exception()
        if failure is not None:
            self._broken = True
            log.error(f"the paper exchange cannot write its store: {failure}")
            for waiter in (*waiters, *self._waiters):
                if not waiter.done():
                    waiter.set_exception(StoreBroken())
            self._waiters.clear()
            return
        self.commits += 1
        for call in after:
            call()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
        if self._rows or self._after:
            self._start()
