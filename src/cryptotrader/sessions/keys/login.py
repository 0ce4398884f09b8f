"""The signed login of the channel protocol (S1-2, C-4). Pure: times come in, verdicts go out.

A client signs the text ``GET\\n/ws\\n{timestamp}\\n``, where the timestamp is the epoch millisecond that it also sends:
HMAC-SHA256 in hexadecimal with its secret, or Ed25519 in Base64 with its private key.
"""

from __future__ import annotations

from cryptotrader.services.binance.signing import verify
from cryptotrader.sessions.keys.model import KeyKind

LOGIN_WINDOW_MS = 30_000
"""How far a client's clock may be from ours, either way. Unit: milliseconds. Source: C-4."""

MAX_SIGNATURE_CHARS = 128
"""Longest signature looked at. Unit: characters. Reason: an HMAC has 64, Ed25519 in Base64 has 88."""

MAX_LOGINS_OF_KEY = 1_000
"""Logins of one key that are remembered at a time. Reason: sixteen a second, far above any client that reconnects."""

MAX_LOGINS = 100_000
"""Logins of all keys that are remembered at a time. Reason: about 10 MB. One more is refused, for what is forgotten
could be used again."""


def login_text(timestamp_ms: int) -> str:
    """What is signed."""
    return f"GET\n/ws\n{timestamp_ms}\n"


def is_timely(timestamp_ms: int, now_ms: int) -> bool:
    """Whether a login's time is near enough."""
    return abs(now_ms - timestamp_ms) <= LOGIN_WINDOW_MS


def is_signed(kind: KeyKind, material: str, timestamp_ms: int, *, signature: str) -> bool:
    """Whether a signature is that of the key, told in constant time.

    Args:
        kind: How it signs.
        material: The shared secret, or the public key in PEM.
        timestamp_ms: What the client sent; to be checked with ``is_timely`` first.
        signature: Hexadecimal in any case for HMAC; Base64 for Ed25519.
    """
    if len(signature) > MAX_SIGNATURE_CHARS or not signature.isascii():
        return False
    return verify(kind.value, material, login_text(timestamp_ms), signature=signature)


class ReplayGuard:
    """Lets each login through once (C-4): whoever sees one on its way cannot use it again.

    A key has one login per timestamp. Both kinds of signature are determined by key and timestamp, so that nothing is
    lost, and no other spelling of the same signature (capital letters, spare bits of Base64) passes for a new one.

    Only logins with a right signature are to be shown to it, so that nobody without a key can fill it.
    """

    def __init__(self) -> None:
        self._seen: dict[str, dict[int, None]] = {}
        self._count = 0
        self._forgotten_ms: int | None = None
        self._sweep_ms = 0

    def __len__(self) -> int:
        return self._count

    def admit(self, key_id: str, timestamp_ms: int, *, now_ms: int) -> bool:
        """Whether this is the first login of the key with this time, which must be a timely one."""
        self._forget(now_ms)
        if self._forgotten_ms is not None and timestamp_ms <= self._forgotten_ms:
            # Our clock was set back; whether this login has been used is not known any more.
            return False
        seen = self._seen.setdefault(key_id, {})
        if timestamp_ms in seen or len(seen) >= MAX_LOGINS_OF_KEY or self._count >= MAX_LOGINS:
            return False
        seen[timestamp_ms] = None
        self._count += 1
        return True

    def _forget(self, now_ms: int) -> None:
        """Drop what is not timely any more; looked for once a second, since it is refused for its time anyway."""
        if self._sweep_ms <= now_ms < self._sweep_ms + 1_000:
            return
        self._sweep_ms = now_ms
        oldest_ms = now_ms - LOGIN_WINDOW_MS
        for key_id, seen in list(self._seen.items()):
            gone = [timestamp_ms for timestamp_ms in seen if timestamp_ms < oldest_ms]
            for timestamp_ms in gone:
                del seen[timestamp_ms]
                self._forgotten_ms = max(timestamp_ms, self._forgotten_ms or timestamp_ms)
            self._count -= len(gone)
            if not seen:
                del self._seen[key_id]
