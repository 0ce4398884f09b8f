"""What waits for one reader of a book: bounded, and nothing is lost without a word. No I/O.

Up to ``capacity`` changes wait one by one. One more, and all that wait are merged into one (first id of the first, last
id of the last, newest quantity of each price), which does the same to a book. Where even the merged change touches more
prices than a book has, it is given up for the whole book as it is when the reader comes back.
"""

from __future__ import annotations

from collections import deque
from typing import Literal

from cryptotrader.core.errors import SequenceGap
from cryptotrader.core.events import DepthDiff

DEFAULT_CAPACITY = 256
"""Changes that wait one by one. Unit: changes. Reason: 25 seconds of one symbol's ten updates a second."""

MAX_MERGED_PRICES = 20_000
"""Prices that a merged change may hold. Unit: prices. Reason: twice the levels of the largest snapshot that Binance
gives, so that a whole book is the shorter message from there on."""

Kind = Literal["diff", "resync"]


class Waiting:
    """One or more consecutive changes."""

    __slots__ = ("asks", "bids", "count", "event_ms", "first_id", "kind", "last_id")

    def __init__(self, diff: DepthDiff, kind: Kind) -> None:
        self.kind: Kind = kind
        self.first_id = diff.first_id
        self.last_id = diff.last_id
        self.event_ms = diff.event_ms
        self.bids = dict(diff.bids)
        self.asks = dict(diff.asks)
        self.count = 1

    def fold(self, later: Waiting) -> None:
        """Take in what follows.

        Raises:
            SequenceGap: It does not follow.
        """
        if later.first_id != self.last_id + 1:
            raise SequenceGap(f"{later.first_id} does not follow {self.last_id}")
        self.last_id = later.last_id
        self.event_ms = later.event_ms
        self.bids.update(later.bids)
        self.asks.update(later.asks)
        self.count += later.count
        if later.kind == "resync":
            self.kind = "resync"


class ChangeInbox:
    """Changes of one book for one reader; at first, and after a restart, it wants the whole book instead.

    Args:
        capacity: Most changes that wait one by one; at least 1.
    """

    def __init__(self, capacity: int = DEFAULT_CAPACITY) -> None:
        if capacity < 1:
            raise ValueError("an inbox holds at least one change")
        self._capacity = capacity
        self._waiting: deque[Waiting] = deque()
        self.needs_snapshot = True
        """Whether the next thing to hand over is the whole book."""
        self.skipped = 0
        """Changes that the next snapshot stands for."""

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, diff: DepthDiff, kind: Literal["diff", "resync", "restart"]) -> None:
        """One more change; it must follow the last one unless it is a restart."""
        if kind == "restart":
            self._restart()
        if self.needs_snapshot or kind == "restart":
            # The book is read when the snapshot is handed over, so it holds this change already.
            self.skipped += 1
            return
        self._waiting.append(Waiting(diff, kind))
        if len(self._waiting) > self._capacity:
            self._merge()

    def take(self) -> Waiting | None:
        """The oldest change, or None where none waits."""
        return self._waiting.popleft() if self._waiting else None

    def snapshot_taken(self) -> int:
        """The whole book was handed over; how many changes it stood for."""
        skipped, self.skipped = self.skipped, 0
        self.needs_snapshot = False
        return skipped

    def _merge(self) -> None:
        merged = self._waiting.popleft()
        while self._waiting:
            merged.fold(self._waiting.popleft())
        if len(merged.bids) + len(merged.asks) > MAX_MERGED_PRICES:
            self.skipped += merged.count
            self.needs_snapshot = True
        else:
            self._waiting.append(merged)

    def _restart(self) -> None:
        self.skipped += sum(waiting.count for waiting in self._waiting)
        self._waiting.clear()
        self.needs_snapshot = True
