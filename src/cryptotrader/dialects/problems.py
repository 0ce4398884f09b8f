"""How errors of any protocol repeat what a client said, and what was wrong with it. Pure."""

from __future__ import annotations

import msgspec

SHORT_CHARS = 50
"""How much of a client's own text an error repeats. Unit: characters."""

MAX_PROBLEM_CHARS = 200
"""Longest description of what is wrong. Unit: characters. Reason: it may repeat a word of the client's."""


def shortened(text: str) -> str:
    """A client's own text as an error repeats it."""
    return text if len(text) <= SHORT_CHARS else text[:SHORT_CHARS] + "..."


def words_of(error: Exception) -> str:
    """The decoder's words, which name the field."""
    return str(error)[:MAX_PROBLEM_CHARS] if isinstance(error, msgspec.DecodeError) else "not readable"
