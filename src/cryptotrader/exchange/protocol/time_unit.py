"""Milliseconds or microseconds: what a client may send, and what it may ask to be told. Pure.

Binance: ``rest-api.md`` and ``web-socket-api.md``, "General API Information": times in requests may be in either unit;
answers are in microseconds where the client says so (``X-MBX-TIME-UNIT: MICROSECOND``, ``timeUnit=MICROSECOND``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cryptotrader.exchange.engine.errors import Refusal

UNITS: Final = frozenset({"MILLISECOND", "millisecond", "MICROSECOND", "microsecond"})
NO_SUCH_UNIT: Final = (-1194, "Invalid value for time unit; expected either MICROSECOND or MILLISECOND.")

MICROSECONDS_FROM: Final = 10**14
"""Times from here on count microseconds. Reason: in milliseconds this is the year 5138."""

MICROS_IN_A_MILLI: Final = 1_000

TIME_FIELDS: Final = frozenset(
    {
        "T",
        "authorizedSince",
        "closeTime",
        "connectedSince",
        "openTime",
        "serverTime",
        "time",
        "timestamp",
        "trailingTime",
        "transactTime",
        "transactionTime",
        "updateTime",
        "workingTime",
    }
)
"""Fields of answers that hold a time."""

CANDLES: Final = frozenset({"klines", "uiKlines"})
"""Requests whose answers are rows without names."""

CANDLE_TIMES: Final = (0, 6)
"""Columns of a candle that hold a time: when it opens and when it closes."""

NO_TIMES: Final = frozenset({"depth"})
"""Requests whose answers hold no time but much else."""


def check_unit(unit: str | None) -> None:
    """Whether a client names a unit of time that there is.

    Raises:
        Refusal: -1194.
    """
    if unit is not None and unit not in UNITS:
        raise Refusal(*NO_SUCH_UNIT)


def wants_micros(unit: str | None) -> bool:
    """Whether a client that says this wants microseconds; anything else means milliseconds."""
    return unit in ("MICROSECOND", "microsecond")


def params_in_millis(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Parameters with ``startTime`` and ``endTime`` in milliseconds, the first rounded up and the second down."""
    if "startTime" not in params and "endTime" not in params:
        return params
    changed: dict[str, str] = {}
    for name, spare in (("startTime", MICROS_IN_A_MILLI - 1), ("endTime", 0)):
        if _counts_micros(params.get(name)):
            changed[name] = str((int(params[name]) + spare) // MICROS_IN_A_MILLI)
    return {**params, **changed} if changed else params


def _counts_micros(value: object) -> bool:
    text = str(value)
    # What is no number, or longer than any, is refused where parameters are checked.
    return len(text) < 20 and text.isascii() and text.isdigit() and int(text) >= MICROSECONDS_FROM


def answer_in_micros(name: str, answer: object) -> object:
    """An answer with its times in microseconds.

    Args:
        name: Of the request, such as ``klines``.
        answer: What goes out as JSON, with times in milliseconds.
    """
    if name in NO_TIMES:
        return answer
    if name in CANDLES:
        assert isinstance(answer, list)
        return [[_micros(cell) if at in CANDLE_TIMES else cell for at, cell in enumerate(row)] for row in answer]
    return _scaled(answer)


def _scaled(value: object) -> object:
    if isinstance(value, dict):
        return {name: _micros(item) if name in TIME_FIELDS else _scaled(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_scaled(item) for item in value]
    return value


def _micros(value: object) -> object:
    # -1 and null say that there is no time.
    return value * MICROS_IN_A_MILLI if isinstance(value, int) and value > 0 else value
