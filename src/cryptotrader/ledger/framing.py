"""How a journal looks in bytes, and what can be told from bytes that are not as they were written.

A journal is a run of frames, cut into segments. A frame holds the entries of one write and is valid or not as a whole,
since a write that a crash interrupted was never acknowledged. All numbers are little-endian:

```
offset  bytes
     0      4  MAGIC
     4      4  CRC-32 of everything that follows up to the end of the frame
     8      4  length of the entries
    12      8  sequence number of the first entry
    20      4  number of entries
    24      4  CRC-32 of the frame before, which may be in the segment before; 0 before any
    28      .  entries: each a length of 4 bytes and its payload
```

Each frame names the checksum of the one before and counts on where that ended, so a frame that is missing, repeated or
in another place is noticed although its own checksum is right.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MAGIC = b"\xf5CJ1"
"""Begins a frame. Not UTF-8, so no text of a client holds it. The digit is the version of the framing."""

MAX_FRAME_BYTES = 256 * 1024 * 1024
"""Longest body. Unit: bytes. Reason: a length that was damaged must not be believed."""

_HEAD = struct.Struct("<4sIIQII")
_LENGTH = struct.Struct("<I")
_CHECKED_FROM = 8


@dataclass(frozen=True)
class Position:
    """Where a journal stands between two frames.

    Attributes:
        sequence: Number of the next entry.
        crc: Checksum of the frame before; None accepts any.
    """

    sequence: int
    crc: int | None = None


@dataclass(frozen=True)
class Frame:
    """One frame that is valid in itself.

    Attributes:
        first: Sequence number of its first entry.
        count: Its entries.
        previous: Checksum of the frame before.
        crc: Its own checksum.
        offset: Where it begins. Unit: bytes.
        end: Where the next one begins. Unit: bytes.
    """

    first: int
    count: int
    previous: int
    crc: int
    offset: int
    end: int

    @property
    def next(self) -> Position:
        """Where the journal stands after it."""
        return Position(self.first + self.count, self.crc)


@dataclass(frozen=True)
class Clean:
    """Everything is as it was written."""


@dataclass(frozen=True)
class DamagedTail:
    """The last write did not reach the disk whole. It was never acknowledged and may be cut.

    Attributes:
        offset: Where it begins. Unit: bytes.
        lost_bytes: From there to the end.
        entries: How many it would have held; None where that cannot be read.
    """

    offset: int
    lost_bytes: int
    entries: int | None


@dataclass(frozen=True)
class DamagedMiddle:
    """Something acknowledged is gone or wrong.

    Attributes:
        offset: Where. Unit: bytes.
        sequence: The entry that should be there.
        problem: What is there instead.
    """

    offset: int
    sequence: int
    problem: str


Verdict = Clean | DamagedTail | DamagedMiddle


def encode_frame(position: Position, payloads: Sequence[bytes]) -> tuple[bytes, Position]:
    """One frame, and where the journal stands after it.

    Raises:
        ValueError: There is nothing to write, or too much for one frame.
    """
    parts: list[bytes] = []
    for payload in payloads:
        parts.append(_LENGTH.pack(len(payload)))
        parts.append(payload)
    body = b"".join(parts)
    if not payloads or len(body) > MAX_FRAME_BYTES:
        raise ValueError(f"a frame of {len(payloads)} entries and {len(body)} bytes")
    head = _HEAD.pack(MAGIC, 0, len(body), position.sequence, len(payloads), position.crc or 0)
    crc = zlib.crc32(body, zlib.crc32(head[_CHECKED_FROM:]))
    frame = b"".join((MAGIC, crc.to_bytes(4, "little"), head[_CHECKED_FROM:], body))
    return frame, Position(position.sequence + len(payloads), crc)


def frame_at(data: bytes, offset: int) -> Frame | None:
    """The frame that begins at ``offset``; None where there is none that is valid in itself."""
    if len(data) - offset < _HEAD.size or not data.startswith(MAGIC, offset):
        return None
    _, crc, length, first, count, previous = _HEAD.unpack_from(data, offset)
    end = offset + _HEAD.size + length
    if end > len(data) or not count:
        return None
    if zlib.crc32(memoryview(data)[offset + _CHECKED_FROM : end]) != crc:
        return None
    return Frame(first, count, previous, crc, offset, end)


def payloads_of(data: bytes, frame: Frame) -> Iterator[bytes]:
    """The entries of a valid frame."""
    offset = frame.offset + _HEAD.size
    for _ in range(frame.count):
        start = offset + _LENGTH.size
        offset = start + _LENGTH.unpack_from(data, offset)[0]
        yield data[start:offset]


class SegmentReader:
    """Checks one segment.

    Args:
        data: Its bytes.
        position: Where the journal stands before it.
        is_last: Whether no segment follows: only then may its end be missing.

    Attributes:
        frames: Valid frames in order.
        position: Where the journal stands after them.
        verdict: What to think of the rest.
    """

    def __init__(self, data: bytes, position: Position, *, is_last: bool) -> None:
        self.frames: list[Frame] = []
        self.position = position
        self.verdict: Verdict = Clean()
        offset = 0
        while offset < len(data):
            frame = frame_at(data, offset)
            if frame is None:
                self.verdict = self._judge(data, offset, is_last=is_last)
                return
            problem = _misplaced(frame, self.position)
            if problem:
                self.verdict = DamagedMiddle(offset, self.position.sequence, problem)
                return
            self.frames.append(frame)
            self.position = frame.next
            offset = frame.end

    def _judge(self, data: bytes, offset: int, *, is_last: bool) -> Verdict:
        """A crash tears the last write only: where anything valid follows, or a segment, it was no crash."""
        sequence = self.position.sequence
        if not is_last:
            return DamagedMiddle(offset, sequence, "the segment is damaged here, and another one follows")
        later = data.find(MAGIC, offset + 1)
        while later >= 0:
            frame = frame_at(data, later)
            if frame is not None:
                return DamagedMiddle(
                    offset, sequence, f"it is damaged here, and entry {frame.first} at offset {later} is whole again"
                )
            later = data.find(MAGIC, later + 1)
        return DamagedTail(offset, len(data) - offset, _count_at(data, offset))


def _misplaced(frame: Frame, position: Position) -> str:
    """Why a valid frame cannot be here; empty where it can."""
    if frame.first != position.sequence:
        return f"entry {frame.first} is here"
    if position.crc is not None and frame.previous != position.crc:
        return "the entry here does not follow the one before"
    return ""


def _count_at(data: bytes, offset: int) -> int | None:
    """How many entries a broken frame says it has, where its head is there and can be believed."""
    if len(data) - offset < _HEAD.size or not data.startswith(MAGIC, offset):
        return None
    _, _, length, _, count, _ = _HEAD.unpack_from(data, offset)
    return int(count) if length <= MAX_FRAME_BYTES and 0 < count <= length // _LENGTH.size else None
