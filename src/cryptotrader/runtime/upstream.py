"""The venue's side of the graph: REST client, shared streams, live state, the account's events."""

from __future__ import annotations

import random
from contextlib import AsyncExitStack
from dataclasses import dataclass

from cryptotrader.bus import Topic
from cryptotrader.config.settings import Settings
from cryptotrader.core.events import LinkChange
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
from cryptotrader.services.binance.streams.user import UserDeps, UserStream
from cryptotrader.services.binance.streams.user_session import SessionMaker


@dataclass(frozen=True)
class Upstream:
    """What the gateway uses of a venue."""

    rest: BinanceRest
    live: LiveMarket
    catalogue: SymbolCatalogue
    user: UserFeed


async def open_upstream(
    stack: AsyncExitStack, endpoints: VenueEndpoints, credentials: Credentials | None, *, settings: Settings
) -> Upstream:
    """Build everything that talks to one venue; ``stack`` takes it down again.

    Nothing is asked of the venue yet: a gateway starts while its venue is down.
    """
    clock = SystemClock()
    http = await stack.enter_async_context(HttpClient(answer_timeout_s=settings.upstream_timeout_s))
    rest = BinanceRest(http, endpoints, credentials, clock, policy=RestPolicy(timeout_s=settings.upstream_timeout_s))
    stack.push_async_callback(rest.close)
    catalogue = SymbolCatalogue(rest, clock)
    policy, budget, links = StreamPolicy(), ConnectionBudget(), Topic[LinkChange]("links")
    streams = MarketStreams(
        LinkDeps(
            venue=endpoints.name,
            url=f"{endpoints.stream_url}/stream",
            connect=connect_websocket,
            clock=clock,
            draw=random.random,
            policy=policy,
            budget=budget,
            links=links,
        )
    )
    live = LiveMarket(rest, streams, catalogue, clock=clock, policy=FeedPolicy(linger_s=settings.symbol_linger_s))
    await live.start()
    stack.push_async_callback(live.close)
    maker = SessionMaker(
        ws_api_url=endpoints.ws_api_url,
        stream_url=endpoints.stream_url,
        connect=connect_websocket,
        rest=rest,
        credentials=credentials,
        now_ms=lambda: rest.clock_offset.timestamp_ms(clock.now_ns()),
    )
    stream = UserStream(
        UserDeps(
            venue=endpoints.name,
            maker=maker,
            clock=clock,
            draw=random.random,
            policy=policy,
            budget=budget,
            links=links,
        ),
        mode=settings.user_stream_mode,
    )
    user = UserFeed(stream, rest, catalogue=catalogue, clock=clock, draw=random.random)
    await user.start()
    stack.push_async_callback(user.close)
    return Upstream(rest=rest, live=live, catalogue=catalogue, user=user)
