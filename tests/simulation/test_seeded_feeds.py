"""Trades, tickers and candles: seeded from REST, followed live, filled after a break."""

from __future__ import annotations

import pytest

from cryptotrader.core.errors import InvalidParams, SubscriptionLimit
from cryptotrader.feeds import TICKER, TRADES, FeedPolicy, kline
from tests.support.live_world import SYMBOL, LiveWorld, live_world

TICKER_TEXTS = """priceChange priceChangePercent weightedAvgPrice prevClosePrice lastPrice lastQty bidPrice bidQty
askPrice askQty openPrice highPrice lowPrice volume quoteVolume"""
TICKER_ROW = dict.fromkeys(TICKER_TEXTS.split(), "1.00000000") | {
    "symbol": SYMBOL,
    "openTime": 1,
    "closeTime": 2,
    "firstId": 1,
    "lastId": 2,
    "count": 2,
}


def ticker_event(event_ms: int) -> dict[str, object]:
    texts = dict.fromkeys(["p", "P", "w", "x", "c", "Q", "b", "B", "a", "A", "o", "h", "l", "v", "q"], "2.00000000")
    return texts | {"e": "24hrTicker", "E": event_ms, "s": SYMBOL, "O": 1, "C": 2, "F": 1, "L": 2, "n": 2}


def kline_event(open_ms: int, count: int, *, closed: bool = False) -> dict[str, object]:
    body = dict.fromkeys(["o", "c", "h", "l", "v", "q", "V", "Q"], "3.00000000")
    numbers = {"t": open_ms, "T": open_ms + 59_999, "s": SYMBOL, "i": "1m", "f": 1, "L": 2, "n": count, "x": closed}
    return {"e": "kline", "E": open_ms, "s": SYMBOL, "k": body | numbers}


def ids(world: LiveWorld) -> list[int]:
    return [trade.trade_id for trade in world.live.trades(SYMBOL).tape.latest()]


async def test_a_tape_is_seeded_then_followed_and_only_news_is_published() -> None:
    async with live_world() as world:
        for _ in range(30):
            world.market.trade(10, 1)
        feed = world.live.trades(SYMBOL)
        news: list[int] = []
        feed.topic.subscribe(lambda trade: news.append(trade.trade_id))
        assert feed.is_fresh is False
        await world.clock.advance(1)
        world.market.trade(10, 1)
        await world.clock.advance(0)
        assert ids(world) == list(range(1, 32))
        assert news == [31]
        assert world.live.trades(SYMBOL).is_fresh


async def test_lost_trades_are_fetched_and_told_in_order() -> None:
    async with live_world() as world:
        world.market.trade(10, 1)
        feed = world.live.trades(SYMBOL)
        news: list[int] = []
        feed.topic.subscribe(lambda trade: news.append(trade.trade_id))
        await world.clock.advance(1)
        for _ in range(3):
            world.market.trade(10, 1, silently=True)
        world.market.trade(10, 1)
        world.market.trade(10, 1)
        await world.clock.advance(1)
        assert news == [2, 3, 4, 5, 6]
        assert feed.is_fresh


async def test_trades_of_a_break_are_fetched_after_it() -> None:
    async with live_world() as world:
        world.market.trade(10, 1)
        feed = world.live.trades(SYMBOL)
        world.live.lease(SYMBOL, TRADES)
        await world.clock.advance(1)
        world.outage()
        await world.clock.advance(5)
        for _ in range(2_500):
            world.market.trade(10, 1)
        world.back()
        await world.clock.advance(40)
        assert ids(world) == list(range(1_502, 2_502))
        world.market.trade(10, 1)
        await world.clock.advance(0)
        assert feed.is_fresh


async def test_what_a_hanging_connection_told_last_is_not_called_the_present() -> None:
    """S0-10, S0-15: a venue that stops in the middle of a sentence keeps its connections open for a while."""
    async with live_world() as world:
        row = [60_000, "1", "1", "1", "1", "1", 119_999, "1", 1, "1", "1", "0"]
        world.rest.on("GET /api/v3/klines", lambda params: [row])
        world.rest.on("GET /api/v3/ticker/24hr", lambda params: TICKER_ROW)
        world.market.trade(10, 1)
        live = world.live
        feeds = (live.trades(SYMBOL), live.depth(SYMBOL), live.candles(SYMBOL, "1m"), live.ticker(SYMBOL))
        await world.clock.advance(2)
        world.market.change(bids=((1_000, 6),))
        await world.clock.advance(1)
        assert [feed.is_fresh for feed in feeds] == [True] * 4
        world.venue.frozen = True
        await world.clock.advance(4)
        assert [feed.is_fresh for feed in feeds] == [False] * 4
        world.venue.frozen = False
        world.market.trade(10, 1)
        await world.clock.advance(0)
        assert [feed.is_fresh for feed in feeds[:3]] == [True] * 3


async def test_a_venue_that_started_anew_gives_a_new_tape() -> None:
    async with live_world() as world:
        for _ in range(10):
            world.market.trade(10, 1)
        world.live.lease(SYMBOL, TRADES)
        await world.clock.advance(1)
        world.outage()
        await world.clock.advance(5)
        world.market.trades.clear()
        world.market.trade(20, 1)
        world.back()
        await world.clock.advance(40)
        world.market.trade(20, 1)
        await world.clock.advance(1)
        assert ids(world) == [1, 2]


