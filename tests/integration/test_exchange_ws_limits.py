"""Limits of connections, and how long they live, over real sockets."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from cryptotrader.exchange.protocol.limits import LimitPolicy
from cryptotrader.exchange.server import ExchangeServer
from tests.support.paper import SignedClient, TestClock, body, paper_venue, running_exchange
from tests.support.waiting import eventually

PATIENCE_S = 5.0
SMALL = LimitPolicy(request_weight=10, raw_requests=3, connections=2, ban_after_refusals=1, first_ban_ms=120_000)


def url(server: ExchangeServer, path: str) -> str:
    return f"ws://127.0.0.1:{server.port}{path}"


async def receive(socket: ClientConnection) -> Any:
    async with asyncio.timeout(PATIENCE_S):
        return json.loads(await socket.recv())


async def refused(server: ExchangeServer, path: str) -> tuple[int, int, int]:
    """(status, Retry-After, code) of a handshake."""
    with pytest.raises(InvalidStatus) as caught:
        await connect(url(server, path))
    response = caught.value.response
    assert response.body is not None
    return response.status_code, int(response.headers["Retry-After"]), json.loads(response.body)["code"]


async def test_connections_are_limited_for_streams_and_api_apart_and_then_banned() -> None:
    clock = TestClock()
    clock.turn(300_000 - clock.now_ns() // 1_000_000 % 300_000)
    async with running_exchange(paper_venue(clock=clock), limits=SMALL) as server:
        for path in ("/ws", "/stream", "/ws-api/v3"):
            async with connect(url(server, path)):
                pass
        assert await refused(server, "/ws") == (429, 300, -1034)
        assert await refused(server, "/ws") == (418, 120, -1003)
        async with connect(url(server, "/ws-api/v3")):
            pass
        clock.turn(300_000)
        async with connect(url(server, "/ws")):
            pass


async def test_a_banned_address_is_told_so_and_disconnected_from_the_api() -> None:
    """``web-socket-api.md``, "IP limits"."""
    async with running_exchange(paper_venue(clock=TestClock()), limits=SMALL) as server:
        async with connect(url(server, "/ws-api/v3")) as socket:
            statuses = []
            for _ in range(3):
                await socket.send('{"id":1,"method":"depth","params":{"symbol":"BTCUSDT"}}')
                statuses.append((await receive(socket))["status"])
            with pytest.raises(ConnectionClosed):
                await receive(socket)
        assert statuses == [200, 429, 418]
        assert socket.close_code == 1008
        assert (await refused(server, "/ws-api/v3"))[0] == 418
        async with SignedClient(server.url) as client:
            assert (await client.get("/api/v3/ping")).status_code == 418


async def test_rest_requests_are_counted_whatever_they_weigh() -> None:
    policy = replace(SMALL, request_weight=6_000, ban_after_refusals=20)
    venue = paper_venue(clock=TestClock())
    async with running_exchange(venue, limits=policy) as server, SignedClient(server.url) as client:
        answers = [await client.get("/api/v3/ping") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert "3 requests per 5 MINUTE" in str(body(answers[-1])["msg"])
    assert 0 < int(answers[-1].headers["retry-after"]) <= 300


async def test_each_way_tells_its_own_limits_in_exchange_info() -> None:
    policy = replace(SMALL, request_weight=6_000)
    async with (
        running_exchange(limits=policy) as server,
        SignedClient(server.url) as client,
        connect(url(server, "/ws-api/v3")) as socket,
    ):
        rest = (await client.get("/api/v3/exchangeInfo")).json()["rateLimits"]
        await socket.send('{"id":1,"method":"exchangeInfo"}')
        api = (await receive(socket))["result"]["rateLimits"]
    assert (rest[-1]["rateLimitType"], rest[-1]["limit"]) == ("RAW_REQUESTS", 3)
    assert (api[-1]["rateLimitType"], api[-1]["limit"], api[-1]["intervalNum"]) == ("CONNECTIONS", 2, 5)


async def test_without_limits_nothing_is_refused_and_everything_counted() -> None:
    async with running_exchange(paper_venue(clock=TestClock()), limits=LimitPolicy.off()) as server:
        server.operations.desk.weights.charge("127.0.0.1", 1_000_000, now_ms=server.venue.now_ms())
        async with SignedClient(server.url) as client, connect(url(server, "/ws")) as socket:
            answer = await client.get("/api/v3/ping")
            assert answer.headers["x-mbx-used-weight-1m"] == "1000001"
            for number in range(50):
                await socket.send(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": number}))
            assert [(await receive(socket))["id"] for _ in range(50)] == list(range(50))


async def test_pongs_count_as_messages() -> None:
    """``web-socket-streams.md``, "WebSocket Limits"."""
    async with running_exchange() as server, connect(url(server, "/ws")) as socket:
        for _ in range(6):
            await socket.pong(b"unasked")
        with pytest.raises(ConnectionClosed):
            await receive(socket)
        assert socket.close_code == 1008


async def test_more_streams_than_allowed_are_refused() -> None:
    async with running_exchange(limits=LimitPolicy(streams=2)) as server, connect(url(server, "/ws")) as socket:
        wanted = {"method": "SUBSCRIBE", "params": ["a@trade", "b@trade", "c@trade"], "id": 1}
        await socket.send(json.dumps(wanted))
        assert (await receive(socket))["error"]["code"] == 2
        with pytest.raises(InvalidStatus):
            await connect(url(server, "/ws/a@trade/b@trade/c@trade"))


async def test_a_connection_is_warned_before_its_life_ends() -> None:
    clock = TestClock()
    policy = LimitPolicy(connection_life_s=100, shutdown_notice_s=10)
    async with running_exchange(paper_venue(clock=clock), limits=policy) as server:
        stream, api = connect(url(server, "/ws")), connect(url(server, "/ws-api/v3"))
        async with stream as first, api as second:
            clock.turn(89_000)
            server.websockets.house.crowd.tick()
            clock.turn(1_000)
            for _ in range(2):
                server.websockets.house.crowd.tick()
            assert (await receive(first))["e"] == "serverShutdown"
            assert (await receive(second))["event"]["e"] == "serverShutdown"
            clock.turn(10_000)
            server.websockets.house.crowd.tick()
            for socket in (first, second):
                with pytest.raises(ConnectionClosed):
                    await receive(socket)
                assert socket.close_code == 1001


async def test_a_client_that_answers_no_ping_is_dropped() -> None:
    policy = LimitPolicy(ping_interval_s=0.2, pong_timeout_s=1.5)
    async with running_exchange(limits=policy) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(
            b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        async with asyncio.timeout(10):
            try:
                pings = await reader.read()
            except ConnectionError:
                pings = b"\x89"
        assert pings.startswith(b"\x89")
        writer.close()
        await eventually(lambda: not len(server.websockets.house.crowd))


async def test_a_head_that_does_not_end_is_refused() -> None:
    async with running_exchange() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET /api/v3/ping HTTP/1.1\r\n" + b"X-Long: " + b"x" * 1_000 + b"\r\n")
        for _ in range(70):
            writer.write(b"X-Long: " + b"x" * 1_000 + b"\r\n")
        async with asyncio.timeout(PATIENCE_S):
            answer = await reader.read()
        writer.close()
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == -1100
