"""The journal's files: segments, what a start finds in them, and what it refuses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cryptotrader.core.errors import LedgerError
from cryptotrader.ledger.files import Journal
from cryptotrader.ledger.lock import FileLock


def written(folder: Path, count: int, *, segment_bytes: int = 200) -> list[tuple[int, bytes]]:
    """``count`` writes of one entry each; four fit into a segment."""
    journal = Journal(folder, segment_bytes=segment_bytes)
    assert list(journal.recover()) == []
    entries = [(number, b"entry %d" % number + b"." * 20) for number in range(1, count + 1)]
    for number, payload in entries:
        assert journal.append([payload]) == number
    journal.close()
    return entries


def segments(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def recovered(folder: Path, applied: int = 0) -> list[tuple[int, bytes]]:
    journal = Journal(folder, applied=applied)
    found = list(journal.recover())
    journal.close()
    return found


def test_several_segments_are_one_journal_and_it_goes_on_where_it_ended(tmp_path: Path) -> None:
    entries = written(tmp_path / "j", 10)
    assert [path.name for path in segments(tmp_path / "j")] == [f"{first:020d}.journal" for first in (1, 5, 9)]
    journal = Journal(tmp_path / "j", applied=6)
    assert list(journal.recover()) == entries[6:]
    assert journal.last == 10
    assert journal.append([b"eleven", b"twelve"]) == 12
    journal.close()
    assert recovered(tmp_path / "j") == [*entries, (11, b"eleven"), (12, b"twelve")]
    assert journal.folder.stat().st_mode & 0o077 == 0


def test_segments_whose_entries_are_safe_elsewhere_are_dropped_but_not_the_last(tmp_path: Path) -> None:
    entries = written(tmp_path, 10)
    journal = Journal(tmp_path, applied=3)
    list(journal.recover())
    journal.drop(3)
    assert len(segments(tmp_path)) == 3
    journal.drop(4)
    assert len(segments(tmp_path)) == 2
    assert recovered(tmp_path, applied=4) == entries[4:]
    journal.drop(10)
    assert len(segments(tmp_path)) == 1
    journal.clear()
    assert segments(tmp_path) == []
    assert journal.append([b"next"]) == 11
    journal.close()
    assert recovered(tmp_path, applied=10) == [(11, b"next")]


def test_a_journal_that_keeps_all_drops_nothing(tmp_path: Path) -> None:
    entries = written(tmp_path, 10)
    journal = Journal(tmp_path, applied=10, keeps_all=True)
    assert list(journal.recover()) == []
    journal.drop(10)
    journal.clear()
    assert journal.append([b"next"]) == 11
    journal.close()
    assert recovered(tmp_path) == [*entries, (11, b"next")]


def test_a_damaged_tail_is_cut_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entries = written(tmp_path, 10)
    last = segments(tmp_path)[-1]
    os.truncate(last, last.stat().st_size - 5)
    journal = Journal(tmp_path)
    assert list(journal.recover()) == entries[:9]
    assert journal.cut is not None
    assert (journal.cut.offset, journal.cut.entries) == (last.stat().st_size, 1)
    text = capsys.readouterr().err
    assert f"cut {journal.cut.lost_bytes} bytes at offset {journal.cut.offset}, which held 1 entries" in text
    assert str(last) in text
    assert journal.append([b"instead of the tenth"]) == 10
    journal.close()
    assert recovered(tmp_path) == [*entries[:9], (10, b"instead of the tenth")]


def test_an_empty_last_segment_is_clean(tmp_path: Path) -> None:
    entries = written(tmp_path, 4)
    (tmp_path / f"{5:020d}.journal").touch()
    assert recovered(tmp_path) == entries
    journal = Journal(tmp_path)
    list(journal.recover())
    assert journal.append([b"five"]) == 5
    journal.close()
    assert recovered(tmp_path) == [*entries, (5, b"five")]


def test_a_damaged_middle_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    written(tmp_path, 10)
    for path in (segments(tmp_path)[0], segments(tmp_path)[1]):
        before = path.read_bytes()
        damaged = bytearray(before)
        damaged[-3] ^= 0xFF
        path.write_bytes(damaged)
        with pytest.raises(LedgerError) as caught:
            recovered(tmp_path)
        assert path.read_bytes() == damaged
        for word in (str(path), "offset", "entry", "backup", "move"):
            assert word in caught.value.message
        path.write_bytes(before)


def test_a_damaged_middle_within_the_last_segment_is_refused_too(tmp_path: Path) -> None:
    written(tmp_path, 3)
    path = segments(tmp_path)[0]
    damaged = bytearray(path.read_bytes())
    damaged[40] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(LedgerError, match="entry 1 should be"):
        recovered(tmp_path)


def test_a_missing_segment_is_refused_unless_its_entries_are_safe_elsewhere(tmp_path: Path) -> None:
    entries = written(tmp_path, 10)
    first, middle, _ = segments(tmp_path)
    middle.rename(tmp_path / "away")
    (tmp_path / "away").unlink()
    with pytest.raises(LedgerError, match="entries 5 to 8 are missing"):
        recovered(tmp_path)
    assert recovered(tmp_path, applied=8) == entries[8:]
    first.unlink()
    with pytest.raises(LedgerError, match="entries 4 to 8 are missing"):
        recovered(tmp_path, applied=3)


def test_segments_that_changed_places_are_refused(tmp_path: Path) -> None:
    written(tmp_path, 12)
    one, two, three = segments(tmp_path)
    two.rename(tmp_path / "aside")
    three.rename(two)
    (tmp_path / "aside").rename(three)
    with pytest.raises(LedgerError, match="entry 9 is here"):
        recovered(tmp_path)
    assert one.exists()


def test_a_folder_that_cannot_be_a_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LedgerError):
        Journal(tmp_path / "file")
    (tmp_path / "x.journal").touch()
    with pytest.raises(LedgerError):
        Journal(tmp_path)


def test_a_lock_keeps_others_out_until_it_is_released(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "x.lock", owner="another thing")
    with pytest.raises(LedgerError, match="another thing uses the data folder"):
        FileLock(tmp_path / "x.lock", owner="another thing")
    lock.release()
    lock.release()
    FileLock(tmp_path / "x.lock", owner="another thing").release()
    with pytest.raises(LedgerError):
        FileLock(tmp_path / "nowhere" / "x.lock", owner="another thing")
