"""Keys of clients, and logins that they sign."""

from __future__ import annotations

import base64
import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NOW_MS = 1_700_000_000_000


def signed_with_secret(secret: str, timestamp_ms: int) -> str:
    """The signature that C-4 states, made without any code of the product."""
    text = "GET\n/ws\n" + str(timestamp_ms) + "\n"
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


class KeyPair:
    """A client's own Ed25519 key."""

    def __init__(self, seed: int = 1) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed.to_bytes(32))
        self.public = self._private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def sign(self, timestamp_ms: int) -> str:
        """The signature that C-4 states."""
        return base64.b64encode(self._private.sign(f"GET\n/ws\n{timestamp_ms}\n".encode())).decode()


class TurnedClock:
    """Time that only a test moves."""

    def __init__(self, now_ms: int = NOW_MS) -> None:
        self.now_ms = now_ms

    def now_ns(self) -> int:
        return self.now_ms * 1_000_000

    def monotonic_ns(self) -> int:
        return self.now_ms * 1_000_000
