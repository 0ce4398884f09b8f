"""Who sends a request, and whether it may: key, timestamp, window, signature.

Steps and texts: ``rest-api.md``, "Request Security" and "Timing security"; ``errors.md``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from cryptotrader.core.clock import Clock
from cryptotrader.exchange.accounts import ApiKey, KeyRing, Permission
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.protocol.time_unit import MICROSECONDS_FROM
from cryptotrader.services.binance.request import SecurityType

AUTH_PARAMS = frozenset({"apiKey", "timestamp", "recvWindow", "signature"})
"""Parameters that belong to the envelope and not to the request."""

DEFAULT_RECV_WINDOW_US = 5_000_000
"""How old a request may be if it does not say. Unit: microseconds. Reason: Binance's default of 5,000 ms."""

MAX_RECV_WINDOW_US = 60_000_000
"""Unit: microseconds. Reason: Binance's maximum of 60,000 ms."""

MAX_AHEAD_US = 1_000_000
"""How far a client's clock may be ahead. Unit: microseconds. Reason: Binance's rule, one second."""

MAX_KEY_CHARS = 128
"""Longest key id that is looked up. Unit: characters. Reason: Binance's have 64."""

_KEY = re.compile(r"[A-Za-z0-9_-]{1,128}")
_INTEGER = re.compile(r"[0-9]{1,20}")
_WINDOW = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")

_NEEDS: Mapping[SecurityType, Permission] = {
    SecurityType.TRADE: Permission.TRADE,
    SecurityType.USER_DATA: Permission.USER_DATA,
    SecurityType.USER_STREAM: Permission.USER_DATA,
}


class Caller(msgspec.Struct, frozen=True):
    """Who a request comes from."""

    key_id: str
    account: str


def mandatory(name: str) -> Refusal:
    """A mandatory parameter is missing or empty."""
    return Refusal(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def illegal(name: str, legal: str) -> Refusal:
    """A parameter holds characters that it must not hold."""
    return Refusal(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")


def rest_payload(query: str, body: str) -> bytes:
    """What a REST request signs: query string and body as they came, joined by nothing, without the signature."""
    return (_without_signature(query) + _without_signature(body)).encode()


def _without_signature(text: str) -> str:
    if "signature=" not in text:
        return text
    return "&".join(pair for pair in text.split("&") if not pair.startswith("signature="))


def ws_payload(lexemes: Mapping[str, str]) -> bytes:
    """What a WebSocket API request signs: all parameters but the signature, by name, not percent-encoded.

    Args:
        lexemes: Parameters as text exactly as the client wrote them (``100.0`` stays ``100.0``).
    """
    return "&".join([f"{name}={lexemes[name]}" for name in sorted(lexemes) if name != "signature"]).encode()


class RequestAuthenticator:
    """Checks requests against the key ring and the clock."""

    def __init__(self, keys: KeyRing, clock: Clock, *, address: str = "") -> None:
        self._keys = keys
        self._clock = clock
        self._address = address

    def at(self, address: str) -> RequestAuthenticator:
        """The same for requests from an address, which a key may be bound to."""
        return RequestAuthenticator(self._keys, self._clock, address=address)

    def key(self, key_id: str | None, security: SecurityType) -> ApiKey:
        """The key with this id, provided that it may do what ``security`` stands for.

        Raises:
            Refusal: -2014 where it cannot be a key, -2015 where there is none such, it lacks the permission or may not
                be used from this address.
        """
        if not key_id or not _KEY.fullmatch(key_id):
            raise Refusal(-2014, "API-key format invalid.")
        key = self._keys.find(key_id)
        needed = _NEEDS.get(security)
        is_allowed = key is not None and key.admits(self._address) and (needed is None or needed in key.permissions)
        if key is None or not is_allowed:
            raise Refusal(-2015, "Invalid API-key, IP, or permissions for action.")
        return key

    def check(
        self, security: SecurityType, *, key_id: str | None, params: Mapping[str, str], payload: bytes
    ) -> Caller | None:
        """Who sends this request; None where its kind needs nobody.

        Args:
            security: What the request must carry.
            key_id: From the header (REST) or the parameters (WebSocket API).
            params: All parameters, decoded.
            payload: The signed bytes, see ``rest_payload`` and ``ws_payload``.

        Raises:
            Refusal: With Binance's number and text.
        """
        if not security.needs_key:
            return None
        key = self.key(key_id, security)
        if security.is_signed:
            self.check_signed(key, params=params, payload=payload)
        return Caller(key_id=key.id, account=key.account)

    def check_signed(self, key: ApiKey, *, params: Mapping[str, str], payload: bytes) -> None:
        """Timestamp, window and signature of a request by ``key``.

        Raises:
            Refusal: -1102, -1100, -1021 or -1022.
        """
        signature = params.get("signature")
        if not signature:
            raise mandatory("signature")
        self.check_timing(params)
        if not key.verify(payload, signature):
            raise Refusal(-1022, "Signature for this request is not valid.")

    def check_timing(self, params: Mapping[str, str]) -> None:
        """Timestamp and window alone, for requests of a session that has been logged on.

        Raises:
            Refusal: -1102, -1100 or -1021.
        """
        stamp = params.get("timestamp")
        if not stamp:
            raise mandatory("timestamp")
        if not _INTEGER.fullmatch(stamp):
            raise illegal("timestamp", "^[0-9]{1,20}$")
        sent_us = int(stamp)
        if sent_us < MICROSECONDS_FROM:
            sent_us *= 1_000
        window_us = _window_us(params.get("recvWindow"))
        now_us = self._clock.now_ns() // 1_000
        if sent_us >= now_us + MAX_AHEAD_US:
            raise Refusal(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
        if now_us - sent_us > window_us:
            raise Refusal(-1021, "Timestamp for this request is outside of the recvWindow.")


def _window_us(text: str | None) -> int:
    if text is None:
        return DEFAULT_RECV_WINDOW_US
    if not text:
        raise Refusal(-1105, "Parameter 'recvWindow' was empty.")
    if not _WINDOW.fullmatch(text):
        raise illegal("recvWindow", "^([0-9]{1,20})(\\.[0-9]{1,3})?$")
    whole, _, places = text.partition(".")
    if len(places) > 3:
        raise Refusal(-1111, "Parameter 'recvWindow' has too much precision.")
    window_us = int(whole) * 1_000 + int(places.ljust(3, "0"))
    if window_us > MAX_RECV_WINDOW_US:
        raise Refusal(-1102, "'recvWindow' contains unexpected value. Cannot be greater than 60000.")
    return window_us
