"""Live market and user feed on a paper exchange behind a proxy that can be cut."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from cryptotrader.bus import Topic
from cryptotrader.core.events import LinkChange
from cryptotrader.exchange.accounts import SAMPLE_KEY_ID, SAMPLE_SECRET
from cryptotrader.exchange.server import ExchangeServer
from cryptotrader.exchange.venue import PaperVenue
from cryptotrader.feeds import LiveMarket, SymbolCatalogue, UserFeed
from cryptotrader.net import SystemClock
from cryptotrader.net.backoff import ConnectionBudget
from cryptotrader.net.http import HttpClient
from cryptotrader.net.ws import connect_websocket
from cryptotrader.services.binance.endpoints import paper
from cryptotrader.services.binance.restAPI.client import BinanceRest
from cryptotrader.services.binance.signing import Credentials
from cryptotrader.services.binance.streams import (
    LinkDeps,
    MarketStreams,
    SessionMaker,
    StreamPolicy,
    UserDeps,
    UserStream,
)
from cryptotrader.testing import FaultProxy
from tests.support.paper import running_exchange


@dataclass
class PaperFeeds:
    server: ExchangeServer
    proxy: FaultProxy
    live: LiveMarket
    user: UserFeed
    stream: UserStream
    rest: BinanceRest


@asynccontextmanager
async def paper_feeds(
    venue: PaperVenue, *, mode: Literal["auto", "signature", "listenkey"] = "auto"
) -> AsyncIterator[PaperFeeds]:
    """Everything as the gateway builds it, with short pauses; nothing may be left at the end."""
    clock = SystemClock()
    policy = StreamPolicy(tick_s=0.1, max_delay_s=0.5, overlap_s=0.3)
    budget = ConnectionBudget(rate_per_s=50, burst=500)
    links: Topic[LinkChange] = Topic("links")
    async with running_exchange(venue) as server, HttpClient() as http:
        proxy = FaultProxy(server.port)
        await proxy.start()
        endpoints = paper(port=proxy.port)
        credentials = Credentials.of(SAMPLE_KEY_ID, SAMPLE_SECRET)
        rest = BinanceRest(http, endpoints, credentials, clock)
        url = f"{endpoints.stream_url}/stream"
        deps = LinkDeps("paper", url, connect_websocket, clock, random.random, policy, budget, links)
        catalogue = SymbolCatalogue(rest, clock)
        live = LiveMarket(rest, MarketStreams(deps), catalogue, clock=clock)
        maker = SessionMaker(
            ws_api_url=endpoints.ws_api_url,
            stream_url=endpoints.stream_url,
            connect=connect_websocket,
            rest=rest,
            credentials=credentials,
            now_ms=lambda: rest.clock_offset.timestamp_ms(clock.now_ns()),
        )
        stream = UserStream(UserDeps("paper", maker, clock, random.random, policy, budget, links), mode=mode)
        user = UserFeed(stream, rest, catalogue=catalogue, clock=clock, draw=random.random)
        await live.start()
        try:
            yield PaperFeeds(server, proxy, live, user, stream, rest)
        finally:
            await user.close()
            await live.close()
            await rest.close()
            assert live.job_count == 0
            assert user.job_count == 0
            await proxy.close()
