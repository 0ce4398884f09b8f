"""What is wrong with a client's message, in words that name the field. Pure."""

from __future__ import annotations

import msgspec

_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode

SHORT_CHARS = 50
"""How much of a client's own text an error repeats. Unit: characters."""

MAX_PROBLEM_CHARS = 200
"""Longest description of what is wrong. Unit: characters. Reason: it may repeat a word of the client's."""


def problem_of(text: str | bytes, error: Exception) -> str:
    """What is wrong with a message, with the field named where there is one."""
    try:
        fields = _decode_fields(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return "Malformed message: not a JSON object"
    if "action" not in fields:
        return "Malformed message: action is missing"
    try:
        action = msgspec.json.decode(fields["action"], type=str)
    except msgspec.DecodeError:
        return "Malformed message: action is not a text"
    if action not in ("authenticate", "subscribe", "unsubscribe", "pong"):
        return f"Unknown action: {shortened(action)}"
    return f"Malformed message: {words_of(error)}"


def shortened(text: str) -> str:
    """A client's own text as an error repeats it."""
    return text if len(text) <= SHORT_CHARS else text[:SHORT_CHARS] + "..."


def words_of(error: Exception) -> str:
    """The decoder's words, which name the field."""
    return str(error)[:MAX_PROBLEM_CHARS] if isinstance(error, msgspec.DecodeError) else "not readable"
