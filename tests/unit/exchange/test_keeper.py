"""The exchange's keeper: the journal is ahead, the store follows, and a start brings both together."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
from pathlib import Path

import apsw
import pytest

from cryptotrader.core.errors import ConfigError, LedgerError
from cryptotrader.exchange import keeper as module
from cryptotrader.exchange.keeper import Keeper
from cryptotrader.exchange.store import Row, Store, StoreBroken, make_row
from tests.support.paper import TestClock
from tests.support.waiting import eventually


def row(number: int, data: bytes = b"x") -> Row:
    return make_row("order", f"{number:04d}", data)


def killed(path: Path, target: Path) -> Path:
    """A copy of the files as ``kill -9`` would leave them."""
    target.mkdir()
    for found in path.parent.glob(f"{path.stem}*"):
        (shutil.copytree if found.is_dir() else shutil.copy)(found, target / found.name)
    return target / path.name


async def test_what_is_only_in_the_journal_comes_back(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path / "x.db", clock=TestClock())
    for number in range(20):
        keeper.add([row(number % 5, b"%d" % number)], command="submit")
    await keeper.wait()
    assert keeper.folds == 0
    again = Keeper(killed(tmp_path / "x.db", tmp_path / "copy"), clock=TestClock())
    assert again.store is not None
    assert [data for _, data in again.store.read("order")] == [b"15", b"16", b"17", b"18", b"19"]
    assert (again.recovery.entries, again.recovery.records, again.recovery.cut_bytes) == (20, 5, 0)
    again.add([row(9)])
    await again.close()
    await keeper.close()
    last = Keeper(tmp_path / "copy" / "x.db", clock=TestClock())
    assert last.recovery.entries == 0
    assert last.store is not None
    assert (len(last.store.read("order")), last.store.applied) == (6, 21)
    await last.close()


async def test_the_store_follows_in_the_background_and_old_segments_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FOLD_S", 0.0)
    keeper = Keeper(tmp_path / "x.db", clock=TestClock())
    monkeypatch.setattr(keeper.journal, "_segment_bytes", 1_000)
    for number in range(50):
        keeper.add([row(number, b"x" * 100)])
        await keeper.wait()
    await eventually(lambda: keeper.folds > 0 and len(list((tmp_path / "x.journal").iterdir())) < 3)
    again = Keeper(killed(tmp_path / "x.db", tmp_path / "copy"), clock=TestClock())
    assert again.store is not None
    assert len(again.store.read("order")) == 50
    assert again.recovery.entries < 50
    await again.close()
    await keeper.close()
    assert list((tmp_path / "x.journal").iterdir()) == []


async def test_a_store_that_cannot_be_written_for_a_while_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "FOLD_S", 0.0)
    keeper = Keeper(tmp_path / "x.db", clock=TestClock())
    assert keeper.store is not None
    store = keeper.store
    fold = store.fold
    tries = 0

    def full(rows: object, applied: int) -> None:
        nonlocal tries
        tries += 1
        raise apsw.FullError("database or disk is full")

    monkeypatch.setattr(store, "fold", full)
    keeper.add([row(1, b"old")])
    await eventually(lambda: tries >= 2)
    keeper.add([row(1, b"new")])
    await keeper.wait()
    assert not keeper.is_broken
    monkeypatch.setattr(store, "fold", fold)
    await eventually(lambda: keeper.folds > 0 and store.applied == 2)
    assert store.read("order") == [("0001", b"new")]
    assert "disk is full" in capsys.readouterr().err
    await keeper.close()


async def test_when_the_store_cannot_be_written_for_too_long_nothing_is_taken_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FOLD_S", 0.0)
    monkeypatch.setattr(module, "MAX_WAITING_ROWS", 1)
    keeper = Keeper(tmp_path / "x.db", clock=TestClock())

    def full(rows: object, applied: int) -> None:
        raise apsw.FullError("database or disk is full")

    monkeypatch.setattr(keeper.store, "fold", full)
    keeper.add([row(1), row(2)])
    await eventually(lambda: keeper.is_broken)
    with pytest.raises(StoreBroken):
        keeper.add([row(3)])
    await keeper.close()
    again = Keeper(tmp_path / "x.db", clock=TestClock())
    assert again.recovery.entries == 1, "the journal still had them"
    await again.close()


async def test_after_a_write_that_failed_the_next_start_has_what_was_acknowledged_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk: half of the last write is there, and is cut."""
    keeper = Keeper(tmp_path / "x.db", clock=TestClock())
    keeper.add([row(1)])
    await keeper.wait()
    write = os.write
    room = 30

    def full(descriptor: int, data: bytes) -> int:
        nonlocal room
        if not room:
            raise OSError(errno.ENOSPC, "No space left on device")
        count = write(descriptor, data[:room])
        room -= count
        return count

    monkeypatch.setattr("cryptotrader.ledger.files.os.write", full)
    told: list[int] = []
    keeper.add([row(2)], lambda: told.append(2))
    with pytest.raises(StoreBroken):
        await keeper.wait()
    monkeypatch.undo()
    assert (keeper.is_broken, told) == (True, [])
    await keeper.close()
    again = Keeper(tmp_path / "x.db", clock=TestClock())
    assert again.recovery.cut_bytes == 30
    assert again.store is not None
    assert [key for key, _ in again.store.read("order")] == ["0001"]
    await again.close()


async def test_a_second_keeper_of_the_same_files_is_refused(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path / "x.db", clock=TestClock())
    with pytest.raises(ConfigError, match="another paper exchange uses the data folder"):
        Keeper(tmp_path / "x.db", clock=TestClock())
    await keeper.close()
    await Keeper(tmp_path / "x.db", clock=TestClock()).close()


async def test_a_damaged_journal_is_refused_and_the_store_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = Keeper(tmp_path / "x.db", clock=TestClock())
    for number in range(3):
        keeper.add([row(number)])
        await keeper.wait()
    copy = killed(tmp_path / "x.db", tmp_path / "copy")
    await keeper.close()
    monkeypatch.setattr(module, "FOLD_ROWS", 1)
    segment = next(copy.with_suffix(".journal").iterdir())
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 1
    segment.write_bytes(data)
    for _ in range(2):
        with pytest.raises(LedgerError, match="damaged"):
            Keeper(copy, clock=TestClock())
    store = Store(copy)
    assert (store.read("order"), store.applied) == ([], 0)
    store.close()


async def test_without_a_file_everything_is_told_at_once() -> None:
    keeper = Keeper(None, clock=TestClock())
    told: list[int] = []
    keeper.add([row(1)], lambda: told.append(1))
    assert told == [1]
    await asyncio.wait_for(keeper.wait(), 1)
    await keeper.close()
