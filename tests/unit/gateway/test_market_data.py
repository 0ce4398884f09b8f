"""Market data: live where it is fresh, the venue's own bytes otherwise."""

from __future__ import annotations

import pytest

from cryptotrader.core.errors import SubscriptionLimit, VenueRejected
from cryptotrader.core.events import BookSnapshot, Candle, Ticker24h, Trade
from cryptotrader.core.scaled import SCALE
from cryptotrader.feeds.catalogue import SymbolCatalogue
from cryptotrader.feeds.live import LiveMarket
from cryptotrader.gateway.ports import Catalogue, Live
from cryptotrader.services.binance.restAPI.client import BinanceRest
from cryptotrader.trading.ports import Upstream
from tests.support.gateway import Bench, FakeLive


def fits(live: LiveMarket, catalogue: SymbolCatalogue, rest: BinanceRest) -> tuple[Live, Catalogue, Upstream]:
    """The type checker proves that the real parts fill the ports."""
    return live, catalogue, rest


def trade(number: int) -> Trade:
    return Trade("BTCUSDT", number, 45_000 * SCALE, SCALE // 100, 1609459200000, True, 1609459200001)


@pytest.mark.parametrize("spelling", ["BTCUSDT", "btcusdt", "BTC/USDT", "btc-usdt", "Btc_Usdt"])
async def test_price_is_the_venues_exact_text_whatever_the_spelling(spelling: str) -> None:
    """S0-10, C-12, C-14."""
    bench = Bench()
    body = b'{"symbol":"BTCUSDT","price":"45000.50"}'
    bench.venue.says("ticker.price", body)
    async with bench.client() as client:
        reply = await client.get("/api/v1/ticker/price", params={"symbol": spelling})
    assert (reply.status_code, reply.content) == (200, body)
    assert reply.headers["content-type"] == "application/json"
    assert bench.venue.calls == [("ticker.price", {"symbol": "BTCUSDT"})]


async def test_price_comes_from_the_newest_trade_where_trades_are_followed() -> None:
    """S0-10."""
    bench = Bench()
    feed = bench.live.trades("BTCUSDT")
    feed.tape.append(trade(1))
    feed.is_fresh = True
    async with bench.client() as client:
        reply = await client.get("/api/v1/ticker/price?symbol=BTCUSDT")
    assert reply.json() == {"symbol": "BTCUSDT", "price": "45000.00000000"}
    assert bench.venue.calls == []


async def test_trades_come_from_the_tape_only_where_it_holds_enough() -> None:
    """S0-17."""
    bench = Bench()
    bench.venue.says("trades.recent", b"[]")
    feed = bench.live.trades("BTCUSDT")
    for number in range(1, 4):
        feed.tape.append(trade(number))
    feed.is_fresh = True
    async with bench.client() as client:
        live = await client.get("/api/v1/trades?symbol=BTCUSDT&limit=2")
        asked = await client.get("/api/v1/trades?symbol=BTCUSDT&limit=4")
    assert [row["id"] for row in live.json()] == [2, 3]
    assert live.json()[0] == {
        "id": 2,
        "price": "45000.00000000",
        "qty": "0.01000000",
        "quoteQty": "450.00000000",
        "time": 1609459200000,
        "isBuyerMaker": True,
        "isBestMatch": True,
    }
    assert asked.json() == []


async def test_depth_comes_from_the_true_book_best_first() -> None:
    """S0-15."""
    bench = Bench()
    bench.venue.says("depth", b'{"lastUpdateId":1,"bids":[],"asks":[]}')
    feed = bench.live.depth("BTCUSDT")
    bids = tuple(((100 - step) * SCALE, SCALE) for step in range(20))
    asks = tuple(((101 + step) * SCALE, SCALE) for step in range(20))
    feed.book.load(BookSnapshot("BTCUSDT", 77, bids, asks))
    async with bench.client() as client:
        before = await client.get("/api/v1/depth?symbol=BTCUSDT&limit=10")
        feed.is_fresh, feed.complete_levels = True, 10
        live = await client.get("/api/v1/depth?symbol=BTCUSDT&limit=10")
        deeper = await client.get("/api/v1/depth?symbol=BTCUSDT&limit=20")
    assert before.json()["lastUpdateId"] == deeper.json()["lastUpdateId"] == 1
    assert live.json()["lastUpdateId"] == 77
    assert live.json()["bids"][:2] == [["100.00000000", "1.00000000"], ["99.00000000", "1.00000000"]]
    assert len(live.json()["asks"]) == 10
    assert [call["limit"] for call in bench.venue.calls_of("depth")] == [10, 20]


@pytest.mark.parametrize("limit", [5, 10, 20, 50, 100, 500, 1000, 5000])
async def test_the_documented_depth_limits_are_accepted(limit: int) -> None:
    """S0-16."""
    bench = Bench()
    bench.venue.says("depth", b"{}")
    async with bench.client() as client:
        assert (await client.get(f"/api/v1/depth?symbol=BTCUSDT&limit={limit}")).status_code == 200


@pytest.mark.parametrize("limit", ["0", "-5", "7", "5001", "five", "", "5.0", "5e0", "%2B5", "05x", "١٠"])
async def test_other_depth_limits_are_400_and_named(limit: str) -> None:
    """S0-16."""
    async with Bench().client() as client:
        reply = await client.get(f"/api/v1/depth?symbol=BTCUSDT&limit={limit}")
    assert reply.status_code == 400
    assert "limit" in reply.json()["error"]


async def test_statistics_come_from_the_stream_with_all_their_keys() -> None:
    """S0-11."""
    bench = Bench()
    feed = bench.live.ticker("BTCUSDT")
    names = msg_fields()
    feed.latest = Ticker24h(**names)  # type: ignore[arg-type]
    feed.is_fresh = True
    async with bench.client() as client:
        reply = await client.get("/api/v1/ticker/24hr?symbol=BTCUSDT")
    wanted = (
        "symbol priceChange priceChangePercent weightedAvgPrice prevClosePrice lastPrice lastQty bidPrice askPrice "
        "openPrice highPrice lowPrice volume quoteVolume openTime closeTime count"
    )
    assert set(wanted.split()) <= set(reply.json())
    assert bench.venue.calls == []


def msg_fields() -> dict[str, object]:
    """A value for each field of the statistics, of the right type."""
    return {
        name: 1 if kind == "int" else "BTCUSDT" if name == "symbol" else "1.00000000"
        for name, kind in Ticker24h.__annotations__.items()
    }


def candle(number: int) -> Candle:
    open_ms = number * 3_600_000
    return Candle(
        symbol="BTCUSDT",
        interval="1h",
        open_ms=open_ms,
        close_ms=open_ms + 3_599_999,
        open=SCALE,
        high=SCALE,
        low=SCALE,
        close=SCALE,
        volume=SCALE,
        quote_volume=SCALE,
        trade_count=5,
        taker_buy_volume=SCALE,
        taker_buy_quote_volume=SCALE,
        is_closed=True,
    )


async def test_candles_already_followed_are_rows_of_twelve() -> None:
    """S0-12."""
    bench = Bench()
    bench.venue.says("klines", b"[[0]]")
    feed = bench.live.candles("BTCUSDT", "1h")
    for number in range(5):
        feed.series.put(candle(number))
    feed.is_fresh = True
    async with bench.client() as client:
        live = await client.get("/api/v1/klines?symbol=BTCUSDT&interval=1h&limit=3")
        asked = await client.get("/api/v1/klines?symbol=BTCUSDT&interval=1h&limit=6")
        past = await client.get("/api/v1/klines?symbol=BTCUSDT&interval=1h&limit=3&endTime=5")
        bench.venue.now_ms = 5 * 3_600_000
        turned = await client.get("/api/v1/klines?symbol=BTCUSDT&interval=1h&limit=3")
    assert [row[0] for row in live.json()] == [2 * 3_600_000, 3 * 3_600_000, 4 * 3_600_000]
    assert [len(row) for row in live.json()] == [12] * 3
    assert live.json()[0][11] == "0"
    assert asked.json() == past.json() == [[0]]
    assert turned.json() == [[0]], "the newest candle known has ended, so it is not the one that is open"


@pytest.mark.parametrize("interval", ["1m", "5m", "15m", "30m", "1h", "4h", "1d", "1w", "1M", "1s", "3m", "12h", "3d"])
async def test_advertised_and_further_intervals_are_accepted(interval: str) -> None:
    """S0-13."""
    bench = Bench()
    bench.venue.says("klines", b"[]")
    async with bench.client() as client:
        assert (await client.get(f"/api/v1/klines?symbol=BTCUSDT&interval={interval}")).status_code == 200
    assert bench.venue.calls_of("klines")[0]["interval"] == interval


@pytest.mark.parametrize("interval", ["1H", "2m", "", "1y"])
async def test_an_unknown_interval_is_400_and_named(interval: str) -> None:
    """S0-13."""
    async with Bench().client() as client:
        reply = await client.get(f"/api/v1/klines?symbol=BTCUSDT&interval={interval}")
    assert reply.status_code == 400
    assert "interval" in reply.json()["error"]


async def test_several_symbols_give_an_object_in_the_order_asked_for() -> None:
    """S0-14, C-21."""
    bench = Bench()
    bench.venue.says("klines", lambda params: b'[["%s"]]' % params["symbol"].encode())
    async with bench.client() as client:
        reply = await client.get("/api/v1/klines?symbol=ethusdt,BTCUSDT,ETH/BTC&interval=1h")
    assert list(reply.json().items()) == [
        ("ETHUSDT", [["ETHUSDT"]]),
        ("BTCUSDT", [["BTCUSDT"]]),
        ("ETHBTC", [["ETHBTC"]]),
    ]


@pytest.mark.parametrize("symbols", ["BTCUSDT,NOPE", "BTCUSDT,", ",", ",".join(["BTCUSDT"] * 21)])
async def test_a_bad_symbol_among_several_is_400_and_named(symbols: str) -> None:
    """S0-14, C-21."""
    bench = Bench()
    bench.venue.says("klines", b"[]")
    async with bench.client() as client:
        reply = await client.get(f"/api/v1/klines?symbol={symbols}&interval=1h")
    assert reply.status_code == 400
    assert reply.json()["error"].startswith("Invalid symbol")
    assert bench.venue.calls == []


async def test_one_failing_symbol_fails_the_whole_request() -> None:
    """C-21."""
    bench = Bench()
    refusal = VenueRejected("Invalid symbol.", venue_code=-1121)
    bench.venue.says("klines", lambda params: refusal if params["symbol"] == "ETHUSDT" else b"[]")
    async with bench.client() as client:
        reply = await client.get("/api/v1/klines?symbol=BTCUSDT,ETHUSDT&interval=1h")
    assert (reply.status_code, reply.json()) == (400, {"error": "Invalid symbol", "status": 400})


async def test_where_no_more_can_be_followed_the_venue_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """S0-10."""

    def full(self: FakeLive, symbol: str) -> None:
        raise SubscriptionLimit("Too many symbols")

    monkeypatch.setattr(FakeLive, "trades", full)
    bench = Bench()
    bench.venue.says("ticker.price", b'{"symbol":"BTCUSDT","price":"1.0"}')
    async with bench.client() as client:
        assert (await client.get("/api/v1/ticker/price?symbol=BTCUSDT")).status_code == 200
