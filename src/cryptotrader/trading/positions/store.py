"""What positions and protections outlive a process with, in SQLite.

Fills can be had again from the venue, so their writes need not wait for the disk. A protection cannot, so its do: when
``keep`` returns, the state is on disk, and only then may something be done because of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final, Protocol

import msgspec

from cryptotrader.ledger.database import open_database
from cryptotrader.portfolio.positions import FillRow
from cryptotrader.portfolio.protections import Protection

SCHEMA_VERSION: Final = 1

_SCHEMA = """
CREATE TABLE IF NOT EXISTS fills (
    account TEXT NOT NULL, symbol TEXT NOT NULL, is_allocation INTEGER NOT NULL, id INTEGER NOT NULL,
    order_id INTEGER NOT NULL, time_ms INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (account, symbol, is_allocation, id, order_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS symbols (
    account TEXT NOT NULL, symbol TEXT NOT NULL, base TEXT NOT NULL, quote TEXT NOT NULL, PRIMARY KEY (account, symbol)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS protections (
    account TEXT NOT NULL, symbol TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (account, symbol)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS notes (
    account TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (account, name)
) WITHOUT ROWID;
"""

_ADD_FILL = "INSERT OR IGNORE INTO fills VALUES (?, ?, ?, ?, ?, ?, ?)"
_PUT_FILL = "INSERT OR REPLACE INTO fills VALUES (?, ?, ?, ?, ?, ?, ?)"

_encode = msgspec.msgpack.Encoder().encode
_fill = msgspec.msgpack.Decoder(FillRow).decode
_protection = msgspec.msgpack.Decoder(Protection).decode


def _row(account: str, fill: FillRow) -> tuple[str, str, bool, int, int, int, bytes]:
    is_allocation, number, order_id = fill.key
    return (account, fill.symbol, is_allocation, number, order_id, fill.time_ms, _encode(fill))


class Store(Protocol):
    """What a keeper needs of it; every method is for one account."""

    def symbols(self, account: str) -> dict[str, tuple[str, str]]:
        """Symbols with a history, and their base and quote."""
        ...

    def fills(self, account: str, symbol: str) -> list[FillRow]:
        """All fills of a symbol, in the order in which they happened."""
        ...

    def add(self, account: str, assets: tuple[str, str], fills: Iterable[FillRow]) -> list[FillRow]:
        """Add fills of one symbol; returns those that were not known. ``assets`` are its base and quote."""
        ...

    def replace(self, account: str, fill: FillRow) -> None:
        """A known fill with something more known of it."""
        ...

    def forget(self, account: str, symbol: str) -> None:
        """Drop a symbol's fills: the venue was wiped and does not know them any more."""
        ...

    def protections(self, account: str) -> list[Protection]:
        """The latest protection of each symbol."""
        ...

    def keep(self, protection: Protection) -> None:
        """Replace a symbol's protection; when it returns, the disk has it."""
        ...

    def saw(self, protection: Protection) -> None:
        """The same where only more prices were seen, which can be looked up again: the disk may have it later."""
        ...

    def notes(self, account: str) -> dict[str, str]:
        """What else was written down."""
        ...

    def note(self, account: str, name: str, value: str) -> None:
        """Write something down."""
        ...


class PositionStore:
    """The file, for all accounts.

    Args:
        path: The database; its folder must exist. ``:memory:`` keeps it in memory.

    Raises:
        ConfigError: It cannot be opened, or a newer version of the product wrote it.
    """

    def __init__(self, path: Path | str) -> None:
        self._db = open_database(path, schema=_SCHEMA, version=SCHEMA_VERSION, synchronous="normal")

    def symbols(self, account: str) -> dict[str, tuple[str, str]]:
        """Symbols with a history, and their base and quote."""
        rows = self._db.execute("SELECT symbol, base, quote FROM symbols WHERE account = ?", (account,))
        return {str(symbol): (str(base), str(quote)) for symbol, base, quote in rows}

    def fills(self, account: str, symbol: str) -> list[FillRow]:
        """All fills of a symbol, in the order in which they happened."""
        query = "SELECT data FROM fills WHERE account = ? AND symbol = ? ORDER BY time_ms, is_allocation, id, order_id"
        return [_fill(data) for (data,) in self._db.execute(query, (account, symbol))]

    def add(self, account: str, assets: tuple[str, str], fills: Iterable[FillRow]) -> list[FillRow]:
        """Add fills of one symbol; returns those that were not known."""
        new: list[FillRow] = []
        with self._db:
            for fill in fills:
                self._db.execute(_ADD_FILL, _row(account, fill))
                if self._db.changes():
                    new.append(fill)
            if new:
                row = (account, new[0].symbol, *assets)
                self._db.execute("INSERT OR REPLACE INTO symbols VALUES (?, ?, ?, ?)", row)
        return new

    def replace(self, account: str, fill: FillRow) -> None:
        """A known fill with something more known of it."""
        self._db.execute(_PUT_FILL, _row(account, fill))

    def forget(self, account: str, symbol: str) -> None:
        """Drop a symbol's fills."""
        with self._db:
            self._db.execute("DELETE FROM fills WHERE account = ? AND symbol = ?", (account, symbol))
            self._db.execute("DELETE FROM symbols WHERE account = ? AND symbol = ?", (account, symbol))

    def protections(self, account: str) -> list[Protection]:
        """The latest protection of each symbol."""
        rows = self._db.execute("SELECT data FROM protections WHERE account = ? ORDER BY symbol", (account,))
        return [_protection(data) for (data,) in rows]

    def watched(self) -> list[str]:
        """Accounts with a protection that is not over."""
        rows = self._db.execute("SELECT account, data FROM protections ORDER BY account")
        return list(dict.fromkeys(str(account) for account, data in rows if not _protection(data).phase.is_over))

    def keep(self, protection: Protection) -> None:
        """Replace a symbol's protection; when it returns, the disk has it."""
        self._db.pragma("synchronous", "full")
        try:
            self.saw(protection)
        finally:
            self._db.pragma("synchronous", "normal")

    def saw(self, protection: Protection) -> None:
        """The same where only more prices were seen: the disk may have it later."""
        row = (protection.account, protection.symbol, _encode(protection))
        self._db.execute("INSERT OR REPLACE INTO protections VALUES (?, ?, ?)", row)

    def notes(self, account: str) -> dict[str, str]:
        """What else was written down."""
        rows = self._db.execute("SELECT name, value FROM notes WHERE account = ?", (account,))
        return {str(name): str(value) for name, value in rows}

    def note(self, account: str, name: str, value: str) -> None:
        """Write something down."""
        self._db.execute("INSERT OR REPLACE INTO notes VALUES (?, ?, ?)", (account, name, value))

    def close(self) -> None:
        """Close the file."""
        self._db.close()
