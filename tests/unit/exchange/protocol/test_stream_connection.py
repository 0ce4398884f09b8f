"""One stream connection and the hub behind it, without a socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest

from cryptotrader.bus import Topic
from cryptotrader.core.clock import NS_PER_S
from cryptotrader.core.events import BookTicker, DepthDiff, Trade
from cryptotrader.exchange.engine.events import (
    BalanceAdjusted,
    DepthChanged,
    MarketEvent,
    TopChanged,
    TradePrinted,
    UserEvent,
)
from cryptotrader.exchange.protocol.listen_keys import LIFETIME_MS, ListenKeys
from cryptotrader.exchange.protocol.stream_names import parse_stream_name, parse_stream_url
from cryptotrader.exchange.protocol.streams.connection import House, StreamConnection
from cryptotrader.exchange.protocol.streams.crowd import Crowd
from cryptotrader.exchange.protocol.streams.hub import StreamHub
from cryptotrader.exchange.protocol.streams.policy import WsPolicy
from cryptotrader.exchange.protocol.streams.users import UserHub
from cryptotrader.transport.fanout import Published
from cryptotrader.transport.frames import Frame
from tests.support.exchange_streams import HandView, KeepingConnection
from tests.support.paper import TestClock

TRADE = Trade("BTCUSDT", 1, 100, 1, 5, True, 5)
TOP = BookTicker("BTCUSDT", 7, 1, 1, 2, 2)


class World:
    """A house with its topics."""

    def __init__(self, policy: WsPolicy) -> None:
        numbers = count(1)
        self.clock = TestClock()
        self.view = HandView()
        self.market: Topic[MarketEvent] = Topic("market")
        self.user: Topic[tuple[str, UserEvent]] = Topic("user")
        self.keys = ListenKeys(lambda: f"key{next(numbers)}")
        users = UserHub(self.user, self.keys, self.clock)
        self.hub = StreamHub(self.view, self.market, self.clock)
        self.crowd = Crowd(policy, self.clock, users.expire_keys)
        self.house = House(self.hub, users, self.crowd, policy, self.clock)

    def print(self, trade: Trade, taker: int = 0) -> None:
        """Trade as the exchange does: statistics first, then everybody who listens."""
        self.view.aggregates.add(trade, taker)
        self.market.publish(TradePrinted(trade, taker))

    @property
    def now_ms(self) -> int:
        return self.clock.now_ns() // 1_000_000

    def connect(self, path: str, query: str = "") -> tuple[StreamConnection, KeepingConnection]:
        url = parse_stream_url(path, query)
        assert url is not None
        handler, connection = StreamConnection(url, self.house), KeepingConnection()
        handler.on_open(connection)
        return handler, connection


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World(WsPolicy(max_connections=3))
    yield made
    made.hub.close()
    made.house.users.close()


async def written(connection: KeepingConnection) -> list[Any]:
    """What the broadcaster has written after this wake-up; every message here is shorter than 64 KiB."""
    for _ in range(3):
        await asyncio.sleep(0)
    found = []
    for data in connection.written:
        while data:
            size, head = (data[1], 2) if data[1] < 126 else (int.from_bytes(data[2:4], "big"), 4)
            found.append(json.loads(data[head : head + size]))
            data = data[head + size :]
    connection.written.clear()
    return found


def control(handler: StreamConnection, method: str, *params: object) -> None:
    handler.on_text(json.dumps({"method": method, "params": params, "id": 1}))


async def test_each_stream_gets_its_own_events(world: World) -> None:
    _, raw = world.connect("/ws/btcusdt@trade/btcusdt@bookTicker")
    _, other = world.connect("/ws/btcusdt@aggTrade")
    world.print(TRADE)
    world.market.publish(TopChanged(TOP))
    world.market.publish(DepthChanged(DepthDiff("BTCUSDT", 1, 2, (), (), 5)))
    world.market.publish(TradePrinted(Trade("ETHUSDT", 1, 100, 1, 5, True, 5)))
    assert [message.get("e", "top") for message in await written(raw)] == ["trade", "top"]
    assert [message["e"] for message in await written(other)] == ["aggTrade"]


async def test_a_frame_is_made_once_for_all_who_want_it(world: World) -> None:
    pairs = [world.connect("/ws/btcusdt@trade") for _ in range(2)]
    world.market.publish(TradePrinted(TRADE))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    first, second = (connection.written for _, connection in pairs)
    assert first[0] is second[0]


async def test_the_combined_property_changes_the_shape_at_once(world: World) -> None:
    handler, connection = world.connect("/ws/btcusdt@trade")
    control(handler, "SET_PROPERTY", "combined", True)
    world.market.publish(TradePrinted(TRADE))
    (message,) = await written(connection)
    assert message["stream"] == "btcusdt@trade"


async def test_microseconds_are_per_connection(world: World) -> None:
    _, micros = world.connect("/ws/btcusdt@trade", "timeUnit=MICROSECOND")
    _, millis = world.connect("/ws/btcusdt@trade")
    world.market.publish(TradePrinted(TRADE))
    assert [(await written(each))[0]["T"] for each in (micros, millis)] == [5_000, 5]


async def test_the_answer_to_subscribe_comes_before_the_first_event(world: World) -> None:
    handler, connection = world.connect("/ws")
    control(handler, "SUBSCRIBE", "btcusdt@trade", "nosuch@trade", "btcusdt@trade")
    assert connection.messages() == [{"result": None, "id": 1}]
    assert world.view.watched == ["BTCUSDT"]
    world.market.publish(TradePrinted(TRADE))
    assert len(await written(connection)) == 1
    control(handler, "UNSUBSCRIBE", "btcusdt@trade")
    world.market.publish(TradePrinted(TRADE))
    assert await written(connection) == []
    assert world.hub.channel_count == 0


async def test_a_closed_connection_leaves_nothing_behind(world: World) -> None:
    key = world.keys.create("a", world.now_ms)
    handler, _ = world.connect(f"/ws/{key}")
    control(handler, "SUBSCRIBE", "btcusdt@trade", "btcusdt@ticker")
    handler.on_close(1006, "")
    assert (world.hub.channel_count, world.house.users.listener_count, len(world.crowd)) == (0, 0, 0)


async def test_paced_streams_are_polled_when_due(world: World) -> None:
    _, connection = world.connect("/ws/btcusdt@ticker/btcusdt@depth5@100ms")
    world.hub.poll(world.now_ms + 100)
    assert ["lastUpdateId" in message for message in await written(connection)] == [True]
    world.hub.poll(world.now_ms + 1_000)
    assert [message.get("e") for message in await written(connection)] == ["24hrTicker"]
    world.hub.poll(world.now_ms + 2_000)
    assert await written(connection) == []


async def test_paced_streams_go_on_when_the_clock_is_set_back(world: World) -> None:
    _, connection = world.connect("/ws/btcusdt@depth5")
    for start_ms, update_id in ((world.now_ms, 2), (world.now_ms - 3_600_000, 3)):
        world.view.id = update_id
        world.hub.poll(start_ms + 1_000)
    assert [message["lastUpdateId"] for message in await written(connection)] == [2, 3]


async def test_a_client_that_is_behind_keeps_the_newest_state_and_every_difference(world: World) -> None:
    """C-22: the transport bounds what is kept and closes with 1008."""
    handler, connection = world.connect("/ws/btcusdt@depth@100ms/btcusdt@bookTicker")
    known = [parse_stream_name(name) for name in ("btcusdt@depth@100ms", "btcusdt@bookTicker")]
    batch = [Published(name.text, Frame.text(b"{}"), name) for name in known if name is not None]
    handler.on_missed(batch)
    assert [key for _, key in connection.sent] == [None, "btcusdt@bookTicker"]


async def test_user_events_reach_the_listen_key_of_their_account(world: World) -> None:
    key = world.keys.create("a", world.now_ms)
    _, bare = world.connect(f"/ws/{key}")
    _, combined = world.connect("/stream", f"streams={key}/btcusdt@trade")
    world.user.publish(("a", BalanceAdjusted("a", "BTC", 1, 5)))
    world.user.publish(("b", BalanceAdjusted("b", "BTC", 1, 5)))
    (event,) = bare.messages()
    assert event["e"] == "balanceUpdate"
    assert combined.messages() == [{"stream": key, "data": event}]


async def test_an_expired_listen_key_says_so_and_falls_silent(world: World) -> None:
    key = world.keys.create("a", world.now_ms)
    _, connection = world.connect(f"/ws/{key}")
    world.clock.turn(LIFETIME_MS)
    world.crowd.tick()
    world.user.publish(("a", BalanceAdjusted("a", "BTC", 1, 5)))
    (event,) = connection.messages()
    assert (event["e"], event["listenKey"]) == ("listenKeyExpired", key)


async def test_a_closed_listen_key_falls_silent(world: World) -> None:
    key = world.keys.create("a", world.now_ms)
    _, connection = world.connect(f"/ws/{key}")
    world.keys.close(key, world.now_ms)
    world.user.publish(("a", BalanceAdjusted("a", "BTC", 1, 5)))
    assert connection.messages() == []


async def test_pings_count_as_messages(world: World) -> None:
    handler, connection = world.connect("/ws")
    for _ in range(6):
        handler.on_ping(b"")
    assert connection.closed is not None
    assert connection.closed[0] == 1008
    control(handler, "LIST_SUBSCRIPTIONS")
    assert connection.sent == []


async def test_binary_messages_are_refused(world: World) -> None:
    handler, connection = world.connect("/ws")
    handler.on_binary(b"{}")
    assert connection.closed is not None
    assert connection.closed[0] == 1003


async def test_a_connection_lives_for_24_hours(world: World) -> None:
    _, old = world.connect("/ws")
    world.clock.ns += 86_399 * NS_PER_S
    _, young = world.connect("/ws")
    codes: list[list[int]] = []
    for _ in range(2):
        world.crowd.tick()
        codes.append([each.closed[0] for each in (old, young) if each.closed is not None])
        world.clock.ns += NS_PER_S
    assert codes == [[], [1001]]
    assert old.closed is not None


async def test_the_house_is_full_at_its_limit(world: World) -> None:
    for _ in range(3):
        assert not world.crowd.is_full
        world.connect("/ws")
    assert world.crowd.is_full
