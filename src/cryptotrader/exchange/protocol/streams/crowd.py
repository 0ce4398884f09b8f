"""All open WebSocket connections of the exchange: how many, how old, and what they are told when it stops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import takewhile
from typing import Protocol

from cryptotrader.core.clock import NS_PER_S, Clock, to_ms
from cryptotrader.exchange.protocol.faults import FaultKind, FaultSpec, Target
from cryptotrader.exchange.protocol.streams.policy import WsPolicy

TICK_S = 1.0
"""How often ages are looked at. Unit: seconds. Reason: nobody feels a second in a day or in an hour."""


class Guest(Protocol):
    """One connection."""

    @property
    def target(self) -> Target:
        """``streams`` or ``ws-api``."""
        ...

    def announce_shutdown(self, now_ms: int) -> None:
        """Tell the client that the server is about to stop."""
        ...

    def retire(self) -> None:
        """Close: the connection has lived as long as it may."""
        ...

    def drop(self) -> None:
        """Break the connection without a close frame."""
        ...

    def freeze(self) -> None:
        """Fall silent without closing."""
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
        self._noticed: set[Guest] = set()
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
        self._noticed.discard(guest)

    def announce_shutdown(self) -> None:
        """Tell every client that the server is about to stop."""
        now_ms = to_ms(self._clock.now_ns())
        for guest in tuple(self._guests):
            guest.announce_shutdown(now_ms)

    def befall(self, fault: FaultSpec, is_hit: Callable[[], bool]) -> int:
        """Let a fault befall open connections; returns how many.

        Args:
            fault: One of ``ACTIONS``.
            is_hit: Asked for each connection that it aims at.
        """
        now_ms = to_ms(self._clock.now_ns())
        hit = [guest for guest in self._guests if fault.connections in (None, "*", guest.target) and is_hit()]
        for guest in hit:
            match fault.kind:
                case FaultKind.CUT:
                    guest.drop()
                case FaultKind.FREEZE:
                    guest.freeze()
                case _:
                    guest.announce_shutdown(now_ms)
        return len(hit)

    def drop_all(self) -> None:
        """Break every connection, as a bad network would."""
        for guest in tuple(self._guests):
            guest.drop()

    def tick(self) -> None:
        """Give notice to whose end is near, retire who has lived long enough, and do the chore."""
        policy = self._policy
        now_ms = to_ms(self._clock.now_ns())
        for guest in self._older_than(policy.lifetime_s - policy.notice_s):
            if guest not in self._noticed:
                self._noticed.add(guest)
                guest.announce_shutdown(now_ms)
        for guest in self._older_than(policy.lifetime_s):
            self.remove(guest)
            guest.retire()
        self._chore()

    def _older_than(self, age_s: float) -> list[Guest]:
        born_ns = self._clock.monotonic_ns() - int(age_s * NS_PER_S)
        return [guest for guest, _ in takewhile(lambda item: item[1] <= born_ns, self._guests.items())]

    def _schedule(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(TICK_S, self._run)

    def _run(self) -> None:
        self._timer = None
        if self._guests:
            self._schedule()
        self.tick()
