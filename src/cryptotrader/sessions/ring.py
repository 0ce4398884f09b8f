"""The newest messages of a numbered stream, for clients that come back (S0-44). Bounded in number and bytes."""

from __future__ import annotations

from collections import deque
from itertools import islice

from cryptotrader.transport.frames import Frame

MAX_MESSAGES = 4_096
"""Messages kept per symbol. Reason: nearly seven minutes at ten a second."""

MAX_BYTES = 4 * 1_048_576
"""Bytes kept per symbol. Reason: a hundred busy symbols must not need more than half a gigabyte."""


class MessageRing:
    """Messages whose ids join without a hole.

    Args:
        max_messages: Most messages kept.
        max_bytes: Most bytes kept, as framed without compression; the newest message is kept at any size.
    """

    def __init__(self, *, max_messages: int = MAX_MESSAGES, max_bytes: int = MAX_BYTES) -> None:
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._kept: deque[tuple[int, int, Frame]] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def byte_count(self) -> int:
        """Bytes kept."""
        return self._bytes

    def append(self, first_id: int, last_id: int, frame: Frame) -> None:
        """Keep a message; one that does not follow the last makes the ring forget what was before."""
        if self._kept and first_id != self._kept[-1][1] + 1:
            self.clear()
        self._kept.append((first_id, last_id, frame))
        self._bytes += len(frame)
        while len(self._kept) > self._max_messages or (self._bytes > self._max_bytes and len(self._kept) > 1):
            self._bytes -= len(self._kept.popleft()[2])

    def since(self, last_seen: int) -> list[Frame] | None:
        """What follows the message that ended with ``last_seen``; None where that cannot be told without a hole."""
        if not self._kept:
            return None
        if self._kept[-1][1] == last_seen:
            return []
        for missed, (first_id, _, _) in enumerate(reversed(self._kept), start=1):
            if first_id <= last_seen:
                return None
            if first_id == last_seen + 1:
                return [frame for _, _, frame in islice(self._kept, len(self._kept) - missed, None)]
        return None

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self._bytes = 0
