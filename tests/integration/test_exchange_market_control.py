"""The market of a running exchange is paused, stepped, sought, sped up and drawn anew: clients' books stay true."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx2
import pytest

from cryptotrader.core.events import Trade
from cryptotrader.core.orders import Side
from cryptotrader.core.scaled import to_decimal
from cryptotrader.exchange.accounts import SAMPLE_KEY_ID, SAMPLE_SECRET
from cryptotrader.exchange.engine.events import TradePrinted
from cryptotrader.exchange.market.rules_data import rules_for
from cryptotrader.exchange.market.source import MarketSource
from cryptotrader.exchange.market.spec import PACKAGED_TAPE, read_recording
from cryptotrader.exchange.market.synthetic import SyntheticSource
from cryptotrader.exchange.market.tape import TapeSource
from cryptotrader.exchange.server import ExchangeServer
from cryptotrader.exchange.venue import PaperVenue
from cryptotrader.library import BookChange, LocalOrderBook, MarketData
from cryptotrader.net import SystemClock
from cryptotrader.services.binance.endpoints import paper
from cryptotrader.services.binance.signing import Credentials
from cryptotrader.services.binance.websocketAPI.base_operations import BinanceWebSocketConnection
from tests.support.paper import body, running_exchange
from tests.support.waiting import eventually

WAIT_S = 15.0
SYMBOLS = ("BTCUSDT", "ETHUSDT")


@dataclass
class World:
    server: ExchangeServer
    admin: httpx2.AsyncClient
    books: dict[str, LocalOrderBook]
    changes: dict[str, list[BookChange]] = field(default_factory=lambda: {symbol: [] for symbol in SYMBOLS})
    trades: dict[str, list[Trade]] = field(default_factory=lambda: {symbol: [] for symbol in SYMBOLS})

    async def control(self, action: str, status: int = 200, **more: object) -> dict[str, Any]:
        """Do something to the market; the state of the sources that were meant, by their first symbol."""
        answer = await self.admin.post("/market", json={"action": action, **more})
        assert answer.status_code == status, answer.text
        sources: Any = body(answer).get("sources", [])
        return {source["symbols"][0]: source for source in sources} or body(answer)

    def shows(self, symbol: str) -> bool:
        """Whether a client's book is the exchange's, level by level."""
        mine, theirs = self.books[symbol], self.server.venue.engine.book(symbol)
        return mine.is_ready and all(
            [(each.price, each.quantity) for each in levels]
            == [(to_decimal(price), to_decimal(quantity)) for price, quantity in theirs.levels(side)]
            for side, levels in ((Side.BUY, mine.bids()), (Side.SELL, mine.asks()))
        )

    def is_past(self, symbol: str, update_id: int) -> bool:
        """Whether the exchange's book has moved on."""
        return self.server.venue.engine.last_id(symbol) > update_id

    async def comes_to_rest(self) -> None:
        """Until every book is the exchange's; the market must be paused."""
        for symbol in SYMBOLS:
            await eventually(partial(self.shows, symbol), timeout_s=WAIT_S)

    def check(self) -> None:
        """Ids were contiguous for followers of the books, and grew for those of the trades."""
        for symbol in SYMBOLS:
            changes, trades = self.changes[symbol], self.trades[symbol]
            assert [change.kind for change in changes] == ["snapshot", *["diff"] * (len(changes) - 1)]
            assert all(left.last_id + 1 == right.first_id for left, right in pairwise(changes))
            assert all(left.trade_id < right.trade_id for left, right in pairwise(trades))
            assert all(left.time_ms <= right.time_ms for left, right in pairwise(trades))


@asynccontextmanager
async def world(store: Path | None = None) -> AsyncIterator[World]:
    sources: list[MarketSource] = [
        TapeSource(read_recording([PACKAGED_TAPE]), loop=True),
        SyntheticSource(symbols=["ETHUSDT"]),
    ]
    venue = PaperVenue(rules_for(SYMBOLS), sources, clock=SystemClock(), store_path=store)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(running_exchange(venue))
        admin = await stack.enter_async_context(httpx2.AsyncClient(base_url=f"{server.url}/admin"))
        endpoints = paper(port=server.port)
        credentials = Credentials.of(SAMPLE_KEY_ID, SAMPLE_SECRET)
        connection = BinanceWebSocketConnection(url=endpoints.ws_api_url, credentials=credentials)
        await stack.enter_async_context(connection)
        market = await stack.enter_async_context(MarketData(connection, endpoints))
        books = {symbol: await stack.enter_async_context(market.book(symbol)) for symbol in SYMBOLS}
        it = World(server, admin, books)

        async def keep(change: BookChange) -> None:
            it.changes[change.symbol].append(change)

        for book in books.values():
            book.on_change(keep)

        def on_event(event: object) -> None:
            if isinstance(event, TradePrinted):
                it.trades[event.trade.symbol].append(event.trade)

        venue.market.subscribe(on_event)
        yield it


