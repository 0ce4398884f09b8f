"""What all clients of the channel protocol share: exchanges, sources, the broadcaster, limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptotrader.core.clock import Clock
from cryptotrader.core.errors import Forbidden
from cryptotrader.dialects.channels.messages import ChannelName
from cryptotrader.dialects.channels.protocol import ChannelPolicy
from cryptotrader.net import Supervisor
from cryptotrader.sessions.channel_protocol.books import BookSource
from cryptotrader.sessions.channel_protocol.market import TickerSource, TradeSource
from cryptotrader.sessions.channel_protocol.orders import OrderSource
from cryptotrader.sessions.channel_protocol.positions import PositionSource
from cryptotrader.sessions.channel_protocol.session import NO_ACCOUNT, ChannelSession
from cryptotrader.sessions.channel_protocol.system import SystemJournal, SystemSource
from cryptotrader.sessions.channel_protocol.topics import Outlet, Source, SourceKey, SourceRegistry
from cryptotrader.sessions.exchanges import AccountFeeds, ExchangeFeeds
from cryptotrader.sessions.ports import LogsIn
from cryptotrader.sessions.ws.dialect import Dialect, has_field
from cryptotrader.sessions.ws.slots import ConnectionSlots
from cryptotrader.sessions.ws.timer import SharedTimer
from cryptotrader.telemetry.metrics import WS_SENT
from cryptotrader.transport.fanout import Broadcaster
from cryptotrader.transport.types import Connection

NAME = "channels"

MAX_JOBS = 20_000
"""Background jobs at a time: at most one look-up per connection, and one question per account."""


@dataclass(frozen=True)
class ChannelSettings:
    """Limits of the channel protocol."""

    policy: ChannelPolicy = field(default_factory=ChannelPolicy)
    linger_s: float = 5.0
    """How long a channel's source outlives its last client, in seconds. Reason: a client that comes back finds it up;
    the feeds below linger by themselves."""


class ChannelHub:
    """Opens sessions and sources.

    Args:
        exchanges: What can be subscribed to, by the name that clients use.
        authenticator: Checks logins.
        journal: What is told on ``system_events``.
        slots: Connections of the whole process.
        timer: Heartbeats of all sessions.
        clock: The time.
        settings: Limits.
    """

    def __init__(
        self,
        exchanges: Mapping[str, ExchangeFeeds],
        authenticator: LogsIn,
        *,
        journal: SystemJournal,
        slots: ConnectionSlots,
        timer: SharedTimer,
        clock: Clock,
        settings: ChannelSettings | None = None,
    ) -> None:
        self.exchanges = exchanges
        self.authenticator = authenticator
        self.slots = slots
        self.timer = timer
        self.clock = clock
        self.settings = settings or ChannelSettings()
        self.jobs = Supervisor("channels", max_jobs=MAX_JOBS)
        self.broadcaster: Broadcaster[str | None] = Broadcaster(on_delivered=WS_SENT.labels(kind=NAME).inc)
        self.outlet = Outlet(self.broadcaster, clock, timer)
        self.registry = SourceRegistry(self._open_source, self.outlet, linger_s=self.settings.linger_s)
        self._journal = journal
        self._sessions: set[ChannelSession] = set()

    @property
    def session_count(self) -> int:
        """Clients now."""
        return len(self._sessions)

    @property
    def dialect(self) -> Dialect:
        """The protocol as ``/ws`` knows it."""
        return Dialect(NAME, has_field("action"), self.open)

    def open(self, connection: Connection, address: str) -> ChannelSession:
        """Begin a session on an open connection."""
        session = ChannelSession(self, connection, address)
        self._sessions.add(session)
        return session

    def forget(self, session: ChannelSession, key_id: str | None) -> None:
        """A session is over."""
        self._sessions.discard(session)
        if key_id is not None:
            self.slots.leave(key_id)

    async def close(self) -> None:
        """Let go of all feeds. Call it after the server has ended."""
        self.registry.close()
        await self.jobs.close()

    def _open_source(self, key: SourceKey) -> Source:
        if key.channel is ChannelName.SYSTEM_EVENTS:
            return SystemSource(key, self._journal, self.outlet)
        exchange = self.exchanges[key.exchange]
        match key.channel:
            case ChannelName.MARKET_DATA:
                return TickerSource(key, exchange.live, self.outlet)
            case ChannelName.ORDERBOOK:
                return BookSource(key, exchange.live, self.outlet)
            case ChannelName.TRADES:
                return TradeSource(key, exchange.live, self.outlet)
            case ChannelName.ORDERS:
                account = self._account(exchange, key.subject)
                return OrderSource(key, account, catalogue=exchange.catalogue, outlet=self.outlet, jobs=self.jobs)
            case ChannelName.POSITIONS:
                positions = self._account(exchange, key.subject).positions
                if positions is None:
                    raise Forbidden("Positions are not kept for this account")
                return PositionSource(key, positions, self.outlet)

    @staticmethod
    def _account(exchange: ExchangeFeeds, name: str) -> AccountFeeds:
        account = exchange.accounts(name)
        if account is None:
            raise Forbidden(NO_ACCOUNT)
        return account
