"""Exact numbers in JSON: scaled integers written digit by digit, no float on the way (C-14)."""

from __future__ import annotations

from cryptotrader.core.scaled import SCALE, SCALE_DIGITS, parse_scaled

assert SCALE_DIGITS == 8, "the format below writes eight places"


def number(value: int) -> str:
    """A scaled integer as a JSON number, without surplus zeros but with one place at least: ``42650.0``."""
    if value < 0:
        return "-" + number(-value)
    whole, part = divmod(value, SCALE)
    if not part:
        return f"{whole}.0"
    return f"{whole}.{part:08d}".rstrip("0")


def number_of(text: str) -> str:
    """The same for a venue's own decimal text."""
    return number(parse_scaled(text))
