"""Requests and answers of the WebSocket API as text. Pure.

Binance: ``web-socket-api.md``, "Request format" and "Response format". Parameters are kept as the client wrote them,
because that is what it signed: ``100.0`` stays ``100.0``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from cryptotrader.exchange.engine.errors import Refusal

NO_ID = b"null"

INVALID_JSON = (-1135, "Invalid JSON Request")
"""Code and text of ``errors.md``."""

RETURN_RATE_LIMITS = "returnRateLimits"

MAX_PARAMS = 64
"""Most parameters of a request. Reason: no request knows half as many."""


class ApiRequest(msgspec.Struct, frozen=True):
    """One request."""

    id: bytes
    """Raw JSON of the id, to be echoed as it came."""
    method: str
    """Without a version in front."""
    params: dict[str, str]
    """Texts without their quotes, everything else exactly as it was written; null counts as absent."""
    return_rate_limits: bool | None = None
    """What ``returnRateLimits`` says, if it is there."""


class BadRequest(Exception):
    """It cannot be carried out, but answered."""

    def __init__(self, request_id: bytes, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.request_id = request_id
        self.refusal = refusal


class _Wire(msgspec.Struct):
    id: msgspec.Raw = msgspec.Raw(b"")
    method: msgspec.Raw = msgspec.Raw(b"")
    params: msgspec.Raw = msgspec.Raw(b"")


class _Plain(msgspec.Struct):
    """What nearly every request looks like."""

    id: msgspec.Raw
    method: str
    params: dict[str, str | int]


_PLAIN = msgspec.json.Decoder(_Plain)
_WIRE = msgspec.json.Decoder(_Wire)
_PARAMS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TEXT = msgspec.json.Decoder(str)
_ANY = msgspec.json.Decoder()


def parse_request(text: str) -> ApiRequest:
    """Read a request.

    Raises:
        BadRequest: It is no JSON object, or id, method or params are not what they must be.
    """
    return _parse_plain(text) or _parse_any(text)


def _parse_plain(text: str) -> ApiRequest | None:
    """A request with nothing but texts and whole numbers; None where there is more to it. Half the time of the other
    way.
    """
    try:
        wire = _PLAIN.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    request_id, params = bytes(wire.id), wire.params
    if wire.method.startswith("v3/") or not wire.method or len(params) > MAX_PARAMS or RETURN_RATE_LIMITS in params:
        return None
    texts: dict[str, str] = {}
    for name, value in params.items():
        if type(value) is not str:
            if not value:
                return None  # It may have been -0, and that is what was signed.
            value = str(value)
        texts[name] = value
    try:
        if not _is_id(request_id):
            return None
    except msgspec.DecodeError:
        return None
    return ApiRequest(request_id, wire.method, texts)


def _parse_any(text: str) -> ApiRequest:
    try:
        wire = _WIRE.decode(text)
        request_id = bytes(wire.id) or NO_ID
        if not _is_id(request_id):
            raise BadRequest(NO_ID, Refusal(-1100, "Illegal characters found in a parameter."))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise BadRequest(NO_ID, Refusal(*INVALID_JSON)) from None
    method = _method(bytes(wire.method), request_id)
    try:
        params = _params(bytes(wire.params))
    except (msgspec.DecodeError, RecursionError):
        raise BadRequest(request_id, Refusal(*INVALID_JSON)) from None
    if len(params) > MAX_PARAMS:
        raise BadRequest(request_id, Refusal(-1101, "Too many parameters sent for this endpoint."))
    flag = params.get(RETURN_RATE_LIMITS)
    if flag not in (None, "true", "false"):
        text = f"Illegal characters found in parameter '{RETURN_RATE_LIMITS}'; legal range is 'true|false'."
        raise BadRequest(request_id, Refusal(-1100, text))
    return ApiRequest(request_id, method, params, None if flag is None else flag == "true")


def _is_id(raw: bytes) -> bool:
    """Whether it is an integer, a text or null, and really JSON."""
    value = _ANY.decode(raw)
    return value is None or isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))


def _method(raw: bytes, request_id: bytes) -> str:
    try:
        method = _TEXT.decode(raw)
    except msgspec.DecodeError:
        method = ""
    method = method.removeprefix("v3/")
    if not method:
        text = "Mandatory parameter 'method' was not sent, was empty/null, or malformed."
        raise BadRequest(request_id, Refusal(-1102, text))
    return method


def _params(raw: bytes) -> dict[str, str]:
    if raw in (b"", b"null"):
        return {}
    found: dict[str, str] = {}
    for name, value in _PARAMS.decode(raw).items():
        lexeme = bytes(value)
        if lexeme.startswith(b'"'):
            found[name] = _TEXT.decode(lexeme)
        elif lexeme != b"null":
            # What is neither text nor a number must at least be JSON.
            _ANY.decode(lexeme)
            found[name] = lexeme.decode()
    return found


def success(request_id: bytes, result: object, rate_limits: Sequence[Mapping[str, object]] | None) -> bytes:
    """``{"id":1,"status":200,"result":{..},"rateLimits":[..]}``; without ``rateLimits`` where they are None."""
    return success_of(request_id, msgspec.json.encode(result), rate_limits)


def success_of(request_id: bytes, result: bytes, rate_limits: Sequence[Mapping[str, object]] | None) -> bytes:
    """The same for a result that is JSON already."""
    return _answer(request_id, 200, b'"result":' + result, rate_limits)


class Failure(msgspec.Struct, frozen=True):
    """What went wrong."""

    status: int
    code: int
    msg: str
    data: dict[str, object] | None = None
    """``serverTime`` and ``retryAfter``, both epoch milliseconds, of a refusal for too many requests; or what became of
    the parts of a request of which not all were carried out."""


def failure(request_id: bytes, failed: Failure, rate_limits: Sequence[Mapping[str, object]] | None) -> bytes:
    """``{"id":1,"status":400,"error":{"code":-2010,"msg":".."},"rateLimits":[..]}``."""
    error: dict[str, object] = {"code": failed.code, "msg": failed.msg}
    if failed.data is not None:
        error["data"] = failed.data
    return _answer(request_id, failed.status, b'"error":' + msgspec.json.encode(error), rate_limits)


def _answer(
    request_id: bytes, status: int, outcome: bytes, rate_limits: Sequence[Mapping[str, object]] | None
) -> bytes:
    limits = b"" if rate_limits is None else b',"rateLimits":' + msgspec.json.encode(rate_limits)
    return b'{"id":%s,"status":%d,%s%s}' % (request_id, status, outcome, limits)
