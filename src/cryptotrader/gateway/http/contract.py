"""An endpoint is a value: path, parameters, result, errors and handler, stated once.

Routing, validation and the OpenAPI document all read it, so they cannot disagree.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import inspect
from starlette.requests import Request
from starlette.responses import Response

from cryptotrader.core.errors import Forbidden, InvalidParams, UnknownSymbol
from cryptotrader.gateway.http.errors import HttpProblem
from cryptotrader.gateway.ports import AccountServices, GatewayServices
from cryptotrader.sessions.auth import Principal, Scope

MAX_BODY_BYTES = 64 * 1024
"""Largest request body. Unit: bytes. Reason: an order has some twenty short fields."""

BODY_S = 10.0
"""How long a request body may take to arrive. Unit: seconds. Reason: it is one packet; who dawdles holds a task."""

MAX_QUERY_FIELDS = 32
"""Most query parameters. Reason: no endpoint has more than eight."""


class Query(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """Base of all query parameter sets."""


class NoQuery(Query, frozen=True, kw_only=True):
    """No parameters."""


Q = TypeVar("Q", bound=Query)


@dataclass(frozen=True)
class Call(Generic[Q]):
    """One request to an endpoint, checked."""

    services: GatewayServices
    principal: Principal | None
    query: Q
    request: Request

    @property
    def owner(self) -> str:
        """Whose request it is: the id of the token."""
        return self.principal.key_id if self.principal else ""

    @property
    def account(self) -> AccountServices:
        """The account that the token belongs to.

        Raises:
            Forbidden: There is no token.
            VenueAuthError: There are no credentials for it.
        """
        if self.principal is None:
            raise Forbidden("Token does not allow this")
        return self.services.accounts(self.principal.account)


@dataclass(frozen=True)
class Endpoint(Generic[Q]):
    """One method of one path.

    Attributes:
        method: HTTP method.
        path: Exact path.
        summary: One line for the OpenAPI document.
        handler: What answers.
        query: Its query parameters.
        result: Type or JSON schema of the body of a 200.
        errors: Error statuses that it may answer with, besides those of every endpoint with a token.
        scope: What the token must allow; None where no token is needed.
        body: JSON schema of the request body; None where there is none.
        headers: Extra request headers: name to description and schema.
        response_headers: Extra headers of a 200: name to description.
        media_type: Of the answer.
        tag: Group in the OpenAPI document.
    """

    method: str
    path: str
    summary: str
    handler: Callable[[Call[Q]], Awaitable[Response]]
    query: type[Q]
    result: Any
    errors: tuple[int, ...] = ()
    scope: Scope | None = None
    body: dict[str, Any] | None = None
    headers: dict[str, dict[str, Any]] = field(default_factory=dict)
    response_headers: dict[str, str] = field(default_factory=dict)
    media_type: str = "application/json"
    tag: str = "Market data"
    description: str = ""
    example: Any = None


def parse_query(query_string: bytes, wanted: type[Q]) -> Q:
    """Read query parameters strictly: no unknown, no repeated, no empty one.

    Raises:
        UnknownSymbol: ``symbol`` cannot be a symbol.
        InvalidParams: Anything else is wrong; the text names the parameter.
    """
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_QUERY_FIELDS, errors="strict"
        )
    except ValueError:
        raise InvalidParams("Malformed query string", problem="malformed") from None
    kinds = _kinds(wanted)
    values: dict[str, object] = {}
    for name, text in pairs:
        if name in values:
            raise InvalidParams(f"Duplicate parameter: {shorten(name)}", param=name, problem="invalid")
        values[name] = _typed(name, text, kinds.get(name, "text"))
    return convert(values, wanted)


@lru_cache(maxsize=64)
def _kinds(wanted: type[Query]) -> dict[str, str]:
    """What each parameter's text stands for, by wire name: ``integer``, ``boolean`` or ``text``."""
    info = inspect.type_info(wanted)
    assert isinstance(info, inspect.StructType)
    return {item.encode_name: _kind(item.type) for item in info.fields}


def _kind(kind: inspect.Type) -> str:
    match kind:
        case inspect.IntType():
            return "integer"
        case inspect.BoolType():
            return "boolean"
        case inspect.LiteralType(values=values) if all(isinstance(value, int) for value in values):
            return "integer"
        case inspect.UnionType(types=types):
            return next((found for part in types if (found := _kind(part)) != "text"), "text")
        case _:
            return "text"


def _typed(name: str, text: str, kind: str) -> object:
    if kind == "integer":
        if not re.fullmatch(r"-?[0-9]{1,18}", text, re.ASCII):
            raise InvalidParams(f"Invalid {name}: not a whole number", param=name, problem="malformed")
        return int(text)
    if kind == "boolean":
        if text not in ("true", "false"):
            raise InvalidParams(f"Invalid {name}: neither true nor false", param=name, problem="malformed")
        return text == "true"
    return text


T = TypeVar("T")


def convert(values: dict[str, object], wanted: type[T]) -> T:
    """Check values against a struct.

    Raises:
        UnknownSymbol: ``symbol`` is there and wrong.
        InvalidParams: Anything else; the text names the field.
    """
    try:
        return msgspec.convert(values, wanted)
    except msgspec.ValidationError as error:
        raise explain(str(error)) from None


_MISSING = re.compile(r"missing required field `(.+?)`")
_UNKNOWN = re.compile(r"unknown field `(.*)`", re.DOTALL)
_AT = re.compile(r"^(.*) - at `\$\.([^`.\[]+)", re.DOTALL)


def explain(text: str) -> InvalidParams:
    """msgspec's message as an error that names the field."""
    if found := _MISSING.search(text):
        name = found.group(1)
        return InvalidParams(f"Missing required parameter: {name}", param=name, problem="missing")
    if found := _UNKNOWN.search(text):
        name = shorten(found.group(1))
        return InvalidParams(f"Unknown parameter: {name}", param=name, problem="unknown")
    if found := _AT.match(text):
        problem, name = found.groups()
        if name == "symbol":
            return UnknownSymbol("Invalid symbol", param="symbol", problem="malformed")
        problem = problem.replace("`", "").replace("Expected", "expected").replace("Invalid enum value", "not allowed:")
        return InvalidParams(f"Invalid {name}: {shorten(problem)}", param=name)
    return InvalidParams(shorten(text.replace("`", "")))


def shorten(text: str) -> str:
    """A client's own text, printable and bounded, fit to be sent back."""
    return "".join(char if char.isprintable() else "?" for char in text)[:120]


async def read_body(request: Request) -> bytes:
    """The whole body, if it is JSON and of bearable size.

    Raises:
        HttpProblem: 408, 413 or 415.
    """
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HttpProblem(415, "Unsupported media type: use application/json")
    declared = request.headers.get("content-length", "0")
    if not declared.isascii() or not declared.isdigit() or int(declared[:19]) > MAX_BODY_BYTES:
        raise HttpProblem(413, f"Request body larger than {MAX_BODY_BYTES} bytes")
    try:
        async with asyncio.timeout(BODY_S):
            return await _collect(request)
    except TimeoutError:
        raise HttpProblem(408, "Request did not arrive in time") from None


async def _collect(request: Request) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY_BYTES:
            raise HttpProblem(413, f"Request body larger than {MAX_BODY_BYTES} bytes")
        parts.append(part)
    return b"".join(parts)
