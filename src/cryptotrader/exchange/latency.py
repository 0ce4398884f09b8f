"""How long requests are on their way to the matching engine, and answers on their way back.

A request of an account waits before it is carried out, and its answer waits again. What a connection sends is carried
out in the order in which it was sent, and answered in the order in which it was carried out, whatever the jitter.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections import deque
from typing import Annotated

import msgspec

from cryptotrader.core.clock import NS_PER_MS, NS_PER_S, Clock
from cryptotrader.core.errors import ConfigError

MAX_LATENCY_MS = 4_000
"""Longest way in one direction, without its jitter. Unit: milliseconds. Reason: there and back must stay below the ten
seconds after which the exchange answers -1007 by itself."""

MAX_JITTER_MS = 500
"""Most jitter. Unit: milliseconds. Reason: the same."""

DEFAULT_SEED = 1


class Latency(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One way, there or back: ``fixed_ms`` and up to ``jitter_ms`` more, evenly spread."""

    fixed_ms: Annotated[int, msgspec.Meta(ge=0, le=MAX_LATENCY_MS)] = 0
    jitter_ms: Annotated[int, msgspec.Meta(ge=0, le=MAX_JITTER_MS)] = 0
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] = DEFAULT_SEED
    """Same seed, account and requests: same ways."""

    @property
    def is_none(self) -> bool:
        """Whether requests arrive at once."""
        return not self.fixed_ms and not self.jitter_ms


NO_LATENCY = Latency()

_TEXT = re.compile(r"(?P<fixed_ms>[0-9]{1,5})(\+(?P<jitter_ms>[0-9]{1,5}))?(@(?P<seed>[0-9]{1,18}))?")


def read_latency(text: str) -> Latency:
    """``MS[+JITTER_MS][@SEED]``, as in ``20+5`` or ``20+5@7``.

    Raises:
        ConfigError: It is not that, or too much.
    """
    found = _TEXT.fullmatch(text.strip())
    given = {name: int(value) for name, value in found.groupdict().items() if value is not None} if found else None
    try:
        return msgspec.convert(given, Latency)
    except msgspec.ValidationError:
        most = f"at most {MAX_LATENCY_MS}+{MAX_JITTER_MS}"
        raise ConfigError(f"latency {text!r}: expected MS[+JITTER_MS][@SEED], {most}") from None


class Lane:
    """One direction of one connection: nothing in it overtakes."""

    def __init__(self) -> None:
        self._due_ns = 0
        self._inside: deque[asyncio.Future[None]] = deque()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is on its way."""
        return not self._inside

    async def travel(self, delay_ns: int, now_ns: int) -> None:
        """Return when the way is done, after everything that set out before.

        Args:
            delay_ns: Length of the way.
            now_ns: A clock that never goes back.
        """
        self._due_ns = max(self._due_ns, now_ns + delay_ns)
        before = self._inside[-1] if self._inside else None
        arrived: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._inside.append(arrived)
        try:
            await asyncio.sleep((self._due_ns - now_ns) / NS_PER_S)
            if before is not None and not before.done():
                await asyncio.wait([before])
        finally:
            arrived.set_result(None)
            while self._inside and self._inside[0].done():
                self._inside.popleft()


class Road:
    """Both directions of one connection."""

    def __init__(self) -> None:
        self.there = Lane()
        self.back = Lane()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is on its way, so that nothing can be overtaken."""
        return self.there.is_empty and self.back.is_empty


class Roads:
    """How long whose requests travel.

    Args:
        clock: Time that never goes back.
        default: Of accounts that have none of their own.
    """

    def __init__(self, clock: Clock, default: Latency = NO_LATENCY) -> None:
        self.default = default
        self._clock = clock
        self._draws: dict[tuple[str, int], random.Random] = {}

    def set_default(self, latency: Latency) -> None:
        """Change the way of accounts that have none of their own."""
        self.default = latency
        self._draws.clear()

    def forget(self, account: str) -> None:
        """Begin an account's jitter anew."""
        for key in [key for key in self._draws if key[0] == account]:
            del self._draws[key]

    def of(self, own: Latency | None) -> Latency:
        """What holds for an account with this latency of its own, or none."""
        return self.default if own is None else own

    async def travel(self, lane: Lane, account: str, latency: Latency) -> None:
        """One way of a request of an account."""
        delay_ns = latency.fixed_ms * NS_PER_MS
        if latency.jitter_ms:
            delay_ns += int(self._draw(account, latency.seed).random() * latency.jitter_ms * NS_PER_MS)
        await lane.travel(delay_ns, self._clock.monotonic_ns())

    def _draw(self, account: str, seed: int) -> random.Random:
        found = self._draws.get((account, seed))
        if found is None:
            # Text seeds are hashed the same way in every process.
            found = self._draws[account, seed] = random.Random(f"{seed}/{account}")
        return found
