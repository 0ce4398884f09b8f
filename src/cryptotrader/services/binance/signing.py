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
from typing import Protocol
from urllib.parse import quote

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from cryptotrader.core.errors import ConfigError

PEM_MARK = "-----BEGIN "
"""How a PEM text begins, after white space."""


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

    def sign(self, payload: str) -> str:
        """64 hexadecimal digits."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(payload.encode())
        outer.update(inner.digest())
        return outer.hexdigest()


class RsaSigner:
    """RSASSA-PKCS1-v1_5 with SHA-256, in Base64. The key shows in no repr.

    Raises:
        ConfigError: The text is no RSA private key, or the password is wrong.
    """

    kind = "rsa"

    def __init__(self, pem: str, *, password: str | None = None) -> None:
        key = _private_key(pem, password)
        if not isinstance(key, RSAPrivateKey):
            raise ConfigError("the private key is not an RSA key")
        self._key = key

    def __repr__(self) -> str:
        return "RsaSigner(***)"

    def sign(self, payload: str) -> str:
        """Base64, case-sensitive."""
        return base64.b64encode(self._key.sign(payload.encode(), PKCS1v15(), SHA256())).decode()


class Ed25519Signer:
    """Ed25519, in Base64. The key shows in no repr.

    Raises:
        ConfigError: The text is no Ed25519 private key, or the password is wrong.
    """

    kind = "ed25519"

    def __init__(self, pem: str, *, password: str | None = None) -> None:
        key = _private_key(pem, password)
        if not isinstance(key, Ed25519PrivateKey):
            raise ConfigError("the private key is not an Ed25519 key")
        self._key = key

    def __repr__(self) -> str:
        return "Ed25519Signer(***)"

    def sign(self, payload: str) -> str:
        """Base64, case-sensitive."""
        return base64.b64encode(self._key.sign(payload.encode())).decode()


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
    if isinstance(_private_key(secret, password), Ed25519PrivateKey):
        return Ed25519Signer(secret, password=password)
    return RsaSigner(secret, password=password)


def _private_key(pem: str, password: str | None) -> RSAPrivateKey | Ed25519PrivateKey:
    try:
        key = load_pem_private_key(pem.strip().encode(), password.encode() if password else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The cause might quote the key.
        raise ConfigError("the private key cannot be read: wrong format or wrong password") from None
    if not isinstance(key, (RSAPrivateKey, Ed25519PrivateKey)):
        raise ConfigError("the private key is neither RSA nor Ed25519")
    return key


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
        right = hmac.new(secret.encode(), data, hashlib.sha256).hexdigest()
        return hmac.compare_digest(right.encode(), signature.lower().encode())
    try:
        raw = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return False
    return _verify_raw(read_public_key(secret, kind), raw, data)


@lru_cache(maxsize=256)
def read_public_key(pem: str, kind: str) -> RSAPublicKey | Ed25519PublicKey:
    """The public key of ``kind`` (``rsa`` or ``ed25519``) in a PEM text, read once.

    Raises:
        ConfigError: It cannot be read or is of another kind.
    """
    try:
        key = load_pem_public_key(pem.strip().encode())
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigError("the public key cannot be read") from None
    if isinstance(key, Ed25519PublicKey) and kind == "ed25519":
        return key
    if isinstance(key, RSAPublicKey) and kind == "rsa":
        return key
    raise ConfigError(f"the public key is not of kind {kind}")


def _verify_raw(key: RSAPublicKey | Ed25519PublicKey, signature: bytes, data: bytes) -> bool:
    try:
        if isinstance(key, Ed25519PublicKey):
            key.verify(signature, data)
        else:
            key.verify(signature, data, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True
