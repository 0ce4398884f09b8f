"""Order books and account events of the library over real sockets, with connections that are cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

import pytest

from cryptotrader.core.errors import UnknownSymbol
from cryptotrader.core.events import DepthDiff
from cryptotrader.core.orders import OrderType, Side, TimeInForce
from cryptotrader.exchange.accounts import SAMPLE_KEY_ID, SAMPLE_SECRET
from cryptotrader.library import BookChange, MarketData, UserData
from cryptotrader.net import SystemClock
from cryptotrader.services.binance.endpoints import paper
from cryptotrader.services.binance.models.user_events import AccountPosition, ExecutionReport, StreamGap, UserDataEvent
from cryptotrader.services.binance.signing import Credentials
from cryptotrader.services.binance.streams import StreamPolicy
from cryptotrader.services.binance.websocketAPI.base_operations import BinanceWebSocketConnection
from cryptotrader.services.binance.websocketAPI.trading_requests import place_new_order
from cryptotrader.services.binance.wsapi.limits import RateLimits
from cryptotrader.services.binance.wsapi.reconnect import ConnectionPolicy
from cryptotrader.testing import FaultProxy
from tests.support.paper import QuietSource, paper_venue, running_exchange, units
from tests.support.waiting import eventually

WAIT_S = 15.0


@dataclass
class World:
    proxy: FaultProxy
    connection: BinanceWebSocketConnection
    market: MarketData
    source: QuietSource
    last_id: int = 1_000

    def moves(self, price: str, quantity: str) -> None:
        """The market's own liquidity changes by one update."""
        self.last_id += 1
        level = (units(price), units(quantity))
        now_ms = SystemClock().now_ns() // 1_000_000
        self.source.queue.append(DepthDiff("BTCUSDT", self.last_id, self.last_id, (level,), (), now_ms))

    async def bid(self, price: str, quantity: str = "0.01") -> None:
        """A resting order, which the public book shows."""
        order = place_new_order.NewOrderParams(
            symbol="BTCUSDT",
            side=Side.BUY,
            type=OrderType.LIMIT,
            time_in_force=TimeInForce.GTC,
            price=price,
            quantity=quantity,
        )
        await place_new_order.SPEC.call(self.connection, order)


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    """A quiet market behind a proxy that can be cut."""
    source = QuietSource()
    async with running_exchange(paper_venue(source)) as server:
        proxy = FaultProxy(server.port)
        await proxy.start()
        venue = paper(port=proxy.port)
        connection = BinanceWebSocketConnection(
            url=venue.ws_api_url,
            credentials=Credentials.of(SAMPLE_KEY_ID, SAMPLE_SECRET),
            policy=ConnectionPolicy(max_delay_s=0.5),
            limits=RateLimits(),
        )
        streams = StreamPolicy(tick_s=0.1, max_delay_s=0.5, overlap_s=0.2)
        try:
            async with connection, MarketData(connection, venue, streams=streams) as market:
                yield World(proxy, connection, market, source)
        finally:
            await proxy.close()


async def test_a_book_shows_what_happens_at_the_venue_and_heals_after_a_cut() -> None:
    """S4-11, S4-13: snapshots are answered over the WebSocket API, also by the connection after the next."""
    async with world() as it, it.market.book("BTCUSDT") as book:
        assert book.best_ask is not None
        assert book.best_ask.price == Decimal(45001)
        changes: list[BookChange] = []

        async def keep(change: BookChange) -> None:
            changes.append(change)

        book.on_change(keep)
        it.moves("44999.50", "0.01")
        await eventually(lambda: book.quantity(Side.BUY, Decimal("44999.50")) == Decimal("0.01"), timeout_s=WAIT_S)
        it.proxy.cut()
        await eventually(lambda: not book.is_ready, timeout_s=WAIT_S)
        it.moves("44999.55", "0.03")
        it.proxy.mend()
        await eventually(lambda: book.is_ready and it.connection.is_connected, timeout_s=WAIT_S)
        it.moves("44999.60", "0.02")
        await eventually(
            lambda: book.is_ready and book.quantity(Side.BUY, Decimal("44999.60")) == Decimal("0.02"), timeout_s=WAIT_S
        )
        await eventually(lambda: bool(changes) and changes[-1].last_id == book.update_id, timeout_s=WAIT_S)
        assert [(bid.price, bid.quantity) for bid in book.bids(3)] == [
            (Decimal("45000"), Decimal("0.5")),
            (Decimal("44999.6"), Decimal("0.02")),
            (Decimal("44999.55"), Decimal("0.03")),
        ]
        assert changes[0].kind == "snapshot"
        for before, after in pairwise(changes):
            assert after.kind == "snapshot" or after.first_id == before.last_id + 1


async def test_a_symbol_that_is_none_is_refused_at_once() -> None:
    async with world() as it:
        with pytest.raises(UnknownSymbol):
            await it.market.book("NOSUCH").open()


async def test_account_events_are_typed_and_a_cut_shows_as_a_gap() -> None:
    """S4-13: the subscription is made anew, and what may be missing is told."""
    async with world() as it, UserData(it.connection.user_data()) as events:
        seen: list[UserDataEvent] = []

        async def keep(event: UserDataEvent) -> None:
            seen.append(event)

        reading = asyncio.ensure_future(events.for_each(keep))
        await it.bid("44000.00")
        await eventually(lambda: any(isinstance(event, AccountPosition) for event in seen), timeout_s=WAIT_S)
        report = next(event for event in seen if isinstance(event, ExecutionReport))
        assert (report.price, report.quantity, report.status) == (Decimal(44000), Decimal("0.01"), "NEW")
        it.proxy.cut()
        it.proxy.mend()
        await eventually(lambda: any(isinstance(event, StreamGap) for event in seen), timeout_s=WAIT_S)
        await eventually(lambda: it.connection.is_connected, timeout_s=WAIT_S)
        before = len(seen)
        await it.bid("44001.00")
        await eventually(lambda: any(isinstance(event, ExecutionReport) for event in seen[before:]), timeout_s=WAIT_S)
        await events.close()
        await reading


async def test_iterators_of_a_book_end_with_it() -> None:
    async with world() as it:
        async with it.market.book("BTCUSDT") as book:
            tops = book.tops()
            assert (await anext(tops)).symbol == "BTCUSDT"
        async with aclosing(tops):
            assert [top async for top in tops] == []
