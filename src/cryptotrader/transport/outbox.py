"""What waits for a client that reads more slowly than it is written to. Pure and bounded.

State-like frames carry a key; while they wait, a newer frame takes the place of the older one with the same key, at
the older one's position. Frames without a key are never dropped: when they do not fit, the outbox says so and its
owner closes the connection.
"""

from __future__ import annotations

from enum import Enum

from cryptotrader.transport.frames import Frame


class Put(Enum):
    """What became of a frame."""

    QUEUED = "queued"
    CONFLATED = "conflated"
    """It replaced an older frame of its key."""
    OVERFLOW = "overflow"
    """It did not fit and was not taken."""


class Outbox:
    """Frames in the order in which they will leave.

    Args:
        max_frames: Most frames held; at least 1.
        max_bytes: Most bytes held, as framed without compression; one frame always fits into an empty outbox.
    """

    __slots__ = ("_bytes", "_frames", "_max_bytes", "_max_frames", "_next", "conflated", "overflowed")

    def __init__(self, *, max_frames: int, max_bytes: int) -> None:
        if max_frames < 1 or max_bytes < 1:
            raise ValueError("an outbox holds at least one frame")
        self._frames: dict[str | int, Frame] = {}
        self._bytes = 0
        self._next = 0
        self._max_frames = max_frames
        self._max_bytes = max_bytes
        self.conflated = 0
        """Frames replaced by a newer one of their key."""
        self.overflowed = 0
        """Frames that did not fit."""

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def byte_count(self) -> int:
        """Bytes that wait."""
        return self._bytes

    def put(self, frame: Frame, *, key: str | None = None) -> Put:
        """Take a frame, or say that it does not fit."""
        if key is not None and (older := self._frames.get(key)) is not None:
            self._frames[key] = frame
            self._bytes += len(frame) - len(older)
            self.conflated += 1
            return Put.CONFLATED
        too_many = len(self._frames) >= self._max_frames
        if too_many or (self._frames and self._bytes + len(frame) > self._max_bytes):
            self.overflowed += 1
            return Put.OVERFLOW
        self._next += 1
        self._frames[self._next if key is None else key] = frame
        self._bytes += len(frame)
        return Put.QUEUED

    def drain(self) -> list[Frame]:
        """Take everything out, oldest first."""
        frames = list(self._frames.values())
        self._frames.clear()
        self._bytes = 0
        return frames
