"""Which WebSocket a client gets: ``/ws``, ``/ws/<stream>``, ``/stream`` or ``/ws-api/v3``."""

from __future__ import annotations

from functools import partial

import msgspec

from cryptotrader.core.clock import Clock
from cryptotrader.exchange.protocol.auth import RequestAuthenticator
from cryptotrader.exchange.protocol.faults import FaultKind, FaultRules, FaultSpec, ReportedClock
from cryptotrader.exchange.protocol.limits import ConnectionMeter, LimitReached
from cryptotrader.exchange.protocol.operations import Operations
from cryptotrader.exchange.protocol.stream_names import parse_stream_url
from cryptotrader.exchange.protocol.streams.connection import House, StreamConnection
from cryptotrader.exchange.protocol.streams.crowd import Crowd
from cryptotrader.exchange.protocol.streams.hub import StreamHub
from cryptotrader.exchange.protocol.streams.policy import WsPolicy
from cryptotrader.exchange.protocol.streams.users import UserHub
from cryptotrader.exchange.protocol.streams.view import VenueView
from cryptotrader.exchange.protocol.ws_api.connection import MAX_JOBS, ApiConnection, ApiDesk
from cryptotrader.exchange.protocol.ws_api.turns import Turns
from cryptotrader.exchange.venue import PaperVenue
from cryptotrader.net import Supervisor
from cryptotrader.transport.types import Accept, Connection, Refuse, UpgradeRequest

API_PATH = "/ws-api/v3"

CONNECT_WEIGHT = 2
"""Weight of connecting to the WebSocket API. Source: ``web-socket-api.md``, "IP limits"."""

BUSY_RETRY_S = 5
"""``Retry-After`` of a refusal because there are too many connections. Unit: seconds."""


