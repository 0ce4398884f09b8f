"""An error answer of Binance to an error of the product. Pure.

Sources: ``rest-api.md``, "HTTP Return Codes"; ``errors.md``; C-25 (bad credentials), S0-55, S0-57.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from cryptotrader.core.errors import (
    VenueAuthError,
    VenueBanned,
    VenueError,
    VenueRateLimited,
    VenueRejected,
    VenueTimeout,
)

DEFAULT_WAIT_S = 60.0
"""How long to wait where a refusal does not say. Unit: seconds. Reason: weight is counted per minute."""

MAX_NOTE_CHARS = 200
"""How much of the venue's words a note for the log holds. Unit: characters."""

TIMESTAMP_REFUSED = -1021
TOO_MANY_ORDERS = -1015
_TOO_MANY_REQUESTS = -1003
_AUTH = frozenset({-1002, -1022, -2014, -2015})
_OUTCOME_UNKNOWN = frozenset({-1006, -1007})
_REFUSED_UNDER_LOAD = frozenset({-1008, -1016})
_BANNED_UNTIL = re.compile(r"banned until ([0-9]{13})")


class _Problem(msgspec.Struct):
    """``{"code":-1121,"msg":"Invalid symbol."}``."""

    code: int = 0
    msg: str = ""


class TooManyOrders(VenueRateLimited):
    """The account has too many unfilled orders (-1015); anything but new orders may go on."""


def error_of(status: int, body: bytes, headers: Mapping[str, str], *, now_ms: int) -> VenueError:
    """The error that an answer which is no success stands for. One about credentials bears a note for the log.

    Args:
        status: HTTP status.
        body: JSON of the venue, or whatever something between us and the venue wrote.
        headers: Names in lower case.
        now_ms: The venue's time as we know it, to turn an absolute end of a ban into a wait.
    """
    problem = _problem(body)
    if status in (418, 429) or problem.code in (_TOO_MANY_REQUESTS, TOO_MANY_ORDERS):
        return _limited(status, problem, headers, now_ms)
    if problem.code in _AUTH or (status == 401 and not problem.code):
        refused = VenueAuthError("Invalid API key")
        refused.add_note(f"HTTP {status}, code {problem.code}, {problem.msg[:MAX_NOTE_CHARS]}")
        return refused
    if problem.code in _OUTCOME_UNKNOWN or (status >= 500 and problem.code not in _REFUSED_UNDER_LOAD):
        return VenueTimeout(f"Binance failed with HTTP {status}; what became of the request is not known")
    text = problem.msg or f"Binance refused the request with HTTP {status}"
    return VenueRejected(text, venue_code=problem.code, http_status=status)


def _problem(body: bytes) -> _Problem:
    try:
        return msgspec.json.decode(body, type=_Problem)
    except msgspec.DecodeError:
        return _Problem()


def _limited(status: int, problem: _Problem, headers: Mapping[str, str], now_ms: int) -> VenueRateLimited:
    until = _BANNED_UNTIL.search(problem.msg)
    wait_s = _retry_after_s(headers)
    if wait_s is None and until is not None:
        wait_s = max(0.0, (int(until[1]) - now_ms) / 1000)
    if wait_s is None:
        wait_s = DEFAULT_WAIT_S
    if status == 418 or until is not None:
        return VenueBanned("IP banned", retry_after_s=wait_s)
    if problem.code == TOO_MANY_ORDERS:
        return TooManyOrders("Too many new orders", retry_after_s=wait_s)
    return VenueRateLimited("Rate limit exceeded", retry_after_s=wait_s)


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    text = headers.get("retry-after", "").strip()
    return float(text) if text.isdecimal() and text.isascii() and len(text) < 10 else None
