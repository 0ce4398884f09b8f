"""What the paper exchange holds, record by record, in SQLite: the snapshot that bounds the journal's replay.

The journal acknowledges; this follows a few seconds behind, in the background, and knows up to which entry it has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Final

import apsw

from cryptotrader.core.errors import ConfigError
from cryptotrader.ledger.commit import StoreBroken
from cryptotrader.ledger.database import open_database

__all__ = ["Row", "Store", "StoreBroken", "make_row"]

SCHEMA_VERSION: Final = 2
"""2: there is a journal beside it, which a program that knows only 1 would overlook. Files of version 1 are read."""

CHUNK_ROWS: Final = 2_000
"""Rows of one statement. Unit: rows. Reason: putting them together holds the interpreter's lock, here for well under a
millisecond; the statement itself does not."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    kind TEXT NOT NULL, key TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (kind, key)
) WITHOUT ROWID;
"""

_FOLD = """
INSERT OR REPLACE INTO records (kind, key, data)
SELECT CAST(substr(whole, 1, first - 1) AS TEXT), CAST(substr(rest, 1, second - 1) AS TEXT), substr(rest, second + 1)
FROM (SELECT whole, first, rest, instr(rest, x'00') AS second FROM
    (SELECT whole, first, substr(whole, first + 1) AS rest FROM
        (SELECT value AS whole, instr(value, x'00') AS first FROM carray(?))))
"""
"""One statement for many rows, since a loop over them in Python would have to win the interpreter's lock from the
exchange once a row: measured, that is fifty times slower beside a busy loop."""

_APPLIED = ("ledger", "applied")

Row = tuple[bytes, bytes]
"""(head, data). The head is ``kind NUL key NUL``; a later row of the same head replaces the earlier one."""


def make_row(kind: str, key: str, data: bytes) -> Row:
    """A row, where ``kind`` and ``key`` hold no NUL."""
    return f"{kind}\0{key}\0".encode(), data


class Store:
    """The file. Not for use by two threads at once; ``Keeper`` sees to that.

    Args:
        path: The database; its folder is made if it is missing.

    Raises:
        ConfigError: It cannot be opened, or a newer version of the product wrote it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"cannot open {path}: {error}") from None
        self._db = open_database(path, schema=_SCHEMA, version=SCHEMA_VERSION, synchronous="full")

    @property
    def applied(self) -> int:
        """Number of the last journal entry that it holds; 0 for none."""
        found = self._db.execute("SELECT data FROM records WHERE kind = ? AND key = ?", _APPLIED).fetchone()
        return int(found[0]) if found else 0

    def read(self, kind: str) -> list[tuple[str, bytes]]:
        """All records of a kind as (key, data), by key."""
        rows = self._db.execute("SELECT key, data FROM records WHERE kind = ? ORDER BY key", (kind,))
        return [(str(key), bytes(data)) for key, data in rows]

    def each(self, kind: str) -> Iterator[bytes]:
        """The records of a kind, by key, one at a time: there may be more than memory holds."""
        for (data,) in self._db.execute("SELECT data FROM records WHERE kind = ? ORDER BY key", (kind,)):
            yield bytes(data)

    def fold(self, rows: Mapping[bytes, bytes], applied: int) -> None:
        """Put records in, by head; when it returns, they are on disk, and the store is as after entry ``applied``.

        Raises:
            apsw.Error: The disk does not take it; nothing has changed.
        """
        pieces = chain(rows.items(), [make_row(*_APPLIED, str(applied).encode())])
        self._db.execute("BEGIN IMMEDIATE")
        try:
            while chunk := tuple(head + data for head, data in islice(pieces, CHUNK_ROWS)):
                self._db.execute(_FOLD, (apsw.carray(chunk),))
            self._db.execute("COMMIT")
        except apsw.Error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Close the file."""
        self._db.close()
