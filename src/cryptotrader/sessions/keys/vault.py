"""Secrets at rest: sealed with AES-256-GCM under a master key that lies elsewhere (docs/adr/0012)."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cryptotrader.config import REDACTOR, get_logger
from cryptotrader.core.errors import ConfigError

log = get_logger(__name__)

MASTER_KEY_BYTES = 32
NONCE_BYTES = 12
"""Source: NIST SP 800-38D, section 8.2; random, which is safe for four billion seals under one key."""

VERSION = "v1."
"""How a sealed text begins, so that another way of sealing can follow."""

MASTER_KEY_FILE = "master-key"
"""Name of the master key's file in the data folder."""

_OTHERS = 0o077


class Vault:
    """Seals and opens secrets. The master key is read when it is first needed, and shows in no repr.

    Args:
        load: Gives the master key; see ``read_master_key`` and ``kept_master_key``.
    """

    def __init__(self, load: Callable[[], bytes]) -> None:
        self._load = load
        self._cipher: AESGCM | None = None

    def __repr__(self) -> str:
        return "Vault(***)"

    @classmethod
    def beside(cls, path: Path) -> Vault:
        """A vault whose master key lies in the folder of ``path``, made when it is first needed."""
        return cls(lambda: kept_master_key(path.parent / MASTER_KEY_FILE))

    def seal(self, key_id: str, secret: str) -> str:
        """Encrypt the secret of a key; it can be opened for that key only.

        Raises:
            ConfigError: The master key cannot be had.
        """
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._aes().encrypt(nonce, secret.encode(), key_id.encode())
        return VERSION + base64.urlsafe_b64encode(nonce + sealed).decode()

    def open(self, key_id: str, sealed: str) -> str:
        """Decrypt.

        Raises:
            ConfigError: The master key cannot be had, is another one, or the text was changed.
        """
        try:
            raw = base64.b64decode(sealed.removeprefix(VERSION), altchars=b"-_", validate=True)
            if not sealed.startswith(VERSION) or len(raw) <= NONCE_BYTES:
                raise ValueError
            return self._aes().decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], key_id.encode()).decode()
        except (InvalidTag, ValueError):
            text = (
                f"the secret of key {key_id} cannot be opened: the master key is another one, or the file was changed"
            )
            raise ConfigError(text) from None

    def _aes(self) -> AESGCM:
        if self._cipher is None:
            self._cipher = AESGCM(self._load())
        return self._cipher


def read_master_key(text: str) -> bytes:
    """32 bytes in hexadecimal or Base64, as ``openssl rand -base64 32`` prints them.

    Raises:
        ConfigError: It is something else; the text does not repeat it.
    """
    text = text.strip()
    REDACTOR.learn(text)
    try:
        if len(text) == 2 * MASTER_KEY_BYTES:
            return bytes.fromhex(text)
        key = base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != MASTER_KEY_BYTES:
        raise ConfigError("the master key must be 32 bytes in hexadecimal or Base64: openssl rand -base64 32")
    return key


def kept_master_key(path: Path) -> bytes:
    """The master key in a file for the owner's eyes only; made where there is none.

    Raises:
        ConfigError: The file cannot be read or written, or holds something else.
    """
    try:
        if not path.exists():
            _make(path)
        if path.stat().st_mode & _OTHERS and os.name == "posix":
            log.warning(f"the file {path.name} in the data folder can be read by others; its mode should be 0600")
        return read_master_key(path.read_text("ascii"))
    except OSError as error:
        raise ConfigError(f"cannot keep the master key in the data folder: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"the file {path.name} in the data folder is no master key") from None


def _make(path: Path) -> None:
    """Write a new key so that two processes at the same time end up with one, and nobody reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(MASTER_KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        _place(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _place(draft: Path, path: Path) -> None:
    """Give a file its name, unless another process was first."""
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    except OSError:
        # Not every file system has hard links; there, two first starts at the same moment are not told apart.
        draft.replace(path)
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
