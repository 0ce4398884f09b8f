"""The journal's files: segments of bounded size in one folder, named by their first entry.

One thread appends; another may drop old segments meanwhile. Everything blocks until the disk has it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from cryptotrader.config import get_logger
from cryptotrader.core.errors import LedgerError
from cryptotrader.ledger.framing import (
    Clean,
    DamagedMiddle,
    DamagedTail,
    Frame,
    Position,
    SegmentReader,
    encode_frame,
    payloads_of,
)

log = get_logger(__name__)

SEGMENT_BYTES: Final = 16 * 1024 * 1024
"""A segment that has grown to this is closed. Unit: bytes. Reason: bounds what a start must look at again, and what an
exchange that was idle keeps on disk."""

SUFFIX: Final = ".journal"

_WRITE = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_DSYNC = getattr(os, "O_DSYNC", 0)
"""Each write returns when it is on disk: one system call, during which no other thread of ours is held up."""


class Journal:
    """The journal in a folder. Read it with ``recover`` before the first ``append``.

    Args:
        folder: Made if it is missing.
        applied: Number of the last entry that is safe elsewhere already; 0 where none is.
        segment_bytes: When to begin a new segment.
        keeps_all: Never delete a segment: for those who want to read all that ever happened.

    Raises:
        LedgerError: The folder cannot be used.
    """

    def __init__(
        self, folder: Path, *, applied: int = 0, segment_bytes: int = SEGMENT_BYTES, keeps_all: bool = False
    ) -> None:
        self.folder = folder
        self.cut: DamagedTail | None = None
        self._applied = applied
        self._segment_bytes = segment_bytes
        self._keeps_all = keeps_all
        self._position = Position(applied + 1)
        self._descriptor: int | None = None
        self._size = 0
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._firsts = sorted(int(path.stem) for path in folder.glob(f"*{SUFFIX}"))
        except (OSError, ValueError) as error:
            raise LedgerError(f"cannot use the journal in {folder}: {error}") from None

    @property
    def last(self) -> int:
        """Number of the newest entry."""
        return self._position.sequence - 1

    def path(self, first: int) -> Path:
        """The segment that begins with an entry."""
        return self.folder / f"{first:020d}{SUFFIX}"

    # Reading

    def recover(self) -> Iterator[tuple[int, bytes]]:
        """Every entry that is newer than ``applied``, as (number, payload), once all of it is known to be sound.

        A damaged tail is cut.

        Raises:
            LedgerError: Something in the middle is damaged or missing; nothing has changed.
        """
        for first, frames in self._verified():
            data = self._read(first)
            for frame in frames:
                for number, payload in enumerate(payloads_of(data, frame), frame.first):
                    if number > self._applied:
                        yield number, payload

    def _verified(self) -> list[tuple[int, list[Frame]]]:
        """The frames of each segment that hold something newer than ``applied``."""
        if self._firsts and self._firsts[0] > self._applied + 1:
            raise self._missing(self._applied + 1, self._firsts[0])
        found: list[tuple[int, list[Frame]]] = []
        position: Position | None = None
        for first in self._firsts:
            if position is not None and first != position.sequence:
                if not position.sequence < first <= self._applied + 1:
                    raise self._missing(position.sequence, first)
                position = None
            reader = SegmentReader(self._read(first), position or Position(first), is_last=first == self._firsts[-1])
            self._check(first, reader)
            newer = [frame for frame in reader.frames if frame.next.sequence > self._applied + 1]
            if newer:
                found.append((first, newer))
            position = reader.position
        if position is not None and position.sequence > self._applied:
            self._position = position
        return found

    def _read(self, first: int) -> bytes:
        try:
            return self.path(first).read_bytes()
        except OSError as error:
            raise LedgerError(f"cannot read the journal {self.path(first)}: {error.strerror}") from None

    def _check(self, first: int, reader: SegmentReader) -> None:
        match reader.verdict:
            case Clean():
                return
            case DamagedTail() as tail:
                self._cut(first, tail)
            case DamagedMiddle() as damage:
                raise LedgerError(
                    f"the journal {self.path(first)} is damaged: at offset {damage.offset}, where entry "
                    f"{damage.sequence} should be: {damage.problem}. Nothing was changed. Put the data folder's last "
                    f"backup in its place, or move {self.folder} away to go on with what was kept up to entry "
                    f"{self._applied}"
                )

    def _cut(self, first: int, tail: DamagedTail) -> None:
        entries = "an unknown number of" if tail.entries is None else str(tail.entries)
        log.warning(
            f"the end of the journal {self.path(first)} is damaged, as a crash leaves it: cut "
            f"{tail.lost_bytes} bytes at offset {tail.offset}, which held {entries} entries of an unfinished write"
        )
        try:
            with self.path(first).open("r+b") as file:
                file.truncate(tail.offset)
                os.fsync(file.fileno())
        except OSError as error:
            raise LedgerError(f"cannot cut the journal {self.path(first)}: {error.strerror}") from None
        self.cut = tail

    def _missing(self, wanted: int, found: int) -> LedgerError:
        return LedgerError(
            f"the journal in {self.folder} is damaged: entries {wanted} to {found - 1} are missing, their segment is "
            f"gone. Nothing was changed. Put it back, or move the folder away to go on with what was kept up to entry "
            f"{self._applied}"
        )

    # Writing

    def append(self, payloads: Sequence[bytes]) -> int:
        """Write entries; when it returns they are on disk. Gives the number of the last one.

        Raises:
            OSError: They are not. Nothing can be appended any more.
        """
        frame, position = encode_frame(self._position, payloads)
        if self._descriptor is None or self._size >= self._segment_bytes:
            self._begin(self._position.sequence)
        assert self._descriptor is not None
        left = memoryview(frame)
        while left:
            left = left[os.write(self._descriptor, left) :]
        if not _DSYNC:
            os.fsync(self._descriptor)
        self._size += len(frame)
        self._position = position
        return self.last

    def _begin(self, first: int) -> None:
        """Go on in a new segment."""
        self._release()
        self._descriptor = os.open(self.path(first), _WRITE | _DSYNC, 0o600)
        self._size = os.fstat(self._descriptor).st_size
        if first not in self._firsts:
            self._firsts.append(first)
        _sync_folder(self.folder)

    def drop(self, through: int) -> None:
        """Delete the segments that hold nothing newer than an entry, but never the one that is written to."""
        if self._keeps_all:
            return
        while len(self._firsts) > 1 and self._firsts[1] <= through + 1:
            self.path(self._firsts[0]).unlink(missing_ok=True)
            del self._firsts[0]

    def clear(self) -> None:
        """Delete all segments: everything is safe elsewhere."""
        self._release()
        if self._keeps_all:
            return
        for first in self._firsts:
            self.path(first).unlink(missing_ok=True)
        self._firsts.clear()

    def close(self) -> None:
        """Close the files."""
        self._release()

    def _release(self) -> None:
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    """Make sure that a new file's name is on disk."""
    if os.name == "nt":
        return  # Folders cannot be opened there.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
