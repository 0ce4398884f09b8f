"""From what a caller asks to what is sent, and from a reply to a typed result. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

from cryptotrader.core.errors import CryptotraderError, InvalidParams, VenueRejected, VenueTimeout
from cryptotrader.services.binance.registry import AnySpec, by_method
from cryptotrader.services.binance.request import Params, RequestSpec, SecurityType
from cryptotrader.services.binance.validate import parse_params
from cryptotrader.services.binance.wsapi.correlation import ORDER_NAMES, Call, Kind, kind_of
from cryptotrader.services.binance.wsapi.frames import text_of, wire_params
from cryptotrader.services.binance.wsapi.ids import ClientOrderIds
from cryptotrader.services.binance.wsapi.limits import Cost
from cryptotrader.services.binance.wsapi.reconcile import LostRequest
from cryptotrader.services.binance.wsapi.replies import Reply, reply_error
from cryptotrader.services.binance.wsapi.shapes import RequestShape, SigningShape

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

MAX_PLANS = 1_000
"""Requests remembered by a connection. Overflow: all are forgotten, and learnt anew. Binance has about seventy."""

MAX_SHAPES = 500
"""Sets of parameters of one request that are remembered. Overflow: all are forgotten, and learnt anew."""

MAX_COSTS = 1_000
"""Costs of one request that are remembered, by weight. Overflow: all are forgotten."""

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


class _Plan:
    """What is the same for every call of a request, looked up once."""

    __slots__ = (
        "_shapes",
        "costs",
        "kind",
        "method",
        "names",
        "needs_key",
        "orders",
        "params",
        "rules",
        "signed",
        "spec",
        "weight",
    )

    def __init__(self, spec: AnySpec) -> None:
        self.spec = spec
        """Kept alive, since plans are found by its identity."""
        self.method = spec.method
        self.params = spec.params
        self.rules = spec.rules
        self.weight = spec.weight
        self.orders = spec.order_count
        self.kind = kind_of(spec.method, spec.security)
        self.names = _names(spec.method)
        self.needs_key = spec.needs_key
        self.signed = spec.is_signed
        self.costs: dict[int, Cost] = {}
        """By weight."""
        self._shapes: dict[tuple[Any, ...], RequestShape] = {}

    def shape_of(self, sent: dict[str, Any]) -> RequestShape | None:
        """What is the same for all requests of this type with the same parameters; None where there is a wrong one."""
        # What an order needs depends on its type (``rules.order_fields``).
        key = (sent.get("type"), *sent)
        try:
            return self._shapes.get(key) or self._learn(key, sent)
        except TypeError:
            # The type of an order is nothing that could be one.
            return None

    def _learn(self, key: tuple[Any, ...], sent: dict[str, Any]) -> RequestShape:
        if len(self._shapes) >= MAX_SHAPES:
            self._shapes.clear()
        shape = self._shapes[key] = RequestShape(self.params, tuple(sent), self.rules, sent)
        return shape


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
        self._plans: dict[int, _Plan] = {}
        self._shows_limits = shows_limits
        self._account = account

    def plain(self, method: str, given: Mapping[str, Any], security: SecurityType, *, now_ms: int) -> Call:
        """A request that nobody checks."""
        self._require_offered(method)
        sent, kind = wire_params(given), kind_of(method, security)
        spec = by_method(method.removeprefix("v3/"))
        cost = self._cost(_weight(spec, sent), spec.order_count if spec is not None else 0, kind)
        auth = (security.needs_key, security.is_signed or method == "userDataStream.subscribe.signature")
        if kind is Kind.TRADE:
            self._complete(_names(method), sent, now_ms)
        return Call(method, sent, kind, cost, *auth)

    def checked(self, spec: RequestSpec[P, R], given: Mapping[str, Any], *, now_ms: int) -> Call:
        """A request with parameters as a caller wrote them: checked, but sent as they are.

        Raises:
            InvalidParams: A parameter is missing or wrong.
        """
        sent = wire_params(given)
        extra = {RETURN_RATE_LIMITS: sent.pop(RETURN_RATE_LIMITS)} if RETURN_RATE_LIMITS in sent else {}
        parse_params(spec, {name: text_of(value) for name, value in sent.items()})
        plan = self._plans.get(id(spec)) or self._plan(spec)
        return self._call(plan, {**sent, **extra} if extra else sent, plan.weight(sent), now_ms)

    def typed(self, spec: RequestSpec[P, R], params: P, *, now_ms: int) -> Call:
        """A request with typed parameters, whose constructor checks nothing.

        Raises:
            InvalidParams: A parameter is wrong.
        """
        plan = self._plans.get(id(spec)) or self._plan(spec)
        sent = params.wire()
        shape = plan.shape_of(sent)
        if shape is None or not shape.admits(sent):
            parse_params(spec, {name: text_of(value) for name, value in sent.items()})
            raise InvalidParams(f"Invalid parameters for {spec.name}")
        for rule in shape.rules:
            rule(sent)
        call = self._call(plan, sent, plan.weight(sent), now_ms)
        if plan.signed:
            if shape.signing is None:
                is_plain = shape.is_plain and RETURN_RATE_LIMITS not in sent
                shape.signing = SigningShape((*sent, "apiKey", "timestamp"), is_plain=is_plain)
            call.shape = shape.signing
        return call

    def error_of(self, call: Call, reply: Reply, *, now_ms: int) -> CryptotraderError:
        """The error that a bad reply stands for."""
        error = reply_error(reply, now_ms=now_ms)
        if call.method in REPLACED and isinstance(error, VenueRejected) and _is_unknown_method(error):
            return MethodRetired(call.method)
        return error

    def _plan(self, spec: AnySpec) -> _Plan:
        if not spec.method:
            raise InvalidParams(f"{spec.name} has no WebSocket form", param="method")
        self._require_offered(spec.method)
        if len(self._plans) >= MAX_PLANS:
            self._plans.clear()
        plan = self._plans[id(spec)] = _Plan(spec)
        return plan

    def _call(self, plan: _Plan, params: dict[str, object], weight: int, now_ms: int) -> Call:
        cost = plan.costs.get(weight)
        if cost is None:
            if len(plan.costs) >= MAX_COSTS:
                plan.costs.clear()
            cost = plan.costs[weight] = self._cost(weight, plan.orders, plan.kind)
        if plan.kind is Kind.TRADE:
            # As ``_complete``; every order passes here.
            for name in plan.names:
                if not params.get(name):
                    params[name] = self._names.next(now_ms)
            if not self._shows_limits:
                params.setdefault(RETURN_RATE_LIMITS, True)
        return Call(plan.method, params, plan.kind, cost, plan.needs_key, plan.signed)

    def _complete(self, names: tuple[str, ...], params: dict[str, object], now_ms: int) -> None:
        """Name the orders, and ask for the figures of their limits where replies do not show them unasked."""
        self._names.fill(params, names, now_ms)
        if not self._shows_limits:
            params.setdefault(RETURN_RATE_LIMITS, True)

    def _cost(self, weight: int, orders: int, kind: Kind) -> Cost:
        return Cost(weight, orders if kind is Kind.TRADE else 0, self._account, kind is Kind.TRADE)

    def _require_offered(self, method: str) -> None:
        if self._has_retired and method in REPLACED:
            raise MethodRetired(method)


def unreadable(call: Call, *, now_ms: int) -> CryptotraderError:
    """The error for a good reply whose result cannot be read: nobody knows then what a request did that could trade."""
    if call.kind is Kind.TRADE:
        return LostRequest(call.method, call.params, timestamp_ms=now_ms, recv_window_ms=DEFAULT_RECV_WINDOW_MS)
    return VenueTimeout(f"Binance's answer to {call.method} cannot be read")


def _names(method: str) -> tuple[str, ...]:
    return ORDER_NAMES.get(method.removeprefix("v3/"), ())


def _weight(spec: AnySpec | None, params: Mapping[str, Any]) -> int:
    """The weight of parameters that nobody has checked; the venue's own figure corrects what this does not know."""
    try:
        return spec.weight(params) if spec is not None else 1
    except (ValueError, TypeError):
        return 1


def _is_unknown_method(error: VenueRejected) -> bool:
    """404 and 410 are what a retired path answers, -1020 is "unsupported operation"; or the text says "method"."""
    return error.http_status in (404, 405, 410, 501) or error.venue_code == -1020 or "method" in error.message.lower()
