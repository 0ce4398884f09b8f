"""Answers as Starlette responses."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from starlette.responses import Response

from cryptotrader.gateway.http.errors import Answer

JSON = "application/json"

_encoder = msgspec.json.Encoder()


def json_reply(body: bytes, *, status: int = 200, headers: Iterable[tuple[str, str]] = ()) -> Response:
    """JSON text, sent as it is."""
    return Response(body, status, dict(headers), JSON)


def value_reply(value: object) -> Response:
    """A value as JSON."""
    return json_reply(_encoder.encode(value))


def error_reply(answer: Answer) -> Response:
    """An error in source 0's shape (S0-56)."""
    return json_reply(answer.body, status=answer.status, headers=answer.headers)
