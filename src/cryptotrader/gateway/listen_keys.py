"""Listen keys that the gateway itself issues, so that clients written before Binance's retirement still work (C-23).

A key only names a client of this gateway; upstream the user stream is whatever the venue offers today. Rules as they
were at Binance: valid for 60 minutes, PUT extends, POST returns the key that is still valid and extends it.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import dataclass

from cryptotrader.bus import Topic
from cryptotrader.core.clock import NS_PER_S, Clock
from cryptotrader.sessions.keys import Principal

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
    holder: Principal
    expires_ns: int


class ListenKeys:
    """One key per token, so that it ends with the token, and no other token of the account knows it.

    Args:
        clock: Monotonic time decides about expiry.
        entropy: Cryptographically strong random bytes, such as ``secrets.token_bytes``.
    """

    def __init__(self, clock: Clock, entropy: Callable[[int], bytes]) -> None:
        self._clock = clock
        self._entropy = entropy
        self._by_token: dict[str, _Issued] = {}
        self._by_key: dict[str, _Issued] = {}
        self.on_closed: Topic[str] = Topic("listen_keys.closed")
        """Id of the token whose key was closed: by DELETE, by time, or with the token."""

    def __len__(self) -> int:
        return len(self._by_key)

    def issue(self, holder: Principal) -> str:
        """The token's key: the one it has, made valid again for the full time, or a new one."""
        issued = self._by_token.get(holder.key_id)
        if issued is None or self._is_over(issued):
            self.close_of(holder.key_id)
            if len(self._by_key) >= MAX_LISTEN_KEYS:
                self.close_of(next(iter(self._by_token)))
            # 256 values onto 62 letters is not quite even; 64 of them leave far more than 256 bits anyway.
            key = "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in self._entropy(KEY_CHARS))
            issued = _Issued(key, holder, 0)
            self._by_token[holder.key_id] = self._by_key[key] = issued
        issued.holder = holder
        issued.expires_ns = self._clock.monotonic_ns() + VALIDITY_S * NS_PER_S
        return issued.key

    def holder_of(self, key: str) -> Principal | None:
        """Whose key this is; None where it is unknown or no longer valid."""
        issued = self._by_key.get(key)
        if issued is None:
            return None
        if self._is_over(issued):
            self.close_of(issued.holder.key_id)
            return None
        return issued.holder

    def extend(self, key: str, holder: Principal) -> bool:
        """Make the token's key valid for the full time again; False where it is not one of this token."""
        if not self._is_of(key, holder):
            return False
        self.issue(holder)
        return True

    def close(self, key: str, holder: Principal) -> bool:
        """End a key; False where it is not one of this token."""
        if not self._is_of(key, holder):
            return False
        self.close_of(holder.key_id)
        return True

    def close_of(self, key_id: str) -> None:
        """End the key of a token, if it has one."""
        issued = self._by_token.pop(key_id, None)
        if issued is not None:
            del self._by_key[issued.key]
            self.on_closed.publish(key_id)

    def _is_of(self, key: str, holder: Principal) -> bool:
        found = self.holder_of(key)
        return found is not None and found.key_id == holder.key_id

    def _is_over(self, issued: _Issued) -> bool:
        return self._clock.monotonic_ns() >= issued.expires_ns
