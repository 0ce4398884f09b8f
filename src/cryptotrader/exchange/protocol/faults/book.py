"""Faults that wait for something to befall. Pure: times are handed in, and chance comes from a seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

import msgspec

from cryptotrader.exchange.protocol.faults.model import (
    ACTIONS,
    AT_OPENING,
    ON_REQUESTS,
    ON_STREAMS,
    FaultKind,
    FaultSpec,
    Target,
)

MAX_FAULTS = 100
"""Most faults waiting at a time. Unit: faults. Reason: they are set by hand, by a test or by a short file."""

DEFAULT_SEED = 1

_S = 1_000


class WaitingFault(msgspec.Struct):
    """One entry of the book."""

    id: int
    spec: FaultSpec
    left: int | None
    """How often it may still happen; null for any number of times."""
    hits: int = 0
    since_ms: int = 0
    """When it was set. Unit: epoch milliseconds of the exchange."""

    @property
    def begins_ms(self) -> int:
        """When it begins."""
        return self.since_ms + int(self.spec.after_s * _S)

    def is_over(self, now_ms: int) -> bool:
        """Whether its time has passed."""
        return self.spec.for_s is not None and now_ms >= self.begins_ms + int(self.spec.for_s * _S)


class FaultBook:
    """Faults that wait. Full at ``MAX_FAULTS``: ``add`` then answers None.

    Of several that could befall a request or a message the oldest does. Each has random numbers of its own, made from
    the seed and its id, so that the same faults and the same traffic have the same outcome.

    Args:
        seed: For faults that have none of their own.
    """

    def __init__(self, seed: int = DEFAULT_SEED) -> None:
        self.seed = seed
        self._waiting: list[WaitingFault] = []
        self._draws: dict[int, Random] = {}
        self._next_id = 1
        self.has_streams = False
        """Whether a fault of streams waits: spares the busiest path the search."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self._waiting

    def add(self, spec: FaultSpec, now_ms: int = 0) -> WaitingFault | None:
        """Let a fault wait."""
        self._drop_over(now_ms)
        if len(self._waiting) >= MAX_FAULTS:
            return None
        fault = WaitingFault(id=self._next_id, spec=spec, left=spec.times, since_ms=now_ms)
        self._next_id += 1
        self._waiting.append(fault)
        seed = self.seed if spec.seed is None else spec.seed
        self._draws[fault.id] = Random(f"{seed}/{fault.id}")
        self._settle()
        return fault

    def list(self, now_ms: int = 0) -> list[WaitingFault]:
        """Those still waiting, oldest first."""
        self._drop_over(now_ms)
        return list(self._waiting)

    def clear(self, fault_id: int | None = None) -> int:
        """Forget one fault or all; returns how many."""
        before = len(self._waiting)
        self._waiting = [fault for fault in self._waiting if fault_id is not None and fault.id != fault_id]
        self._settle()
        return before - len(self._waiting)

    def reseed(self, seed: int) -> None:
        """Begin anew with another seed: all faults are forgotten, and their ids begin at 1."""
        self.clear()
        self.seed, self._next_id = seed, 1

    def take(self, operation: str, account: str = "", now_ms: int = 0) -> FaultSpec | None:
        """The fault that befalls this request, if any; counts it."""
        if not self._waiting:
            return None
        return self._take(
            now_ms,
            lambda spec: (
                spec.kind in ON_REQUESTS
                and spec.operation in (operation, "*")
                and (spec.account is None or spec.account == account)
            ),
        )

    def take_stream(self, stream: str, symbol: str, *, account: str = "", now_ms: int) -> FaultSpec | None:
        """The fault that befalls this message of a stream, if any; counts it."""
        return self._take(
            now_ms,
            lambda spec: (
                spec.kind in ON_STREAMS
                and spec.stream in (stream, "*")
                and (spec.symbol is None or spec.symbol == symbol)
                and (spec.account is None or spec.account == account)
            ),
        )

    def take_opening(self, target: Target, now_ms: int) -> FaultSpec | None:
        """The fault that befalls this connection as it is opened, if any; counts it."""
        return self._take(now_ms, lambda spec: spec.kind in AT_OPENING and _aims_at(spec, target))

    def due_actions(self, now_ms: int) -> Sequence[WaitingFault]:
        """What befalls open connections now; counts each once, and puts off what repeats."""
        due = []
        self._drop_over(now_ms)
        for fault in tuple(self._waiting):
            every_ms = int((fault.spec.every_s or 0) * _S)
            if fault.spec.kind in ACTIONS and now_ms >= fault.begins_ms + fault.hits * every_ms:
                self._hit(fault)
                due.append(fault)
        return due

    def hits(self, fault: WaitingFault) -> bool:
        """Whether an action befalls one more connection, by its probability."""
        return self._chance(fault)

    def skew_ms(self, now_ms: int) -> int:
        """How much the told time is off now. Unit: milliseconds."""
        if not self._waiting:
            return 0
        running = (fault for fault in self._waiting if fault.begins_ms <= now_ms and not fault.is_over(now_ms))
        return sum(fault.spec.skew_ms for fault in running if fault.spec.kind is FaultKind.CLOCK_SKEW)

    def _take(self, now_ms: int, suits: Callable[[FaultSpec], bool]) -> FaultSpec | None:
        for fault in tuple(self._waiting):
            if fault.is_over(now_ms):
                self._forget(fault)
            elif fault.begins_ms <= now_ms and suits(fault.spec) and self._chance(fault):
                self._hit(fault)
                return fault.spec
        return None

    def _chance(self, fault: WaitingFault) -> bool:
        if fault.spec.probability >= 1:
            return True
        draw = self._draws.get(fault.id)
        return draw is not None and draw.random() < fault.spec.probability

    def _hit(self, fault: WaitingFault) -> None:
        fault.hits += 1
        if fault.left is not None:
            fault.left -= 1
            if fault.left <= 0:
                self._waiting.remove(fault)
                self._settle(keep=fault.id)

    def _forget(self, fault: WaitingFault) -> None:
        self._waiting.remove(fault)
        self._settle()

    def _drop_over(self, now_ms: int) -> None:
        for fault in tuple(self._waiting):
            if fault.is_over(now_ms):
                self._forget(fault)

    def _settle(self, keep: int | None = None) -> None:
        """``keep``: an action that happened for the last time still has to choose its connections."""
        self.has_streams = any(fault.spec.kind in ON_STREAMS for fault in self._waiting)
        ids = {fault.id for fault in self._waiting}
        self._draws = {number: draw for number, draw in self._draws.items() if number in ids or number == keep}


def _aims_at(spec: FaultSpec, target: Target) -> bool:
    return spec.connections in (None, "*", target)
