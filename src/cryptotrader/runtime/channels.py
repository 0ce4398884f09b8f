"""Wires the protocols that are spoken on ``/ws`` to the exchanges, the keys and what the product reports of itself."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack

from cryptotrader.bus import Topic
from cryptotrader.core.clock import Clock
from cryptotrader.core.events import LinkChange, SystemEvent
from cryptotrader.services.binance.endpoints import VenueEndpoints
from cryptotrader.sessions.auth import Authenticator
from cryptotrader.sessions.channel_protocol import ChannelHub, SystemJournal
from cryptotrader.sessions.exchanges import ExchangeFeeds
from cryptotrader.sessions.ws import ConnectionSlots, SharedTimer, WebSocketRouter
from cryptotrader.transport.types import UpgradeRouter

BINANCE = "binance"
"""Name of Binance, its testnet and the paper exchange in the channel protocol: the documented samples must run."""


def exchange_name(endpoints: VenueEndpoints) -> str:
    """What clients call a venue."""
    return "binance-us" if endpoints.name == "binance-us" else BINANCE


def open_journal(exchange: str, links: Topic[LinkChange], reports: Topic[SystemEvent]) -> SystemJournal:
    """What is told on ``system_events``. Open it before the connections, so that it knows how they are."""
    journal = SystemJournal()
    journal.follow_links(exchange, links)
    journal.follow(exchange, reports)
    return journal


async def open_channels(
    stack: AsyncExitStack,
    exchanges: Mapping[str, ExchangeFeeds],
    authenticator: Authenticator,
    *,
    journal: SystemJournal,
    streams: UpgradeRouter,
    slots: ConnectionSlots,
    clock: Clock,
) -> WebSocketRouter:
    """The router of every upgrade; ``stack`` closes what is behind it."""
    timer = SharedTimer(clock)
    hub = ChannelHub(exchanges, authenticator, journal=journal, slots=slots, timer=timer, clock=clock)
    router = WebSocketRouter(
        [hub.dialect], streams, slots=slots, clock=clock, timer=timer, on_revoked=authenticator.on_revoked
    )

    async def close() -> None:
        await router.close()
        timer.close()
        await hub.close()
        journal.close()

    stack.push_async_callback(close)
    return router
