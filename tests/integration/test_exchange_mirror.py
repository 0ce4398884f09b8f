"""A paper exchange that mirrors another venue; here the venue is a second paper exchange."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from cryptotrader.config.settings import Settings, load_settings
from cryptotrader.core.errors import ConfigError
from cryptotrader.core.events import BookTicker, DepthDiff
from cryptotrader.core.orders import Side
from cryptotrader.exchange.engine.events import DepthChanged, TopChanged, TradePrinted
from cryptotrader.exchange.market.rules_data import rules_for
from cryptotrader.exchange.market.source import MarketSource
from cryptotrader.exchange.market.spec import PACKAGED_TAPE, MirrorSpec, parse_market, read_recording
from cryptotrader.exchange.market.synthetic import SyntheticSource
from cryptotrader.exchange.market.tape import TapeSource
from cryptotrader.exchange.server import ExchangeServer
from cryptotrader.exchange.venue import PaperVenue
from cryptotrader.net import Supervisor, SystemClock
from cryptotrader.runtime.exchange import open_exchange
from cryptotrader.runtime.mirror import mirrored_endpoints, open_mirror
from tests.support.paper import SignedClient, body, rows
from tests.support.process import free_port
from tests.support.waiting import eventually

SYMBOLS = ("BTCUSDT", "ETHUSDT")
WAIT_S = 20.0


@asynccontextmanager
async def venue(port: int, store: Path | None = None) -> AsyncIterator[ExchangeServer]:
    """What is mirrored: a recording and a synthetic symbol."""
    sources: list[MarketSource] = [
        TapeSource(read_recording([PACKAGED_TAPE]), loop=True),
        SyntheticSource(symbols=["ETHUSDT"]),
    ]
    server = ExchangeServer(PaperVenue(rules_for(SYMBOLS), sources, clock=SystemClock(), store_path=store), port=port)
    async with serving(server):
        yield server


@asynccontextmanager
async def serving(server: ExchangeServer) -> AsyncIterator[None]:
    """A server for as long as it is wanted."""
    async with Supervisor("test") as jobs:
        task = jobs.start("exchange", server.serve)
        await server.wait_started()
        yield
        server.stop()
        await task


def settings(tmp_path: Path, market: str) -> Settings:
    """Of a mirror."""
    return load_settings({"market": market, "exchange_port": 0, "data_dir": tmp_path / "mirror"})


@dataclass
class Watched:
    """What the public of a mirror sees."""

    server: ExchangeServer
    diffs: dict[str, list[DepthDiff]] = field(default_factory=lambda: {symbol: [] for symbol in SYMBOLS})
    trade_ids: dict[str, list[int]] = field(default_factory=lambda: {symbol: [] for symbol in SYMBOLS})
    crossed: list[str] = field(default_factory=list)
    tops: dict[str, list[BookTicker]] = field(default_factory=lambda: {symbol: [] for symbol in SYMBOLS})

    def __post_init__(self) -> None:
        self.server.venue.market.subscribe(self.on_event)

    def on_event(self, event: object) -> None:
        if isinstance(event, DepthChanged):
            self.diffs[event.diff.symbol].append(event.diff)
            bids, asks = (self.levels(event.diff.symbol, side, 1) for side in (Side.BUY, Side.SELL))
            if bids and asks and bids[0][0] >= asks[0][0]:
                self.crossed.append(event.diff.symbol)
        if isinstance(event, TopChanged):
            self.tops[event.ticker.symbol].append(event.ticker)
        if isinstance(event, TradePrinted):
            self.trade_ids[event.trade.symbol].append(event.trade.trade_id)

    def levels(self, symbol: str, side: Side, limit: int | None = None) -> list[tuple[int, int]]:
        return self.server.venue.engine.book(symbol).levels(side, limit)

    def shows(self, other: ExchangeServer, symbols: tuple[str, ...] = SYMBOLS) -> bool:
        """Whether every book is that of the other, level by level."""
        return all(
            self.levels(symbol, side) == other.venue.engine.book(symbol).levels(side)
            for symbol in symbols
            for side in Side
        )

    def heard(self, symbol: str, at_least: int = 0) -> bool:
        return len(self.diffs[symbol]) >= at_least

    def check(self) -> None:
        """Ids contiguous and growing, no book ever crossed."""
        assert not self.crossed
        for symbol in SYMBOLS:
            assert all(left.last_id + 1 == right.first_id for left, right in pairwise(self.diffs[symbol]))
            ids = self.trade_ids[symbol]
            assert all(left < right for left, right in pairwise(ids))
            tops = self.tops[symbol]
            assert tops
            assert all(left.update_id <= right.update_id for left, right in pairwise(tops))
            assert all(top.bid < top.ask for top in tops)


def pause(server: ExchangeServer) -> None:
    """Let the mirrored market stand still, so that books can be compared."""
    for source in server.venue.sources:
        source.pause(server.venue.market_ns())  # type: ignore[attr-defined]


async def hears_more(watched: Watched, count: int = 5) -> None:
    """Both books have changed so many times."""
    goals = {symbol: len(watched.diffs[symbol]) + count for symbol in SYMBOLS}
    for symbol, goal in goals.items():
        await eventually(partial(watched.heard, symbol, goal), timeout_s=WAIT_S)


async def test_books_are_equal_and_orders_are_executed_on_them(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        original = await stack.enter_async_context(venue(0))
        market = f"mirror:{original.url}?symbols=BTCUSDT,ETHUSDT"
        mirror = await open_exchange(stack, settings(tmp_path, market))
        await stack.enter_async_context(serving(mirror))
        watched = Watched(mirror)
        await hears_more(watched)
        pause(original)
        await eventually(lambda: watched.shows(original), timeout_s=WAIT_S)
        here = await stack.enter_async_context(SignedClient(mirror.url))
        there = await stack.enter_async_context(SignedClient(original.url))
        best = watched.levels("BTCUSDT", Side.SELL, 1)[0]
        bought = await here.order(symbol="BTCUSDT", type="MARKET", quantity="0.00100", price=None, timeInForce=None)
        assert body(bought)["status"] == "FILLED"
        assert body(bought)["fills"][0]["price"] == f"{best[0] / 1e8:.8f}"  # type: ignore[index]
        assert original.venue.engine.book("BTCUSDT").levels(Side.SELL, 1) == [best]
        assert not rows(await there.signed("GET", "/api/v3/allOrders", symbol="BTCUSDT"))
        for name in ("klines", "uiKlines"):
            told = [
                (await client.get(f"/api/v3/{name}", symbol="ETHUSDT", interval="1h", limit=50)).json()[:-1]
                for client in (here, there)
            ]
            assert [row[:5] for row in told[0]] == [row[:5] for row in told[1]]
        state = (await here.http.get("/admin/market")).json()["sources"][0]
        assert (state["kind"], state["venue"], state["live"]) == ("mirror", original.url, True)
        refused = await here.http.post("/admin/market", json={"action": "pause"})
        assert refused.json()["msg"] == "A mirrored market goes as its venue goes."
        watched.check()


@pytest.mark.parametrize("keeps_ids", [True, False])
async def test_the_mirror_outlives_its_venue(tmp_path: Path, keeps_ids: bool) -> None:
    """Killed and restarted, once with its ids and once, for a recording begins anew, with lower ones."""
    port, store = free_port(), tmp_path / "original.sqlite"
    async with AsyncExitStack() as stack:
        async with venue(port, store) as original:
            market = f"mirror:http://127.0.0.1:{port}?symbols=BTCUSDT,ETHUSDT"
            mirror = await open_exchange(stack, settings(tmp_path, market))
            await stack.enter_async_context(serving(mirror))
            watched = Watched(mirror)
            await hears_more(watched, 12)
        here = await stack.enter_async_context(SignedClient(mirror.url))
        state = (await here.http.get("/admin/market")).json()["sources"][0]
        assert state["live"] is False
        order = await here.order(symbol="BTCUSDT", type="MARKET", quantity="0.00100", price=None, timeInForce=None)
        assert body(order)["status"] == "FILLED"
        async with venue(port, store if keeps_ids else None) as original:
            await hears_more(watched, 12)
            pause(original)
            # In BTCUSDT the mirror's own order has taken from the book.
            await eventually(partial(watched.shows, original, symbols=("ETHUSDT",)), timeout_s=WAIT_S)
            watched.check()


async def test_a_mirror_goes_on_with_higher_ids_after_its_own_restart(tmp_path: Path) -> None:
    async with venue(0) as original:
        newest: dict[str, tuple[int, int]] = {}
        for _ in range(2):
            async with AsyncExitStack() as stack:
                market = f"mirror:{original.url}?symbols=BTCUSDT,ETHUSDT"
                mirror = await open_exchange(stack, settings(tmp_path, market))
                await stack.enter_async_context(serving(mirror))
                watched, engine = Watched(mirror), mirror.venue.engine
                for symbol, (update_id, trade_id) in newest.items():
                    assert engine.last_id(symbol) >= update_id
                    assert engine.next_trade_id(symbol) >= trade_id
                async with SignedClient(mirror.url) as client:
                    order = {"type": "MARKET", "quantity": "0.00100", "price": None, "timeInForce": None}
                    assert body(await client.order(symbol="BTCUSDT", **order))["status"] == "FILLED"
                await hears_more(watched)
                newest = {symbol: (engine.last_id(symbol), engine.next_trade_id(symbol)) for symbol in SYMBOLS}
                watched.check()


async def test_a_venue_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    spec = MirrorSpec(f"http://127.0.0.1:{free_port()}", ("BTCUSDT",))
    async with AsyncExitStack() as stack:
        with pytest.raises(ConfigError, match="did not answer within 1 s"):
            await open_mirror(stack, spec, settings(tmp_path, "default"), opening_s=1)


async def test_a_symbol_that_the_venue_does_not_have_is_one_clear_error(tmp_path: Path) -> None:
    async with venue(0) as original, AsyncExitStack() as stack:
        with pytest.raises(ConfigError, match=r"cannot mirror .*Invalid symbol"):
            await open_mirror(stack, MirrorSpec(original.url, ("LTCUSDT",)), settings(tmp_path, "default"))


def test_a_venue_is_named_or_given_by_its_address() -> None:
    (spec,) = parse_market("mirror:binance")
    assert isinstance(spec, MirrorSpec)
    assert mirrored_endpoints(spec).stream_url == "wss://stream.binance.com:9443"
    assert mirrored_endpoints(MirrorSpec("https://api.binance.us")).stream_url == "wss://stream.binance.us:9443"
    assert mirrored_endpoints(MirrorSpec("http://10.0.0.7:3100/")).stream_url == "ws://10.0.0.7:3100"
    (other,) = parse_market("mirror:https://rest.example?symbols=btcusdt&stream=wss://stream.example")
    assert isinstance(other, MirrorSpec)
    assert other.symbols == ("BTCUSDT",)
    assert mirrored_endpoints(other).stream_url == "wss://stream.example"
    for wrong in ("mirror:", "mirror", "mirror:binance?speed=2", "mirror:binance?symbols=A,A"):
        with pytest.raises(ConfigError):
            parse_market(wrong)
    with pytest.raises(ConfigError, match="unknown venue"):
        mirrored_endpoints(MirrorSpec("nowhere"))
