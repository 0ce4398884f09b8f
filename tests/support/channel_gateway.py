"""The channel protocol on a real port, before a paper exchange, with limits that a test chooses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from cryptotrader.bus import Topic
from cryptotrader.core.events import SystemEvent
from cryptotrader.dialects.channels.protocol import ChannelPolicy
from cryptotrader.exchange.venue import PaperVenue
from cryptotrader.net import SystemClock
from cryptotrader.services.binance.websocketAPI.account_requests import commission_rates
from cryptotrader.sessions.auth import Authenticator
from cryptotrader.sessions.channel_protocol import ChannelHub, ChannelSettings, SystemJournal
from cryptotrader.sessions.exchanges import AccountFeeds, ExchangeFeeds
from cryptotrader.sessions.streams import StreamLimits, StreamSessions
from cryptotrader.sessions.ws import ConnectionSlots, SharedTimer, SlotLimits, WebSocketRouter
from cryptotrader.sessions.ws.client import ClientPolicy
from cryptotrader.sessions.ws.router import RouterPolicy
from cryptotrader.transport.policy import TransportPolicy
from tests.support.channel_client import TOKEN
from tests.support.paper import paper_venue
from tests.support.paper_feeds import PaperFeeds, paper_feeds
from tests.support.websocket_server import running_server


@dataclass
class ChannelGateway:
    """What a test may want to reach."""

    url: str
    feeds: PaperFeeds
    hub: ChannelHub
    router: WebSocketRouter
    authenticator: Authenticator
    reports: Topic[SystemEvent]


@dataclass(frozen=True)
class Limits:
    """What a test may want to be short or small."""

    policy: ChannelPolicy = field(default_factory=ChannelPolicy)
    client: ClientPolicy = field(default_factory=ClientPolicy)
    transport: TransportPolicy = field(default_factory=lambda: TransportPolicy(tick_s=0.05))
    slots: SlotLimits = field(default_factory=SlotLimits)
    linger_s: float = 0.2
    tick_s: float = 0.02


@asynccontextmanager
async def channel_gateway(
    venue: PaperVenue | None = None,
    *,
    limits: Limits | None = None,
    authenticator: Authenticator | None = None,
    accounts: Mapping[str, AccountFeeds] | None = None,
) -> AsyncIterator[ChannelGateway]:
    """Everything as ``runtime`` wires it, in the test's own process."""
    limits, clock = limits or Limits(), SystemClock()
    keys = authenticator or Authenticator([TOKEN])
    async with paper_feeds(venue or paper_venue()) as feeds:
        own = AccountFeeds(
            "default",
            feeds.user,
            commission=lambda symbol: feeds.rest.call(
                commission_rates.SPEC, commission_rates.CommissionParams(symbol=symbol)
            ),
        )
        known = {"default": own, **(accounts or {})}
        exchange = ExchangeFeeds("binance", feeds.live, feeds.live.catalogue, known.get)
        journal, reports = SystemJournal(), Topic[SystemEvent]("reports")
        journal.follow_links("binance", feeds.live.links)
        journal.follow("binance", reports)
        feeds.live.reports.subscribe(reports.publish)
        feeds.rest.reports.subscribe(reports.publish)
        slots, timer = ConnectionSlots(limits.slots), SharedTimer(clock, tick_s=limits.tick_s)
        hub = ChannelHub(
            {"binance": exchange}, keys, journal=journal, slots=slots, timer=timer, clock=clock,
            settings=ChannelSettings(limits.policy, limits.linger_s),
        )  # fmt: skip
        streams = StreamSessions(
            feeds.live, known.get, keys, catalogue=feeds.live.catalogue, limits=StreamLimits(), clock=clock, slots=slots
        )
        router = WebSocketRouter(
            [hub.dialect], streams, slots=slots, clock=clock, timer=timer, on_revoked=keys.on_revoked,
            policy=RouterPolicy(limits.client),
        )  # fmt: skip
        async with running_server(router.route, policy=limits.transport) as server:
            try:
                yield ChannelGateway(server.url, feeds, hub, router, keys, reports)
            finally:
                router.drain()
        await streams.close()
        await router.close()
        timer.close()
        await hub.close()
        journal.close()
