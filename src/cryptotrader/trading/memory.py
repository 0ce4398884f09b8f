"""What became of orders that clients may ask for twice: bounded in number and age."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

from cryptotrader.core.clock import NS_PER_S

MAX_REMEMBERED = 10_000
"""Most answers kept. Reason: about one kilobyte each. The oldest finished one goes first."""

T = TypeVar("T")


@dataclass
class Entry(Generic[T]):
    """One order under its key."""

    fingerprint: bytes
    outcome: asyncio.Future[T]
    started_ns: int
    """Monotonic time at which the request came."""
    age_s: int
    """How long it is remembered."""
    since_ms: int = 0
    """An order of the same name that was placed before is another one. Unit: epoch ms of the venue."""


class OrderMemory(Generic[T]):
    """Keys to outcomes, pending ones included, so that a repeated request waits for the first one's answer."""

    def __init__(self, capacity: int = MAX_REMEMBERED) -> None:
        self._capacity = capacity
        self._entries: OrderedDict[str, Entry[T]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, key: str, now_ns: int) -> Entry[T] | None:
        """The entry, unless it is finished and too old."""
        entry = self._entries.get(key)
        if entry is not None and entry.outcome.done() and now_ns - entry.started_ns >= entry.age_s * NS_PER_S:
            del self._entries[key]
            return None
        return entry

    def add(self, key: str, entry: Entry[T]) -> None:
        """Remember an order that is about to be sent."""
        self._entries[key] = entry
        while len(self._entries) > self._capacity:
            # Orders on their way are few (the desk bounds them) and must never be forgotten.
            done = next((name for name, entry in self._entries.items() if entry.outcome.done()), None)
            if done is None:
                return
            del self._entries[done]

    def forget(self, key: str, entry: Entry[T] | None = None) -> None:
        """The order surely does not exist or its name is free again; the same key may place one.

        Args:
            key: Its key.
            entry: Forget only this one, not another order that took the key since.
        """
        if entry is None or self._entries.get(key) is entry:
            self._entries.pop(key, None)
