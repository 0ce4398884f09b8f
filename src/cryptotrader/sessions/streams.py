"""The gateway's three WebSocket streams: who may have one, and which (S0-40 to S0-53, S0-61 to S0-65)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs

from cryptotrader.core.clock import Clock
from cryptotrader.core.errors import Forbidden, NotAuthenticated, UnknownSymbol, VenueError, VenueTimeout
from cryptotrader.core.events import Ticker24h
from cryptotrader.dialects.gateway_streams import encode_error
from cryptotrader.feeds.user import UserEvent
from cryptotrader.net import Supervisor
from cryptotrader.sessions.channels import LingeringChannel
from cryptotrader.sessions.client import ClientContext, StreamClient
from cryptotrader.sessions.depth import DepthChannel, DepthClient, DepthItem
from cryptotrader.sessions.exchanges import AccountsOf
from cryptotrader.sessions.ports import Authenticates, Catalogue, ListenKeys, LiveMarket, WhoIs
from cryptotrader.sessions.ticker import TickerChannel, TickerClient
from cryptotrader.sessions.tracing import trace_headers
from cryptotrader.sessions.user import UserChannel, UserClient
from cryptotrader.sessions.ws.slots import ConnectionSlots
from cryptotrader.telemetry.metrics import WS_SENT
from cryptotrader.transport.fanout import Broadcaster
from cryptotrader.transport.types import Accept, Refuse, UpgradeRequest

CLOSE_NORMAL = 1000
CLOSE_GOING_AWAY = 1001
CLOSE_POLICY = 1008

RETRY_AFTER: tuple[str, str] = ("Retry-After", "60")
"""What a full gateway tells a client to wait, in seconds (S0-53)."""

MAX_CLIENT_MESSAGE_BYTES = 4_096
"""Largest message taken from a client. Reason: these streams take no commands at all."""

MAX_JOBS = 10_000
"""Background jobs at a time: at most two per symbol. Reason: a venue lists about 3,000 symbols."""

LISTEN_KEY_PATH = "/ws/***"
"""What the log shows of ``/ws/<listenKey>``: the key is a secret."""

TOKEN_NAMES = ("token", "api_key")
"""Names of the token in the query, for browsers, which cannot set a header (S0-65)."""


@dataclass(frozen=True)
class StreamLimits:
    """Limits of the streams."""

    max_connections: int = 50
    """WebSocket clients at a time over all three streams (``MAX_WS_CONNECTIONS``, C-10)."""
    depth_linger_s: float = 60.0
    """How long a symbol's recent messages are kept for clients that come back. Reason: longer than any back-off."""
    linger_s: float = 0.0
    """The same for the other streams, which have nothing to resume; the feeds linger by themselves."""


