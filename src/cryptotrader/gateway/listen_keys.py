"""Listen keys that the gateway itself issues, so that clients written before Binance's retirement still work (C-23).

A key only names an account of this gateway; upstream the user stream is whatever the venue offers today. Rules as they
were at Binance: valid for 60 minutes, PUT extends, POST returns the key that is still valid and extends it.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import dataclass

from cryptotrader.bus import Topic
from cryptotrader.core.clock import NS_PER_S, Clock

VALIDITY_S = 3_600
"""How long a key lives without PUT. Unit: seconds. Reason: what Binance documented."""

KEY_CHARS = 64
"""Length of a key. Unit: characters. Reason: clients check for Binance's length."""

MAX_LISTEN_KEYS = 10_000
"""Most keys at a time. Reason: one per token; as many as there may be tokens. The oldest goes first."""

_ALPHABET = string.ascii_letters + string.digits


@dataclass
class _Issued:
    key: str
    account: str
    expires_ns: int


class ListenKeys:
    """One key per account.

    Args:
        clock: Monotonic time decides about expiry.
        entropy: Cryptographically strong random bytes, such as ``secrets.token_bytes``.
    """

    def __init__(self, clock: Clock, entropy: Callable[[int], bytes]) -> None:
        self._clock = clock
        self._entropy = entropy
        self._by_account: dict[str, _Issued] = {}
        self._by_key: dict[str, _Issued] = {}
        self.on_closed: Topic[str] = Topic("listen_keys.closed")
        """The account whose key was closed by DELETE or by revoking its token."""

    def __len__(self) -> int:
        return len(self._by_key)

    def issue(self, account: str) -> str:
        """The account's key: the one it has, made valid again for the full time, or a new one."""
        issued = self._by_account.get(account)
        if issued is None or self._is_over(issued):
            self.close_account(account)
            if len(self._by_key) >= MAX_LISTEN_KEYS:
                self.close_account(next(iter(self._by_account)))
            # 256 values onto 62 letters is not quite even; 64 of them leave far more than 256 bits anyway.
            key = "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in self._entropy(KEY_CHARS))
            issued = _Issued(key, account, 0)
            self._by_account[account] = self._by_key[key] = issued
        issued.expires_ns = self._clock.monotonic_ns() + VALIDITY_S * NS_PER_S
        return issued.key

    def account_of(self, key: str) -> str | None:
        """Whose key this is; None where it is unknown or no longer valid."""
        issued = self._by_key.get(key)
        if issued is None:
            return None
        if self._is_over(issued):
            self.close_account(issued.account)
            return None
        return issued.account

    def extend(self, key: str, account: str) -> bool:
        """Make the account's key valid for the full time again; False where it is not one of this account."""
        if self.account_of(key) != account:
            return False
        self.issue(account)
        return True

    def close(self, key: str, account: str) -> bool:
        """End a key; False where it is not one of this account."""
        if self.account_of(key) != account:
            return False
        self.close_account(account)
        return True

    def close_account(self, account: str) -> None:
        """End the account's key, if it has one."""
        issued = self._by_account.pop(account, None)
        if issued is not None:
            del self._by_key[issued.key]
            self.on_closed.publish(account)

    def _is_over(self, issued: _Issued) -> bool:
        return self._clock.monotonic_ns() >= issued.expires_ns
