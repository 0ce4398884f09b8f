"""Market data: answered from live state where that is fresh, from the venue otherwise (S0-10 to S0-18, C-21)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Literal

import msgspec
from starlette.responses import Response

from cryptotrader.core.errors import InvalidParams, SubscriptionLimit, UnknownSymbol
from cryptotrader.gateway.http.contract import Call, Query, shorten
from cryptotrader.gateway.http.replies import json_reply
from cryptotrader.gateway.ports import GatewayServices, Live
from cryptotrader.gateway.routes import live_answers
from cryptotrader.gateway.routes.venue import ask, from_live, from_venue, symbol_of
from cryptotrader.services.binance.request import Interval
from cryptotrader.services.binance.websocketAPI.market_data_requests.klines import SPEC as KLINES
from cryptotrader.services.binance.websocketAPI.market_data_requests.order_book import SPEC as DEPTH
from cryptotrader.services.binance.websocketAPI.market_data_requests.recent_trades import SPEC as TRADES
from cryptotrader.services.binance.websocketAPI.market_data_requests.symbol_price_ticker import SPEC as PRICE
from cryptotrader.services.binance.websocketAPI.market_data_requests.ticker_price_24h import SPEC as DAY
from cryptotrader.telemetry.metrics import REST_SOURCE

MAX_SYMBOLS = 20
"""Most symbols in one klines request (C-21). Reason: each costs weight 2 upstream."""

DEFAULT_LIMIT = 500
"""Rows of klines and trades where the client names no limit, as at the venue."""

DEFAULT_DEPTH = 100
"""Levels per side where the client names no limit, as at the venue."""

SymbolText = Annotated[str, msgspec.Meta(min_length=1, max_length=41)]
Rows = Annotated[int, msgspec.Meta(ge=1, le=1000)]
Millis = Annotated[int, msgspec.Meta(ge=0, le=10**15)]


class SymbolQuery(Query, frozen=True, kw_only=True):
    """One symbol."""

    symbol: SymbolText


class KlinesQuery(Query, frozen=True, kw_only=True):
    """Candles of one symbol, or of several separated by commas."""

    symbol: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_SYMBOLS * 22)]
    interval: Interval
    start_time: Millis | None = None
    end_time: Millis | None = None
    time_zone: Annotated[str, msgspec.Meta(pattern=r"^[+-]?[0-9]{1,2}(:[0-9]{2})?$")] | None = None
    limit: Rows | None = None


class DepthQuery(SymbolQuery, frozen=True, kw_only=True):
    """An order book, cut to some levels per side (S0-16)."""

    limit: Literal[5, 10, 20, 50, 100, 500, 1000, 5000] | None = None


class TradesQuery(SymbolQuery, frozen=True, kw_only=True):
    """Recent trades."""

    limit: Rows | None = None


async def ticker_price(call: Call[SymbolQuery]) -> Response:
    """The last price: that of the newest trade."""
    symbol = await symbol_of(call.services, call.query.symbol)
    if (body := _live(lambda live: _live_price(live, symbol), call.services)) is not None:
        return from_live("ticker/price", body)
    return from_venue("ticker/price", await ask(call.services, PRICE, {"symbol": symbol}))


async def ticker_day(call: Call[SymbolQuery]) -> Response:
    """Statistics of 24 hours."""
    symbol = await symbol_of(call.services, call.query.symbol)
    if (body := _live(lambda live: _live_day(live, symbol), call.services)) is not None:
        return from_live("ticker/24hr", body)
    return from_venue("ticker/24hr", await ask(call.services, DAY, {"symbol": symbol}))


async def depth(call: Call[DepthQuery]) -> Response:
    """The order book, best levels first."""
    symbol = await symbol_of(call.services, call.query.symbol)
    limit = call.query.limit or DEFAULT_DEPTH
    if (body := _live(lambda live: _live_depth(live, symbol, limit), call.services)) is not None:
        return from_live("depth", body)
    return from_venue("depth", await ask(call.services, DEPTH, {"symbol": symbol, "limit": limit}))


async def trades(call: Call[TradesQuery]) -> Response:
    """Recent public trades, oldest first."""
    symbol = await symbol_of(call.services, call.query.symbol)
    limit = call.query.limit or DEFAULT_LIMIT
    if (body := _live(lambda live: _live_trades(live, symbol, limit), call.services)) is not None:
        return from_live("trades", body)
    return from_venue("trades", await ask(call.services, TRADES, {"symbol": symbol, "limit": limit}))


def _live(read: Callable[[Live], bytes | None], services: GatewayServices) -> bytes | None:
    """An answer from live state; None where it is not fresh, or nothing more can be followed."""
    try:
        return read(services.live)
    except SubscriptionLimit:
        return None


def _live_price(live: Live, symbol: str) -> bytes | None:
    feed = live.trades(symbol)
    last = feed.tape.last
    return live_answers.price_body(symbol, last.price) if feed.is_fresh and last is not None else None


def _live_day(live: Live, symbol: str) -> bytes | None:
    feed = live.ticker(symbol)
    return live_answers.ticker_body(feed.latest) if feed.is_fresh and feed.latest is not None else None


def _live_depth(live: Live, symbol: str, limit: int) -> bytes | None:
    feed = live.depth(symbol)
    if not feed.is_fresh or limit > feed.complete_levels:
        return None
    return live_answers.depth_body(feed.book.last_id, feed.book.bids(limit), feed.book.asks(limit))


def _live_trades(live: Live, symbol: str, limit: int) -> bytes | None:
    feed = live.trades(symbol)
    return live_answers.trades_body(feed.tape.latest(limit)) if feed.is_fresh and len(feed.tape) >= limit else None


def _live_klines(services: GatewayServices, query: KlinesQuery, symbol: str) -> bytes | None:
    feed = services.live.candles(symbol, query.interval)
    limit = query.limit or DEFAULT_LIMIT
    rows = feed.series.latest(limit) if feed.is_fresh else ()
    if len(rows) < limit or services.upstream.venue_now_ms() > rows[-1].close_ms:
        # In the second case the venue has opened a candle already that its stream has not told of.
        return None
    return live_answers.klines_body(rows)


async def klines(call: Call[KlinesQuery]) -> Response:
    """Candles: an array for one symbol, an object of arrays in the order asked for several (C-21)."""
    services, query = call.services, call.query
    texts = query.symbol.split(",")
    if len(texts) == 1:
        return json_reply(await _klines_of(services, query, await symbol_of(services, texts[0])))
    symbols = await _symbols(services, texts)
    answers = await asyncio.gather(*(_klines_of(services, query, symbol) for symbol in symbols), return_exceptions=True)
    rows = []
    for symbol, answer in zip(symbols, answers, strict=True):
        if isinstance(answer, BaseException):
            raise answer
        rows.append(b"%b:%b" % (msgspec.json.encode(symbol), answer))
    return json_reply(b"{" + b",".join(rows) + b"}")


async def _symbols(services: GatewayServices, texts: list[str]) -> list[str]:
    """Several symbols in the venue's spelling, each once, in the order asked for.

    Raises:
        InvalidParams: More than ``MAX_SYMBOLS``.
        UnknownSymbol: One of them does not exist; the text names it.
    """
    if len(texts) > MAX_SYMBOLS:
        raise InvalidParams(f"Invalid symbol: more than {MAX_SYMBOLS} symbols", param="symbol", problem="out_of_range")
    found: dict[str, None] = {}
    for text in texts:
        try:
            found[await symbol_of(services, text)] = None
        except UnknownSymbol:
            raise InvalidParams(f"Invalid symbol: {shorten(text)}", param="symbol", problem="unknown") from None
    return list(found)


async def _klines_of(services: GatewayServices, query: KlinesQuery, symbol: str) -> bytes:
    """Candles of one symbol; live state holds only the newest, in UTC."""
    if query.start_time is None and query.end_time is None and query.time_zone is None:
        body = _live(lambda live: _live_klines(services, query, symbol), services)
        if body is not None:
            REST_SOURCE.labels("klines", "live").inc()
            return body
    given = {
        "symbol": symbol,
        "interval": query.interval,
        "startTime": query.start_time,
        "endTime": query.end_time,
        "timeZone": query.time_zone,
        "limit": query.limit,
    }
    body = await ask(services, KLINES, given)
    REST_SOURCE.labels("klines", "upstream").inc()
    return body
