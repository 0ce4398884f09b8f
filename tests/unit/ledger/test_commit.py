"""What is acknowledged is on disk, and one write takes everything that gathered."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from cryptotrader.ledger import commit as module
from cryptotrader.ledger.commit import GroupCommit, StoreBroken
from cryptotrader.ledger.files import Journal


def opened(folder: Path) -> Journal:
    journal = Journal(folder)
    list(journal.recover())
    return journal


def kept(folder: Path) -> list[bytes]:
    return [payload for _, payload in Journal(folder).recover()]


def nothing() -> None:
    """Nobody is told."""


async def test_everything_of_one_wake_up_is_one_write(tmp_path: Path) -> None:
    commit = GroupCommit(opened(tmp_path), name="test")
    for number in range(100):
        commit.add(b"%d" % number, nothing)
    await asyncio.gather(*(commit.wait() for _ in range(10)))
    assert (commit.commits, commit.durable) == (1, 100)
    assert kept(tmp_path) == [b"%d" % number for number in range(100)]
    await commit.close()


async def test_what_is_to_be_told_is_told_after_the_write_and_in_order(tmp_path: Path) -> None:
    commit = GroupCommit(opened(tmp_path), name="test")
    told: list[tuple[int, int]] = []

    def tell(number: int) -> None:
        told.append((number, len(kept(tmp_path))))

    for number in range(1, 4):
        commit.add(b"x", partial(tell, number))
        if number == 1:
            await asyncio.sleep(0)
    assert told == []
    await commit.wait()
    await commit.wait()
    assert [number for number, _ in told] == [1, 2, 3]
    assert all(count >= number for number, count in told)
    await commit.close()


def test_without_a_loop_entries_are_written_at_once(tmp_path: Path) -> None:
    commit = GroupCommit(opened(tmp_path), name="test")
    told: list[int] = []
    commit.add(b"x", lambda: told.append(1))
    assert (kept(tmp_path), told) == ([b"x"], [1])


class _FullDisk(Journal):
    def append(self, payloads: Sequence[bytes]) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


async def test_after_a_failure_nothing_is_acknowledged_any_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commit = GroupCommit(_FullDisk(tmp_path), name="thing")
    told: list[int] = []
    commit.add(b"x", lambda: told.append(1))
    waiting = asyncio.gather(commit.wait(), commit.wait(), return_exceptions=True)
    assert all(isinstance(each, StoreBroken) for each in await waiting)
    with pytest.raises(StoreBroken):
        commit.add(b"x", nothing)
    with pytest.raises(StoreBroken):
        await commit.wait()
    assert (commit.is_broken, told) == (True, [])
    text = capsys.readouterr().err
    assert "the thing cannot keep what happens and takes nothing any more" in text
    assert "No space left on device" in text
    await commit.close()


def test_a_failure_without_a_loop_is_told_at_once(tmp_path: Path) -> None:
    commit = GroupCommit(_FullDisk(tmp_path), name="thing")
    with pytest.raises(StoreBroken):
        commit.add(b"x", nothing)
    assert commit.is_broken


async def test_a_disk_that_is_hopelessly_behind_is_a_broken_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_WAITING_BYTES", 10)
    commit = GroupCommit(opened(tmp_path), name="thing")
    commit.add(b"x" * 11, nothing)
    with pytest.raises(StoreBroken):
        commit.add(b"x", nothing)
    await commit.close()


async def test_who_wants_a_call_gets_it_after_the_write_that_holds_what_came_before(tmp_path: Path) -> None:
    commit = GroupCommit(opened(tmp_path), name="test")
    told: list[tuple[str, bool, int]] = []

    def tell(name: str, is_kept: bool) -> None:
        told.append((name, is_kept, len(kept(tmp_path))))

    commit.tell(partial(tell, "nothing waits"))
    assert told == [("nothing waits", True, 0)]
    commit.add(b"one", nothing)
    commit.tell(partial(tell, "waits"))
    await asyncio.sleep(0)
    commit.tell(partial(tell, "under way"))
    commit.add(b"two", nothing)
    commit.tell(partial(tell, "next write"))
    await commit.wait()
    assert [(name, is_kept) for name, is_kept, _ in told[1:]] == [
        ("waits", True),
        ("under way", True),
        ("next write", True),
    ]
    assert all(count >= needed for (_, _, count), needed in zip(told[1:], (1, 1, 2), strict=True))
    await commit.close()


async def test_who_wants_a_call_hears_of_a_failure_too(tmp_path: Path) -> None:
    commit = GroupCommit(_FullDisk(tmp_path), name="test")
    told: list[bool] = []
    commit.add(b"one", nothing)
    commit.tell(told.append)
    await asyncio.sleep(0)
    commit.add(b"two", nothing)
    commit.tell(told.append)
    with pytest.raises(StoreBroken):
        await commit.wait()
    assert told == [False, False]
    with pytest.raises(StoreBroken):
        commit.tell(told.append)
    await commit.close()
