"""Requests as bytes, and what of them is signed. Pure.

Binance: ``web-socket-api.md``, "Request format" and "SIGNED request example": the parameters are sorted by name and
joined as ``name=value``, each value exactly as it stands in the request. A number is therefore signed by the very
digits that are sent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from functools import lru_cache

import msgspec

from cryptotrader.core.errors import InvalidParams
from cryptotrader.services.binance.signing import Credentials
from cryptotrader.services.binance.wsapi.shapes import SigningShape

_encode = msgspec.json.Encoder().encode


def wire_params(given: Mapping[str, object]) -> dict[str, object]:
    """What goes on the wire: without what is None, decimals in plain digits, members of enums by their values.

    Raises:
        InvalidParams: A number is infinite or none.
    """
    sent: dict[str, object] = {}
    for name, value in given.items():
        kind = type(value)
        if kind is str or kind is int or kind is bool:
            sent[name] = value
        elif value is not None:
            sent[name] = _plain(name, value)
    return sent


def _plain(name: str, value: object) -> object:
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise InvalidParams(f"Invalid parameter: {name}", param=name, problem="malformed")
        return format(value, "f")
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidParams(f"Invalid parameter: {name}", param=name, problem="malformed")
    return value.value if isinstance(value, Enum) else value


def text_of(value: object) -> str:
    """A value as it is signed: a text without its quotes, everything else as its JSON."""
    if isinstance(value, str):
        return value
    return _encode(value).decode()


_shape_of = lru_cache(maxsize=1_024)(SigningShape)

_AS_THEY_ARE = frozenset({str, int})
"""Types whose text is their JSON, but for the quotes."""


def signing_input(params: Mapping[str, object], shape: SigningShape | None = None) -> str:
    """What is signed; ``signature`` itself is left out.

    Args:
        params: What is sent.
        shape: That of these very parameters, where it is known.
    """
    if shape is None:
        shape = _shape_of(tuple(params))
    values = shape.values_of(params)
    if not shape.is_plain and not _AS_THEY_ARE.issuperset(map(type, values)):
        values = tuple(text_of(value) for value in values)
    return shape.template % values


def sign(
    params: dict[str, object], credentials: Credentials, timestamp_ms: int, shape: SigningShape | None = None
) -> None:
    """Add key, timestamp and signature."""
    params["apiKey"] = credentials.api_key
    params["timestamp"] = timestamp_ms
    params["signature"] = credentials.signer.sign(signing_input(params, shape))


def request_frame(wire_id: str, method: str, params: Mapping[str, object]) -> bytes:
    """``{"id":"a-1","method":"time"}``; ``params`` only where there are some."""
    if params:
        return _encode({"id": wire_id, "method": method, "params": params})
    return _encode({"id": wire_id, "method": method})
