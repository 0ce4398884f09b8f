"""Where a player stands on its timeline: a pure function of wall time, so that nothing is lost when a process dies."""

from __future__ import annotations

from fractions import Fraction

import msgspec


class Playhead(msgspec.Struct, frozen=True):
    """``anchor_ns`` of wall time is ``position_ns`` on the timeline; from there it runs at ``speed``."""

    anchor_ns: int
    position_ns: int = 0
    speed_numerator: int = 1
    speed_denominator: int = 1
    is_paused: bool = False

    @property
    def speed(self) -> Fraction:
        """Seconds of timeline per second of wall time."""
        return Fraction(self.speed_numerator, self.speed_denominator)

    def position_at(self, now_ns: int) -> int:
        """The position at a wall time, in nanoseconds; exact."""
        if self.is_paused:
            return self.position_ns
        return self.position_ns + (now_ns - self.anchor_ns) * self.speed_numerator // self.speed_denominator

    def due_ns(self, position_ns: int) -> int:
        """The first wall time at which the playhead has reached a position. Meaningless while paused."""
        ahead_ns = (position_ns - self.position_ns) * self.speed_denominator
        return self.anchor_ns + -(-ahead_ns // self.speed_numerator)

    def moved(self, now_ns: int, *, speed: Fraction | None = None, is_paused: bool | None = None) -> Playhead:
        """The same position at ``now_ns``, going on differently from there."""
        speed = self.speed if speed is None else speed
        return Playhead(
            anchor_ns=now_ns,
            position_ns=self.position_at(now_ns),
            speed_numerator=speed.numerator,
            speed_denominator=speed.denominator,
            is_paused=self.is_paused if is_paused is None else is_paused,
        )


class TapeMark(msgspec.Struct, frozen=True):
    """Where a recording stands, and of which recording that is true."""

    symbol: str
    opening_id: int
    event_count: int
    playhead: Playhead | None
    loop: int
    index: int
