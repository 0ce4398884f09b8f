"""All open WebSocket connections of the exchange: how many, how old, and what they are told when it stops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from cryptotrader.core.clock import NS_PER_S, Clock, to_ms
from cryptotrader.exchange.protocol.streams.policy import WsPolicy

TICK_S = 1.0
"""How often ages are looked at. Unit: seconds. Reason: nobody feels a second in a day or in an hour."""


class Guest(Protocol):
    """One connection."""

    def announce_shutdown(self, now_ms: int) -> None:
        """Tell the client that the server is about to stop."""
        ...

    def retire(self) -> None:
        """Close: the connection has lived as long as it may."""
        ...

    def drop(self) -> None:
        """Break the connection without a close frame."""
        ...


class Crowd:
    """Open connections, oldest first. Lives in one event loop.

    Args:
        policy: How many there may be and how long they live.
        clock: Time.
        chore: Called about once a second while there is a connection.
    """

    def __init__(self, policy: WsPolicy, clock: Clock, chore: Callable[[], None]) -> None:
        self._policy = policy
        self._clock = clock
        self._chore = chore
        self._guests: dict[Guest, int] = {}
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._guests)

    @property
    def is_full(self) -> bool:
        """Whether no more may come in."""
        return len(self._guests) >= self._policy.max_connections

    def add(self, guest: Guest) -> None:
        """A connection opened."""
        self._guests[guest] = self._clock.monotonic_ns()
        if self._timer is None:
            self._schedule()

    def remove(self, guest: Guest) -> None:
        """It closed."""
        self._guests.pop(guest, None)

    def announce_shutdown(self) -> None:
        """Tell every client that the server is about to stop."""
        now_ms = to_ms(self._clock.now_ns())
        for guest in tuple(self._guests):
            guest.announce_shutdown(now_ms)

    def drop_all(self) -> None:
        """Break every connection, as a bad network would."""
        for guest in tuple(self._guests):
            guest.drop()

    def tick(self) -> None:
        """Retire who has lived long enough, and do the chore."""
        oldest_ns = self._clock.monotonic_ns() - int(self._policy.lifetime_s * NS_PER_S)
        overdue = []
        for guest, opened_ns in self._guests.items():
            if opened_ns > oldest_ns:
                break
            overdue.append(guest)
        for guest in overdue:
            self.remove(guest)
            guest.retire()
        self._chore()

    def _schedule(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(TICK_S, self._run)

    def _run(self) -> None:
        self._timer = None
        if self._guests:
            self._schedule()
        self.tick()
