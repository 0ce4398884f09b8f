"""Which WebSocket a client gets: ``/ws``, ``/ws/<stream>``, ``/stream`` or ``/ws-api/v3``."""

from __future__ import annotations

import msgspec

from cryptotrader.core.clock import Clock
from cryptotrader.exchange.protocol.auth import RequestAuthenticator
from cryptotrader.exchange.protocol.limits import LimitReached
from cryptotrader.exchange.protocol.operations import Operations
from cryptotrader.exchange.protocol.stream_names import parse_stream_url
from cryptotrader.exchange.protocol.streams.connection import House, StreamConnection
from cryptotrader.exchange.protocol.streams.crowd import Crowd
from cryptotrader.exchange.protocol.streams.hub import StreamHub
from cryptotrader.exchange.protocol.streams.policy import WsPolicy
from cryptotrader.exchange.protocol.streams.users import UserHub
from cryptotrader.exchange.protocol.streams.view import VenueView
from cryptotrader.exchange.protocol.ws_api.connection import MAX_JOBS, ApiConnection, ApiDesk
from cryptotrader.exchange.venue import PaperVenue
from cryptotrader.net import Supervisor
from cryptotrader.transport.types import Accept, Refuse, UpgradeRequest

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
        users = UserHub(venue.user, operations.desk.listen_keys, clock)
        hub = StreamHub(VenueView(venue), venue.market, clock)
        crowd = Crowd(policy, clock, users.expire_keys)
        self.house = House(hub=hub, users=users, crowd=crowd, policy=policy, clock=clock)
        self._jobs = Supervisor("ws-api", max_jobs=MAX_JOBS)
        self._desk = ApiDesk(self.house, operations, RequestAuthenticator(venue.keys, clock), self._jobs)

    async def __call__(self, request: UpgradeRequest) -> Accept | Refuse:
        """Decide about one handshake."""
        if self.house.crowd.is_full:
            return _refusal(503, -1034, "Too many concurrent connections.", retry_after_s=BUSY_RETRY_S)
        if request.path.rstrip("/") == API_PATH:
            return self._api(request)
        return self._streams(request)

    def announce_shutdown(self) -> None:
        """Tell every client that the exchange is about to stop; the transport closes them afterwards."""
        self.house.crowd.announce_shutdown()

    async def close(self) -> None:
        """Drop what is on its way and listen to the exchange no more."""
        await self._jobs.close()
        self.house.hub.close()
        self.house.users.close()

    def _api(self, request: UpgradeRequest) -> Accept | Refuse:
        operations = self._desk.operations
        try:
            operations.desk.weights.charge(request.client, CONNECT_WEIGHT, now_ms=operations.now_ms())
        except LimitReached as limit:
            wait_s = max(1, -(-limit.retry_after_ms // 1_000))
            return _refusal(limit.status, limit.code, limit.message, retry_after_s=wait_s)
        handler = ApiConnection(self._desk, address=request.client, query=request.query)
        return Accept(handler, max_message_bytes=self.house.policy.max_message_bytes)

    def _streams(self, request: UpgradeRequest) -> Accept | Refuse:
        url = parse_stream_url(request.path, request.query)
        if url is None:
            return _refusal(404, -1020, "Path not found.")
        if len(url.names) > self.house.policy.max_streams:
            text = f"Too many streams; a connection may listen to {self.house.policy.max_streams} at most."
            return _refusal(400, -1101, text)
        return Accept(StreamConnection(url, self.house), max_message_bytes=self.house.policy.max_message_bytes)


def _refusal(status: int, code: int, text: str, *, retry_after_s: int | None = None) -> Refuse:
    headers = () if retry_after_s is None else (("Retry-After", str(retry_after_s)),)
    return Refuse(status, msgspec.json.encode({"code": code, "msg": text}), headers)


def make_upgrade_router(
    venue: PaperVenue, operations: Operations, clock: Clock, policy: WsPolicy | None = None
) -> WebSocketFront:
    """The router for ``transport.protocol.websocket_protocol``; close it when the server has stopped."""
    return WebSocketFront(venue, operations, clock=clock, policy=policy or WsPolicy())
