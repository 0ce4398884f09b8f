"""What a client may say on a stream connection: SUBSCRIBE and its kin. Pure: text in, a reply and changes out.

Binance: ``web-socket-streams.md``, "Live Subscribing/Unsubscribing to streams" and "Error Messages".
Ids are echoed with their type. Subscribing twice is the same as once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

import msgspec

MAX_STREAMS = 1_024
"""Most streams of one connection. Source: "WebSocket Limits"."""

MAX_ID_CHARS = 36
"""Longest textual id. Unit: characters. Source: "Live Subscribing/Unsubscribing to streams"."""

MAX_NAME_CHARS = 128
"""Longest stream name kept. Unit: characters. Reason: a listen key has 64; no market stream comes near."""

_INT64 = range(-(2**63), 2**63)
_METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")
_METHOD_VALUE = re.compile(r'"method"\s*:\s*"(?:[^"\\]|\\.)*"')


class Outcome(msgspec.Struct, frozen=True):
    """What to do after a control message."""

    reply: bytes
    added: tuple[str, ...] = ()
    """Names that the connection listens to from now on and did not before."""
    removed: tuple[str, ...] = ()
    """Names that it no longer listens to."""


class _Bad(Exception):
    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


def _invalid(problem: str) -> _Bad:
    return _Bad(2, f"Invalid request: {problem}")


class ControlSession:
    """The subscriptions and properties of one connection.

    Args:
        names: Streams of the URL; more than ``max_streams`` must have been refused before.
        combined: Whether events are wrapped: true where the connection was opened at ``/stream``.
        max_streams: Most streams at a time.
    """

    def __init__(self, names: Iterable[str], *, combined: bool, max_streams: int = MAX_STREAMS) -> None:
        self.combined = combined
        self._names: dict[str, None] = dict.fromkeys(names)
        self._max_streams = max_streams

    @property
    def names(self) -> tuple[str, ...]:
        """All streams, in the order in which they were subscribed."""
        return tuple(self._names)

    def receive(self, text: str) -> Outcome:
        """Carry out one message."""
        request_id: object = None
        try:
            message = _parse(text)
            has_id = _is_id(message.get("id", _MISSING))
            request_id = message["id"] if has_id else None
            method = _method(message, text)
            if not has_id:
                raise _invalid("request ID must be an unsigned integer")
            return self._carry_out(method, message, request_id, text)
        except _Bad as bad:
            return Outcome(_encode({"error": {"code": bad.code, "msg": bad.text}, "id": request_id}))

    def _carry_out(self, method: str, message: dict[str, object], request_id: object, text: str) -> Outcome:
        match method:
            case "SUBSCRIBE":
                wanted = dict.fromkeys(_stream_list(message, text))
                added = tuple(name for name in wanted if name not in self._names)
                if len(self._names) + len(added) > self._max_streams:
                    raise _invalid(f"too many streams; a connection may listen to {self._max_streams} at most")
                self._names.update(dict.fromkeys(added))
                return Outcome(_result(None, request_id), added=added)
            case "UNSUBSCRIBE":
                unwanted = dict.fromkeys(_stream_list(message, text))
                removed = tuple(name for name in unwanted if name in self._names)
                for name in removed:
                    del self._names[name]
                return Outcome(_result(None, request_id), removed=removed)
            case "LIST_SUBSCRIPTIONS":
                return Outcome(_result(list(self._names), request_id))
            case "SET_PROPERTY":
                self.combined = _boolean(_property(message, 2)[1:])
                return Outcome(_result(None, request_id))
            case _:
                _property(message, 1)
                return Outcome(_result(self.combined, request_id))


def _parse(text: str) -> dict[str, object]:
    try:
        message = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise _Bad(3, f"Invalid JSON: expected value at line {error.lineno} column {error.colno}") from None
    except (ValueError, RecursionError):
        raise _Bad(3, "Invalid JSON: expected value at line 1 column 1") from None
    if not isinstance(message, dict):
        raise _invalid(f"missing field `method` at line 1 column {len(text)}")
    return message


def _no_constant(name: str) -> object:
    raise ValueError(name)


def _method(message: dict[str, object], text: str) -> str:
    if "method" not in message:
        raise _invalid(f"missing field `method` at line 1 column {len(text)}")
    method = message["method"]
    if isinstance(method, str) and method in _METHODS:
        return method
    found = _METHOD_VALUE.search(text)
    column = found.end() if found else len(text)
    known = ", ".join(f"`{name}`" for name in _METHODS)
    shown = method if isinstance(method, str) else json.dumps(method)
    raise _invalid(f"unknown variant `{shown[:MAX_NAME_CHARS]}`, expected one of {known} at line 1 column {column}")


_MISSING = object()


def _is_id(value: object) -> bool:
    """Whether it is a 64-bit integer, a text of at most ``MAX_ID_CHARS`` or null."""
    match value:
        case bool():
            return False
        case int():
            return value in _INT64
        case str():
            return len(value) <= MAX_ID_CHARS
    return value is None


def _stream_list(message: dict[str, object], text: str) -> list[str]:
    if "params" not in message:
        raise _invalid(f"missing field `params` at line 1 column {len(text)}")
    params = message["params"]
    if not isinstance(params, list) or not all(isinstance(name, str) for name in params):
        raise _invalid("params must be a list of stream names")
    if any(len(name) > MAX_NAME_CHARS for name in params):
        raise _invalid(f"a stream name has {MAX_NAME_CHARS} characters at most")
    return params


def _property(message: dict[str, object], count: int) -> list[object]:
    params = message.get("params")
    if not isinstance(params, list) or not params or not isinstance(params[0], str):
        raise _invalid("property name must be a string")
    if len(params) > count:
        raise _invalid("too many parameters")
    if params[0] != "combined":
        raise _Bad(0, "Unknown property")
    return params


def _boolean(values: list[object]) -> bool:
    if len(values) != 1 or not isinstance(values[0], bool):
        raise _Bad(1, "Invalid value type: expected Boolean")
    return values[0]


def _result(result: object, request_id: object) -> bytes:
    return _encode({"result": result, "id": request_id})


def _encode(message: dict[str, object]) -> bytes:
    # ASCII output keeps half surrogate pairs, which JSON may hold and UTF-8 may not, out of the frame.
    return json.dumps(message, separators=(",", ":")).encode()
