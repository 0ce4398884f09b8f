"""Follows a real venue, so that the paper exchange shows its books and trades."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

from cryptotrader.config import get_logger
from cryptotrader.config.settings import Settings
from cryptotrader.core.errors import ConfigError, VenueError, VenueRejected, VenueTimeout
from cryptotrader.core.events import Candle
from cryptotrader.exchange.market.mirror import MirrorHistory, MirrorSource
from cryptotrader.exchange.market.spec import MirrorSpec
from cryptotrader.feeds.depth import DepthChange, DepthFeed
from cryptotrader.feeds.live import DEPTH, TOP, TRADES, LiveMarket
from cryptotrader.feeds.tops import TopFeed
from cryptotrader.feeds.trades import TradeFeed
from cryptotrader.market.candles import INTERVALS
from cryptotrader.net import SystemClock
from cryptotrader.runtime.upstream import Shared, open_live, open_rest
from cryptotrader.services.binance.endpoints import VENUES, VenueEndpoints, endpoints_of
from cryptotrader.services.binance.normalise import candles_of
from cryptotrader.services.binance.request import Interval
from cryptotrader.services.binance.restAPI.client import BinanceRest
from cryptotrader.services.binance.websocketAPI.market_data_requests import klines

log = get_logger(__name__)

OPENING_S = 30.0
"""How long a venue that does not answer is tried at the start. Unit: seconds. Reason: a network that has just come up
gets its time, and whoever waits in front of a terminal gets an answer."""

RETRY_S = 1.0
"""Pause between two tries. Unit: seconds."""

POLL_S = 0.02
"""How often trades are looked for. Unit: seconds."""

PAST_CANDLES = 1_000
"""Candles of each interval fetched from before the start; the most that one request gives."""

SIDE_BY_SIDE = 8
"""Requests at a time. Reason: the past of twenty symbols takes 320 of them."""


@dataclass(frozen=True)
class _Feeds:
    depth: DepthFeed
    trades: TradeFeed
    top: TopFeed


async def open_mirror(
    stack: AsyncExitStack, spec: MirrorSpec, settings: Settings, *, opening_s: float = OPENING_S
) -> MirrorSource:
    """Follow a venue until ``stack`` is closed; returns when every book is true.

    Later outages are lived through: the last books stay, orders are executed on them, and ``/admin/market`` says that
    the mirror is not live; when the venue is back, the books are led over to its new ones.

    Raises:
        ConfigError: The venue is unknown, has not one of the symbols, or cannot be reached within ``opening_s``.
    """
    endpoints = mirrored_endpoints(spec)
    rest = await open_rest(stack, endpoints, None, settings=settings)
    live = await open_live(stack, endpoints, rest, shared=Shared(), settings=settings)
    try:
        async with asyncio.timeout(opening_s):
            candles = await _past(rest, spec)
            feeds = {symbol: await _follow(stack, live, symbol) for symbol in spec.symbols}
    except TimeoutError:
        text = f"cannot mirror {spec.venue}: {endpoints.rest_url} or {endpoints.stream_url} did not answer"
        raise ConfigError(f"{text} within {opening_s:.0f} s") from None
    except VenueRejected as error:
        raise ConfigError(f"cannot mirror {spec.venue}: {error.message}") from None
    source = MirrorSource(
        spec.venue,
        {symbol: each.depth.book for symbol, each in feeds.items()},
        MirrorHistory(candles, {symbol: each.trades.tape.latest(PAST_CANDLES) for symbol, each in feeds.items()}),
        is_live=lambda: all(each.depth.is_fresh for each in feeds.values()),
    )
    for each in feeds.values():
        stack.callback(each.depth.topic.subscribe(lambda change: _on_depth(source, change)).close)
        stack.callback(each.trades.topic.subscribe(source.on_trade).close)
        stack.callback(each.top.topic.subscribe(source.on_top).close)
    log.info(f"mirroring {', '.join(spec.symbols)} of {spec.venue}")
    return source


def mirrored_endpoints(spec: MirrorSpec) -> VenueEndpoints:
    """Where the venue is.

    Raises:
        ConfigError: It is neither a known venue nor a base URL.
    """
    if "://" not in spec.venue:
        return endpoints_of(spec.venue, stream_url=spec.stream_url)
    rest_url = spec.venue.rstrip("/")
    known = next((each for each in VENUES.values() if each.rest_url == rest_url), None)
    if known is not None:
        return endpoints_of(known.name, stream_url=spec.stream_url)
    parts = urlsplit(rest_url)
    stream_url = spec.stream_url or parts._replace(scheme=parts.scheme.replace("http", "ws", 1)).geturl()
    return endpoints_of("paper", rest_url=rest_url, stream_url=stream_url, ws_api_url=f"{stream_url}/ws-api/v3")


async def _past(rest: BinanceRest, spec: MirrorSpec) -> dict[tuple[str, str], list[Candle]]:
    """Candles of every symbol and interval."""
    places = asyncio.Semaphore(SIDE_BY_SIDE)

    async def fetch(symbol: str, interval: Interval) -> list[Candle]:
        params = klines.KlinesParams(symbol=symbol, interval=interval, limit=PAST_CANDLES)
        while True:
            try:
                async with places:
                    rows = await rest.call(klines.SPEC, params)
            except VenueRejected:
                raise
            except VenueError as error:
                log.warning(f"the venue to mirror does not answer: {type(error).__name__}; trying again")
                await asyncio.sleep(max(RETRY_S, error.retry_after_s or 0.0))
                continue
            # The last one is still open, whatever this machine's clock says.
            return candles_of(symbol, interval, rows, now_ms=rows[-1].close_time if rows else 0)

    keys = [(symbol, cast(Interval, interval)) for symbol in spec.symbols for interval in INTERVALS]
    # One at first: where nobody answers, one request a second is enough.
    await fetch(*keys[0])
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(fetch(*key)) for key in keys]
    except* VenueRejected as errors:
        raise errors.exceptions[0] from None
    return {key: task.result() for key, task in zip(keys, tasks, strict=True)}


async def _follow(stack: AsyncExitStack, live: LiveMarket, symbol: str) -> _Feeds:
    """Lease a symbol's book, trades and top, and wait until the first two are true."""
    clock = SystemClock()
    leases = [live.lease(symbol, kind) for kind in (DEPTH, TRADES, TOP)]
    for lease in leases:
        stack.callback(lease.close)
    depth, trades, top = (lease.feed for lease in leases)
    assert isinstance(depth, DepthFeed)
    assert isinstance(trades, TradeFeed)
    assert isinstance(top, TopFeed)
    while True:
        try:
            await depth.wait_ready(OPENING_S)
            break
        except VenueTimeout:
            continue
    while not trades.is_fresh:
        await clock.sleep(POLL_S)
    return _Feeds(depth, trades, top)


def _on_depth(source: MirrorSource, change: DepthChange) -> None:
    if change.kind == "restart":
        source.on_whole_book(change.book.snapshot())
    else:
        source.on_diff(change.diff)
