"""Client ids that the engine makes for who sends none."""

from __future__ import annotations

from hashlib import blake2b

_DIGEST_BYTES = 11
"""Length of a generated id is twice that. Unit: bytes. Reason: 22 characters, as long as Binance's own."""


def make_client_order_id(kind: str, number: int) -> str:
    """An id that depends on nothing but its arguments, so that a replay gives the same one.

    Args:
        kind: ``order``, ``cancel``, ``amend``: keeps them apart.
        number: Unique within its kind: an order id or execution id.
    """
    return blake2b(f"{kind}:{number}".encode(), digest_size=_DIGEST_BYTES).hexdigest()
