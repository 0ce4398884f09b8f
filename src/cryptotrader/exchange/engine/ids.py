"""Client ids that the engine makes for who sends none."""

from __future__ import annotations

_SPAN = 1 << 84
"""How many ids there are of a kind: 21 hexadecimal digits, as long as Binance's own with a letter before them."""

_MASK = _SPAN - 1
"""A remainder of a power of two, in half the time."""

_STRIDE = 0x9E3779B97F4A7C15F39CD
"""Odd, so that no two numbers below the span meet; near the golden ratio of the span, so that they look unlike."""


def make_client_order_id(kind: str, number: int) -> str:
    """An id that depends on nothing but its arguments, so that a replay gives the same one.

    Args:
        kind: ``order``, ``cancel``, ``amend``, ``list``: the first letter keeps them apart.
        number: Unique within its kind: an order id or execution id.
    """
    return f"{kind[0]}{number * _STRIDE & _MASK:021x}"
