"""Listen keys: the old way to a user data stream, kept for clients that still use it (C-23, S4-9).

Binance switched them off on 2026-02-20; before, a key lived for 60 minutes after it was made or kept alive, and an
account had one at a time: asking again gave the same key and prolonged it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec

from cryptotrader.bus import Topic
from cryptotrader.exchange.engine.errors import Refusal

LIFETIME_MS = 3_600_000
"""How long a key lives without being kept alive. Unit: milliseconds. Source: Binance's documents until 2025-10-24."""

MAX_KEYS = 100_000
"""Most keys at a time. Unit: keys. Reason: there is one per account, so this only guards against a fault."""

NO_SUCH_KEY = (-1125, "This listenKey does not exist.")
"""Code and text of ``errors.md`` for a key that is unknown, closed or expired."""


class ListenKeyExpired(msgspec.Struct, frozen=True):
    """A key was not kept alive."""

    key: str
    account: str
    at_ms: int


class _Kept(msgspec.Struct, frozen=True):
    key: str
    ends_ms: int


_decode = msgspec.json.Decoder(_Kept).decode


def _keep_nothing(account: str, data: bytes) -> None:
    """Keys live in memory only."""


class ListenKeys:
    """All keys of the exchange.

    Args:
        make: Gives a new key that nobody can guess, such as 64 random letters and digits.
        lifetime_ms: How long a key lives without being kept alive.
        kept: What ``keep`` was given in an earlier life of the exchange, by account: clients that come back after a
            restart still use the key that they have.
        keep: Called with an account and its key, encoded, whenever that changes.
    """

    def __init__(
        self,
        make: Callable[[], str],
        *,
        lifetime_ms: int = LIFETIME_MS,
        kept: Mapping[str, bytes] = MappingProxyType({}),
        keep: Callable[[str, bytes], None] = _keep_nothing,
    ) -> None:
        self._make = make
        self._lifetime_ms = lifetime_ms
        self._keep = keep
        self._by_account: dict[str, str] = {}
        self._held: dict[str, tuple[str, int]] = {}
        for account, data in kept.items():
            record = _decode(data)
            if record.ends_ms:
                self._by_account[account] = record.key
                self._held[record.key] = (account, record.ends_ms)
        self.expired: Topic[ListenKeyExpired] = Topic("listen-keys-expired")
        """Tells of keys that ran out; a key that its owner closes is not told."""

    def __len__(self) -> int:
        return len(self._held)

    def create(self, account: str, now_ms: int) -> str:
        """The account's key, prolonged if it had one."""
        self.expire(now_ms)
        key = self._by_account.get(account)
        if key is None:
            if len(self._held) >= MAX_KEYS:
                raise Refusal(-1003, "Too many requests queued.")
            key = self._make()
            self._by_account[account] = key
        self._hold(key, account, now_ms)
        return key

    def keep_alive(self, key: str, now_ms: int, *, account: str | None = None) -> None:
        """Prolong a key.

        Args:
            key: The key.
            now_ms: Time in milliseconds.
            account: Whose key it has to be, where the caller is known.

        Raises:
            Refusal: -1125, there is no such key.
        """
        self._hold(key, self._owner(key, now_ms, account), now_ms)

    def close(self, key: str, now_ms: int, *, account: str | None = None) -> None:
        """Forget a key.

        Raises:
            Refusal: -1125, there is no such key.
        """
        owner = self._owner(key, now_ms, account)
        del self._held[key], self._by_account[owner]
        self._keep(owner, msgspec.json.encode(_Kept(key, 0)))

    def account_of(self, key: str, now_ms: int) -> str | None:
        """Whose key this is; None where it is unknown, closed or expired."""
        account, ends_ms = self._held.get(key, (None, 0))
        return account if now_ms < ends_ms else None

    def key_of(self, account: str, now_ms: int) -> str | None:
        """The account's key; None where it has none that lives."""
        key = self._by_account.get(account)
        return key if key is not None and self.account_of(key, now_ms) else None

    def expire(self, now_ms: int) -> list[ListenKeyExpired]:
        """Forget the keys that ran out and tell of them."""
        gone = [
            ListenKeyExpired(key, account, now_ms)
            for key, (account, ends_ms) in self._held.items()
            if ends_ms <= now_ms
        ]
        for event in gone:
            del self._held[event.key], self._by_account[event.account]
        for event in gone:
            self.expired.publish(event)
        return gone

    def _hold(self, key: str, account: str, now_ms: int) -> None:
        ends_ms = now_ms + self._lifetime_ms
        self._held[key] = (account, ends_ms)
        self._keep(account, msgspec.json.encode(_Kept(key, ends_ms)))

    def _owner(self, key: str, now_ms: int, account: str | None) -> str:
        owner = self.account_of(key, now_ms)
        if owner is None or (account is not None and account != owner):
            raise Refusal(*NO_SUCH_KEY)
        return owner
