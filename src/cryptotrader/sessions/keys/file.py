"""The file that holds created keys. A running server reads it again when it changes."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from cryptotrader.config import REDACTOR
from cryptotrader.config.accounts import ACCOUNT_PATTERN
from cryptotrader.core.errors import ConfigError, InvalidParams
from cryptotrader.services.binance.signing import read_public_key
from cryptotrader.sessions.keys.model import KeyKind, KeyLimits, KeyTerms, NewKey, Scope, StoredKey, read_network
from cryptotrader.sessions.keys.vault import Vault

MAX_KEYS = 10_000
"""Most keys in one store. Reason: the whole file is read at once."""

MAX_NAME_CHARS = 100
MAX_ADDRESSES = 100
"""Most networks of one key. Reason: each is looked at with every request."""

MAX_LIMIT = 1_000_000
"""Highest limit of a key, of whatever kind."""

LOCK_S = 5.0
"""How long to wait for another process that changes keys. Unit: seconds. Reason: it takes milliseconds."""

LOCK_POLL_S = 0.02


class KeyFile:
    """Created keys. Writing replaces the file atomically; only its owner may read it.

    Args:
        path: The file; it need not exist.
        vault: Seals secrets; by default with a master key that lies beside the file.
    """

    def __init__(self, path: Path, vault: Vault | None = None) -> None:
        self._path = path
        self._vault = vault or Vault.beside(path)

    def read(self) -> list[StoredKey]:
        """All keys, those revoked and expired included.

        Raises:
            ConfigError: The file is not what this class writes.
        """
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=list[StoredKey])
        except FileNotFoundError:
            return []
        except (OSError, msgspec.DecodeError, RecursionError) as error:
            raise ConfigError(f"cannot read the key file {self._path.name}: {type(error).__name__}") from None

    def version(self) -> tuple[int, int, int]:
        """Changes whenever the file does."""
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            return (0, 0, 0)
        return (stat.st_mtime_ns, stat.st_ino, stat.st_size)

    def create(self, name: str, scopes: Iterable[str], *, now_ms: int, terms: KeyTerms | None = None) -> NewKey:
        """Add a key and return it with its secret, of which only a hash and a sealed copy are kept.

        Raises:
            InvalidParams: Something about the key makes no sense; the text names it.
            ConfigError: The file or the master key cannot be used.
        """
        terms = terms or KeyTerms()
        wanted = _scopes(scopes)
        _check(name, terms, now_ms)
        new = NewKey("ct_" + secrets.token_hex(8), "" if terms.public_key else secrets.token_urlsafe(32))
        stored = StoredKey(
            id=new.key,
            name=name,
            scopes=wanted,
            created_ms=now_ms,
            kind=KeyKind.ED25519 if terms.public_key else KeyKind.HMAC,
            public_key=terms.public_key,
            account=terms.account,
            addresses=terms.addresses,
            expires_ms=terms.expires_ms,
            limits=terms.limits,
        )
        if new.secret:
            REDACTOR.learn(new.secret)
            sealed = self._vault.seal(new.key, new.secret)
            stored = msgspec.structs.replace(stored, secret_sha256=digest(new.secret), sealed_secret=sealed)
        with self._locked():
            keys = self.read()
            if len(keys) >= MAX_KEYS:
                # What cannot be used any more is listed until its place is needed.
                keys = [key for key in keys if key.state(now_ms) == "active"]
            if len(keys) >= MAX_KEYS:
                raise InvalidParams(f"there may be {MAX_KEYS} keys", param="name")
            if stored.sealed_secret is not None:
                self._check_master_key(keys)
            self._write([*keys, stored])
        return new

    def revoke(self, key: str, *, now_ms: int) -> StoredKey:
        """Make a key useless, by its id or its name.

        Raises:
            InvalidParams: There is no such key, or several have the name.
        """
        with self._locked():
            keys = self.read()
            found = [
                index
                for index, stored in enumerate(keys)
                if key in (stored.id, stored.name) and stored.revoked_ms is None
            ]
            by_id = [index for index in found if keys[index].id == key]
            if not found:
                raise InvalidParams(f"no active key {key!r}", param="key")
            if len(by_id or found) > 1:
                ids = ", ".join(keys[index].id for index in found)
                raise InvalidParams(f"several keys have the name {key!r}: {ids}; give an id", param="key")
            (index,) = by_id or found
            # The sealed secret is of no more use to anybody but a thief.
            revoked = msgspec.structs.replace(keys[index], revoked_ms=now_ms, sealed_secret=None)
            keys[index] = revoked
            self._write(keys)
            return revoked

    def material(self, stored: StoredKey) -> str | None:
        """What a key's signatures are checked with; None where it was made before there were signed logins.

        Raises:
            ConfigError: Its secret cannot be opened.
        """
        if stored.kind is KeyKind.ED25519:
            return stored.public_key
        if stored.sealed_secret is None:
            return None
        secret = self._vault.open(stored.id, stored.sealed_secret)
        REDACTOR.learn(secret)
        return secret

    def _check_master_key(self, keys: Iterable[StoredKey]) -> None:
        """A server opens all secrets with one master key, so they must have been sealed with one."""
        sealed = next((key for key in keys if key.sealed_secret is not None), None)
        if sealed is None:
            return
        try:
            self._vault.open(sealed.id, sealed.sealed_secret or "")
        except ConfigError:
            text = f"the master key is not the one that key {sealed.id} was sealed with: set CRYPTOTRADER_MASTER_KEY"
            raise ConfigError(f"{text} as for the server, or revoke the keys of the other one") from None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other processes from changing the keys meanwhile, so that no change is lost."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self._path.with_name(self._path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise ConfigError(f"cannot use the folder of the keys: {error.strerror}") from None
        try:
            _lock(descriptor)
            yield
        finally:
            os.close(descriptor)

    def _write(self, keys: list[StoredKey]) -> None:
        text = json.dumps(msgspec.to_builtins(keys), indent=1)
        try:
            with tempfile.NamedTemporaryFile("w", dir=self._path.parent, delete=False, encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(file.name).replace(self._path)
        except OSError as error:
            raise ConfigError(f"cannot write the key file {self._path.name}: {error.strerror}") from None


def digest(token: str) -> str:
    """SHA-256 of a token in hex."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _lock(descriptor: int) -> None:
    """Take the lock of an open file, which closing it gives back."""
    if sys.platform == "win32":
        return  # No flock there; the file is replaced as a whole anyway.
    import fcntl

    until_s = time.monotonic() + LOCK_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= until_s:
                raise ConfigError("another process has been changing the keys for too long") from None
            time.sleep(LOCK_POLL_S)


