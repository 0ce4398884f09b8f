"""Credentials from what a user has at hand: a secret, a private key as text, or the path of a key file."""

from __future__ import annotations

from pathlib import Path

from cryptotrader.config import REDACTOR
from cryptotrader.core.errors import ConfigError
from cryptotrader.services.binance.signing import PEM_MARK, Credentials

MAX_KEY_BYTES = 64 * 1024
"""Largest key file read. Unit: bytes. Reason: an RSA key of 16384 bits, encrypted, is under 20 KB."""


def load_credentials(api_key: str, secret: str | Path, *, password: str | None = None) -> Credentials:
    """Credentials for a connection.

    Args:
        api_key: The key that Binance shows.
        secret: The HMAC secret; or a private key (RSA or Ed25519) in PEM, encrypted or not, as text or as the path of
            its file. A text names a file where it ends in ``.pem``, ``.key`` or ``.prv``, or where it is a ``Path``.
        password: Of an encrypted private key.

    Raises:
        ConfigError: The file cannot be read, or the key is of no use. The text says nothing of the secret.
    """
    text = _read(secret) if _is_path(secret) else str(secret)
    REDACTOR.learn(api_key.strip(), text.strip(), password)
    return Credentials.of(api_key, text, password=password)


def _is_path(secret: str | Path) -> bool:
    if isinstance(secret, Path):
        return True
    return PEM_MARK not in secret and secret.strip().endswith((".pem", ".key", ".prv"))


def _read(path: str | Path) -> str:
    file = Path(path).expanduser() if isinstance(path, Path) else Path(path.strip()).expanduser()
    try:
        with file.open("rb") as source:
            data = source.read(MAX_KEY_BYTES + 1)
        if len(data) > MAX_KEY_BYTES:
            raise ConfigError(f"the key file {file} is too large")
        return data.decode("ascii")
    except OSError as error:
        raise ConfigError(f"the key file {file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"the key file {file} is no PEM") from None
