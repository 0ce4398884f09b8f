"""One pure table from the product's errors to a client's bytes: ``{"error": "...", "status": 400}`` (S0-56)."""

from __future__ import annotations

import math

import msgspec

from cryptotrader.config import REDACTOR
from cryptotrader.core import errors

RETRY_AFTER_S = 60
"""Wait told to a client. Unit: seconds. Reason: the value that S0-52 states."""

MAX_TEXT_CHARS = 500
"""Longest error text. Unit: characters. Reason: a venue's text or a client's own field name may be of any length."""

TIMEOUT_TEXT = "Gateway timeout - Binance API not responding"
UNREACHABLE_TEXT = "Bad gateway - Binance API not reachable"
BROKEN_TEXT = "Bad gateway - Binance API error"
RATE_TEXT = "Rate limit exceeded"
CREDENTIALS_TEXT = "Invalid API key"

_AUTH_CODES = frozenset({-1002, -1022, -2014, -2015})
"""``errors.md``: unauthorized, bad signature, bad or rejected key: the exchange does not accept our credentials."""

_RATE_CODES = frozenset({-1003, -1015, -1034})
_TIMEOUT_CODES = frozenset({-1006, -1007})
_BROKEN_CODES = frozenset({-1000, -1001, -1008, -1016, -1021})
"""The venue's own trouble, or a clock that we could not bring in line; nothing that our client could do better."""

CLIENT_ORDER_ID_HEADER = "X-Client-Order-Id"


class ErrorBody(msgspec.Struct, frozen=True):
    """``{"error": "Invalid symbol", "status": 400}``."""

    error: str
    status: int


class Answer(msgspec.Struct, frozen=True):
    """An error, ready to be sent."""

    status: int
    text: str
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def body(self) -> bytes:
        """The JSON body."""
        return msgspec.json.encode(ErrorBody(self.text, self.status))


class HttpProblem(Exception):
    """A request that fails for a reason of HTTP itself: 413, 415 and their like."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.answer = Answer(status, text)


def plain(text: str) -> str:
    """A venue's text as source 0 shows it: without the full stop (S0-18, S0-28), without secrets, of bounded length."""
    return REDACTOR.clean(text.strip().removesuffix("."))[:MAX_TEXT_CHARS]


def retry_after(error: errors.CryptotraderError) -> tuple[tuple[str, str], ...]:
    """The header that says how long to wait; whole seconds, at least one."""
    wait_s = RETRY_AFTER_S if error.retry_after_s is None else max(1, math.ceil(error.retry_after_s))
    return (("Retry-After", str(wait_s)),)


def answer_for(error: errors.CryptotraderError) -> Answer:
    """What a client is told about an error."""
    match error:
        case errors.NotAuthenticated():
            return Answer(401, error.message, (("WWW-Authenticate", "Bearer"),))
        case errors.Forbidden():
            return Answer(403, error.message)
        case errors.VenueAuthError():
            return Answer(403, CREDENTIALS_TEXT)
        case errors.UnknownSymbol():
            return Answer(400, "Invalid symbol")
        case errors.UnknownOutcome():
            return Answer(504, TIMEOUT_TEXT, ((CLIENT_ORDER_ID_HEADER, error.client_order_id),))
        case errors.VenueTimeout():
            return Answer(504, TIMEOUT_TEXT)
        case errors.VenueRateLimited() | errors.MessageRateExceeded():
            return Answer(429, RATE_TEXT, retry_after(error))
        case errors.VenueRejected():
            return _rejected(error)
        case errors.VenueUnreachable() | errors.NotConnected():
            return Answer(502, UNREACHABLE_TEXT)
        case errors.VenueError():
            return Answer(502, BROKEN_TEXT)
        case (
            errors.InvalidParams() | errors.InsufficientBalance() | errors.OrderNotFound() | errors.DuplicateOrder()
        ) as refused:
            return Answer(400, plain(refused.message))
        case errors.ClientError():
            return Answer(400, plain(error.message))
        case _:
            return Answer(500, "Internal server error")


def _rejected(error: errors.VenueRejected) -> Answer:
    """A venue's own error number to a status (``errors.md`` of Binance; S0-18, S0-28, S0-54, C-25)."""
    code = error.venue_code
    if code == -1121:
        return Answer(400, "Invalid symbol")
    if code in _AUTH_CODES:
        return Answer(403, CREDENTIALS_TEXT)
    if code in _RATE_CODES:
        return Answer(429, RATE_TEXT, retry_after(error))
    if code in _TIMEOUT_CODES:
        return Answer(504, TIMEOUT_TEXT)
    if code in _BROKEN_CODES or error.http_status >= 500:
        return Answer(502, BROKEN_TEXT)
    return Answer(400, plain(error.message))
