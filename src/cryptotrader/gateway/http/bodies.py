"""JSON bodies of requests, read strictly."""

from __future__ import annotations

import json
from typing import TypeVar

import msgspec
from starlette.requests import Request

from cryptotrader.core.errors import InvalidParams
from cryptotrader.gateway.http.contract import explain, read_body, shorten

T = TypeVar("T")


async def json_body(request: Request, decoder: msgspec.json.Decoder[T]) -> T:
    """The body as a struct.

    Raises:
        HttpProblem: 408, 413 or 415.
        InvalidParams: It is no such JSON, or has a name twice; the text names the field.
    """
    text = await read_body(request)
    try:
        body = decoder.decode(text)
        json.loads(text, object_pairs_hook=_once_each, parse_int=str, parse_float=str)
    except msgspec.ValidationError as error:
        raise explain(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidParams("Request body is not valid JSON", param="body", problem="malformed") from None
    return body


def _once_each(pairs: list[tuple[str, object]]) -> None:
    """No name twice: which of two quantities is meant, nobody knows."""
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise InvalidParams(f"Duplicate parameter: {shorten(name)}", param=name, problem="invalid")
        seen.add(name)
