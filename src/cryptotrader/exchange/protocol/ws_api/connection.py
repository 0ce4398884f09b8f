"""One client of ``/ws-api/v3``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

import msgspec

from cryptotrader.core.errors import InvalidParams
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.latency import Road
from cryptotrader.exchange.protocol.auth import Caller, RequestAuthenticator
from cryptotrader.exchange.protocol.faults import Target
from cryptotrader.exchange.protocol.limits import LimitReached
from cryptotrader.exchange.protocol.operations import DetailedRefusal, FaultRefusal, Operations, http_status
from cryptotrader.exchange.protocol.operations.refusals import refusal_of
from cryptotrader.exchange.protocol.streams.connection import CLOSE_GOING_AWAY, CLOSE_POLICY, CLOSE_UNSUPPORTED, House
from cryptotrader.exchange.protocol.streams.payloads import MICROS, MILLIS, server_shutdown
from cryptotrader.exchange.protocol.streams.shared import SharedEvent
from cryptotrader.exchange.protocol.time_unit import answer_in_micros, check_unit, wants_micros
from cryptotrader.exchange.protocol.user_data import enveloped, stream_terminated
from cryptotrader.exchange.protocol.ws_api.envelope import (
    NO_ID,
    RETURN_RATE_LIMITS,
    ApiRequest,
    BadRequest,
    Failure,
    failure,
    parse_request,
    success_of,
)
from cryptotrader.exchange.protocol.ws_api.session import ApiSession, SessionRevoked
from cryptotrader.exchange.protocol.ws_api.turn import ApiTurn
from cryptotrader.exchange.protocol.ws_api.turns import Turns
from cryptotrader.net import Supervisor
from cryptotrader.services.binance.registry import AnySpec, by_method
from cryptotrader.services.binance.validate import parse_params
from cryptotrader.transport.frames import Frame
from cryptotrader.transport.types import Connection

MAX_JOBS = 10_000
"""Requests of all connections on their way at a time. Reason: more than the engine can keep waiting."""

TOLD_IN_LISTS = frozenset({"sor.order.place"})
"""Requests whose answer is a list of one here and not over REST. Source: ``web-socket-api.md``, "SOR"."""

BANNED = 418
"""Status of a request from an address that is banned; its connection ends (``web-socket-api.md``, "IP limits")."""

TIME_UNIT = "timeUnit"
"""Option of the URL: the unit of all times that the connection tells."""

TOO_MANY_QUEUED = (-1003, "Too many requests queued.")
NOT_SUPPORTED = (-1020, "This operation is not supported.")

SESSION_METHODS = frozenset(
    {
        "session.logon",
        "session.logout",
        "session.status",
        "session.subscriptions",
        "userDataStream.subscribe",
        "userDataStream.subscribe.signature",
        "userDataStream.unsubscribe",
    }
)
"""Answered by the connection itself."""


@dataclass(frozen=True)
class ApiDesk:
    """What all connections of the WebSocket API share."""

    house: House
    operations: Operations
    authenticator: RequestAuthenticator
    jobs: Supervisor
    turns: Turns


class ApiConnection:
    """``WebSocketHandler`` of one WebSocket API connection.

    Args:
        desk: What it shares with the others.
        address: Peer address, which request weight is counted for.
        query: Query string of the URL; ``returnRateLimits`` and ``timeUnit`` are read.
    """

    def __init__(self, desk: ApiDesk, *, address: str, query: str) -> None:
        self.connection: Connection
        self._desk = desk
        self.operations = desk.operations
        self.address = address
        options = parse_qs(query)
        self._shows_limits = options.get(RETURN_RATE_LIMITS, ["true"])[-1] != "false"
        self._wanted_unit = options.get(TIME_UNIT, [None])[-1]
        self._unit = MICROS if wants_micros(self._wanted_unit) else MILLIS
        self._session = ApiSession(
            desk.authenticator.at(address), desk.house.users, tell=self._tell, connected_ms=self.operations.now_ms()
        )
        self.road = Road()
        self._pending = 0
        self.request_timeout_s = desk.house.policy.request_timeout_s
        self.detours = 0
        """Requests on their way that did not go straight to the engine: what comes after them must not overtake."""
        self._is_closing = False

    # WebSocketHandler

    def on_open(self, connection: Connection) -> None:
        """Wait for requests."""
        self.connection = connection
        self._desk.house.crowd.add(self)

    def on_text(self, text: str) -> None:
        """A request."""
        if self._is_closing:
            return
        try:
            request = parse_request(text)
        except BadRequest as bad:
            refusal = bad.refusal
            self._send(failure(bad.request_id, Failure(400, refusal.code, refusal.message), self._limits(None, None)))
            return
        spec = by_method(request.method)
        if spec is None or not (request.method in SESSION_METHODS or self.operations.knows(spec)):
            self._refuse(request, Refusal(*NOT_SUPPORTED))
            return
        params = _own_params(spec, request.params)
        try:
            check_unit(self._wanted_unit)
            weight = self.operations.charge(spec, params, address=self.address)
            if request.method in SESSION_METHODS:
                self._answer_session(spec, request, params)
                return
            caller = self._session.caller(spec, request.params)
            self._admit()
        except Refusal as refusal:
            self._refuse(request, refusal)
            if isinstance(refusal, LimitReached) and refusal.status == BANNED:
                self._close(CLOSE_POLICY, "IP banned")
            return
        self._pending += 1
        self._desk.turns.add(ApiTurn(self, spec, request, params=params, caller=caller, weight=weight))

    def on_binary(self, data: bytes) -> None:
        """Requests are text."""
        self._close(CLOSE_UNSUPPORTED, "text frames only")

    def on_ping(self, data: bytes) -> None:
        """The transport has answered it."""

    def on_writable(self) -> None:
        """The transport keeps what the client could not take, and closes it with 1008 when that gets too much."""

    def on_close(self, code: int, reason: str) -> None:
        """Leave nothing behind; requests on their way are carried out all the same."""
        self._is_closing = True
        self._desk.house.crowd.remove(self)
        self._session.close()

    # Guest of the crowd

    @property
    def target(self) -> Target:
        """At ``/ws-api/v3``."""
        return "ws-api"

    def announce_shutdown(self, now_ms: int) -> None:
        """``{"event":{"e":"serverShutdown","E":1770123456789}}``, so that the client connects elsewhere in time."""
        self._send(enveloped(server_shutdown(now_ms, unit=self._unit), None))

    def retire(self) -> None:
        """The day is over."""
        self._close(CLOSE_GOING_AWAY, "connections live 24 hours")

    def drop(self) -> None:
        """Break the connection without a close frame."""
        self._is_closing = True
        self.connection.abort()

    def freeze(self) -> None:
        """Fall silent without closing."""
        self._is_closing = True
        self.connection.freeze()

    @property
    def jobs(self) -> Supervisor:
        """Runs what takes time."""
        return self._desk.jobs

    # Requests

    def _admit(self) -> None:
        """Whether one more request may wait for its answer."""
        desk = self._desk
        if (
            self._pending >= desk.house.policy.max_pending_requests
            or desk.jobs.job_count + desk.turns.count >= MAX_JOBS
        ):
            raise Refusal(*TOO_MANY_QUEUED)

    def goes_straight(self, caller: Caller | None) -> bool:
        """Whether a request of a caller may be carried out at once."""
        if self.detours:
            return False
        try:
            return self.operations.goes_straight(caller.account if caller else None)
        except Refusal:
            return False  # ``call`` tells.

    def _answer_session(self, spec: AnySpec, request: ApiRequest, params: Mapping[str, str]) -> None:
        try:
            checked = parse_params(spec, params)
        except InvalidParams as error:
            raise refusal_of(spec, params, error) from None
        session, now_ms = self._session, self.operations.now_ms()
        ended: list[int] = []
        result: object
        match request.method:
            case "session.logon":
                session.log_on(spec, request.params, now_ms)
                result = session.status(now_ms, return_rate_limits=self._shows_limits)
            case "session.logout":
                ended = session.log_out()
                result = session.status(now_ms, return_rate_limits=self._shows_limits)
            case "session.status":
                result = session.status(now_ms, return_rate_limits=self._shows_limits)
            case "session.subscriptions":
                result = session.subscriptions()
            case "userDataStream.subscribe":
                result = {"subscriptionId": session.subscribe_session(spec)}
            case "userDataStream.subscribe.signature":
                caller = session.caller(spec, request.params)
                assert caller is not None
                result = {"subscriptionId": session.subscribe_caller(caller)}
            case _:
                number = checked.wire().get("subscriptionId")
                ended = session.unsubscribe(number)
                result = {}
        self._succeed(spec, request, result)
        for number in ended:
            self._send(enveloped(stream_terminated(event_ms=now_ms, unit=self._unit), number))

    # Answers

    def result_text(self, spec: AnySpec, result: object) -> bytes:
        """A result as JSON."""
        if spec.name in TOLD_IN_LISTS:
            result = [result]
        if spec.name == "exchangeInfo" and isinstance(result, dict):
            result = result | {"rateLimits": self.operations.desk.limits.describe_api()}
        if self._unit == MICROS:
            result = answer_in_micros(spec.name, result)
        return msgspec.json.encode(result)

    def _succeed(self, spec: AnySpec, request: ApiRequest, result: object) -> None:
        self._send(success_of(request.id, self.result_text(spec, result), self._limits(request, None)))

    def end(self, request: ApiRequest, result: bytes | Refusal, account: str | None) -> None:
        """Answer a request that was carried out or refused."""
        self._pending -= 1
        if isinstance(result, bytes):
            self._send(success_of(request.id, result, self._limits(request, account)))
        else:
            self._refuse(request, result, account)

    def end_silently(self, *, is_cut: bool) -> None:
        """A request is over without an answer, and the connection where it ``is_cut``."""
        self._pending -= 1
        if is_cut:
            self.connection.abort()

    def _refuse(self, request: ApiRequest, refusal: Refusal, account: str | None = None) -> None:
        status = http_status(refusal)
        failed = Failure(status, refusal.code, refusal.message, self._refusal_data(refusal))
        request_id = NO_ID if isinstance(refusal, SessionRevoked) else request.id
        self._send(failure(request_id, failed, self._limits(request, account)))

    def _refusal_data(self, refusal: Refusal) -> dict[str, object] | None:
        """``serverTime`` and ``retryAfter`` ("IP limits"), or what became of the parts of a request."""
        now_ms = self.operations.now_ms()
        match refusal:
            case LimitReached(retry_after_ms=wait_ms):
                return {"serverTime": now_ms, "retryAfter": now_ms + wait_ms}
            case DetailedRefusal(data=data):
                told = answer_in_micros("", data) if self._unit == MICROS else data
                assert isinstance(told, dict)
                return told
            case FaultRefusal(retry_after_s=int(wait_s)):
                return {"serverTime": now_ms, "retryAfter": now_ms + wait_s * 1_000}
        return None

    def _limits(self, request: ApiRequest | None, account: str | None) -> list[dict[str, object]] | None:
        """``rateLimits``; None where they are not wanted."""
        wanted = request.return_rate_limits if request is not None else None
        if not (self._shows_limits if wanted is None else wanted):
            return None
        desk, now_ms = self.operations.desk, self.operations.now_ms()
        rows = list(desk.orders.describe(account, now_ms)) if account is not None else []
        rows.append(
            {
                "rateLimitType": "REQUEST_WEIGHT",
                "interval": "MINUTE",
                "intervalNum": 1,
                "limit": desk.limits.request_weight,
                "count": desk.weights.used(self.address, now_ms),
            }
        )
        return rows

    def _tell(self, number: int, event: SharedEvent) -> None:
        if not self._is_closing:
            self.connection.send(event.api_frame(number, self._unit))

    def _send(self, payload: bytes) -> None:
        if not self._is_closing:
            self.connection.send(Frame.text(payload))

    def _close(self, code: int, reason: str) -> None:
        if not self._is_closing:
            self._is_closing = True
            self.connection.close(code, reason)


def _own_params(spec: AnySpec, params: dict[str, str]) -> dict[str, str]:
    """Without what belongs to the envelope; a key that a request does not need does no harm either."""
    if RETURN_RATE_LIMITS not in params and (spec.needs_key or "apiKey" not in params):
        return params
    own = {name: value for name, value in params.items() if name != RETURN_RATE_LIMITS}
    if not spec.needs_key:
        own.pop("apiKey", None)
    return own
