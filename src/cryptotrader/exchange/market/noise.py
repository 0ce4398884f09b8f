"""Smooth made-up processes that are pure functions of (seed, name, time): any moment can be asked for, in any order.

A process is a sum of octaves. Each octave has a random value at every multiple of its period and is linear in between;
the values come from hashing, so nothing needs to be stored. All numbers here are plain floats: they decide what the
market does next, and become exact prices only when rounded to ticks.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from math import log, sqrt

from cryptotrader.market.candles import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15

PATH_PERIODS_MS = (
    SECOND_MS,
    4 * SECOND_MS,
    15 * SECOND_MS,
    MINUTE_MS,
    5 * MINUTE_MS,
    15 * MINUTE_MS,
    HOUR_MS,
    4 * HOUR_MS,
    DAY_MS,
    5 * DAY_MS,
    20 * DAY_MS,
    80 * DAY_MS,
    320 * DAY_MS,
)
"""Octaves of a price path, from a second to about a year."""

FLOW_PERIODS_MS = (20 * SECOND_MS, 15 * MINUTE_MS, 8 * HOUR_MS)
"""Octaves of trading activity: bursts, quarters of an hour, sessions of the day."""

_FLOW_DEPTH = 0.11
"""How far each octave may lead or lag. The rate never falls below ``1 - 2 * 0.11 * 3``, a third of its mean."""


def hash_unit(key: int) -> float:
    """A number in [0, 1) that looks random and depends on ``key`` alone (splitmix64)."""
    mixed = (key + _GOLDEN) & _MASK
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
    return ((mixed ^ (mixed >> 31)) >> 11) * 2.0**-53


def hash_exponential(key: int) -> float:
    """An exponentially distributed number with mean 1, cut at 8."""
    return min(8.0, -log(1.0 - hash_unit(key)))


def seed_key(*parts: object) -> int:
    """A 64-bit key for ``hash_unit``, the same on every machine."""
    text = ":".join(map(str, parts)).encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "little")


class Octaves:
    """One process. Successive questions about nearby times are cheap: each octave remembers its current cell.

    Args:
        name: Seed and what the process is for.
        periods_ms: Periods of the octaves.
        amplitudes: Largest deviation of each octave.
    """

    def __init__(self, name: str, periods_ms: Sequence[int], amplitudes: Sequence[float]) -> None:
        self._octaves = [
            (period, amplitude, seed_key(name, period))
            for period, amplitude in zip(periods_ms, amplitudes, strict=True)
        ]
        self._cells: list[tuple[int, float, float]] = [(-1, 0.0, 0.0)] * len(self._octaves)

    def at(self, time_ms: int) -> float:
        """The value at a time."""
        total = 0.0
        for place, (period, amplitude, key) in enumerate(self._octaves):
            index, rest = divmod(time_ms, period)
            cell = self._cells[place]
            if cell[0] != index:
                left = cell[2] if cell[0] == index - 1 else self._node(key, index, amplitude)
                cell = self._cells[place] = (index, left, self._node(key, index + 1, amplitude))
            total += cell[1] + (cell[2] - cell[1]) * (rest / period)
        return total

    @staticmethod
    def _node(key: int, index: int, amplitude: float) -> float:
        return (2.0 * hash_unit((key + index * _GOLDEN) & _MASK) - 1.0) * amplitude


def wander(name: str, daily_volatility: float) -> Octaves:
    """A logarithmic price path that moves about ``daily_volatility`` (0.03: three percent) a day."""
    amplitudes = [daily_volatility * sqrt(period / DAY_MS) for period in PATH_PERIODS_MS]
    return Octaves(name, PATH_PERIODS_MS, amplitudes)


class Flow:
    """A count that only grows, faster and slower by turns: trades, or lots traded, up to a time.

    Args:
        name: Seed and what is counted.
        per_second: Mean rate.
        origin_ms: Where the count is about zero.
    """

    def __init__(self, name: str, per_second: float, origin_ms: int) -> None:
        self._per_ms = per_second / SECOND_MS
        self._origin_ms = origin_ms
        self._lead_ms = Octaves(name, FLOW_PERIODS_MS, [_FLOW_DEPTH * period for period in FLOW_PERIODS_MS])

    def until(self, time_ms: int) -> int:
        """The count up to a time. Never falls."""
        return int((time_ms - self._origin_ms + self._lead_ms.at(time_ms)) * self._per_ms)
