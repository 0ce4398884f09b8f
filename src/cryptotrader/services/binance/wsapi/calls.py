"""From what a caller asks to what is sent, and from a reply to a typed result. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec

from cryptotrader.core.errors import CryptotraderError, InvalidParams, UnknownOutcome, VenueRejected, VenueTimeout
from cryptotrader.services.binance.registry import AnySpec, by_method
from cryptotrader.services.binance.request import Params, RequestSpec, SecurityType
from cryptotrader.services.binance.validate import parse_params
from cryptotrader.services.binance.wsapi.correlation import ORDER_NAMES, Call, Kind, kind_of
from cryptotrader.services.binance.wsapi.frames import text_of, wire_params
from cryptotrader.services.binance.wsapi.ids import ClientOrderIds
from cryptotrader.services.binance.wsapi.limits import Cost
from cryptotrader.services.binance.wsapi.reconcile import LostRequest
from cryptotrader.services.binance.wsapi.replies import Reply, reply_error

RETURN_RATE_LIMITS = "returnRateLimits"
"""Parameter that every request takes."""

DEFAULT_RECV_WINDOW_MS = 5_000.0

REPLACED = {
    "userDataStream.start": "userDataStream.subscribe.signature",
    "userDataStream.ping": "session.subscriptions",
    "userDataStream.stop": "userDataStream.unsubscribe",
}
"""What Binance retired on 2026-02-20, and what took its place."""

RETIRED_AT = frozenset({"ws-api.binance.com", "ws-api.testnet.binance.vision"})
"""Hosts that are known to have retired it; others are asked."""

P = TypeVar("P", bound=Params)
R = TypeVar("R")


class MethodRetired(VenueRejected):
    """The venue has this method no more; ``replacement`` took its place."""

    def __init__(self, method: str) -> None:
        self.method = method
        self.replacement = REPLACED[method]
        super().__init__(
            f"{method} was retired by the venue; use {self.replacement}", venue_code=-1020, http_status=410
        )


class CallMaker:
    """Makes calls for one connection.

    Args:
        url: Where they go.
        draw: Random numbers of [0, 1), for names of orders.
        shows_limits: Whether replies show ``rateLimits`` unasked; if not, orders ask for them.
        account: Whose orders are counted.
    """

    def __init__(self, url: str, *, draw: Callable[[], float], shows_limits: bool, account: str) -> None:
        self._has_retired = urlsplit(url).hostname in RETIRED_AT
        self._names = ClientOrderIds(draw)
        self._shows_limits = shows_limits
        self._account = account

    def plain(self, method: str, given: Mapping[str, Any], security: SecurityType, *, now_ms: int) -> Call:
        """A request that nobody checks."""
        self._require_offered(method)
        sent, kind = wire_params(given), kind_of(method, security)
        spec = by_method(method.removeprefix("v3/"))
        cost = self._cost(_weight(spec, sent), spec.order_count if spec is not None else 0, kind)
        auth = (security.needs_key, security.is_signed or method == "userDataStream.subscribe.signature")
        self._complete(method, sent, kind, now_ms)
        return Call(method, sent, kind=kind, cost=cost, auth=auth)

    def checked(self, spec: RequestSpec[P, R], given: Mapping[str, Any], *, now_ms: int) -> Call:
        """A request with parameters as a caller wrote them: checked, but sent as they are.

        Raises:
            InvalidParams: A parameter is missing or wrong.
        """
        sent = wire_params(given)
        extra = {RETURN_RATE_LIMITS: sent.pop(RETURN_RATE_LIMITS)} if RETURN_RATE_LIMITS in sent else {}
        parse_params(spec, {name: text_of(value) for name, value in sent.items()})
        return self._of_spec(spec, sent, extra, now_ms)

    def typed(self, spec: RequestSpec[P, R], params: P, *, now_ms: int) -> Call:
        """A request with typed parameters, whose constructor checks nothing.

        Raises:
            InvalidParams: A parameter is wrong.
        """
        sent = params.wire()
        try:
            msgspec.convert(sent, spec.params)
        except msgspec.ValidationError:
            parse_params(spec, {name: text_of(value) for name, value in sent.items()})
            raise InvalidParams(f"Invalid parameters for {spec.name}") from None
        for rule in spec.rules:
            rule(sent)
        return self._of_spec(spec, sent, {}, now_ms)

    def error_of(self, call: Call, reply: Reply, *, now_ms: int) -> CryptotraderError:
        """The error that a bad reply stands for."""
        error = reply_error(reply, now_ms=now_ms)
        if call.method in REPLACED and isinstance(error, VenueRejected) and _is_unknown_method(error):
            return MethodRetired(call.method)
        return error

    def _of_spec(self, spec: RequestSpec[P, R], sent: dict[str, object], extra: dict[str, object], now_ms: int) -> Call:
        if not spec.method:
            raise InvalidParams(f"{spec.name} has no WebSocket form", param="method")
        self._require_offered(spec.method)
        kind = kind_of(spec.method, spec.security)
        cost = self._cost(spec.weight(sent), spec.order_count, kind)
        auth = (spec.needs_key, spec.is_signed)
        params = {**sent, **extra} if extra else sent
        self._complete(spec.method, params, kind, now_ms)
        return Call(spec.method, params, kind=kind, cost=cost, auth=auth)

    def _complete(self, method: str, params: dict[str, object], kind: Kind, now_ms: int) -> None:
        """Name the orders, and ask for the figures of their limits where replies do not show them unasked."""
        if kind is Kind.TRADE:
            self._names.fill(params, ORDER_NAMES.get(method.removeprefix("v3/"), ()), now_ms)
            if not self._shows_limits:
                params.setdefault(RETURN_RATE_LIMITS, True)

    def _cost(self, weight: int, orders: int, kind: Kind) -> Cost:
        return Cost(weight, orders if kind is Kind.TRADE else 0, self._account, kind is Kind.TRADE)

    def _require_offered(self, method: str) -> None:
        if self._has_retired and method in REPLACED:
            raise MethodRetired(method)


def decode_result(spec: RequestSpec[P, R], call: Call, reply: Reply, *, now_ms: int) -> R:
    """The typed result of a good reply.

    Raises:
        VenueTimeout: It cannot be read.
        UnknownOutcome: The same for what could trade.
    """
    try:
        result = spec.decode(reply.result)
    except msgspec.DecodeError:
        if call.kind is Kind.TRADE:
            raise _unreadable(call, now_ms) from None
        raise VenueTimeout(f"Binance's answer to {spec.name} cannot be read") from None
    return result


def _unreadable(call: Call, now_ms: int) -> UnknownOutcome:
    return LostRequest(call.method, call.params, timestamp_ms=now_ms, recv_window_ms=DEFAULT_RECV_WINDOW_MS)


def _weight(spec: AnySpec | None, params: Mapping[str, Any]) -> int:
    """The weight of parameters that nobody has checked; the venue's own figure corrects what this does not know."""
    try:
        return spec.weight(params) if spec is not None else 1
    except (ValueError, TypeError):
        return 1


def _is_unknown_method(error: VenueRejected) -> bool:
    """404 and 410 are what a retired path answers, -1020 is "unsupported operation"; or the text says "method"."""
    return error.http_status in (404, 405, 410, 501) or error.venue_code == -1020 or "method" in error.message.lower()
