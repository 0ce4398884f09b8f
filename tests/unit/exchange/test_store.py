"""The store holds each record once, knows up to which journal entry, and reads what earlier versions wrote."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from cryptotrader.core.errors import ConfigError
from cryptotrader.exchange.store import CHUNK_ROWS, SCHEMA_VERSION, Store, make_row


def rows(*records: tuple[str, str, bytes]) -> dict[bytes, bytes]:
    return dict(make_row(*record) for record in records)


def test_a_fold_replaces_records_and_says_how_far_it_went(tmp_path: Path) -> None:
    store = Store(tmp_path / "folder" / "x.db")
    assert store.applied == 0
    store.fold(rows(("order", "1", b"old"), ("order", "2", b"other"), ("key", "k", b"gone")), 3)
    store.fold(rows(("order", "1", b"new\0with a nul"), ("key", "k", b"")), 7)
    store.close()
    again = Store(tmp_path / "folder" / "x.db")
    assert again.read("order") == [("1", b"new\0with a nul"), ("2", b"other")]
    assert again.read("key") == [("k", b"")]
    assert again.read("fill") == []
    assert again.applied == 7
    again.close()


def test_a_fold_of_many_rows_is_one_transaction(tmp_path: Path) -> None:
    store = Store(tmp_path / "x.db")
    count = 2 * CHUNK_ROWS + 1
    store.fold(rows(*(("order", f"{number:06d}", b"x") for number in range(count))), 9)
    assert len(store.read("order")) == count
    assert store.applied == 9
    assert (tmp_path / "x.db").stat().st_mode & 0o077 == 0
    store.close()


def test_a_fold_that_fails_changes_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "x.db")
    store.fold(rows(("order", "1", b"old")), 1)
    blocker = apsw.Connection(str(tmp_path / "x.db"))
    blocker.execute("BEGIN IMMEDIATE")
    store._db.set_busy_timeout(1)
    with pytest.raises(apsw.Error):
        store.fold(rows(("order", "1", b"new")), 2)
    blocker.execute("ROLLBACK")
    blocker.close()
    assert (store.read("order"), store.applied) == ([("1", b"old")], 1)
    store.fold(rows(("order", "1", b"new")), 2)
    assert (store.read("order"), store.applied) == ([("1", b"new")], 2)
    store.close()


def test_a_store_of_version_1_is_read_and_then_refused_by_programs_that_know_no_journal(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    old = apsw.Connection(str(path))
    old.execute(
        "CREATE TABLE records (kind TEXT NOT NULL, key TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (kind, key))"
        " WITHOUT ROWID"
    )
    old.execute("INSERT INTO records VALUES ('order', '1', CAST('x' AS BLOB))")
    old.pragma("user_version", 1)
    old.close()
    store = Store(path)
    assert (store.read("order"), store.applied) == ([("1", b"x")], 0)
    store.close()
    assert int(apsw.Connection(str(path)).pragma("user_version")) == SCHEMA_VERSION == 2


def test_a_file_that_cannot_be_a_store_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"this is no database, but long enough to be taken for one" * 20)
    with pytest.raises(ConfigError):
        Store(tmp_path / "x.db")
    with pytest.raises(ConfigError):
        Store(tmp_path / "x.db" / "below")
    newer = apsw.Connection(str(tmp_path / "new.db"))
    newer.pragma("user_version", SCHEMA_VERSION + 1)
    newer.close()
    with pytest.raises(ConfigError, match="newer"):
        Store(tmp_path / "new.db")
