"""Bounded queues between a callback and a task, with a named policy for when they are full."""

from __future__ import annotations

import asyncio
from collections import deque
from enum import Enum
from typing import Generic, TypeVar

T = TypeVar("T")


class Overflow(Enum):
    """What a full mailbox does with one more item."""

    DROP_OLDEST = "drop_oldest"
    REJECT = "reject"


class Mailbox(Generic[T]):
    """Filled synchronously, emptied by one task.

    Args:
        capacity: Most items held; at least 1.
        overflow: What to do when it is full. ``dropped`` counts what was lost either way.
    """

    def __init__(self, capacity: int, overflow: Overflow) -> None:
        if capacity < 1:
            raise ValueError("a mailbox holds at least one item")
        self._items: deque[T] = deque()
        self._capacity = capacity
        self._overflow = overflow
        self._wake = asyncio.Event()
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T) -> bool:
        """Add an item; False where it (or, with ``DROP_OLDEST``, an older one) was lost."""
        if len(self._items) >= self._capacity:
            self.dropped += 1
            if self._overflow is Overflow.REJECT:
                return False
            self._items.popleft()
            self._items.append(item)
            return False
        self._items.append(item)
        self._wake.set()
        return True

    async def get(self) -> T:
        """Wait for the oldest item."""
        while not self._items:
            self._wake.clear()
            await self._wake.wait()
        return self._items.popleft()

    def drain(self) -> list[T]:
        """Take everything there is, without waiting."""
        items = list(self._items)
        self._items.clear()
        return items
