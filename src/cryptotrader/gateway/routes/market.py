"""Market data: answered from live state where that is fresh, from the venue otherwise (S0-10 to S0-18, C-21)."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

import msgspec
from starlette.responses import Response

from cryptotrader.core.errors import InvalidParams, UnknownSymbol
from cryptotrader.gateway.http.contract import Call, Query, shorten
from cryptotrader.gateway.ports import GatewayServices
from cryptotrader.gateway.routes import live_answers
from cryptotrader.gateway.routes.venue import ask, from_live, from_venue, symbol_of
from cryptotrader.services.binance.request import Interval
from cryptotrader.services.binance.websocketAPI.market_data_requests.klines import SPEC as KLINES
from cryptotrader.services.binance.websocketAPI.market_data_requests.order_book import SPEC as DEPTH
from cryptotrader.services.binance.websocketAPI.market_data_requests.recent_trades import SPEC as TRADES
from cryptotrader.services.binance.websocketAPI.market_data_requests.symbol_price_ticker import SPEC as PRICE
from cryptotrader.services.binance.websocketAPI.market_data_requests.ticker_price_24h import SPEC as DAY

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
    """The last price: that of the newest trade where trades are followed, else of the newest statistics."""
    symbol = await symbol_of(call.services, call.query.symbol)
    live = call.services.live
    live.touch(symbol, "TRADES")
    trades = live.trades(symbol)
    if trades.is_fresh and (last := trades.tape.last) is not None:
        return from_live("ticker/price", live_answers.price_body(symbol, last.price))
    return from_venue("ticker/price", await ask(call.services, PRICE, {"symbol": symbol}))


async def ticker_day(call: Call[SymbolQuery]) -> Response:
    """Statistics of 24 hours."""
    symbol = await symbol_of(call.services, call.query.symbol)
    live = call.services.live
    live.touch(symbol, "TICKER")
    ticker = live.ticker(symbol)
    if ticker.is_fresh and ticker.latest is not None:
        return from_live("ticker/24hr", live_answers.ticker_body(ticker.latest))
    return from_venue("ticker/24hr", await ask(call.services, DAY, {"symbol": symbol}))


async def depth(call: Call[DepthQuery]) -> Response:
    """The order book, best levels first."""
    symbol = await symbol_of(call.services, call.query.symbol)
    limit = call.query.limit or DEFAULT_DEPTH
    live = call.services.live
    live.touch(symbol, "DEPTH")
    feed = live.depth(symbol)
    if feed.is_ready and limit <= feed.complete_levels:
        book = feed.book
        return from_live("depth", live_answers.depth_body(book.last_id, book.bids(limit), book.asks(limit)))
    return from_venue("depth", await ask(call.services, DEPTH, {"symbol": symbol, "limit": limit}))


async def trades(call: Call[TradesQuery]) -> Response:
    """Recent public trades, oldest first."""
    symbol = await symbol_of(call.services, call.query.symbol)
    limit = call.query.limit or DEFAULT_LIMIT
    live = call.services.live
    live.touch(symbol, "TRADES")
    feed = live.trades(symbol)
    if feed.is_fresh and len(feed.tape) >= limit:
        return from_live("trades", live_answers.trades_body(feed.tape.latest(limit)))
    return from_venue("trades", await ask(call.services, TRADES, {"symbol": symbol, "limit": limit}))


async def klines(call: Call[KlinesQuery]) -> Response:
    """Candles: an array for one symbol, an object of arrays in the order asked for several (C-21)."""
    services, query = call.services, call.query
    texts = query.symbol.split(",")
    if len(texts) == 1:
        return from_venue("klines", await _klines_of(services, query, await symbol_of(services, texts[0])))
    symbols = await _symbols(services, texts)
    answers = await asyncio.gather(*(_klines_of(services, query, symbol) for symbol in symbols), return_exceptions=True)
    rows = []
    for symbol, answer in zip(symbols, answers, strict=True):
        if isinstance(answer, BaseException):
            raise answer
        rows.append(b"%b:%b" % (msgspec.json.encode(symbol), answer))
    return from_venue("klines", b"{" + b",".join(rows) + b"}")


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
    given = {
        "symbol": symbol,
        "interval": query.interval,
        "startTime": query.start_time,
        "endTime": query.end_time,
        "timeZone": query.time_zone,
        "limit": query.limit,
    }
    return await ask(services, KLINES, given)
