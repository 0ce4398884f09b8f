"""Parameters as they arrive, text by text, to the typed parameters of a request.

Values may be text (a query string, the lexemes of a JSON request) or what JSON made of them. The problems that are
told apart are those for which Binance has numbers of their own (``errors.md``, -1100 to -1131).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, TypeVar, get_args, get_origin

import msgspec

from cryptotrader.core.errors import InvalidParams
from cryptotrader.services.binance.request import Params, RequestSpec, Rule
from cryptotrader.services.binance.rules import depends_on_names, missing

AUTH_PARAMS = frozenset({"apiKey", "timestamp", "signature"})
"""Sent along with requests that carry a key; whoever checks signatures reads them, parameters they are not."""

NOTHING: frozenset[str] = frozenset()

MAX_RECV_WINDOW_MS = 60_000
"""Longest time a signed request may stay valid. Unit: milliseconds. Source: ``rest-api.md``, "Timing security"."""

P = TypeVar("P", bound=Params)
R = TypeVar("R")
Field = tuple[str, Any, bool, type | None]

_WHOLE = re.compile(r"-?[0-9]{1,20}")
"""A whole number as the venue reads it: ``1e3`` and ``1.0`` are none. The sign is told apart as out of range."""


@lru_cache(maxsize=256)
def _fields(kind: type[Params]) -> dict[str, Field]:
    """Wire name to (attribute, type, required, ``list`` or ``int`` where its text needs care)."""
    return {
        field.encode_name: (field.name, field.type, field.required, _special(field.type))
        for field in msgspec.structs.fields(kind)
    }


def _special(kind: Any) -> type | None:
    """``list`` and ``int`` also where they stand inside ``Annotated`` or beside None."""
    if kind is int or get_origin(kind) is list:
        return list if get_origin(kind) is list else int
    parts = get_args(kind)[:1] if get_origin(kind) is Annotated else get_args(kind)
    return next((found for part in parts if (found := _special(part)) is not None), None)


def parse_params(spec: RequestSpec[P, R], given: Mapping[str, Any]) -> P:
    """Check and convert the parameters of a request.

    Args:
        spec: The request.
        given: Wire names to values. What belongs to authentication (``AUTH_PARAMS``) is passed over where the request
            needs a key.

    Raises:
        InvalidParams: ``param`` is the wire name (several joined by ``|`` where one of them would do), ``problem`` one
            of ``missing empty malformed unknown not_required out_of_range invalid``. The first problem in the order
            of the request's own parameters is told; unknown ones come last.
    """
    fields = _fields(spec.params)
    texts = _plain_texts(spec, given, fields=fields)
    params = None if texts is None else _all_at_once(spec, texts)
    if params is None or texts is None:
        params = _one_by_one(spec, given, fields=fields)
        texts = None
    if spec.rules:
        wire = texts if texts is not None and _look_at_names(spec.rules, spec.params) else params.wire()
        for rule in spec.rules:
            rule(wire)
    return params


@lru_cache(maxsize=256)
def _look_at_names(rules: tuple[Rule, ...], kind: type[Params]) -> bool:
    """Whether rules can be asked about parameters as they came: their values do not matter, nor does what a field is
    that is not sent.
    """
    return all(map(depends_on_names, rules)) and all(
        field.required or field.default is None for field in msgspec.structs.fields(kind)
    )


def _plain_texts(
    spec: RequestSpec[P, R], given: Mapping[str, Any], *, fields: Mapping[str, Field]
) -> dict[str, str] | None:
    """The request's own parameters where all of them are texts to be taken as they are; else None.

    Nearly every request is such a one, and this takes a third of the time.
    """
    ignored = AUTH_PARAMS if spec.needs_key else NOTHING
    values: dict[str, str] = {}
    for name, value in given.items():
        field = fields.get(name)
        if field is None:
            if name in ignored:
                continue
            return None
        # Of what is printable, nothing but a space can be stripped.
        if type(value) is not str or not value or not value.isprintable() or value[0] == " " or value[-1] == " ":
            return None
        special = field[3]
        if special is not None and (special is list or not _WHOLE.fullmatch(value)):
            return None
        values[name] = value
    return values


def _all_at_once(spec: RequestSpec[P, R], texts: dict[str, str]) -> P | None:
    """The parameters, where nothing is wrong with any of them."""
    try:
        params = msgspec.convert(texts, spec.params, strict=False)
    except msgspec.ValidationError:
        return None
    window = texts.get("recvWindow")
    return params if window is None or Decimal(window) <= MAX_RECV_WINDOW_MS else None


def _one_by_one(spec: RequestSpec[P, R], given: Mapping[str, Any], *, fields: Mapping[str, Field]) -> P:
    values: dict[str, Any] = {}
    for name, (attribute, kind, required, special) in fields.items():
        if name in given and given[name] is not None:
            values[attribute] = _convert(name, given[name], kind, special=special)
        elif required:
            raise missing(name)
    ignored = AUTH_PARAMS if spec.needs_key else NOTHING
    for name in given:
        if name not in fields and name not in ignored:
            raise InvalidParams(f"Unknown parameter: {name}", param=name, problem="unknown")
    return spec.params(**values)


def _convert(name: str, value: Any, kind: Any, *, special: type | None) -> Any:
    if value == "":
        raise InvalidParams(f"Empty parameter: {name}", param=name, problem="empty")
    if isinstance(value, str):
        # A pattern's ``$`` would let a line break pass.
        if not value.isprintable() or value != value.strip() or (special is int and not _WHOLE.fullmatch(value)):
            raise InvalidParams(f"Invalid parameter: {name}", param=name, problem="malformed")
        if special is list:
            value = _list_of(name, value)
    try:
        converted = msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidParams(f"Invalid parameter: {name}", param=name, problem=_problem(str(error))) from None
    if name == "recvWindow" and Decimal(converted) > MAX_RECV_WINDOW_MS:
        raise InvalidParams(f"Invalid parameter: {name}", param=name, problem="out_of_range")
    return converted


def _list_of(name: str, text: str) -> Any:
    """A list in a query string is JSON; one bare word is a list of one (``permissions=SPOT``)."""
    if not text.startswith("["):
        return [text]
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        raise InvalidParams(f"Invalid parameter: {name}", param=name, problem="malformed") from None


def _problem(text: str) -> str:
    """Which kind of problem msgspec found, by the words of its message."""
    if text.startswith("Invalid enum value"):
        return "invalid"
    if ">=" in text.partition(" - ")[0] or "<=" in text.partition(" - ")[0]:
        return "malformed" if "of length" in text else "out_of_range"
    return "malformed"
