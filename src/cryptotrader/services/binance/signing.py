"""Signatures of requests, pure: text goes in, a signature comes out. The paper exchange checks with the same code.

Source: ``rest-api.md``, "SIGNED Endpoint Examples" and ``web-socket-api.md``, "SIGNED request example". REST signs
the query string followed by the body, percent-encoded first (the rule since 2026-01-15). The WebSocket API signs the
parameters sorted by name, in UTF-8 and not encoded, each value exactly as it is sent.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

PEM_MARK = "-----BEGIN "
"""How a PEM text begins, after white space."""


MOST_SIGNERS = 1_000
"""Secrets whose signers ``verify`` remembers. Unit: secrets. Reason: memory; those of busy keys are found at once."""

BLOCK_BYTES = 64
"""Block of SHA-256. Unit: bytes. Source: RFC 6234; a longer key is hashed first."""


class Signer(Protocol):
    """Turns a payload into the value of the ``signature`` parameter."""

    @property
    def kind(self) -> str:
        """``hmac``, ``rsa`` or ``ed25519``."""
        ...

    def sign(self, payload: str) -> str:
        """The signature of the UTF-8 bytes of ``payload``."""
        ...


class HmacSigner:
    """HMAC-SHA256 in hexadecimal. The secret shows in no repr."""

    kind = "hmac"

    def __init__(self, secret: str) -> None:
        # RFC 2104, section 4: both halves of the key are hashed once; a signature starts from copies.
        key = secret.encode()
        block = (hashlib.sha256(key).digest() if len(key) > BLOCK_BYTES else key).ljust(BLOCK_BYTES, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def __repr__(self) -> str:
        return "HmacSigner(***)"

    def sign(self, payload: str | bytes) -> str:
        """64 hexadecimal digits."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(payload.encode() if isinstance(payload, str) else payload)
        outer.update(inner.digest())
        return outer.hexdigest()


class Credentials:
    """An API key and what signs for it. Neither shows in a repr."""

    def __init__(self, api_key: str, signer: Signer) -> None:
        self.api_key = api_key
        self.signer = signer

    def __repr__(self) -> str:
        return f"Credentials(***, {self.signer.kind})"

    @classmethod
    def of(cls, api_key: str, secret: str, *, password: str | None = None) -> Credentials:
        """From an API key and either a shared secret or a private key in PEM (RSA or Ed25519, encrypted or not).

        Raises:
            ConfigError: The secret looks like PEM but cannot be used.
        """
        return cls(api_key.strip(), signer_of(secret, password=password))


def signer_of(secret: str, *, password: str | None = None) -> Signer:
    """The signer that fits the secret: PEM text holds a private key, anything else is a shared secret.

    Raises:
        ConfigError: The secret looks like PEM but is no RSA or Ed25519 private key, or the password is wrong.
    """
    if not secret.lstrip().startswith(PEM_MARK):
        return HmacSigner(secret.strip())
    # Loaded only where there is such a key: it takes ten milliseconds, and most keys are shared secrets.
    from cryptotrader.services.binance.key_pairs import signer_of_pem

    return signer_of_pem(secret, password)


def encode_query(params: Mapping[str, str] | Iterable[tuple[str, str]]) -> str:
    """``name=value`` pairs joined by ``&`` in the order given, percent-encoded as UTF-8 (a space is ``%20``)."""
    pairs = params.items() if isinstance(params, Mapping) else params
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)


def signing_payload_rest(params: Mapping[str, str]) -> str:
    """What a REST request signs: exactly the query string that is sent, without ``signature``."""
    return encode_query((name, value) for name, value in params.items() if name != "signature")


def signing_payload_ws(params: Mapping[str, str]) -> str:
    """What a WebSocket API request signs: sorted by name, raw, without ``signature``.

    Args:
        params: Values as the text that stands in the request: for a JSON number its very digits.
    """
    return "&".join(f"{name}={params[name]}" for name in sorted(params) if name != "signature")


@lru_cache(maxsize=MOST_SIGNERS)
def _hmac_signer(secret: str) -> HmacSigner:
    return HmacSigner(secret)


def verify(kind: str, secret: str, payload: str | bytes, *, signature: str) -> bool:
    """Whether ``signature`` is right, told in constant time.

    Args:
        kind: ``hmac``, ``rsa`` or ``ed25519``.
        secret: The shared secret, or the public key in PEM.
        payload: What was signed.
        signature: Hexadecimal in any case for HMAC; Base64, case-sensitive, for the others.

    Raises:
        ConfigError: The public key cannot be read or is of another kind.
    """
    data = payload.encode() if isinstance(payload, str) else payload
    if kind == "hmac":
        right = _hmac_signer(secret).sign(data)
        return hmac.compare_digest(right.encode(), signature.lower().encode())
    try:
        raw = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return False
    from cryptotrader.services.binance.key_pairs import read_public_key, verify_raw

    return verify_raw(read_public_key(secret, kind), raw, data)


def read_public_key(pem: str, kind: str) -> RSAPublicKey | Ed25519PublicKey:
    """The public key of ``kind`` (``rsa`` or ``ed25519``) in a PEM text.

    Raises:
        ConfigError: It cannot be read or is of another kind.
    """
    from cryptotrader.services.binance import key_pairs

    return key_pairs.read_public_key(pem, kind)
