"""What is wrong with a client's message, in words that name the field. Pure."""

from __future__ import annotations

import msgspec

from cryptotrader.dialects.problems import shortened, words_of

_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


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
