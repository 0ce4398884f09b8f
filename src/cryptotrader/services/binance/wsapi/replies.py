"""What the venue says: replies, events, errors. Pure.

Binance: ``web-socket-api.md``, "Response format", "Event format", "IP limits". ``retryAfter`` is an absolute time in
milliseconds of the venue's clock; with the ``serverTime`` beside it, it becomes a wait that no clock of ours can spoil.
"""

from __future__ import annotations

from typing import Any

import msgspec

from cryptotrader.core.errors import (
    CryptotraderError,
    NotConnected,
    UnknownOutcome,
    VenueError,
    VenueRateLimited,
    VenueRejected,
    VenueTimeout,
)
from cryptotrader.services.binance.errors import TIMESTAMP_REFUSED, error_of

OUTCOME_UNKNOWN = -90001
"""Code of our own: the request could trade, it was sent, and no answer came. ``error.data`` has ``symbol`` and
``clientOrderId`` to ask with. Binance's own codes are above -10000."""

NO_ANSWER = -90002
"""Code of our own: no answer came in time; the request could not trade."""

CONNECTION_LOST = -90003
"""Code of our own: the connection was lost, and the request was not repeated."""

GIVEN_UP = -90004
"""Code of our own: the request was not sent; ``msg`` says why."""

OK = 200
"""Status of a good reply."""

_UNKNOWN_CODES = frozenset({-1006, -1007})


class LimitRow(msgspec.Struct, rename="camel", gc=False):
    """``{"rateLimitType":"ORDERS","interval":"SECOND","intervalNum":10,"limit":50,"count":12}``."""

    rate_limit_type: str
    interval: str
    interval_num: int
    limit: int
    count: int = 0


class Problem(msgspec.Struct, gc=False):
    """``{"code":-1003,"msg":"...","data":{"serverTime":1659142907531,"retryAfter":1659146400000}}``."""

    code: int = 0
    msg: str = ""
    data: msgspec.Raw = msgspec.Raw(b"")


class Reply(msgspec.Struct, rename="camel", gc=False):
    """Everything that comes: a reply, or an event."""

    id: str | int | None = None
    status: int = 0
    result: msgspec.Raw = msgspec.Raw(b"")
    error: Problem | None = None
    rate_limits: list[LimitRow] | None = None
    subscription_id: int | None = None
    event: msgspec.Raw = msgspec.Raw(b"")

    @property
    def is_ok(self) -> bool:
        """Whether the request did what it should."""
        return self.status == OK


class _Times(msgspec.Struct, rename="camel"):
    server_time: int | None = None
    retry_after: int | None = None


class _Kind(msgspec.Struct, gc=False):
    e: str = ""


class VenueRefusal(VenueRejected):
    """A refusal that says more: ``data`` is the ``error.data`` of the reply (``order.cancelReplace`` tells there which
    half was done)."""

    data: dict[str, Any]


parse = msgspec.json.Decoder(Reply).decode
"""Read one message; raises ``msgspec.DecodeError``."""

envelope_of = msgspec.json.Decoder(dict[str, Any]).decode
"""The whole reply as a callback gets it."""

_times = msgspec.json.Decoder(_Times).decode
_data = msgspec.json.Decoder(dict[str, Any]).decode
_kind = msgspec.json.Decoder(_Kind).decode


def event_kind(event: msgspec.Raw) -> str:
    """``executionReport``, ``serverShutdown``, ...; empty where it has none."""
    try:
        return _kind(event).e
    except msgspec.DecodeError:
        return ""


def reply_error(reply: Reply, *, now_ms: int) -> VenueError:
    """The error that a reply stands for.

    Args:
        reply: One whose ``status`` is not 200.
        now_ms: The venue's time as we know it, for a ``retryAfter`` without ``serverTime``.
    """
    problem = reply.error or Problem()
    body = msgspec.json.encode({"code": problem.code, "msg": problem.msg})
    error = error_of(reply.status, body, {}, now_ms=now_ms)
    if isinstance(error, VenueRateLimited):
        wait_s = retry_after_s(problem, now_ms)
        if wait_s is not None:
            error.retry_after_s = wait_s
    elif isinstance(error, VenueRejected) and len(problem.data) > len(b"null"):
        return _with_data(error, problem)
    return error


def _with_data(error: VenueRejected, problem: Problem) -> VenueError:
    try:
        data = _data(problem.data)
    except msgspec.DecodeError:
        return error
    if any(isinstance(part, dict) and part.get("code") in _UNKNOWN_CODES for part in data.values()):
        # One half of a cancel-and-replace has no known end.
        return VenueTimeout("Binance does not know what became of a part of the request")
    refusal = VenueRefusal(error.message, venue_code=error.venue_code, http_status=error.http_status)
    refusal.data = data
    return refusal


def retry_after_s(problem: Problem, now_ms: int) -> float | None:
    """Seconds to wait; None where the venue does not say."""
    try:
        times = _times(problem.data) if len(problem.data) else _Times()
    except msgspec.DecodeError:
        return None
    if times.retry_after is None:
        return None
    since_ms = now_ms if times.server_time is None else times.server_time
    return max(0.0, (times.retry_after - since_ms) / 1000)


def is_clock_refusal(reply: Reply) -> bool:
    """Whether the venue certainly did nothing because of the timestamp (-1021)."""
    return reply.error is not None and reply.error.code == TIMESTAMP_REFUSED and 400 <= reply.status < 500


def failure_envelope(message_id: str, error: CryptotraderError) -> dict[str, Any]:
    """What a callback gets where no reply will come: the shape of a reply, ``status`` 0, a code of our own."""
    problem: dict[str, Any] = {"code": _code_of(error), "msg": error.message}
    if isinstance(error, UnknownOutcome):
        problem["data"] = {"symbol": error.symbol, "clientOrderId": error.client_order_id}
    return {"id": message_id, "status": 0, "error": problem}


def _code_of(error: CryptotraderError) -> int:
    match error:
        case UnknownOutcome():
            return OUTCOME_UNKNOWN
        case VenueTimeout():
            return NO_ANSWER
        case NotConnected():
            return CONNECTION_LOST
        case _:
            return GIVEN_UP