def _scopes(scopes: Iterable[str]) -> tuple[Scope, ...]:
    try:
        wanted = tuple(sorted({Scope(scope) for scope in scopes}))
    except ValueError as error:
        raise InvalidParams(f"{error}; scopes are read, trade and admin", param="scopes") from None
    if not wanted:
        raise InvalidParams("a key needs a scope: read, trade or admin", param="scopes")
    return wanted


def _check(name: str, terms: KeyTerms, now_ms: int) -> None:
    if not name.strip() or len(name) > MAX_NAME_CHARS or not name.isprintable():
        raise InvalidParams(f"a key needs a name of at most {MAX_NAME_CHARS} printable characters", param="name")
    if not re.fullmatch(ACCOUNT_PATTERN, terms.account):
        raise InvalidParams("an account's name has 1 to 64 letters, digits, dots, dashes or _", param="account")
    if terms.public_key is not None:
        read_public_key(terms.public_key, KeyKind.ED25519.value)
    if terms.expires_ms is not None and terms.expires_ms <= now_ms:
        raise InvalidParams("the key would be expired already", param="expires")
    if len(terms.addresses) > MAX_ADDRESSES:
        raise InvalidParams(f"a key has {MAX_ADDRESSES} networks at most", param="ip")
    for address in terms.addresses:
        try:
            read_network(address)
        except ValueError:
            raise InvalidParams(f"{address!r} is neither an address nor a network", param="ip") from None
    _check_limits(terms.limits)


def _check_limits(limits: KeyLimits) -> None:
    for field in KeyLimits.__struct_fields__:
        value = getattr(limits, field)
        if value is not None and not 1 <= value <= MAX_LIMIT:
            raise InvalidParams(f"{field} must be from 1 to {MAX_LIMIT}", param=field)
