"""Client order ids: made before an order is sent, so that its fate can always be asked for (DESIGN 4.7)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

PREFIX = "x-ct-"
"""Start of every id made here, so that an account's owner can tell them apart."""

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: sorts like the number, no letters that are easily confused."""

_TIME_CHARS = 10
_RANDOM_CHARS = 16
_RANDOM_BYTES = 10
_RANDOM_SPAN = 1 << (8 * _RANDOM_BYTES)


def _base32(number: int, chars: int) -> str:
    return "".join(_ALPHABET[number >> (5 * place) & 31] for place in reversed(range(chars)))


class ClientOrderIds:
    """Ids that sort by the time they were made and do not collide, within this process or with another one.

    31 characters of ``[A-Za-z0-9-]``: the prefix, 48 bits of milliseconds, 80 random bits. Ids of the same millisecond
    count upwards from the first one's random bits.

    Args:
        entropy: Random bytes, such as ``secrets.token_bytes``.
    """

    def __init__(self, entropy: Callable[[int], bytes]) -> None:
        self._entropy = entropy
        self._last_ms = -1
        self._last_random = 0

    def make(self, now_ms: int) -> str:
        """A new id.

        Args:
            now_ms: Wall-clock milliseconds; where the clock went back, the last time is used again.
        """
        if now_ms > self._last_ms:
            self._last_ms = now_ms
            self._last_random = int.from_bytes(self._entropy(_RANDOM_BYTES))
        else:
            self._last_random = (self._last_random + 1) % _RANDOM_SPAN
        return PREFIX + _base32(self._last_ms, _TIME_CHARS) + _base32(self._last_random, _RANDOM_CHARS)


def id_for_key(account: str, idempotency_key: str) -> str:
    """The client order id that belongs to a client's idempotency key: the same today and after a restart."""
    text = f"{len(account)}:{account}{idempotency_key}".encode()
    number = int.from_bytes(hashlib.blake2b(text, digest_size=16).digest())
    return PREFIX + "K" + _base32(number, 26)
