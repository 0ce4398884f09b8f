"""Who a client is and what it may do: bearer tokens and signed logins (S0-1, S0-50, S0-51, S1-2, C-3, C-4).

A bearer token is a secret of high entropy, so its SHA-256 is enough to know it by. Keys that are created with
``cryptotrader keys create`` lie in a file that is looked at with every use, and once a second (``refresh``).
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from cryptotrader.bus import Topic
from cryptotrader.config import REDACTOR, get_logger
from cryptotrader.core.clock import Clock, to_ms
from cryptotrader.core.errors import ConfigError, NotAuthenticated
from cryptotrader.net import SystemClock
from cryptotrader.sessions.keys.file import KeyFile, digest
from cryptotrader.sessions.keys.login import ReplayGuard, is_signed, is_timely
from cryptotrader.sessions.keys.model import KeyKind, Principal, Scope, StoredKey

__all__ = ["Authenticator", "KeyFile", "Principal", "Scope"]

log = get_logger(__name__)

MAX_TOKEN_CHARS = 512
"""Longest token looked at. Unit: characters. Reason: a longer one cannot be ours, and hashing costs time."""

INVALID = "Invalid or expired token"
"""S0-51. The same for whatever is wrong with a token."""

LOGIN_FAILED = "Authentication failed"
"""S1-3. The same for whatever is wrong with a login."""


@dataclass(frozen=True)
class _Known:
    """A key that is valid now."""

    who: Principal
    stored: StoredKey | None
    """None for a token of the settings."""
    expires_ms: int | None = None


class Authenticator:
    """Knows every key that is valid now.

    Args:
        tokens: Tokens from the settings; they may read and trade, under ids ``env-1``, ``env-2``, ...
        keys: Created keys.
        clock: Decides about expiry.

    Raises:
        ConfigError: The key file cannot be read.
    """

    def __init__(self, tokens: Iterable[str], keys: KeyFile | None = None, *, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._keys = keys
        # Tokens are looked up by a keyed hash of their own hash: how long that takes tells nothing about them (C-3).
        self._blind = secrets.token_bytes(32)
        self._fixed: dict[bytes, _Known] = {}
        for number, token in enumerate(tokens, start=1):
            REDACTOR.learn(token)
            who = Principal(f"env-{number}", "HTTP_BEARER_TOKEN", frozenset({Scope.READ, Scope.TRADE}))
            self._fixed.setdefault(self._slot(digest(token)), _Known(who, None))
        self._version: tuple[int, int, int] | None = None
        self._by_token = dict(self._fixed)
        self._by_id: dict[str, _Known] = {}
        self._materials: dict[str, str | None] = {}
        self._next_expiry_ms: int | None = None
        self._replays = ReplayGuard()
        self.on_revoked: Topic[str] = Topic("keys.revoked")
        """Ids of keys that are revoked, expired or changed: whatever they opened is to be closed."""
        self._load(to_ms(self._clock.now_ns()))

    def refresh(self) -> None:
        """Read the key file again if it changed; tell ``on_revoked`` about keys that are gone or changed.

        A file that cannot be read changes nothing and is not read again before it changes.
        """
        self._refresh(to_ms(self._clock.now_ns()))

    def authenticate(
        self, authorization: str | None, query_token: str | None = None, *, client: str | None = None
    ) -> Principal:
        """Check a bearer token.

        Args:
            authorization: Value of the ``Authorization`` header.
            query_token: Token from the query string, where the caller allows one (WebSockets, S0-65).
            client: Address that it comes from.

        Raises:
            NotAuthenticated: With the text that S0-50 or S0-51 states.
        """
        if authorization is None and not query_token:
            raise NotAuthenticated("Missing Authorization header")
        token = query_token or ""
        if authorization is not None:
            scheme, _, token = authorization.strip().partition(" ")
            if scheme.lower() != "bearer":
                raise NotAuthenticated(INVALID)
        token = token.strip()
        if not token or len(token) > MAX_TOKEN_CHARS:
            raise NotAuthenticated(INVALID)
        self.refresh()
        found = self._by_token.get(self._slot(digest(token)))
        if found is None or not self._admits(found.who, client):
            raise NotAuthenticated(INVALID)
        REDACTOR.learn(token)
        return found.who

    def login(
        self, api_key: str, timestamp_ms: int, signature: str, *, now_ms: int, client: str | None = None
    ) -> Principal:
        """Check a signed login (C-4). Each one is good for one time.

        Args:
            api_key: Id of a created key, or a token of the settings, whose secret is the token itself.
            timestamp_ms: When the client signed, by its own clock. Unit: epoch milliseconds.
            signature: Of ``login_text(timestamp_ms)``.
            now_ms: Our time.
            client: Address that it comes from.

        Raises:
            NotAuthenticated: With the text that S1-3 states, whatever is wrong.
        """
        if len(api_key) > MAX_TOKEN_CHARS or not is_timely(timestamp_ms, now_ms):
            raise NotAuthenticated(LOGIN_FAILED)
        self._refresh(now_ms)
        known = self._by_id.get(api_key)
        if known is None:
            known = self._fixed.get(self._slot(digest(api_key)))
            material = None if known is None else api_key
        else:
            material = self._material(known)
        kind = KeyKind.HMAC if known is None or known.stored is None else known.stored.kind
        # A key that does not exist is checked as well, so that the time does not tell so.
        is_right = self._is_signed(kind, material or "no such key", timestamp_ms, signature=signature)
        if known is None or material is None or not is_right or not self._admits(known.who, client):
            raise NotAuthenticated(LOGIN_FAILED)
        if not self._replays.admit(known.who.key_id, timestamp_ms, now_ms=now_ms):
            log.warning(f"a login of key {known.who.key_id} was used before, or there were too many")
            raise NotAuthenticated(LOGIN_FAILED)
        return known.who

    # The keys

    def _refresh(self, now_ms: int) -> None:
        try:
            self._load(now_ms)
        except ConfigError as error:
            log.error(f"{error.message}; the keys stay as they were")
        if self._next_expiry_ms is not None and now_ms >= self._next_expiry_ms:
            self._expire(now_ms)

    def _load(self, now_ms: int) -> None:
        if self._keys is None or (version := self._keys.version()) == self._version:
            return
        self._version = version
        self._take(
            _Known(stored.principal, stored, stored.expires_ms)
            for stored in self._keys.read()
            if stored.state(now_ms) == "active"
        )

    def _expire(self, now_ms: int) -> None:
        self._take(
            known for known in list(self._by_id.values()) if known.expires_ms is None or now_ms < known.expires_ms
        )

    def _take(self, keys: Iterable[_Known]) -> None:
        """Know these created keys and no others."""
        before, self._by_id = self._by_id, {known.who.key_id: known for known in keys}
        self._by_token = dict(self._fixed)
        for known in self._by_id.values():
            if known.stored is not None and known.stored.secret_sha256 is not None:
                self._by_token.setdefault(self._slot(known.stored.secret_sha256), known)
        self._next_expiry_ms = min(
            (known.expires_ms for known in self._by_id.values() if known.expires_ms is not None), default=None
        )
        gone = [key_id for key_id, known in before.items() if known != self._by_id.get(key_id)]
        for key_id in gone:
            self._materials.pop(key_id, None)
        for key_id in sorted(gone):
            self.on_revoked.publish(key_id)

    def _material(self, known: _Known) -> str | None:
        """What signatures of a created key are checked with; opened at its first login."""
        key_id = known.who.key_id
        if key_id not in self._materials and self._keys is not None and known.stored is not None:
            try:
                self._materials[key_id] = self._keys.material(known.stored)
            except ConfigError as error:
                self._materials[key_id] = None
                log.error(error.message)
            else:
                if self._materials[key_id] is None:
                    log.warning(f"key {key_id} is from before signed logins; create a new one to use it with /ws")
        return self._materials.get(key_id)

    @staticmethod
    def _is_signed(kind: KeyKind, material: str, timestamp_ms: int, *, signature: str) -> bool:
        try:
            return is_signed(kind, material, timestamp_ms, signature=signature)
        except ConfigError as error:
            log.error(f"{error.message}: a public key in the key file")
            return False

    def _slot(self, token_digest: str) -> bytes:
        return hmac.digest(self._blind, token_digest.encode("utf-8", "surrogatepass"), "sha256")

    @staticmethod
    def _admits(who: Principal, client: str | None) -> bool:
        if who.admits(client):
            return True
        log.warning(f"key {who.key_id} was refused: {client} is not on its list of addresses")
        return False
