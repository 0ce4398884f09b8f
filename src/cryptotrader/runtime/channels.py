"""Wires the protocols that are spoken on ``/ws`` to the exchanges, the keys and what the product reports of itself."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

from cryptotrader.bus import Topic
from cryptotrader.core.clock import Clock
from cryptotrader.core.events import LinkChange, SystemEvent
from cryptotrader.services.binance.endpoints import VenueEndpoints
from cryptotrader.sessions.auth import Authenticator
from cryptotrader.sessions.channel_protocol import ChannelHub, SystemJournal
from cryptotrader.sessions.exchanges import ExchangeFeeds
from cryptotrader.sessions.streams import StreamSessions
from cryptotrader.sessions.ws import ConnectionSlots, SharedTimer, WebSocketRouter

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


@dataclass(frozen=True)
class ChannelParts:
    """What clients on ``/ws`` are served from.

    Attributes:
        exchanges: By the names that clients use.
        authenticator: Knows the keys.
        journal: What is told on ``system_events``.
        streams: Decides about every other path.
        slots: Connections of the whole process.
        clock: The time.
    """

    exchanges: Mapping[str, ExchangeFeeds]
    authenticator: Authenticator
    journal: SystemJournal
    streams: StreamSessions
    slots: ConnectionSlots
    clock: Clock


async def open_channels(stack: AsyncExitStack, parts: ChannelParts) -> WebSocketRouter:
    """The router of every upgrade; ``stack`` closes what is behind it."""
    authenticator, slots, clock = parts.authenticator, parts.slots, parts.clock
    timer = SharedTimer(clock)
    hub = ChannelHub(parts.exchanges, authenticator, journal=parts.journal, slots=slots, timer=timer, clock=clock)
    router = WebSocketRouter(
        [hub.dialect], parts.streams, slots=slots, clock=clock, timer=timer, on_revoked=authenticator.on_revoked
    )

    async def close() -> None:
        await router.close()
        timer.close()
        await hub.close()
        parts.journal.close()

    stack.push_async_callback(close)
    return router
