"""What can be done to a market while it runs: pause, step, speed, seek, seed."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Protocol, runtime_checkable

import msgspec

MAX_SPEED = 1000
"""Fastest fixed speed. Unit: market seconds per second. Reason: beyond it ``max`` is what is meant."""

MIN_SPEED = Decimal("0.001")

MAX_SEED = 2**63 - 1


class PlayState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a market source does now, as ``/admin/market`` shows it."""

    kind: str
    """``tape``, ``synthetic`` or ``mirror``."""
    symbols: tuple[str, ...]
    is_paused: bool = msgspec.field(name="paused", default_factory=lambda: False)
    speed: str | None = None
    """Market seconds per second, or ``max``."""
    seed: int | None = None
    position_s: float | None = None
    """Where a tape stands, from its beginning. Unit: seconds."""
    length_s: float | None = None
    """How long one loop of a tape is. Unit: seconds."""
    loop: int | None = None
    """How often a tape has begun again."""
    is_held: bool | None = msgspec.field(name="held", default=None)
    """Whether a tape waits until somebody watches."""
    is_over: bool | None = msgspec.field(name="over", default=None)
    """Whether a tape has come to its end."""
    venue: str | None = None
    """What is mirrored."""
    is_live: bool | None = msgspec.field(name="live", default=None)
    """Whether the mirrored books are those of this moment."""


@runtime_checkable
class Player(Protocol):
    """A market source that can be controlled. What it cannot do it refuses with ValueError and a plain sentence."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols that it serves."""
        ...

    def state(self, now_ns: int) -> PlayState:
        """What it does now."""
        ...

    def pause(self, now_ns: int) -> None:
        """Stop."""
        ...

    def play(self, now_ns: int) -> None:
        """Go on."""
        ...

    def step(self, count: int, now_ns: int) -> None:
        """Hand over ``count`` events while paused."""
        ...

    def set_speed(self, speed: Fraction | None, now_ns: int) -> None:
        """Market seconds per second; None is as fast as events are asked for."""
        ...

    def seek(self, offset_ns: int, now_ns: int) -> None:
        """Go to a place; consumers need a fresh snapshot afterwards."""
        ...

    def reseed(self, seed: int, now_ns: int) -> None:
        """Go on as another seed has it; consumers need a fresh snapshot afterwards."""
        ...


def read_speed(text: str) -> Fraction | None:
    """``2.5`` as a fraction, ``max`` as None.

    Raises:
        ValueError: It is neither ``max`` nor a number from ``MIN_SPEED`` to ``MAX_SPEED``.
    """
    if text == "max":
        return None
    try:
        speed = Decimal(text)
    except InvalidOperation:
        speed = Decimal(0)
    if not speed.is_finite() or not MIN_SPEED <= speed <= MAX_SPEED:
        raise ValueError(f"speed must be max or a number from {MIN_SPEED} to {MAX_SPEED}")
    return Fraction(speed)


def speed_text(speed: Fraction | None) -> str:
    """The reverse of ``read_speed``."""
    return "max" if speed is None else f"{float(speed):g}"
