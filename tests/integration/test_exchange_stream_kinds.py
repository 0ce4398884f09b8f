"""Every stream kind of ``web-socket-streams.md`` over real sockets, held against its twin in REST."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect

from cryptotrader.core.events import Trade
from cryptotrader.exchange.market.rules_data import rules_for
from cryptotrader.exchange.market.synthetic import SyntheticSource
from cryptotrader.exchange.server import ExchangeServer
from cryptotrader.exchange.venue import PaperVenue
from cryptotrader.net import SystemClock
from tests.support.paper import BTC, QuietSource, SignedClient, paper_venue, rows, running_exchange, units

PATIENCE_S = 8.0
SYMBOLS = ("BTCUSDT", "ETHUSDT")


@asynccontextmanager
async def living_exchange() -> AsyncIterator[tuple[ExchangeServer, SignedClient]]:
    """Two symbols that move."""
    venue = PaperVenue(rules_for(SYMBOLS), [SyntheticSource(seed=3, symbols=SYMBOLS)], clock=SystemClock())
    async with running_exchange(venue) as server, SignedClient(server.url) as client:
        yield server, client


@dataclass
class Listener:
    """A combined connection and what came over it, by stream."""

    socket: ClientConnection

    async def first(self, *names: str) -> dict[str, Any]:
        """The first event of each stream."""
        found: dict[str, Any] = {}
        async with asyncio.timeout(PATIENCE_S):
            while len(found) < len(names):
                message = json.loads(await self.socket.recv())
                if message.get("stream") in names:
                    found.setdefault(message["stream"], message["data"])
        return found


@asynccontextmanager
async def listening(server: ExchangeServer, *names: str, query: str = "") -> AsyncIterator[Listener]:
    url = f"ws://127.0.0.1:{server.port}/stream?streams={'/'.join(map(quote, names))}{query}"
    async with connect(url) as socket:
        yield Listener(socket)


KINDS = {
    "btcusdt@trade": "trade",
    "btcusdt@aggTrade": "aggTrade",
    "btcusdt@kline_1s": "kline",
    "btcusdt@kline_1M": "kline",
    "btcusdt@kline_1d@+08:00": "kline",
    "btcusdt@miniTicker": "24hrMiniTicker",
    "!miniTicker@arr": "24hrMiniTicker",
    "btcusdt@ticker": "24hrTicker",
    "btcusdt@ticker_1h": "1hTicker",
    "btcusdt@ticker_4h": "4hTicker",
    "btcusdt@ticker_1d": "1dTicker",
    "!ticker_1h@arr": "1hTicker",
    "!ticker_4h@arr": "4hTicker",
    "!ticker_1d@arr": "1dTicker",
    "btcusdt@bookTicker": None,
    "btcusdt@avgPrice": "avgPrice",
    "btcusdt@depth5": None,
    "btcusdt@depth10@100ms": None,
    "btcusdt@depth20": None,
    "btcusdt@depth": "depthUpdate",
    "btcusdt@depth@100ms": "depthUpdate",
    "btcusdt@referencePrice": "referencePrice",
    "btcusdt@blockTrade": "blockTrade",
}
"""Stream to event type."""


def times(value: Any) -> list[int]:
    """All times in an event."""
    if isinstance(value, list):
        return [found for item in value for found in times(item)]
    if not isinstance(value, dict):
        return []
    own = [value[key] for key in ("E", "T", "t", "O", "C") if isinstance(value.get(key), int)]
    if value.get("e") in ("trade", "blockTrade"):
        own.remove(value["t"])
    return own + times(value.get("k"))


@pytest.mark.parametrize("unit", ["", "&timeUnit=MICROSECOND"])
async def test_every_kind_of_stream_speaks_combined_and_in_either_unit_of_time(unit: str) -> None:
    async with living_exchange() as (server, client), listening(server, *KINDS, query=unit) as listener:
        block = {"symbol": "BTCUSDT", "qty": "25", "buyer_is_maker": True}
        assert (await client.http.post("/admin/block-trades", json=block)).status_code == 201
        events = await listener.first(*KINDS)
    for name, kind in KINDS.items():
        first = events[name][0] if name.endswith("@arr") else events[name]
        assert first.get("e") == kind, name
        assert all((time > 10**15) == bool(unit) for time in times(events[name])), name
    book = events["btcusdt@depth20"]
    assert len(book["bids"]) == len(book["asks"]) == 20
    assert {row["s"] for row in events["!ticker_1h@arr"]} <= set(SYMBOLS)


async def test_every_kind_of_stream_speaks_raw() -> None:
    names = [name for name in KINDS if name != "btcusdt@blockTrade"]
    waiting = {kind for name, kind in KINDS.items() if name in names}
    async with living_exchange() as (server, _):
        url = f"ws://127.0.0.1:{server.port}/ws/{'/'.join(map(quote, names))}"
        async with connect(url) as socket, asyncio.timeout(PATIENCE_S):
            while waiting:
                event = json.loads(await socket.recv())
                waiting.discard((event[0] if isinstance(event, list) else event).get("e"))


async def test_windows_agree_with_rest() -> None:
    """``GET /api/v3/ticker`` asked for the same moment has the same numbers."""
    source = QuietSource()
    async with running_exchange(paper_venue(source)) as server, SignedClient(server.url) as client:
        trade(server, 101, "45000", "0.25")
        trade(server, 102, "45010", "0.5")
        async with listening(server, "btcusdt@ticker_4h", "!ticker_4h@arr", "btcusdt@kline_1d@+08:00") as listener:
            events = await listener.first("btcusdt@ticker_4h", "!ticker_4h@arr", "btcusdt@kline_1d@+08:00")
        answer = (await client.get("/api/v3/ticker", symbol="BTCUSDT", windowSize="4h")).json()
        row = (await client.get("/api/v3/uiKlines", symbol="BTCUSDT", interval="1d", timeZone="8")).json()[-1]
    event = events["btcusdt@ticker_4h"]
    names = {
        "p": "priceChange", "P": "priceChangePercent", "w": "weightedAvgPrice", "o": "openPrice", "h": "highPrice",
        "l": "lowPrice", "c": "lastPrice", "v": "volume", "q": "quoteVolume", "F": "firstId", "L": "lastId",
        "n": "count",
    }  # fmt: skip
    assert {key: event[key] for key in names} == {key: answer[name] for key, name in names.items()}
    assert event["O"] % 60_000 == 0
    assert 0 <= event["C"] - event["O"] - 4 * 3_600_000 < 60_000
    assert {**events["!ticker_4h@arr"][0], "E": 0, "C": 0, "O": 0} == {**event, "E": 0, "C": 0, "O": 0}
    candle = events["btcusdt@kline_1d@+08:00"]["k"]
    assert [candle[key] for key in "tohlcvTqnVQ"] == row[:11]
    assert candle["t"] % 86_400_000 == 16 * 3_600_000


def trade(server: ExchangeServer, number: int, price: str, qty: str) -> None:
    now_ms = server.venue.now_ms()
    event = Trade("BTCUSDT", number, units(price), units(qty), now_ms, True, now_ms)
    server.venue._on_market(event, now_ms)


async def test_what_one_order_took_at_one_price_is_one_aggregate() -> None:
    """Stream and ``aggTrades`` tell the same; ``@trade`` tells each trade."""
    async with running_exchange(paper_venue()) as server, SignedClient(server.url) as client:
        assert (await client.order(price="44000", quantity="0.001")).status_code == 200
        async with listening(server, "btcusdt@aggTrade", "btcusdt@trade") as listener:
            await client.order(type="MARKET", price=None, timeInForce=None, quantity="0.6")
            await client.order(type="MARKET", price=None, timeInForce=None, quantity="0.1")
            aggregates: list[Any] = []
            trades: list[Any] = []
            async with asyncio.timeout(PATIENCE_S):
                while len(aggregates) < 3:
                    message = json.loads(await listener.socket.recv())
                    (aggregates if message["stream"].endswith("aggTrade") else trades).append(message["data"])
        told = rows(await client.get("/api/v3/aggTrades", symbol="BTCUSDT", fromId=aggregates[0]["a"]))
    assert [(row["p"][:5], row["q"]) for row in aggregates] == [
        ("45001", "0.50000000"),
        ("45002", "0.10000000"),
        ("45002", "0.10000000"),
    ]
    shared = ("a", "p", "q", "f", "l", "T", "m", "M")
    assert [{key: row[key] for key in shared} for row in aggregates] == told
    assert [row["t"] for row in trades] == list(range(aggregates[0]["f"], aggregates[-1]["l"] + 1))
    assert [row["a"] for row in aggregates] == list(range(aggregates[0]["a"], aggregates[0]["a"] + 3))


async def test_a_block_trade_is_told_and_remembered() -> None:
    async with running_exchange(paper_venue()) as server, SignedClient(server.url) as client:
        async with listening(server, "btcusdt@blockTrade") as listener:
            wanted = {"symbol": "BTCUSDT", "price": "46000.5", "qty": "25", "buyer_is_maker": True}
            made = (await client.http.post("/admin/block-trades", json=wanted)).json()
            event = (await listener.first("btcusdt@blockTrade"))["btcusdt@blockTrade"]
        answer = await client.keyed("GET", "/api/v3/historicalBlockTrades", symbol="BTCUSDT", fromId=made["id"])
        (row,) = rows(answer)
        day = (await client.get("/api/v3/ticker/24hr", symbol="BTCUSDT")).json()
        for wrong in ({"symbol": "NOSUCH", "qty": "1"}, {"symbol": "BTCUSDT", "qty": "0"}, {"symbol": "BTCUSDT"}):
            assert (await client.http.post("/admin/block-trades", json=wrong)).status_code == 400
    assert (event["t"], event["p"], event["q"], event["T"], event["m"]) == (
        row["id"],
        row["price"],
        row["qty"],
        row["time"],
        row["isBuyerMaker"],
    )
    assert row["quoteQty"] == "1150012.50000000"
    assert day["volume"] == "0.00000000"


async def test_a_reference_price_is_none_as_rest_says() -> None:
    async with running_exchange(paper_venue()) as server, SignedClient(server.url) as client:
        async with listening(server, "btcusdt@referencePrice") as listener:
            event = (await listener.first("btcusdt@referencePrice"))["btcusdt@referencePrice"]
        answer = (await client.get("/api/v3/referencePrice", symbol="BTCUSDT")).json()
    assert (event["s"], event["r"], answer["code"]) == ("BTCUSDT", None, -2043)


async def test_names_of_symbols_may_be_of_any_alphabet() -> None:
    """ "General WSS information": non-ASCII names come percent-encoded and are told in UTF-8."""

    class Foreign(QuietSource):
        symbols: tuple[str, ...] = ("币安人生USDT",)

        def __init__(self) -> None:
            super().__init__()
            self.symbols = ("币安人生USDT",)

    rule = msgspec.structs.replace(BTC, symbol="币安人生USDT", base="币安人生")
    venue = PaperVenue([rule], [Foreign()], clock=SystemClock())
    name = "币安人生usdt@miniTicker"
    async with running_exchange(venue) as server:
        async with listening(server, name) as listener:
            assert (await listener.first(name))[name]["s"] == "币安人生USDT"
        async with connect(f"ws://127.0.0.1:{server.port}/ws/{quote(name)}") as socket, asyncio.timeout(PATIENCE_S):
            assert json.loads(await socket.recv())["s"] == "币安人生USDT"