async def test_a_ticker_is_there_at_once_and_the_same_one_is_not_told_twice() -> None:
    """S0-44: newest at once."""
    async with live_world() as world:
        world.rest.on("GET /api/v3/ticker/24hr", lambda params: TICKER_ROW)
        feed = world.live.ticker(SYMBOL)
        world.live.lease(SYMBOL, TICKER)
        prices: list[str] = []
        feed.topic.subscribe(lambda ticker: prices.append(ticker.last_price))
        await world.clock.advance(1)
        for event_ms in (1_000, 2_000, 2_000, 1_000, 3_000):
            world.venue.publish("btcusdt@ticker", ticker_event(event_ms))
        await world.clock.advance(0)
        assert prices == ["1.00000000"] + ["2.00000000"] * 3
        assert feed.is_fresh
        await world.clock.advance(6)
        assert not world.live.ticker(SYMBOL).is_fresh


async def test_tickers_go_on_where_the_venues_clock_is_set_back() -> None:
    """S0-40: an hour back must not mean an hour of silence."""
    async with live_world() as world:
        world.rest.on("GET /api/v3/ticker/24hr", lambda params: TICKER_ROW)
        feed = world.live.ticker(SYMBOL)
        world.live.lease(SYMBOL, TICKER)
        await world.clock.advance(1)
        times: list[int] = []
        feed.topic.subscribe(lambda ticker: times.append(ticker.event_ms))
        for event_ms in (3_600_000, 3_601_000, 2_000, 3_000, 3_000):
            world.venue.publish("btcusdt@ticker", ticker_event(event_ms))
        await world.clock.advance(0)
        assert times == [3_600_000, 3_601_000, 2_000, 3_000]


async def test_candles_are_seeded_and_updated() -> None:
    async with live_world() as world:
        row = [60_000, "1", "1", "1", "1", "1", 119_999, "1", 1, "1", "1", "0"]
        world.rest.on("GET /api/v3/klines", lambda params: [row])
        feed = world.live.candles(SYMBOL, "1m")
        world.live.lease(SYMBOL, kline("1m"))
        await world.clock.advance(1)
        assert feed.is_fresh
        for event in (kline_event(60_000, 5), kline_event(60_000, 4), kline_event(120_000, 1), kline_event(60_000, 9)):
            world.venue.publish("btcusdt@kline_1m", event)
        await world.clock.advance(0)
        assert [(candle.open_ms, candle.trade_count) for candle in feed.series.latest()] == [(60_000, 5), (120_000, 1)]


async def test_a_candle_whose_end_was_lost_is_fetched() -> None:
    """S0-12: no row is missing, and none stays as it was before its last trades."""

    def row(open_ms: int, count: int) -> list[object]:
        return [open_ms, "1", "1", "1", "1", "1", open_ms + 59_999, "1", count, "1", "1", "0"]

    async with live_world() as world:
        rows = [row(60_000, 1)]
        world.rest.on("GET /api/v3/klines", lambda params: rows)
        feed = world.live.candles(SYMBOL, "1m")
        world.live.lease(SYMBOL, kline("1m"))
        await world.clock.advance(1)
        world.venue.publish("btcusdt@kline_1m", kline_event(60_000, 5, closed=True))
        world.venue.publish("btcusdt@kline_1m", kline_event(120_000, 1))
        await world.clock.advance(1)
        assert world.rest.count("GET /api/v3/klines") == 1
        rows = [row(60_000, 5), row(120_000, 7), row(180_000, 2), row(240_000, 1)]
        world.venue.publish("btcusdt@kline_1m", kline_event(240_000, 1))
        await world.clock.advance(1)
        counts = [(candle.open_ms, candle.trade_count) for candle in feed.series.latest()]
        assert counts == [(60_000, 5), (120_000, 7), (180_000, 2), (240_000, 1)]


async def test_a_message_that_makes_no_sense_harms_nothing() -> None:
    async with live_world() as world:
        world.market.trade(10, 1)
        world.live.lease(SYMBOL, TRADES)
        await world.clock.advance(1)
        rubbish: object
        for rubbish in ({}, {"p": "NaN"}, {"e": "trade"}, [], "x", {"s": SYMBOL, "t": "x"}):
            world.venue.publish("btcusdt@trade", rubbish)
        world.market.trade(10, 1)
        await world.clock.advance(1)
        assert ids(world) == [1, 2]


async def test_feeds_are_limited_and_kinds_are_checked() -> None:
    async with live_world(FeedPolicy(max_feeds=2)) as world:
        world.live.touch("AUSDT", TRADES)
        world.live.touch("BUSDT", TRADES)
        world.live.touch("BUSDT", TRADES)
        with pytest.raises(SubscriptionLimit):
            world.live.touch("CUSDT", TRADES)
        await world.clock.advance(70)
        world.live.touch("CUSDT", TRADES)
    async with live_world() as world:
        for kind in ("nonsense", "kline:7m", "kline:"):
            with pytest.raises(InvalidParams):
                world.live.lease(SYMBOL, kind)
        assert world.live.feed_count == 0
