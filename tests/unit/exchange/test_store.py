"""What is acknowledged is on disk, and one transaction takes everything that gathered."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import pytest

from cryptotrader.core.errors import ConfigError
from cryptotrader.exchange.store import GroupCommit, Row, Store, StoreBroken


async def test_rows_are_on_disk_when_wait_returns(tmp_path: Path) -> None:
    store = Store(tmp_path / "folder" / "x.db")
    commit = GroupCommit(store)
    commit.add([("order", "1", b"old"), ("order", "2", b"other")])
    commit.add([("order", "1", b"new")])
    await commit.wait()
    other = Store(tmp_path / "folder" / "x.db")
    assert other.read("order") == [("1", b"new"), ("2", b"other")]
    assert other.read("fill") == []
    other.close()
    await commit.close()


async def test_everything_of_one_wake_up_is_one_transaction(tmp_path: Path) -> None:
    commit = GroupCommit(Store(tmp_path / "x.db"))
    for number in range(100):
        commit.add([("order", str(number), b"")])
    await asyncio.gather(*(commit.wait() for _ in range(10)))
    assert commit.commits == 1
    await commit.close()


async def test_what_is_to_be_told_is_told_after_the_transaction_and_in_order(tmp_path: Path) -> None:
    store = Store(tmp_path / "x.db")
    commit = GroupCommit(store)
    told: list[tuple[str, int]] = []

    def tell(name: str) -> None:
        told.append((name, len(store.read("order"))))

    for number in range(3):
        commit.add([("order", str(number), b"")], partial(tell, str(number)))
        if number == 0:
            await asyncio.sleep(0)
    assert told == []
    await commit.wait()
    assert [name for name, _ in told] == ["0", "1", "2"]
    assert all(count > int(name) for name, count in told)
    await commit.close()


def test_without_a_loop_rows_are_written_at_once(tmp_path: Path) -> None:
    store = Store(tmp_path / "x.db")
    GroupCommit(store).add([("order", "1", b"x")])
    assert store.read("order") == [("1", b"x")]
    store.close()


async def test_without_a_file_everything_is_told_at_once() -> None:
    commit = GroupCommit(None)
    told: list[int] = []
    commit.add([("order", "1", b"x")], lambda: told.append(1))
    assert told == [1]
    await commit.wait()
    await commit.close()


class _FullDisk(Store):
    def write(self, rows: list[Row]) -> None:
        raise OSError("disk is full")


async def test_after_a_failure_nothing_is_acknowledged_any_more(tmp_path: Path) -> None:
    commit = GroupCommit(_FullDisk(tmp_path / "x.db"))
    told: list[int] = []
    commit.add([("order", "1", b"x")], lambda: told.append(1))
    with pytest.raises(StoreBroken):
        await commit.wait()
    with pytest.raises(StoreBroken):
        commit.add([("order", "2", b"x")])
    with pytest.raises(StoreBroken):
        await commit.wait()
    assert commit.is_broken
    assert told == []
    await commit.close()


def test_a_file_that_cannot_be_a_store_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"this is no database, but long enough to be taken for one" * 20)
    with pytest.raises(ConfigError):
        Store(tmp_path / "x.db")
    with pytest.raises(ConfigError):
        Store(tmp_path / "x.db" / "below")
