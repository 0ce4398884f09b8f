"""The paper exchange's streams over real sockets, with an unmodified WebSocket client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from cryptotrader.core.events import BookTicker, DepthDiff, Trade
from cryptotrader.exchange.server import ExchangeServer
from tests.support.paper import QuietSource, SignedClient, body, paper_venue, running_exchange, units

PATIENCE_S = 5.0


@asynccontextmanager
async def exchange_with(source: QuietSource) -> AsyncIterator[ExchangeServer]:
    async with running_exchange(paper_venue(source)) as server:
        yield server


def ws_url(server: ExchangeServer, path: str) -> str:
    return f"ws://127.0.0.1:{server.port}{path}"


async def receive(socket: ClientConnection) -> Any:
    async with asyncio.timeout(PATIENCE_S):
        return json.loads(await socket.recv())


async def ask(socket: ClientConnection, message: dict[str, object]) -> Any:
    await socket.send(json.dumps(message))
    return await receive(socket)


def now_ms(server: ExchangeServer) -> int:
    return server.venue.now_ms()


def diff(first: int, last: int, price: str, qty: str, at_ms: int) -> DepthDiff:
    return DepthDiff("BTCUSDT", first, last, ((units(price), units(qty)),), (), at_ms)


def push(server: ExchangeServer, source: QuietSource, *events: Any) -> None:
    source.queue.extend(events)
    server.venue._wake.set()


async def test_a_combined_connection_gets_each_event_under_the_name_of_its_stream() -> None:
    source = QuietSource()
    async with exchange_with(source) as server:
        names = "btcusdt@depth@100ms/btcusdt@trade/btcusdt@aggTrade/btcusdt@bookTicker"
        async with connect(ws_url(server, f"/stream?streams={names}")) as socket:
            at_ms = now_ms(server)
            push(
                server,
                source,
                diff(1_001, 1_003, "44990", "2.5", at_ms),
                Trade("BTCUSDT", 101, units("45000"), units("0.25"), at_ms, True, at_ms),
                BookTicker("BTCUSDT", 1_004, units("45000"), units("0.25"), units("45001"), units("0.5")),
            )
            got = [await receive(socket) for _ in range(4)]
    by_stream = {message["stream"]: message["data"] for message in got}
    assert by_stream["btcusdt@depth@100ms"] == {
        "e": "depthUpdate",
        "E": at_ms,
        "s": "BTCUSDT",
        "U": 1_001,
        "u": 1_003,
        "b": [["44990.00000000", "2.50000000"]],
        "a": [],
    }
    assert by_stream["btcusdt@trade"]["t"] == by_stream["btcusdt@aggTrade"]["a"] == 101
    assert by_stream["btcusdt@trade"]["p"] == "45000.00000000"
    assert by_stream["btcusdt@bookTicker"]["u"] == 1_004


async def test_a_bare_connection_subscribes_lists_and_unsubscribes() -> None:
    source = QuietSource()
    async with exchange_with(source) as server, connect(ws_url(server, "/ws")) as socket:
        subscribe = {"method": "SUBSCRIBE", "params": ["btcusdt@trade"], "id": 1}
        assert await ask(socket, subscribe) == {"result": None, "id": 1}
        assert await ask(socket, {"method": "LIST_SUBSCRIPTIONS", "id": "1"}) == {
            "result": ["btcusdt@trade"],
            "id": "1",
        }
        at_ms = now_ms(server)
        push(server, source, Trade("BTCUSDT", 101, units("45000"), units("0.25"), at_ms, True, at_ms))
        assert (await receive(socket))["t"] == 101
        assert await ask(socket, {"method": "UNSUBSCRIBE", "params": ["btcusdt@trade"], "id": 2}) == {
            "result": None,
            "id": 2,
        }
        assert server.websockets.house.hub.channel_count == 0
        assert "BTCUSDT" in source.released


@pytest.mark.parametrize("path", ["/ws/0", "/ws/1", "/stream", "/ws/nosuch@trade", "/ws/btcusdt@colour"])
async def test_any_name_upgrades_and_an_unknown_one_yields_nothing(path: str) -> None:
    source = QuietSource()
    async with exchange_with(source) as server, connect(ws_url(server, path)) as socket:
        assert (await ask(socket, {"method": "LIST_SUBSCRIPTIONS", "id": 3}))["id"] == 3
        assert server.websockets.house.hub.channel_count == 0


async def test_a_sixth_message_within_a_second_closes_the_connection() -> None:
    async with exchange_with(QuietSource()) as server, connect(ws_url(server, "/ws")) as socket:
        for number in range(6):
            await socket.send(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": number}))
        answers = [await receive(socket) for _ in range(5)]
        assert [answer["id"] for answer in answers] == [0, 1, 2, 3, 4]
        with pytest.raises(ConnectionClosed) as closed:
            await receive(socket)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008


async def test_more_than_1024_streams_are_refused_before_the_upgrade() -> None:
    names = "/".join(map(str, range(1_025)))
    async with exchange_with(QuietSource()) as server:
        with pytest.raises(InvalidStatus) as refused:
            async with connect(ws_url(server, f"/stream?streams={names}")):
                pass
    assert refused.value.response.status_code == 400


async def test_a_path_that_is_no_websocket_is_refused_with_404() -> None:
    async with exchange_with(QuietSource()) as server:
        with pytest.raises(InvalidStatus) as refused:
            async with connect(ws_url(server, "/nowhere")):
                pass
    assert refused.value.response.status_code == 404


async def test_paced_streams_speak_within_their_pace() -> None:
    source = QuietSource()
    names = [
        "btcusdt@depth",
        "btcusdt@depth5",
        "btcusdt@depth20@100ms",
        "btcusdt@ticker",
        "btcusdt@miniTicker",
        "!miniTicker@arr",
        "btcusdt@kline_1m",
        "btcusdt@kline_1s",
        "btcusdt@avgPrice",
    ]
    async with exchange_with(source) as server:
        url = ws_url(server, "/stream?streams=" + "/".join(names))
        async with connect(url) as socket:
            at_ms = now_ms(server)
            trade = Trade("BTCUSDT", 101, units("45000"), units("0.25"), at_ms, True, at_ms)
            push(
                server,
                source,
                trade,
                diff(1_001, 1_003, "44990", "2.5", at_ms),
                diff(1_004, 1_004, "44990", "0", at_ms),
            )
            waiting: dict[str, Callable[[Any], bool]] = {
                "btcusdt@depth": lambda data: (data["U"], data["u"]) == (1_001, 1_004),
                "btcusdt@depth5": lambda data: len(data["bids"]) == 5 and data["lastUpdateId"] == 1_004,
                "btcusdt@depth20@100ms": lambda data: len(data["asks"]) == 20 and data["lastUpdateId"] == 1_004,
                "btcusdt@ticker": lambda data: data["L"] == 101,
                "btcusdt@miniTicker": lambda data: data["c"] == "45000.00000000",
                "!miniTicker@arr": lambda data: data[0]["c"] == "45000.00000000",
                "btcusdt@kline_1m": lambda data: data["k"]["n"] == 1,
                "btcusdt@kline_1s": lambda data: data["k"]["n"] == 1 and data["k"]["x"],
                "btcusdt@avgPrice": lambda data: data["i"] == "5m",
            }
            assert set(waiting) == set(names)
            while waiting:
                message = await receive(socket)
                if waiting.get(message["stream"], _never)(message["data"]):
                    del waiting[message["stream"]]


def _never(data: Any) -> bool:
    return False


async def test_a_listen_key_brings_order_and_balance_events_without_an_envelope() -> None:
    """S0-45 to S0-48"""
    async with exchange_with(QuietSource()) as server, SignedClient(server.url) as client:
        key = str(body(await client.keyed("POST", "/api/v3/userDataStream"))["listenKey"])
        raw = connect(ws_url(server, f"/ws/{key}"))
        wrapped = connect(ws_url(server, f"/stream?streams={key}"))
        async with raw as bare, wrapped as combined:
            placed = body(await client.order(type="MARKET", timeInForce=None, price=None))
            events = [await receive(bare) for _ in range(3)]
            assert (await receive(combined))["stream"] == key
    reports = [event for event in events if event["e"] == "executionReport"]
    assert [(event["x"], event["X"]) for event in reports] == [("NEW", "NEW"), ("TRADE", "FILLED")]
    assert {event["i"] for event in reports} == {placed["orderId"]}
    assert [event["e"] for event in events if event not in reports] == ["outboundAccountPosition"]
    assert server.websockets.house.users.listener_count == 0


async def test_a_stop_is_announced_and_then_the_connection_closes() -> None:
    async with exchange_with(QuietSource()) as server:
        raw, wrapped = connect(ws_url(server, "/ws")), connect(ws_url(server, "/stream"))
        async with raw as bare, wrapped as combined:
            server.stop()
            assert (await receive(bare))["e"] == "serverShutdown"
            notice = await receive(combined)
            assert (notice["stream"], notice["data"]["e"]) == ("!serverShutdown", "serverShutdown")
            with pytest.raises(ConnectionClosed):
                await receive(bare)


async def test_a_listen_key_still_works_after_the_exchange_was_started_again(tmp_path: Path) -> None:
    """C-23: a client of 2021 reconnects with the key that it has."""
    path = tmp_path / "exchange.db"
    async with running_exchange(paper_venue(store_path=path)) as server, SignedClient(server.url) as client:
        key = str(body(await client.keyed("POST", "/api/v3/userDataStream"))["listenKey"])
    async with running_exchange(paper_venue(store_path=path)) as server, SignedClient(server.url) as client:
        async with connect(ws_url(server, f"/ws/{key}")) as socket:
            await client.order()
            assert (await receive(socket))["e"] == "executionReport"
        assert (await client.keyed("PUT", "/api/v3/userDataStream", listenKey=key)).status_code == 200


async def test_connections_can_be_broken_on_demand() -> None:
    async with exchange_with(QuietSource()) as server, SignedClient(server.url) as client:
        stream, api = connect(ws_url(server, "/ws/btcusdt@depth")), connect(ws_url(server, "/ws-api/v3"))
        async with stream as first, api as second:
            answer = await client.http.post("/admin/streams", json={"action": "drop"})
            assert body(answer) == {"connections": 2}
            for socket in (first, second):
                with pytest.raises(ConnectionClosed):
                    await receive(socket)
                assert socket.close_code == 1006


async def test_a_shutdown_can_be_announced_without_one() -> None:
    async with exchange_with(QuietSource()) as server, SignedClient(server.url) as client:
        url = ws_url(server, "/ws")
        async with connect(url) as socket:
            await client.http.post("/admin/streams", json={"action": "announce_shutdown"})
            assert (await receive(socket))["e"] == "serverShutdown"
            assert (await ask(socket, {"method": "LIST_SUBSCRIPTIONS", "id": 1}))["result"] == []


async def test_depth_events_can_be_lost_on_demand() -> None:
    source = QuietSource()
    async with exchange_with(source) as server, SignedClient(server.url) as client:
        url = ws_url(server, "/ws/btcusdt@depth@100ms")
        async with connect(url) as socket:
            await client.http.post("/admin/streams", json={"action": "lose_depth", "symbol": "BTCUSDT", "count": 2})
            at_ms = now_ms(server)
            push(server, source, *[diff(number, number, "44990", "1", at_ms) for number in range(1_001, 1_005)])
            assert [(await receive(socket))["U"] for _ in range(2)] == [1_003, 1_004]


@pytest.mark.parametrize("content", ["", "{}", '{"action":"x"}', '{"action":"lose_depth"}', "\udcff", " " * 2_000])
async def test_what_is_no_trouble_is_refused(content: str) -> None:
    async with exchange_with(QuietSource()) as server, SignedClient(server.url) as client:
        headers = {"content-type": "application/json"}
        sent = content.encode("utf-8", "surrogateescape")
        answer = await client.http.post("/admin/streams", content=sent, headers=headers)
        assert answer.status_code in (400, 413)
