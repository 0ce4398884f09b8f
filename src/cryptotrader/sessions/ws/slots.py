"""How many WebSocket connections there may be: in the whole process, and for each key (C-10)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True)
class SlotLimits:
    """Limits over all protocols and streams."""

    max_connections: int = 10_000
    """In the whole process (``WS_MAX_CONNECTIONS``). Reason: C-10; about 50 KB of memory each."""


class ConnectionSlots:
    """Counts connections. Whoever takes a slot gives it back exactly once."""

    def __init__(self, limits: SlotLimits | None = None) -> None:
        self.limits = limits or SlotLimits()
        self._taken = 0
        self._by_key: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        """Connections now."""
        return self._taken

    def take(self) -> bool:
        """A slot for one connection; False where there is none."""
        if self._taken >= self.limits.max_connections:
            return False
        self._taken += 1
        return True

    def give_back(self) -> None:
        """The connection is gone."""
        self._taken -= 1

    def enter(self, key_id: str, limit: int | None) -> bool:
        """Count a connection for a key; False where the key has ``limit`` connections already."""
        if limit is not None and self._by_key[key_id] >= limit:
            return False
        self._by_key[key_id] += 1
        return True

    def leave(self, key_id: str) -> None:
        """The key has a connection less."""
        self._by_key[key_id] -= 1
        if self._by_key[key_id] <= 0:
            del self._by_key[key_id]

    def of_key(self, key_id: str) -> int:
        """Connections of a key now."""
        return self._by_key[key_id]
