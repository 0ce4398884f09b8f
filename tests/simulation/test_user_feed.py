"""The user feed: each event once, in order, whatever the connection does and whoever answers first (S0-45 to S0-48)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cryptotrader.bus import Topic
from cryptotrader.core.errors import VenueUnreachable
from cryptotrader.feeds import SymbolCatalogue, UserEvent, UserFeed
from cryptotrader.net.backoff import ConnectionBudget
from cryptotrader.services.binance.signing import Credentials
from cryptotrader.services.binance.streams import SessionMaker, StreamPolicy, UserDeps, UserStream
from cryptotrader.testing import FakeClock, FakeRest
from tests.support.user_venue import API_KEY, SECRET, UserVenue

SYMBOL = {"symbol": "BTCUSDT", "status": "TRADING", "baseAsset": "BTC", "quoteAsset": "USDT"}


class Account:
    """Orders and fills as REST and the stream tell them."""

    def __init__(self, clock: FakeClock, venue: UserVenue, rest: FakeRest) -> None:
        self.clock, self.venue = clock, venue
        self.orders: dict[int, dict[str, Any]] = {}
        self.fills: list[dict[str, Any]] = []
        self.usdt = 1_000
        self._executions = 0
        rest.on("GET /api/v3/time", lambda params: {"serverTime": self.now_ms()})
        rest.on("GET /api/v3/account", self._account)
        rest.on("GET /api/v3/openOrders", lambda params: [o for o in self.orders.values() if o["status"] in OPEN])
        rest.on("GET /api/v3/allOrders", self._all_orders)
        rest.on("GET /api/v3/order", lambda params: self.orders[params["orderId"]])
        rest.on("GET /api/v3/myTrades", self._my_trades)
        rest.on("GET /api/v3/exchangeInfo", lambda params: INFO)

    def now_ms(self) -> int:
        return self.clock.now_ns() // 1_000_000

    def _account(self, params: object) -> object:
        balances = [{"asset": "USDT", "free": str(self.usdt), "locked": "0"}]
        return {"balances": balances, "updateTime": self.now_ms()}

    def _all_orders(self, params: Any) -> object:
        return [order for order in self.orders.values() if order["time"] >= params.get("startTime", 0)]

    def _my_trades(self, params: Any) -> object:
        start, first = params.get("startTime", 0), params.get("fromId", 0)
        return [fill for fill in self.fills if fill["time"] >= start and fill["id"] >= first]

    def place(self, order_id: int, qty: str = "2") -> None:
        now_ms = self.now_ms()
        self.orders[order_id] = {
            "symbol": "BTCUSDT", "orderId": order_id, "clientOrderId": f"c{order_id}", "price": "10", "origQty": qty,
            "executedQty": "0", "cummulativeQuoteQty": "0", "status": "NEW", "timeInForce": "GTC", "type": "LIMIT",
            "side": "BUY", "time": now_ms, "updateTime": now_ms,
        }  # fmt: skip
        self._emit(order_id, "NEW")

    def fill(self, order_id: int, trade_id: int, qty: str = "1") -> None:
        order = self.orders[order_id]
        executed = float(order["executedQty"]) + float(qty)
        order["executedQty"], order["cummulativeQuoteQty"] = f"{executed:g}", f"{executed * 10:g}"
        order["status"] = "FILLED" if executed >= float(order["origQty"]) else "PARTIALLY_FILLED"
        self.usdt -= 10
        self.fills.append(
            {
                "symbol": "BTCUSDT", "id": trade_id, "orderId": order_id, "price": "10", "qty": qty, "quoteQty": "10",
                "commission": "0", "commissionAsset": "BTC", "time": self.now_ms(), "isBuyer": True, "isMaker": True,
            }
        )  # fmt: skip
        self._emit(order_id, "TRADE", trade_id)
        self.venue.emit(
            {
                "e": "outboundAccountPosition", "E": self.now_ms(), "u": self.now_ms(),
                "B": [{"a": "USDT", "f": str(self.usdt), "l": "0"}],
            }
        )  # fmt: skip

    def cancel(self, order_id: int) -> None:
        self.orders[order_id]["status"] = "CANCELED"
        self._emit(order_id, "CANCELED")

    def _emit(self, order_id: int, kind: str, trade_id: int = -1) -> None:
        order = self.orders[order_id]
        self._executions += 1
        self.venue.emit(
            {
                "e": "executionReport", "E": self.now_ms(), "s": "BTCUSDT", "c": order["clientOrderId"], "x": kind,
                "X": order["status"], "i": order_id, "t": trade_id, "z": order["executedQty"],
                "Z": order["cummulativeQuoteQty"], "I": self._executions, "T": self.now_ms(),
            }
        )  # fmt: skip


OPEN = ("NEW", "PARTIALLY_FILLED")
INFO = {"timezone": "UTC", "serverTime": 0, "rateLimits": [], "exchangeFilters": [], "symbols": [SYMBOL]}


class World:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.venue = UserVenue(self.clock)
        self.rest = FakeRest()
        self.account = Account(self.clock, self.venue, self.rest)
        maker = SessionMaker(
            ws_api_url="ws://venue/ws-api/v3",
            stream_url="ws://venue",
            connect=self.venue.connect,
            rest=self.rest,
            credentials=Credentials.of(API_KEY, SECRET),
            now_ms=self.account.now_ms,
        )
        deps = UserDeps("paper", maker, self.clock, lambda: 0.5, StreamPolicy(), ConnectionBudget(), Topic("links"))
        catalogue = SymbolCatalogue(self.rest, self.clock)
        self.feed = UserFeed(UserStream(deps), self.rest, catalogue=catalogue, clock=self.clock, draw=lambda: 0.5)
        self.events: list[UserEvent] = []
        self.feed.topic.subscribe(self.events.append)

    def told(self) -> list[tuple[Any, ...]]:
        return [
            (event.data["x"], event.data["i"], event.data["t"], event.data["X"], float(event.data["z"]))
            if event.kind == "executionReport"
            else (event.kind, event.data["B"][0]["f"])
            for event in self.events
        ]

    def break_off(self) -> None:
        self.venue.refuse()
        self.rest.failure = VenueUnreachable("down")

    async def come_back(self) -> None:
        self.venue.accept()
        self.rest.failure = None
        await self.clock.advance(31)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    built = World()
    built.feed.lease()
    await built.clock.advance(2)
    assert built.feed.is_live
    yield built
    await built.feed.close()
    assert built.feed.job_count == 0
    assert built.venue.open_wires == []


async def test_live_events_pass_through_as_they_are(world: World) -> None:
    world.account.place(1)
    world.account.fill(1, 100)
    await world.clock.advance(0)
    assert world.told() == [
        ("NEW", 1, -1, "NEW", 0),
        ("TRADE", 1, 100, "PARTIALLY_FILLED", 1),
        ("outboundAccountPosition", "990"),
    ]
    assert world.events[0].payload.startswith(b'{"e":"executionReport"')


async def test_what_happened_during_a_break_is_told_in_order_then_the_balances(world: World) -> None:
    world.account.place(1)
    await world.clock.advance(1)
    world.break_off()
    await world.clock.advance(1)
    world.account.fill(1, 100)
    await world.clock.advance(1)
    world.account.place(2)
    await world.clock.advance(1)
    world.account.cancel(2)
    world.account.fill(1, 101)
    await world.come_back()
    assert world.told()[1:] == [
        ("TRADE", 1, 100, "PARTIALLY_FILLED", 1),
        ("NEW", 2, -1, "NEW", 0),
        ("CANCELED", 2, -1, "CANCELED", 0),
        ("TRADE", 1, 101, "FILLED", 2),
        ("outboundAccountPosition", "980"),
    ]
    assert all(event.data["recovered"] is True for event in world.events[1:])
    assert world.feed.is_live


async def test_live_events_that_come_before_the_answers_wait_and_are_not_told_twice(world: World) -> None:
    world.account.place(1, qty="3")
    await world.clock.advance(1)
    world.break_off()
    await world.clock.advance(1)
    world.account.fill(1, 100)
    world.venue.accept()
    world.rest.failure = None
    world.rest.gate = asyncio.Event()
    await world.clock.advance(5)
    # Connected again; REST has not answered. A fill comes live, and REST will know it as well.
    world.account.fill(1, 101)
    await world.clock.advance(1)
    assert len(world.told()) == 1
    world.rest.gate.set()
    await world.clock.advance(1)
    fills = [row for row in world.told() if row[0] == "TRADE"]
    assert fills == [("TRADE", 1, 100, "PARTIALLY_FILLED", 1), ("TRADE", 1, 101, "PARTIALLY_FILLED", 2)]
    world.account.fill(1, 102)
    await world.clock.advance(1)
    assert world.told()[-2:] == [("TRADE", 1, 102, "FILLED", 3), ("outboundAccountPosition", "970")]


async def test_live_events_do_not_wait_for_ever(world: World) -> None:
    world.venue.drop_all()
    world.rest.gate = asyncio.Event()
    await world.clock.advance(5)
    world.account.place(1)
    await world.clock.advance(20)
    assert world.told() == [("NEW", 1, -1, "NEW", 0)]
    world.rest.gate.set()
    await world.clock.advance(5)
    assert world.told() == [("NEW", 1, -1, "NEW", 0)]


async def test_orders_older_than_the_first_client_are_not_news_but_their_end_is() -> None:
    world = World()
    world.account.place(1)
    await world.clock.advance(60)
    lease = world.feed.lease()
    await world.clock.advance(2)
    assert world.events == []
    world.break_off()
    await world.clock.advance(1)
    world.account.fill(1, 100)
    world.account.cancel(1)
    await world.come_back()
    assert [row[0] for row in world.told()] == ["TRADE", "CANCELED", "outboundAccountPosition"]
    lease.close()
    await world.clock.advance(6)
    assert world.venue.open_wires == []
    await world.feed.close()


async def test_events_doubled_by_the_overlap_of_two_connections_are_told_once(world: World) -> None:
    world.venue.emit({"e": "serverShutdown", "E": 1})
    await world.clock.advance(1)
    assert len(world.venue.open_wires) == 2
    world.account.place(1)
    world.account.fill(1, 100)
    await world.clock.advance(10)
    assert [row[0] for row in world.told()] == ["NEW", "TRADE", "outboundAccountPosition"]


async def test_twenty_breaks_tell_every_fill_once(world: World) -> None:
    for number in range(20):
        world.account.place(number, qty="3")
        world.account.fill(number, number * 10)
        world.break_off()
        await world.clock.advance(number % 4)
        world.account.fill(number, number * 10 + 1)
        await world.come_back()
        world.account.fill(number, number * 10 + 2)
        await world.clock.advance(1)
    fills = [row[2] for row in world.told() if row[0] == "TRADE"]
    assert fills == [number * 10 + part for number in range(20) for part in range(3)]
    assert [row[3] for row in world.told() if row[0] == "TRADE"][2::3] == ["FILLED"] * 20