@pytest.fixture
async def it() -> AsyncIterator[World]:
    async with world() as made:
        yield made


async def test_a_paused_market_stands_still_and_is_stepped(it: World) -> None:
    states = await it.control("pause")
    assert states["BTCUSDT"]["paused"]
    assert states["ETHUSDT"]["paused"]
    await it.comes_to_rest()
    for symbol in SYMBOLS:
        before = it.server.venue.engine.last_id(symbol)
        # A recording has bursts of hundreds of trades between two changes of the book.
        await it.control("step", symbol=symbol, count=1_500)
        await eventually(partial(it.is_past, symbol, before), timeout_s=WAIT_S)
    await it.comes_to_rest()
    states = await it.control("play")
    assert not states["BTCUSDT"]["paused"]
    refusal = await it.control("step", 409, symbol="BTCUSDT")
    assert refusal["msg"] == "Only a paused market can be stepped."
    it.check()


async def test_after_a_seek_books_are_right_and_ids_grow(it: World) -> None:
    """Ahead, and behind, which is the next loop."""
    await it.control("seek", symbol="BTCUSDT", position_s=120)
    await eventually(lambda: len(it.changes["BTCUSDT"]) > 10, timeout_s=WAIT_S)
    state = await it.control("seek", symbol="BTCUSDT", position_s=30.5)
    assert state["BTCUSDT"]["loop"] == 1
    assert 29 < state["BTCUSDT"]["position_s"] < 31
    count = len(it.changes["BTCUSDT"])
    await eventually(lambda: len(it.changes["BTCUSDT"]) > count + 10, timeout_s=WAIT_S)
    await it.control("pause")
    await it.comes_to_rest()
    await it.control("seek", symbol="BTCUSDT", position_s=200)
    await it.comes_to_rest()
    assert (await it.control("seek", 409, symbol="BTCUSDT", position_s=100_000))["msg"] == "No such place on the tape."
    assert "no places" in (await it.control("seek", 409, symbol="ETHUSDT", position_s=1))["msg"]
    it.check()


async def test_speed_and_seed_change_while_the_market_runs(it: World) -> None:
    assert (await it.control("speed", speed="20"))["ETHUSDT"]["speed"] == "20"
    await eventually(lambda: len(it.changes["ETHUSDT"]) > 200, timeout_s=WAIT_S)
    assert (await it.control("seed", symbol="ETHUSDT", seed=77))["ETHUSDT"]["seed"] == 77
    await it.control("speed", speed="0.5")
    await eventually(lambda: len(it.changes["ETHUSDT"]) > 220, timeout_s=WAIT_S)
    assert "number" in (await it.control("speed", 409, symbol="ETHUSDT", speed="max"))["msg"]
    assert "0.001" in (await it.control("speed", 409, speed="0"))["msg"]
    assert "no seed" in (await it.control("seed", 409, symbol="BTCUSDT", seed=1))["msg"]
    assert (await it.control("seed", 400, seed=1))["msg"] == "There are several sources; name a symbol."
    assert (await it.control("pause", 404, symbol="NOSUCH"))["msg"] == "No such symbol."
    await it.control("pause")
    await it.comes_to_rest()
    it.check()


async def test_a_market_that_was_controlled_goes_on_after_a_restart(tmp_path: Path) -> None:
    """Ids grow across the restart, also where the market's time was ahead of the wall clock."""
    newest: dict[str, tuple[int, int]] = {}
    async with world(tmp_path / "x.sqlite") as first:
        await first.control("speed", speed="50")
        await eventually(lambda: len(first.changes["ETHUSDT"]) > 300, timeout_s=WAIT_S)
        await first.control("seed", symbol="ETHUSDT", seed=5)
        await first.control("pause", symbol="ETHUSDT")
        await first.control("seek", symbol="BTCUSDT", position_s=100)
        for symbol in SYMBOLS:
            engine = first.server.venue.engine
            newest[symbol] = engine.last_id(symbol), engine.next_trade_id(symbol)
    async with world(tmp_path / "x.sqlite") as second:
        states = {source["symbols"][0]: source for source in (await second.admin.get("/market")).json()["sources"]}
        assert states["ETHUSDT"]["paused"]
        assert states["ETHUSDT"]["seed"] == 5
        for symbol in SYMBOLS:
            engine = second.server.venue.engine
            assert engine.last_id(symbol) >= newest[symbol][0]
            assert engine.next_trade_id(symbol) >= newest[symbol][1]
        await second.control("play")
        await eventually(lambda: len(second.changes["ETHUSDT"]) > 5, timeout_s=WAIT_S)
        second.check()
