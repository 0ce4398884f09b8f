"""Opening a SQLite file as every store of ours does: for its owner only, with a write-ahead log and a version."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import apsw

from cryptotrader.core.errors import ConfigError

BUSY_TIMEOUT_MS: Final = 2_000
"""How long to wait for another reader or writer. Unit: milliseconds. Reason: a backup may hold a lock for a moment."""


def open_database(
    path: Path | str, *, schema: str, version: int, synchronous: Literal["full", "normal"]
) -> apsw.Connection:
    """Open a store, or make it.

    Args:
        path: The file, whose folder must exist; ``:memory:`` as text keeps it in memory.
        schema: Statements that make what is missing.
        version: Of the schema; written into the file.
        synchronous: ``full`` where a transaction is on disk when it returns, ``normal`` where a crash of the machine
            may take back the latest ones.

    Raises:
        ConfigError: It cannot be opened, or a newer version of the product wrote it.
    """
    try:
        if isinstance(path, Path):
            path.touch(mode=0o600)  # Nobody else's business.
        db = apsw.Connection(str(path))
        db.set_busy_timeout(BUSY_TIMEOUT_MS)
        db.pragma("journal_mode", "wal")
        db.pragma("synchronous", synchronous)
        if int(db.pragma("user_version")) > version:
            raise ConfigError(f"{path} was written by a newer version of this program")
        db.execute(schema)
        db.pragma("user_version", version)
    except (apsw.Error, OSError) as error:
        raise ConfigError(f"cannot open {path}: {error}") from None
    return db