class WebSocketFront:
    """The WebSocket face of one exchange: an ``UpgradeRouter`` and the state behind it.

    Args:
        venue: The exchange.
        operations: What answers requests.
        clock: Time.
        policy: Limits.
    """

    def __init__(self, venue: PaperVenue, operations: Operations, *, clock: Clock, policy: WsPolicy) -> None:
        self.faults = operations.desk.faults
        roads = operations.desk.roads

        def way_ms(account: str) -> int:
            return roads.of(venue.account(account).latency).fixed_ms

        users = UserHub(venue.user, operations.desk.listen_keys, clock, self.faults, way_ms=way_ms)
        hub = StreamHub(VenueView(venue), venue.market, clock, faults=self.faults)
        self._blocks = venue.blocks.printed.subscribe(hub.on_block)
        crowd = Crowd(policy, clock, self._look_around)
        limits = operations.desk.limits
        self._stream_meter, self._api_meter = ConnectionMeter(limits), ConnectionMeter(limits)
        self.house = House(hub=hub, users=users, crowd=crowd, policy=policy, clock=clock, meter=self._stream_meter)
        self._operations = operations
        self._jobs = Supervisor("ws-api", max_jobs=MAX_JOBS)
        authenticator = RequestAuthenticator(venue.keys, ReportedClock(clock, self.faults))
        self._desk = ApiDesk(self.house, operations, authenticator, self._jobs, Turns(self._jobs))

    async def __call__(self, request: UpgradeRequest) -> Accept | Refuse:
        """Decide about one handshake."""
        if self.house.crowd.is_full:
            text = f"Too many concurrent connections; current limit is '{self.house.policy.max_connections}'."
            return _refusal(503, -1034, text, retry_after_s=BUSY_RETRY_S)
        is_api = request.path.rstrip("/") == API_PATH
        fault = self.faults.take_opening("ws-api" if is_api else "streams", self._operations.now_ms())
        if fault is not None:
            return _befallen(fault)
        try:
            return self._api(request) if is_api else self._streams(request)
        except LimitReached as limit:
            wait_s = max(1, -(-limit.retry_after_ms // 1_000))
            return _refusal(limit.status, limit.code, limit.message, retry_after_s=wait_s)

    def now_ms(self) -> int:
        """The exchange's time. Unit: epoch milliseconds."""
        return self._operations.now_ms()

    def obey(self, rules: FaultRules) -> None:
        """Begin what a rules file wants, with its seed; what waited before is forgotten."""
        self.faults.reseed(rules.seed)
        self.house.hub.delays.latency = rules.market_latency
        for spec in rules.fault:
            self.faults.add(spec, self.now_ms())
        self.act()

    def act(self) -> int:
        """Let faults befall the open connections whose time has come; returns how many connections were hit."""
        due = self.faults.due_actions(self._operations.now_ms())
        return sum(self.house.crowd.befall(fault.spec, partial(self.faults.hits, fault)) for fault in due)

    def _look_around(self) -> None:
        """What is to be done about once a second while somebody is there."""
        self.house.users.expire_keys()
        self.act()

    def announce_shutdown(self) -> None:
        """Tell every client that the exchange is about to stop; the transport closes them afterwards."""
        self.house.crowd.announce_shutdown()

    async def close(self) -> None:
        """Drop what is on its way and listen to the exchange no more."""
        await self._jobs.close()
        self._blocks.close()
        self.house.hub.close()
        self.house.users.close()

    def _api(self, request: UpgradeRequest) -> Accept | Refuse:
        operations = self._operations
        self._api_meter.count(request.client, now_ms=operations.now_ms())
        operations.desk.weights.charge(request.client, CONNECT_WEIGHT, now_ms=operations.now_ms())
        handler = ApiConnection(self._desk, address=request.client, query=request.query)
        return Accept(handler, max_message_bytes=self.house.policy.max_message_bytes)

    def _streams(self, request: UpgradeRequest) -> Accept | Refuse:
        url = parse_stream_url(request.path, request.query)
        if url is None:
            return _refusal(404, -1020, "Path not found.")
        self._stream_meter.count(request.client, now_ms=self._operations.now_ms())
        if len(url.names) > self.house.policy.max_streams:
            text = f"Too many streams; a connection may listen to {self.house.policy.max_streams} at most."
            return _refusal(400, -1101, text)
        handler = StreamConnection(url, self.house, request.client)
        return Accept(handler, max_message_bytes=self.house.policy.max_message_bytes, on_pong=handler.on_pong)


class _Silent:
    """A connection that is open and says nothing."""

    def on_open(self, connection: Connection) -> None:
        connection.freeze()

    def on_text(self, text: str) -> None:
        """Not heard."""

    def on_binary(self, data: bytes) -> None:
        """Not heard."""

    def on_ping(self, data: bytes) -> None:
        """Not heard."""

    def on_writable(self) -> None:
        """Nothing to say."""

    def on_close(self, code: int, reason: str) -> None:
        """Nothing to clean up."""


def _befallen(fault: FaultSpec) -> Accept | Refuse:
    """What a fault makes of a handshake."""
    if fault.kind is FaultKind.HALF_OPEN:
        return Accept(_Silent())
    text = fault.msg or "Service unavailable."
    return _refusal(fault.status or 503, fault.code or -1001, text, retry_after_s=fault.retry_after_s)


def _refusal(status: int, code: int, text: str, *, retry_after_s: int | None = None) -> Refuse:
    headers = () if retry_after_s is None else (("Retry-After", str(retry_after_s)),)
    return Refuse(status, msgspec.json.encode({"code": code, "msg": text}), headers)


def make_upgrade_router(
    venue: PaperVenue, operations: Operations, clock: Clock, policy: WsPolicy | None = None
) -> WebSocketFront:
    """The router for ``transport.protocol.websocket_protocol``; close it when the server has stopped."""
    return WebSocketFront(venue, operations, clock=clock, policy=policy or WsPolicy.of(operations.desk.limits))
