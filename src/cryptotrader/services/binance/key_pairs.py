"""Signatures with RSA and Ed25519 keys, pure. Apart from ``signing``, since most keys are shared secrets."""

from __future__ import annotations

import base64
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from cryptotrader.core.errors import ConfigError


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


def signer_of_pem(pem: str, password: str | None) -> RsaSigner | Ed25519Signer:
    """The signer that fits a private key.

    Raises:
        ConfigError: It is no RSA or Ed25519 private key, or the password is wrong.
    """
    if isinstance(_private_key(pem, password), Ed25519PrivateKey):
        return Ed25519Signer(pem, password=password)
    return RsaSigner(pem, password=password)


def _private_key(pem: str, password: str | None) -> RSAPrivateKey | Ed25519PrivateKey:
    try:
        key = load_pem_private_key(pem.strip().encode(), password.encode() if password else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The cause might quote the key.
        raise ConfigError("the private key cannot be read: wrong format or wrong password") from None
    if not isinstance(key, (RSAPrivateKey, Ed25519PrivateKey)):
        raise ConfigError("the private key is neither RSA nor Ed25519")
    return key


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


def verify_raw(key: RSAPublicKey | Ed25519PublicKey, signature: bytes, data: bytes) -> bool:
    """Whether a signature is right."""
    try:
        if isinstance(key, Ed25519PublicKey):
            key.verify(signature, data)
        else:
            key.verify(signature, data, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True
