"""Bearer tokens: who a client is and what it may do (S0-1, S0-50, S0-51, C-3).

A token is a secret of high entropy, so only its SHA-256 is kept and compared. Keys that are created with
``cryptotrader keys create`` live in a file that a running server reads again when it changes.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import tempfile
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

import msgspec

from cryptotrader.bus import Topic
from cryptotrader.config import REDACTOR, get_logger
from cryptotrader.core.errors import ConfigError, InvalidParams, NotAuthenticated

log = get_logger(__name__)

MAX_KEYS = 10_000
"""Most keys in one store. Reason: the whole file is read at once."""

MAX_TOKEN_CHARS = 512
"""Longest token looked at. Unit: characters. Reason: a longer one cannot be ours, and hashing costs time."""


class Scope(StrEnum):
    """What a key allows."""

    READ = "read"
    """Market data, and the account's balances, orders and trades."""
    TRADE = "trade"
    """Placing and cancelling orders."""
    ADMIN = "admin"
    """Changing the server itself."""


class Principal(msgspec.Struct, frozen=True):
    """A client that proved who it is."""

    key_id: str
    name: str
    scopes: frozenset[Scope]


class StoredKey(msgspec.Struct, frozen=True):
    """A key as it lies in the file: never with its secret."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    secret_sha256: str
    created_ms: int
    account: str = "default"
    revoked_ms: int | None = None


class NewKey(msgspec.Struct, frozen=True):
    """What ``keys create`` shows once: the key's public id, and the secret that is sent as the bearer token."""

    key: str
    secret: str

    def __repr__(self) -> str:
        return f"NewKey(key={self.key!r}, secret='***')"


class KeyFile:
    """The file that holds created keys. Writing replaces it atomically; only its owner may read it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> list[StoredKey]:
        """All keys, revoked ones included.

        Raises:
            ConfigError: The file is not what this class writes.
        """
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=list[StoredKey])
        except FileNotFoundError:
            return []
        except (OSError, msgspec.DecodeError) as error:
            raise ConfigError(f"cannot read the key file {self._path.name}: {type(error).__name__}") from None

    def version(self) -> tuple[int, int]:
        """Changes whenever the file does."""
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            return (0, 0)
        return (stat.st_mtime_ns, stat.st_ino)

    def create(self, name: str, scopes: Iterable[str], *, now_ms: int, account: str = "default") -> NewKey:
        """Add a key and return it with its secret, which is kept nowhere.

        Raises:
            InvalidParams: No name, an unknown scope, or too many keys.
        """
        try:
            wanted = tuple(sorted({Scope(scope) for scope in scopes}))
        except ValueError as error:
            raise InvalidParams(f"{error}; scopes are read, trade and admin", param="scopes") from None
        keys = self.read()
        if not name.strip() or not wanted or len(keys) >= MAX_KEYS:
            raise InvalidParams(f"a key needs a name and a scope, and there may be {MAX_KEYS} keys", param="name")
        new = NewKey(key="ct_" + secrets.token_hex(8), secret=secrets.token_urlsafe(32))
        keys.append(StoredKey(new.key, name, wanted, digest(new.secret), now_ms, account))
        self._write(keys)
        return new

    def revoke(self, key: str, *, now_ms: int) -> StoredKey:
        """Make a key useless, by its id or its name.

        Raises:
            InvalidParams: There is no such key.
        """
        keys = self.read()
        for index, stored in enumerate(keys):
            if key in (stored.id, stored.name) and stored.revoked_ms is None:
                keys[index] = msgspec.structs.replace(stored, revoked_ms=now_ms)
                self._write(keys)
                return keys[index]
        raise InvalidParams(f"no active key {key!r}", param="key")

    def _write(self, keys: list[StoredKey]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        text = json.dumps(msgspec.to_builtins(keys), indent=1)
        with tempfile.NamedTemporaryFile("w", dir=self._path.parent, delete=False, encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(self._path)


def digest(token: str) -> str:
    """SHA-256 of a token in hex."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


class Authenticator:
    """Knows every token that is valid now.

    Args:
        tokens: Tokens from the settings; they may read and trade, under ids ``env-1``, ``env-2``, ...
        keys: Created keys; ``refresh`` reads them again.

    Raises:
        ConfigError: The key file cannot be read.
    """

    def __init__(self, tokens: Iterable[str], keys: KeyFile | None = None) -> None:
        self._fixed: dict[str, Principal] = {}
        for number, token in enumerate(tokens, start=1):
            REDACTOR.learn(token)
            scopes = frozenset({Scope.READ, Scope.TRADE})
            self._fixed[digest(token)] = Principal(f"env-{number}", "HTTP_BEARER_TOKEN", scopes)
        self._keys = keys
        self._version: tuple[int, int] | None = None
        self._known = dict(self._fixed)
        self.on_revoked: Topic[str] = Topic("keys.revoked")
        self._load()

    def refresh(self) -> None:
        """Read the key file again if it changed; tell ``on_revoked`` about keys that are gone.

        A file that cannot be read changes nothing and is not read again before it changes.
        """
        try:
            self._load()
        except ConfigError as error:
            log.error(f"{error.message}; the keys stay as they were")

    def _load(self) -> None:
        if self._keys is None or (version := self._keys.version()) == self._version:
            return
        self._version = version
        known = dict(self._fixed)
        for stored in self._keys.read():
            if stored.revoked_ms is None:
                known[stored.secret_sha256] = Principal(stored.id, stored.name, frozenset(stored.scopes))
        gone = {who.key_id for who in self._known.values()} - {who.key_id for who in known.values()}
        self._known = known
        for key_id in sorted(gone):
            self.on_revoked.publish(key_id)

    def authenticate(self, authorization: str | None, query_token: str | None = None) -> Principal:
        """Check a bearer token.

        Args:
            authorization: Value of the ``Authorization`` header.
            query_token: Token from the query string, where the caller allows one (WebSockets, S0-65).

        Raises:
            NotAuthenticated: With the text that S0-50 or S0-51 states.
        """
        if authorization is None and not query_token:
            raise NotAuthenticated("Missing Authorization header")
        token = query_token or ""
        if authorization is not None:
            scheme, _, token = authorization.strip().partition(" ")
            if scheme.lower() != "bearer":
                raise NotAuthenticated("Invalid or expired token")
        token = token.strip()
        if not token or len(token) > MAX_TOKEN_CHARS:
            raise NotAuthenticated("Invalid or expired token")
        wanted = digest(token)
        found = self._find(wanted)
        if found is None:
            # It may have been created a moment ago; looking costs one stat call.
            self.refresh()
            found = self._find(wanted)
        if found is None:
            raise NotAuthenticated("Invalid or expired token")
        return found

    def _find(self, wanted: str) -> Principal | None:
        """Compare with every known hash, so that the time tells nothing (C-3)."""
        found = None
        for known, principal in self._known.items():
            if hmac.compare_digest(known, wanted):
                found = principal
        return found
