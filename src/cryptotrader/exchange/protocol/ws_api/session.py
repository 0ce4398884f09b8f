"""What one WebSocket API connection remembers: who is logged on, and which accounts it listens to.

Binance: ``web-socket-api.md``, "Session Authentication", "Authentication requests", "User Data Stream requests".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cryptotrader.exchange.accounts import ApiKey, KeyKind
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.protocol.auth import Caller, RequestAuthenticator, mandatory, ws_payload
from cryptotrader.exchange.protocol.streams.shared import SharedEvent
from cryptotrader.exchange.protocol.streams.users import UserHub
from cryptotrader.services.binance.registry import AnySpec

MAX_ACTIVE_SUBSCRIPTIONS = 1_000
"""Source: "User Data Stream subscription", General information."""

MAX_SUBSCRIPTION_IDS = 65_535
"""Subscriptions over the life of a connection. Source: the same."""

ALREADY_ACTIVE = (-2035, "User Data Stream subscription already active.")
NOT_ACTIVE = (-2036, "User Data Stream subscription not active.")
IDS_EXHAUSTED = (-2042, "Maximum subscription ID reached for this connection.")
TOO_MANY_ACTIVE = (
    -1191,
    f"Too many subscriptions. Connection may create up to '{MAX_ACTIVE_SUBSCRIPTIONS}' subscriptions at a time.",
)
UNAUTHORIZED = (-1002, "You are not authorized to execute this request.")
KEY_KIND_REFUSED = -4056
"""Code for a key that cannot log on; only Ed25519 can."""


class SessionRevoked(Refusal):
    """The key that is logged on is no longer valid; the session forgets it."""


@dataclass
class _Subscription:
    account: str
    by_session: bool
    leave: Callable[[], None]


class ApiSession:
    """State of one connection.

    Args:
        authenticator: Checks keys and signatures.
        users: Where events of accounts come from.
        tell: Gets each event with the id of its subscription.
        connected_ms: When the connection was opened.
    """

    def __init__(
        self,
        authenticator: RequestAuthenticator,
        users: UserHub,
        *,
        tell: Callable[[int, SharedEvent], None],
        connected_ms: int,
    ) -> None:
        self._authenticator = authenticator
        self._users = users
        self._tell = tell
        self._connected_ms = connected_ms
        self._key: ApiKey | None = None
        self._authorized_ms: int | None = None
        self._subscriptions: dict[int, _Subscription] = {}
        self._next_id = 0

    def caller(self, spec: AnySpec, params: Mapping[str, str]) -> Caller | None:
        """Who sends a request; None where its kind needs nobody.

        Raises:
            Refusal: Key, timestamp or signature will not do.
        """
        if not spec.needs_key:
            return None
        key_id = params.get("apiKey")
        if key_id is None and self._key is not None:
            key = self._session_key(spec)
            if spec.is_signed:
                self._authenticator.check_timing(params)
        else:
            if key_id is None:
                raise mandatory("apiKey")
            key = self._authenticator.key(key_id, spec.security)
            if spec.is_signed:
                self._authenticator.check_signed(key, params=params, payload=ws_payload(params))
        return Caller(key_id=key.id, account=key.account)

    def _session_key(self, spec: AnySpec) -> ApiKey:
        assert self._key is not None
        try:
            return self._authenticator.key(self._key.id, spec.security)
        except Refusal as refusal:
            self._key = self._authorized_ms = None
            raise SessionRevoked(refusal.code, refusal.message) from None

    def log_on(self, spec: AnySpec, params: Mapping[str, str], now_ms: int) -> None:
        """``session.logon``: a second one changes the key.

        Raises:
            Refusal: The key is not Ed25519, or key, timestamp or signature will not do.
        """
        key_id = params.get("apiKey")
        if key_id is None:
            raise mandatory("apiKey")
        key = self._authenticator.key(key_id, spec.security)
        if key.kind is not KeyKind.ED25519:
            name = "HMAC_SHA256" if key.kind is KeyKind.HMAC else "RSA"
            raise Refusal(KEY_KIND_REFUSED, f"{name} API key is not supported.")
        self._authenticator.check_signed(key, params=params, payload=ws_payload(params))
        self._key, self._authorized_ms = key, now_ms

    def log_out(self) -> list[int]:
        """``session.logout``: forget the key; returns the subscriptions that end with it."""
        self._key = self._authorized_ms = None
        ended = [number for number, subscription in self._subscriptions.items() if subscription.by_session]
        for number in ended:
            self._end(number)
        return ended

    def status(self, now_ms: int, *, return_rate_limits: bool) -> dict[str, object]:
        """``session.status``."""
        return {
            "apiKey": self._key.id if self._key is not None else None,
            "authorizedSince": self._authorized_ms,
            "connectedSince": self._connected_ms,
            "returnRateLimits": return_rate_limits,
            "serverTime": now_ms,
            "userDataStream": bool(self._subscriptions),
        }

    def subscriptions(self) -> list[dict[str, int]]:
        """``session.subscriptions``."""
        return [{"subscriptionId": number} for number in self._subscriptions]

    def subscribe_session(self, spec: AnySpec) -> int:
        """``userDataStream.subscribe``: listen to the account of the key that is logged on.

        Raises:
            Refusal: Nobody is logged on, or the subscription cannot be had.
        """
        if self._key is None:
            raise Refusal(*UNAUTHORIZED)
        return self._subscribe(self._session_key(spec).account, by_session=True)

    def subscribe_caller(self, caller: Caller) -> int:
        """``userDataStream.subscribe.signature``: listen to the account of a caller who has been checked.

        Raises:
            Refusal: The subscription cannot be had.
        """
        return self._subscribe(caller.account, by_session=False)

    def unsubscribe(self, number: int | None) -> list[int]:
        """``userDataStream.unsubscribe``: end one subscription or all; returns those that ended.

        Raises:
            Refusal: -2036, there is no such subscription.
        """
        ended = list(self._subscriptions) if number is None else [number]
        if not ended or any(each not in self._subscriptions for each in ended):
            raise Refusal(*NOT_ACTIVE)
        for each in ended:
            self._end(each)
        return ended

    def close(self) -> None:
        """The connection is gone."""
        for number in tuple(self._subscriptions):
            self._end(number)

    def _subscribe(self, account: str, *, by_session: bool) -> int:
        if any(subscription.account == account for subscription in self._subscriptions.values()):
            raise Refusal(*ALREADY_ACTIVE)
        if self._next_id >= MAX_SUBSCRIPTION_IDS:
            raise Refusal(*IDS_EXHAUSTED)
        if len(self._subscriptions) >= MAX_ACTIVE_SUBSCRIPTIONS:
            raise Refusal(*TOO_MANY_ACTIVE)
        number = self._next_id
        self._next_id += 1
        leave = self._users.listen(account, lambda event: self._tell(number, event))
        self._subscriptions[number] = _Subscription(account, by_session, leave)
        return number

    def _end(self, number: int) -> None:
        self._subscriptions.pop(number).leave()
