"""Client order ids that the exchange makes where the client gave none."""

from __future__ import annotations

from hashlib import blake2b

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

GENERATED_CHARS = 22
"""Length of a generated id. Unit: characters. Reason: Binance's own are as long."""


def make_client_order_id(kind: str, number: int) -> str:
    """An id that depends on nothing but its arguments, so that a replay gives the same one.

    Args:
        kind: ``order`` or ``cancel``: keeps the two apart.
        number: Unique within its kind: an order id or execution id.
    """
    value = int.from_bytes(blake2b(f"{kind}:{number}".encode(), digest_size=17).digest(), "big")
    characters = []
    for _ in range(GENERATED_CHARS):
        value, index = divmod(value, len(_ALPHABET))
        characters.append(_ALPHABET[index])
    return "".join(characters)
