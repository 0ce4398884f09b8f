"""Binance's REST API on HTTP: reads requests, checks who sends them, sends answers with the right headers.

Source: ``rest-api.md``, "General Information on Endpoints", "HTTP Return Codes", "LIMITS".
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

import msgspec
from starlette.types import Receive, Scope, Send

from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.protocol.auth import Caller, RequestAuthenticator, rest_payload
from cryptotrader.exchange.protocol.limits import LimitReached
from cryptotrader.exchange.protocol.operations import DetailedRefusal, FaultRefusal, Operations, Silence, http_status
from cryptotrader.exchange.protocol.time_unit import answer_in_micros, check_unit, wants_micros
from cryptotrader.services.binance.registry import AnySpec, by_route, verbs_of

MAX_BODY_BYTES: Final = 65_536
"""Largest request body. Unit: bytes. Reason: a new order with every parameter has less than two thousand."""

MAX_PARAMS: Final = 64
"""Most parameters of a request. Unit: parameters. Reason: no request knows half as many."""

SILENCE_S: Final = 120.0
"""How long a connection without an answer is kept. Unit: seconds. Reason: longer than any client waits."""

_JSON_TYPE: Final = (b"content-type", b"application/json;charset=UTF-8")

BAD_SBE: Final = (-1152, "Invalid `X-MBX-SBE` header; expected `<SCHEMA_ID>:<VERSION>`.")
NO_SBE: Final = (-1155, "SBE is not enabled.")
_SBE: Final = re.compile(r"[0-9]+:[0-9]+")

ABORT: Final = "cryptotrader.abort"
"""ASGI extension by which the server lets the application drop a connection."""

Header = tuple[bytes, bytes]


class _Request:
    """One HTTP request, as much of it as matters here."""

    def __init__(self, scope: Scope, body: str) -> None:
        self.verb = str(scope["method"])
        self.path = str(scope["path"])
        self.query = bytes(scope["query_string"]).decode("ascii", "replace")
        self.body = body
        peer = scope.get("client")
        self.address = str(peer[0]) if peer else ""
        self._headers: Mapping[bytes, bytes] = dict(scope["headers"])

    @property
    def key_id(self) -> str | None:
        """The API key."""
        value = self._headers.get(b"x-mbx-apikey")
        return value.decode("latin-1") if value is not None else None

    @property
    def time_unit(self) -> str | None:
        """The unit of time that the client wants."""
        value = self._headers.get(b"x-mbx-time-unit")
        return value.decode("latin-1") if value is not None else None

    @property
    def encoding(self) -> str | None:
        """The binary encoding that the client wants."""
        value = self._headers.get(b"x-mbx-sbe")
        return value.decode("latin-1") if value is not None else None

    def params(self) -> dict[str, str]:
        """Query string and form body together; where both name a parameter, the query string counts.

        Raises:
            Refusal: -1101, a parameter came twice in the same place, or there are too many.
        """
        # Some clients call everything JSON; what is no form holds no parameters.
        is_form = self.verb != "GET" and not self.body.startswith(("{", "["))
        return _pairs(self.body if is_form else "") | _pairs(self.query)

    def payload(self) -> bytes:
        """What was signed."""
        return rest_payload(self.query, "" if self.verb == "GET" else self.body)


def _pairs(text: str) -> dict[str, str]:
    if not text:
        return {}
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_PARAMS)
    except ValueError:
        raise Refusal(-1101, "Too many parameters sent for this endpoint.") from None
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refusal(-1101, "Duplicate values for a parameter detected.")
    return found


class RestFront:
    """An ASGI application: everything under ``/api/v3``, and 404 for the rest."""

    def __init__(self, operations: Operations, authenticator: RequestAuthenticator) -> None:
        self._operations = operations
        self._authenticator = authenticator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        body = await _read_body(receive)
        if body is None:
            await _send(send, 413, error_body(-1100, "Request body is too large."), [])
            return
        request = _Request(scope, body)
        spec = by_route(request.verb, request.path)
        if spec is None:
            known = verbs_of(request.path)
            allow = [(b"allow", ", ".join(sorted(known)).encode())] if known else []
            text = "This operation is not supported." if known else "Path not found."
            await _send(send, 405 if known else 404, error_body(-1020, text), allow)
            return
        if not self._operations.knows(spec):
            await _send(send, 400, error_body(-1020, "This operation is not supported."), [])
            return
        try:
            status, answer, headers = await self._answer(spec, request)
        except Silence as silence:
            if not silence.closes:
                await _wait_until_gone(receive)
            if _drop(scope):
                await _wait_until_gone(receive)  # Else the server logs an error: that nothing was answered.
            return
        await _send(send, status, answer, headers)

    async def _answer(self, spec: AnySpec, request: _Request) -> tuple[int, bytes, list[Header]]:
        """Status, body and headers."""
        operations = self._operations
        weight = 0
        caller: Caller | None = None
        retry_after_s: int | None = None
        try:
            operations.desk.weights.count_request(request.address, now_ms=operations.now_ms())
            params = request.params()
            check_unit(request.time_unit)
            _check_encoding(request.encoding)
            weight = operations.charge(spec, params, address=request.address)
            caller = self._check(spec, request, params)
            result = await operations.call(spec, params, caller.account if caller else None)
            operations.settle(spec, weight, address=request.address, answer=result)
            if wants_micros(request.time_unit):
                result = answer_in_micros(spec.name, result)
            status, answer = 200, msgspec.json.encode(result)
        except Refusal as refusal:
            data: object = refusal.data if isinstance(refusal, DetailedRefusal) else None
            if wants_micros(request.time_unit):
                data = answer_in_micros(spec.name, data)
            status, answer = http_status(refusal), error_body(refusal.code, refusal.message, data)
            retry_after_s = _retry_after_s(refusal)
        headers = self._limit_headers(spec, request.address, caller=caller if status == 200 else None)
        if retry_after_s is not None:
            headers.append((b"retry-after", str(retry_after_s).encode()))
        return status, answer, headers

    def _check(self, spec: AnySpec, request: _Request, params: Mapping[str, str]) -> Caller | None:
        if not spec.needs_key:
            return None
        authenticator = self._authenticator.at(request.address)
        key = authenticator.key(request.key_id, spec.security)
        if spec.is_signed:
            authenticator.check_signed(key, params=params, payload=request.payload())
        return Caller(key_id=key.id, account=key.account)

    def _limit_headers(self, spec: AnySpec, address: str, *, caller: Caller | None) -> list[Header]:
        now_ms = self._operations.now_ms()
        used = str(self._operations.desk.weights.used(address, now_ms)).encode()
        headers: list[Header] = [(b"x-mbx-used-weight", used), (b"x-mbx-used-weight-1m", used)]
        if caller is not None and spec.order_count:
            counts = self._operations.desk.orders.counts(caller.account, now_ms)
            headers.append((b"x-mbx-order-count-10s", str(counts.last_10s).encode()))
            headers.append((b"x-mbx-order-count-1d", str(counts.last_1d).encode()))
        return headers


def _check_encoding(wanted: str | None) -> None:
    """Answers here are JSON only.

    Raises:
        Refusal: -1152 or -1155, the client wants SBE.
    """
    if wanted is not None:
        raise Refusal(*(NO_SBE if _SBE.fullmatch(wanted) else BAD_SBE))


def _retry_after_s(refusal: Refusal) -> int | None:
    if isinstance(refusal, LimitReached):
        return max(1, -(-refusal.retry_after_ms // 1_000))
    if isinstance(refusal, FaultRefusal):
        return refusal.retry_after_s
    return None


def error_body(code: int, text: str, data: object = None) -> bytes:
    """``{"code":-1121,"msg":"Invalid symbol."}``, and ``data`` where there is some."""
    body: dict[str, object] = {"code": code, "msg": text}
    return msgspec.json.encode(body if data is None else body | {"data": data})


async def _read_body(receive: Receive) -> str | None:
    """The body as text; None where it is too large. Bytes that are no text cannot match anything anyway."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            break
        chunk = bytes(message.get("body", b""))
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            return None
        parts.append(chunk)
        if not message.get("more_body", False):
            break
    return b"".join(parts).decode("utf-8", "replace")


async def _wait_until_gone(receive: Receive) -> None:
    """Return when the client has given up."""
    try:
        async with asyncio.timeout(SILENCE_S):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return


def _drop(scope: Scope) -> bool:
    """Break the connection without a word; False where the server does not allow it."""
    extension = scope.get("extensions", {}).get(ABORT)
    if extension is None:
        return False
    extension["call"]()
    return True


async def _send(send: Send, status: int, body: bytes, headers: list[Header]) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [_JSON_TYPE, length, *headers]})
    await send({"type": "http.response.body", "body": body})
