"""The venue's side of the graph: REST clients, shared streams, live state, accounts' events."""

from __future__ import annotations

import random
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import msgspec

from cryptotrader.bus import Topic
from cryptotrader.config.accounts import DEFAULT_ACCOUNT
from cryptotrader.config.settings import Settings, UserStreamMode
from cryptotrader.core.events import LinkChange, SystemEvent
from cryptotrader.feeds.base import FeedPolicy
from cryptotrader.feeds.catalogue import SymbolCatalogue
from cryptotrader.feeds.live import LiveMarket
from cryptotrader.feeds.user import UserFeed
from cryptotrader.net import SystemClock
from cryptotrader.net.backoff import ConnectionBudget
from cryptotrader.net.http import HttpClient
from cryptotrader.net.ws import connect_websocket
from cryptotrader.services.binance.endpoints import VenueEndpoints
from cryptotrader.services.binance.restAPI.client import BinanceRest, RestPolicy
from cryptotrader.services.binance.signing import Credentials
from cryptotrader.services.binance.streams.link import LinkDeps
from cryptotrader.services.binance.streams.market import MarketStreams
from cryptotrader.services.binance.streams.policy import StreamPolicy
from cryptotrader.services.binance.streams.user import LINK, UserDeps, UserStream
from cryptotrader.services.binance.streams.user_session import SessionMaker


@dataclass(frozen=True)
class Shared:
    """What all stream connections to one venue have in common."""

    policy: StreamPolicy = field(default_factory=StreamPolicy)
    budget: ConnectionBudget = field(default_factory=ConnectionBudget)
    links: Topic[LinkChange] = field(default_factory=lambda: Topic("links"))
    reports: Topic[SystemEvent] = field(default_factory=lambda: Topic("reports"))
    """What its parts tell of themselves besides that."""


@dataclass(frozen=True)
class Upstream:
    """What the gateway uses of a venue, besides its accounts."""

    endpoints: VenueEndpoints
    rest: BinanceRest
    """Signs for the default account."""
    live: LiveMarket
    catalogue: SymbolCatalogue
    shared: Shared


async def open_rest(
    stack: AsyncExitStack, endpoints: VenueEndpoints, credentials: Credentials | None, *, settings: Settings
) -> BinanceRest:
    """Requests to one venue; ``stack`` ends them."""
    http = await stack.enter_async_context(HttpClient(answer_timeout_s=settings.upstream_timeout_s))
    rest = rest_client(http, endpoints, credentials, timeout_s=settings.upstream_timeout_s)
    stack.push_async_callback(rest.close)
    return rest


def rest_client(
    http: HttpClient, endpoints: VenueEndpoints, credentials: Credentials | None, *, timeout_s: float
) -> BinanceRest:
    """Requests in the name of one account; its limits by address are shared with all others of the process."""
    return BinanceRest(http, endpoints, credentials, SystemClock(), policy=RestPolicy(timeout_s=timeout_s))


async def open_live(
    stack: AsyncExitStack, endpoints: VenueEndpoints, rest: BinanceRest, *, shared: Shared, settings: Settings
) -> LiveMarket:
    """Live state of one venue's symbols; ``stack`` ends it."""
    clock = SystemClock()
    streams = MarketStreams(
        LinkDeps(
            venue=endpoints.name,
            url=f"{endpoints.stream_url}/stream",
            connect=connect_websocket,
            clock=clock,
            draw=random.random,
            policy=shared.policy,
            budget=shared.budget,
            links=shared.links,
            reports=shared.reports,
        )
    )
    policy = FeedPolicy(linger_s=settings.symbol_linger_s)
    live = LiveMarket(rest, streams, SymbolCatalogue(rest, clock), clock=clock, policy=policy)
    live.reports.subscribe(shared.reports.publish)
    await live.start()
    stack.push_async_callback(live.close)
    return live


async def open_upstream(
    stack: AsyncExitStack, endpoints: VenueEndpoints, credentials: Credentials | None, *, settings: Settings
) -> Upstream:
    """Build everything that talks to one venue; ``stack`` takes it down again.

    Nothing is asked of the venue yet: a gateway starts while its venue is down.
    """
    shared = Shared()
    rest = await open_rest(stack, endpoints, credentials, settings=settings)
    rest.reports.subscribe(shared.reports.publish)
    live = await open_live(stack, endpoints, rest, shared=shared, settings=settings)
    return Upstream(endpoints, rest, live, live.catalogue, shared)


def open_user(
    upstream: Upstream, rest: BinanceRest, credentials: Credentials, *, account: str, mode: UserStreamMode
) -> UserFeed:
    """An account's events; nothing is connected before somebody wants them.

    Changes of its connection are told on ``upstream.shared.links`` as link ``user``, or ``user:<account>`` for another
    account than the default one. It sees only its own: the change of one account's connection must not make another
    one look for what it missed.
    """
    clock, shared, endpoints = SystemClock(), upstream.shared, upstream.endpoints
    links: Topic[LinkChange] = Topic(f"links of {account}")
    name = LINK if account == DEFAULT_ACCOUNT else f"{LINK}:{account}"
    links.subscribe(lambda change: shared.links.publish(msgspec.structs.replace(change, link=name)))
    maker = SessionMaker(
        ws_api_url=endpoints.ws_api_url,
        stream_url=endpoints.stream_url,
        connect=connect_websocket,
        rest=rest,
        credentials=credentials,
        now_ms=lambda: rest.clock_offset.timestamp_ms(clock.now_ns()),
    )
    deps = UserDeps(
        venue=endpoints.name,
        maker=maker,
        clock=clock,
        draw=random.random,
        policy=shared.policy,
        budget=shared.budget,
        links=links,
    )
    stream = UserStream(deps, mode=mode)
    return UserFeed(stream, rest, catalogue=upstream.catalogue, clock=clock, draw=random.random)
