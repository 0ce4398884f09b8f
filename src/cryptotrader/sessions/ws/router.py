"""Decides about every WebSocket upgrade of the gateway: ``/ws`` by protocol, all else is a stream (C-1, C-10)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Protocol
from urllib.parse import parse_qs

from cryptotrader.bus import Topic
from cryptotrader.core.clock import Clock
from cryptotrader.dialects.gateway_streams import encode_error
from cryptotrader.sessions.tracing import trace_headers
from cryptotrader.sessions.ws.client import ClientPolicy, Surroundings, WsClient
from cryptotrader.sessions.ws.dialect import Dialect
from cryptotrader.sessions.ws.slots import ConnectionSlots
from cryptotrader.sessions.ws.timer import SharedTimer
from cryptotrader.transport.types import Accept, Refuse, UpgradeRequest

PATH = "/ws"

CLOSE_GOING_AWAY = 1001
CLOSE_POLICY = 1008

GOING_AWAY = "Server is shutting down"
KEY_REVOKED = "API key is no longer valid"

RETRY_AFTER: tuple[str, str] = ("Retry-After", "60")
"""What a full gateway tells a client to wait, in seconds (as S0-53)."""


@dataclass(frozen=True)
class RouterPolicy:
    """Limits of ``/ws``."""

    client: ClientPolicy = field(default_factory=ClientPolicy)
    max_message_bytes: int = 65_536
    """Largest message of a client. Reason: a thousand symbols fit."""


class Streams(Protocol):
    """Who decides about every other path than ``/ws``."""

    async def route(self, request: UpgradeRequest) -> Accept | Refuse:
        """Decide about one upgrade."""
        ...

    def drain(self) -> None:
        """Accept nobody any more and say goodbye to everyone."""
        ...


class WebSocketRouter:
    """Holds all connections on ``/ws``.

    Args:
        dialects: Protocols that are spoken on ``/ws``; the first that claims a message gets it.
        streams: Decides about every other path.
        slots: Connections of the whole process.
        clock: The time.
        timer: Shared with the dialects' sessions.
        on_revoked: Ids of keys that have just become useless.
        policy: Limits.
    """

    def __init__(
        self,
        dialects: Iterable[Dialect],
        streams: Streams,
        *,
        slots: ConnectionSlots,
        clock: Clock,
        timer: SharedTimer,
        on_revoked: Topic[str],
        policy: RouterPolicy | None = None,
    ) -> None:
        self._policy = policy or RouterPolicy()
        self._streams = streams
        self._slots = slots
        self._clock = clock
        self._clients: set[WsClient] = set()
        self._draining = False
        self._around = Surroundings(tuple(dialects), clock, timer, self._policy.client, self._on_gone)
        self._by_name = {dialect.name: dialect for dialect in self._around.dialects}
        self._revocations = on_revoked.subscribe(self._on_revoked)

    @property
    def connection_count(self) -> int:
        """Clients on ``/ws`` now, those in their handshake included."""
        return len(self._clients)

    async def route(self, request: UpgradeRequest) -> Accept | Refuse:
        """Decide about one upgrade."""
        if request.path != PATH:
            return await self._streams.route(request)
        started_ns = self._clock.monotonic_ns()
        decision = self._decide(request)
        traced = trace_headers(self._clock.monotonic_ns() - started_ns)
        return replace(decision, headers=decision.headers + traced)

    def _decide(self, request: UpgradeRequest) -> Accept | Refuse:
        query = parse_qs(request.query)
        subprotocol = next((name for name in request.subprotocols if name in self._by_name), None)
        name = subprotocol or query.get("dialect", [None])[0]
        if name is not None and name not in self._by_name:
            return _refuse(400, "Invalid parameter: dialect")
        if self._draining:
            return _refuse(503, GOING_AWAY, RETRY_AFTER)
        if not self._slots.take():
            return _refuse(503, "Maximum WebSocket connections reached", RETRY_AFTER)
        client = WsClient(self._around, request.client, self._by_name[name] if name is not None else None)
        self._clients.add(client)
        return Accept(client, subprotocol=subprotocol, max_message_bytes=self._policy.max_message_bytes)

    def drain(self) -> None:
        """Accept nobody any more and say goodbye to everyone (1001), the streams' clients included."""
        self._draining = True
        self._streams.drain()
        for client in list(self._clients):
            client.end(CLOSE_GOING_AWAY, GOING_AWAY)

    async def close(self) -> None:
        """Let go of everything. Call it after the server has ended."""
        self._revocations.close()

    def _on_revoked(self, key_id: str) -> None:
        for client in [client for client in self._clients if client.key_id == key_id]:
            client.end(CLOSE_POLICY, KEY_REVOKED)

    def _on_gone(self, client: WsClient) -> None:
        if client in self._clients:
            self._clients.discard(client)
            self._slots.give_back()


def _refuse(status: int, text: str, *headers: tuple[str, str]) -> Refuse:
    return Refuse(status, encode_error(text, status), headers=headers)
