"""Faults on demand: what a real venue does on a bad day, so that a client's handling of it can be proven.

A fault waits for requests of one operation and befalls the next ``count`` of them. Operations are named as in the
WebSocket API (``order.place``, ``depth``, ...); ``*`` means any.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

MAX_FAULTS = 100
"""Most faults waiting at a time. Unit: faults. Reason: they are set by hand or by a test."""

MAX_DELAY_MS = 60_000
"""Longest delay. Unit: milliseconds. Reason: six times the ten seconds after which any client gives up."""


class FaultKind(StrEnum):
    """What happens."""

    LAND_AND_SILENCE = "land_and_silence"
    """The request does its work and is never answered."""
    DROP_AND_SILENCE = "drop_and_silence"
    """The request does nothing and is never answered."""
    LAND_AND_CLOSE = "land_and_close"
    """The request does its work and the connection breaks without an answer."""
    DROP_AND_CLOSE = "drop_and_close"
    """The request does nothing and the connection breaks without an answer."""
    LAND_AND_ERROR = "land_and_error"
    """The request does its work and is answered with an error, by default -1007 (outcome unknown)."""
    ERROR = "error"
    """The request does nothing and is answered with an error."""
    DELAY = "delay"
    """The request is processed at once and answered late."""
    RATE_LIMIT = "rate_limit"
    """429 with Retry-After."""
    BAN = "ban"
    """418 with Retry-After."""

    @property
    def lands(self) -> bool:
        """Whether the request does its work."""
        return self in (
            FaultKind.LAND_AND_SILENCE,
            FaultKind.LAND_AND_CLOSE,
            FaultKind.LAND_AND_ERROR,
            FaultKind.DELAY,
        )

    @property
    def is_silent(self) -> bool:
        """Whether no answer ever comes while the connection stays open."""
        return self in (FaultKind.LAND_AND_SILENCE, FaultKind.DROP_AND_SILENCE)

    @property
    def closes(self) -> bool:
        """Whether the connection breaks."""
        return self in (FaultKind.LAND_AND_CLOSE, FaultKind.DROP_AND_CLOSE)


class FaultSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Body of ``POST /admin/faults``: ``{"operation": "order.place", "kind": "land_and_silence", "count": 1}``."""

    operation: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    kind: FaultKind
    count: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 1
    """How many requests it befalls."""
    code: Annotated[int, msgspec.Meta(ge=-9_999, le=-1)] | None = None
    """Error code, for ``error`` and ``land_and_error``."""
    msg: Annotated[str, msgspec.Meta(max_length=500)] | None = None
    """Error text."""
    status: Annotated[int, msgspec.Meta(ge=400, le=599)] | None = None
    """HTTP status of the error."""
    delay_ms: Annotated[int, msgspec.Meta(ge=0, le=MAX_DELAY_MS)] = 0
    """How late the answer is, for ``delay``."""
    retry_after_s: Annotated[int, msgspec.Meta(ge=0, le=259_200)] = 1
    """``Retry-After``, for ``rate_limit`` and ``ban``."""


class WaitingFault(msgspec.Struct):
    """One entry of the book."""

    id: int
    spec: FaultSpec
    left: int
    hits: int = 0


class FaultBook:
    """Faults that wait for a request to befall. Full at ``MAX_FAULTS``: ``add`` then answers None."""

    def __init__(self) -> None:
        self._waiting: list[WaitingFault] = []
        self._next_id = 1

    def add(self, spec: FaultSpec) -> WaitingFault | None:
        """Let a fault wait."""
        if len(self._waiting) >= MAX_FAULTS:
            return None
        fault = WaitingFault(id=self._next_id, spec=spec, left=spec.count)
        self._next_id += 1
        self._waiting.append(fault)
        return fault

    def list(self) -> list[WaitingFault]:
        """Those still waiting, oldest first."""
        return list(self._waiting)

    def clear(self, fault_id: int | None = None) -> int:
        """Forget one fault or all; returns how many."""
        before = len(self._waiting)
        self._waiting = [fault for fault in self._waiting if fault_id is not None and fault.id != fault_id]
        return before - len(self._waiting)

    def take(self, operation: str) -> FaultSpec | None:
        """The fault that befalls this request, if any; counts it."""
        if not self._waiting:
            return None
        for fault in self._waiting:
            if fault.spec.operation in (operation, "*"):
                fault.left -= 1
                fault.hits += 1
                if fault.left <= 0:
                    self._waiting.remove(fault)
                return fault.spec
        return None
