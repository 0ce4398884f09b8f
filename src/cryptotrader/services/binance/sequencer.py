"""Proves that a local order book is continuous. Pure: events go in, verdicts come out; the book itself lives elsewhere.

Binance, ``web-socket-streams.md``, "How to manage a local order book correctly", and where each step happens here:

1. "Open a WebSocket connection" - the caller; it calls ``on_diff`` for each event.
2. "Buffer the events received from the stream. Note the `U` of the first event" - ``on_diff`` while not live.
3. "Get a depth snapshot" with ``limit=5000`` - the caller, whenever ``needs_snapshot``.
4. "If the `lastUpdateId` from the snapshot is strictly less than the `U` from step 2, go back to step 3" -
   ``on_snapshot`` returns None.
5. "discard any event where `u` is <= `lastUpdateId`. The first buffered event should now have `lastUpdateId` within
   its `[U;u]` range" - ``on_snapshot``.
6. "Set your local order book to the snapshot" - the caller, when ``on_snapshot`` returns the events to apply.
7. "Apply the update procedure below to all buffered events, and then to all subsequent events received" - the caller
   applies what ``on_snapshot`` returned, then each event whose verdict is ``APPLY``.

The update procedure: an event whose ``u`` is not above the book's id is old (``OLD``); one whose ``U`` is above the
book's id + 1 proves that events were missed (``GAP``: start again); otherwise it is applied (``APPLY``).
"""

from __future__ import annotations

from collections import deque
from enum import Enum

from cryptotrader.core.events import BookSnapshot, DepthDiff

MAX_BUFFERED = 5_000
"""Events held while a snapshot is awaited. Unit: events. Overflow: the oldest goes, which only means that the snapshot
must be newer. Reason: more than eight minutes at one event per 100 ms."""


class Verdict(Enum):
    """What to do with an event."""

    APPLY = "apply"
    """It continues the book."""
    HELD = "held"
    """It waits for a snapshot."""
    OLD = "old"
    """The book has it already."""
    GAP = "gap"
    """Events were missed: the book must not be served until a snapshot has been loaded. The event is held."""


class BookSequencer:
    """Continuity of one symbol's diff. depth stream.

    Args:
        max_buffered: Most events held while not live; at least 1.
    """

    def __init__(self, *, max_buffered: int = MAX_BUFFERED) -> None:
        self._buffer: deque[DepthDiff] = deque(maxlen=max_buffered)
        self._last_id: int | None = None
        self._suspended_at: int | None = None

    @property
    def last_id(self) -> int | None:
        """Update id of the book, or None while there is no book that may be served."""
        return self._last_id

    @property
    def is_live(self) -> bool:
        """Whether the book is proven up to ``last_id``."""
        return self._last_id is not None

    @property
    def needs_snapshot(self) -> bool:
        """Whether only a snapshot can make the book live (after ``suspend`` the next event may do as well)."""
        return self._last_id is None and self._suspended_at is None

    @property
    def buffered(self) -> int:
        """Events held now."""
        return len(self._buffer)

    @property
    def newest_id(self) -> int:
        """Update id of the newest held event, 0 where none is held."""
        return self._buffer[-1].last_id if self._buffer else 0

    def on_diff(self, diff: DepthDiff) -> Verdict:
        """Judge one event of the stream."""
        if self._suspended_at is not None:
            return self._resume(diff, self._suspended_at)
        if self._last_id is None:
            return self._hold(diff)
        if diff.last_id <= self._last_id:
            return Verdict.OLD
        if diff.first_id > self._last_id + 1:
            self.restart()
            self._hold(diff)
            return Verdict.GAP
        self._last_id = diff.last_id
        return Verdict.APPLY

    def on_snapshot(self, snapshot: BookSnapshot) -> list[DepthDiff] | None:
        """Start the book from ``snapshot``.

        Returns:
            The held events to apply on top of it, in order; None where the snapshot is older than the first held event
            (fetch another one).
        """
        held = [diff for diff in self._buffer if diff.last_id > snapshot.last_id]
        if held and held[0].first_id > snapshot.last_id + 1:
            return None
        self._buffer.clear()
        self._suspended_at = None
        self._last_id = held[-1].last_id if held else snapshot.last_id
        return held

    def restart(self) -> None:
        """Forget the book: it was crossed, or something else proves it wrong."""
        self._buffer.clear()
        self._last_id = None
        self._suspended_at = None

    def suspend(self) -> None:
        """The connection broke. The book is good for its id, but nobody knows what has been missed since.

        If the first event of the next connection continues the book, it is live again without a snapshot.
        """
        if self._last_id is not None:
            self._suspended_at = self._last_id
            self._last_id = None
        elif self._suspended_at is None:
            # What was held came over a connection that is gone; events since then may be missing between.
            self._buffer.clear()

    def _resume(self, diff: DepthDiff, last_id: int) -> Verdict:
        self._suspended_at = None
        if diff.first_id <= last_id + 1 <= diff.last_id:
            self._last_id = diff.last_id
            return Verdict.APPLY
        # Missed events, or ids that went back because the venue started anew: only a snapshot can tell.
        self._hold(diff)
        return Verdict.GAP

    def _hold(self, diff: DepthDiff) -> Verdict:
        if self._buffer:
            newest = self._buffer[-1]
            if diff.last_id <= newest.last_id:
                return Verdict.OLD
            if diff.first_id > newest.last_id + 1:
                # Nothing can bridge the hole; a snapshot from beyond it makes the older events useless anyway.
                self._buffer.clear()
        self._buffer.append(diff)
        return Verdict.HELD