class StreamSessions:
    """Decides about upgrades and holds all stream clients.

    Args:
        live: Live market state.
        accounts: Accounts and their events.
        authenticator: Bearer tokens.
        catalogue: Symbols of the venue.
        limits: How many clients, how long channels stay.
        clock: The time.
        slots: Connections of the whole process and of each key.
    """

    def __init__(
        self,
        live: LiveMarket,
        accounts: AccountsOf,
        authenticator: Authenticates,
        *,
        catalogue: Catalogue,
        limits: StreamLimits,
        clock: Clock,
        slots: ConnectionSlots | None = None,
    ) -> None:
        self._live = live
        self._accounts = accounts
        self._authenticator = authenticator
        self._catalogue = catalogue
        self._limits = limits
        self._clock = clock
        self._slots = slots or ConnectionSlots()
        self._jobs = Supervisor("streams", max_jobs=MAX_JOBS)
        self._clients: set[StreamClient[Any]] = set()
        self._draining = False
        self._depth: Broadcaster[DepthItem] = Broadcaster(on_delivered=WS_SENT.labels(kind="depth").inc)
        self._ticker: Broadcaster[Ticker24h] = Broadcaster(on_delivered=WS_SENT.labels(kind="ticker").inc)
        self._events: Broadcaster[UserEvent] = Broadcaster(on_delivered=WS_SENT.labels(kind="user").inc)
        self._channels: dict[str, LingeringChannel[Any]] = {}
        self._revocations = authenticator.on_revoked.subscribe(self._on_revoked)
        self._listen_keys: ListenKeys | None = None

    @property
    def connection_count(self) -> int:
        """Clients now, those in their handshake included."""
        return len(self._clients)

    def serve_listen_keys(self, keys: ListenKeys) -> None:
        """Serve the user stream at ``/ws/<listenKey>`` too, to whoever holds a key that is valid (C-23)."""
        self._listen_keys = keys
        keys.on_closed.subscribe(self._on_key_closed)

    async def route(self, request: UpgradeRequest) -> Accept | Refuse:
        """Decide about one upgrade; every answer carries the tracing headers (S0-61)."""
        started_ns = self._clock.monotonic_ns()
        decision = await self._decide(request)
        traced = trace_headers(self._clock.monotonic_ns() - started_ns)
        return replace(decision, headers=decision.headers + traced)

    async def _decide(self, request: UpgradeRequest) -> Accept | Refuse:
        parts = request.path.strip("/").split("/")
        if self._listen_keys is not None and len(parts) == 2 and parts[0] == "ws":
            holder = self._listen_keys.holder_of(parts[1])
            if holder is not None and holder.admits(request.client):
                return self._admit_user(LISTEN_KEY_PATH, holder)
        query = parse_qs(request.query)
        try:
            who = self._authenticate(request, query)
            match parts:
                case ["ws", "user"]:
                    return self._admit_user("/ws/user", who)
                case ["ws", "ticker" | "depth" as kind, *spelling] if 1 <= len(spelling) <= 2:
                    # ``btc%2Fusdt`` is one of the four spellings (C-12); the path comes percent-decoded.
                    return await self._decide_market(kind, "/".join(spelling), request, query)
                case _:
                    return _refuse(404, "Not found")
        except NotAuthenticated as error:
            return _refuse(401, error.message)
        except Forbidden as error:
            return _refuse(403, error.message)

    def _authenticate(self, request: UpgradeRequest, query: dict[str, list[str]]) -> WhoIs:
        """Who asks, and may read."""
        token = next((query[name][0] for name in TOKEN_NAMES if name in query), None)
        who = self._authenticator.authenticate(request.headers.get("authorization"), token, client=request.client)
        if "read" not in who.scopes:
            raise Forbidden("Token does not allow reading")
        return who

    async def _decide_market(
        self, kind: str, text: str, request: UpgradeRequest, query: dict[str, list[str]]
    ) -> Accept | Refuse:
        try:
            symbol = await self._catalogue.require(text)
            # Its key may have been revoked meanwhile, and nobody would close what is not open yet.
            who = self._authenticate(request, query)
        except UnknownSymbol:
            return _refuse(400, "Invalid symbol")
        except VenueTimeout:
            return _refuse(504, "Gateway timeout - Binance API not responding")
        except VenueError:
            return _refuse(503, "Exchange not reachable", RETRY_AFTER)
        from_text = query.get("from", [None])[0]
        if from_text is not None and not (from_text.isascii() and from_text.isdecimal() and len(from_text) <= 18):
            return _refuse(400, "Invalid parameter: from")
        from_id = None if from_text is None else int(from_text)

        def build(context: ClientContext) -> StreamClient[Any]:
            if kind == "ticker":
                return TickerClient(context, self._channel(f"ticker/{symbol}", lambda: self._open_ticker(symbol)))
            channel = self._channel(f"depth/{symbol}", lambda: self._open_depth(symbol), self._limits.depth_linger_s)
            return DepthClient(context, channel, from_id=from_id)

        return self._admit(kind, f"/ws/{kind}/{symbol.lower()}", who, build)

    def _admit_user(self, path: str, who: WhoIs) -> Accept | Refuse:
        """A client of the events of its key's account."""
        feeds = self._accounts(who.account)
        if feeds is None:
            return _refuse(403, "Invalid API key")
        topic = f"user/{who.account}"

        def channel() -> UserChannel:
            return UserChannel(topic, feeds.user, feeds.user.lease(), broadcaster=self._events)

        return self._admit("user", path, who, lambda context: UserClient(context, self._channel(topic, channel)))

    def _admit(
        self, kind: str, path: str, who: WhoIs, build: Callable[[ClientContext], StreamClient[Any]]
    ) -> Accept | Refuse:
        """Take a slot. Nothing waits after this, and the transport calls ``on_close`` for whoever was accepted."""
        if self._draining:
            return _refuse(503, "Server is shutting down", RETRY_AFTER)
        if len(self._clients) >= self._limits.max_connections or not self._slots.take():
            return _refuse(503, "Maximum WebSocket connections reached", RETRY_AFTER)
        if not self._slots.enter(who.key_id, who.limits.connections):
            self._slots.give_back()
            return _refuse(429, "Too many connections of this key", RETRY_AFTER)
        client = build(ClientContext(kind, path, who.key_id, self._clock, self._on_gone))
        self._clients.add(client)
        return Accept(client, max_message_bytes=MAX_CLIENT_MESSAGE_BYTES)

    # Channels

    def _channel(self, name: str, build: Callable[[], Any], linger_s: float | None = None) -> LingeringChannel[Any]:
        channel = self._channels.get(name)
        if channel is None:
            linger_s = self._limits.linger_s if linger_s is None else linger_s
            channel = self._channels[name] = LingeringChannel(name, build, linger_s=linger_s, jobs=self._jobs)
        return channel

    def _open_depth(self, symbol: str) -> DepthChannel:
        lease = self._live.lease(symbol, "depth")
        return DepthChannel(
            f"depth/{symbol}",
            self._live.depth(symbol),
            lease,
            broadcaster=self._depth,
            jobs=self._jobs,
            now_ns=self._clock.now_ns,
        )

    def _open_ticker(self, symbol: str) -> TickerChannel:
        lease = self._live.lease(symbol, "ticker")
        return TickerChannel(
            f"ticker/{symbol}", self._live.ticker(symbol), lease, broadcaster=self._ticker, jobs=self._jobs
        )

    # Ends

    def _on_gone(self, client: StreamClient[Any]) -> None:
        self._clients.discard(client)
        self._slots.leave(client.context.key_id)
        self._slots.give_back()

    def _on_revoked(self, key_id: str) -> None:
        for client in [client for client in self._clients if client.context.key_id == key_id]:
            client.close(CLOSE_POLICY, "token revoked")

    def _on_key_closed(self, key_id: str) -> None:
        for client in [client for client in self._clients if client.context.path == LISTEN_KEY_PATH]:
            if client.context.key_id == key_id:
                client.close(CLOSE_NORMAL, "listen key closed")

    def drain(self) -> None:
        """Accept nobody any more and say 1001 to everyone."""
        self._draining = True
        for client in list(self._clients):
            client.close(CLOSE_GOING_AWAY, "server is shutting down")

    async def close(self) -> None:
        """Let go of all feeds. Call it after the server has ended."""
        self._revocations.close()
        for channel in self._channels.values():
            channel.close()
        await self._jobs.close()


def _refuse(status: int, text: str, *headers: tuple[str, str]) -> Refuse:
    return Refuse(status, encode_error(text, status), headers=headers)
