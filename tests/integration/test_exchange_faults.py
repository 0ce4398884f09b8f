"""Faults on demand over real sockets: what a client sees of each."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from cryptotrader.core.events import DepthDiff, Trade
from cryptotrader.exchange.protocol.faults import read_rules
from cryptotrader.exchange.server import ExchangeServer
from cryptotrader.net import Supervisor
from tests.support.paper import QuietSource, SignedClient, body, paper_venue, running_exchange, units

PATIENCE_S = 5.0
SILENCE_S = 0.3


@asynccontextmanager
async def exchange() -> AsyncIterator[tuple[ExchangeServer, SignedClient]]:
    async with running_exchange(paper_venue(QuietSource())) as server, SignedClient(server.url) as client:
        yield server, client


async def add(client: SignedClient, **spec: object) -> dict[str, Any]:
    answer = await client.http.post("/admin/faults", json=spec)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def url(server: ExchangeServer, path: str) -> str:
    return f"ws://127.0.0.1:{server.port}{path}"


async def receive(socket: ClientConnection) -> Any:
    async with asyncio.timeout(PATIENCE_S):
        return json.loads(await socket.recv())


async def is_silent(socket: ClientConnection) -> bool:
    try:
        async with asyncio.timeout(SILENCE_S):
            await socket.recv()
    except TimeoutError:
        return True
    return False


def trade(server: ExchangeServer, number: int) -> None:
    now_ms = server.venue.now_ms()
    server.venue._on_market(Trade("BTCUSDT", number, units("45000"), units("0.25"), now_ms, True, now_ms), now_ms)


def depth(server: ExchangeServer, first: int, last: int) -> None:
    now_ms = server.venue.now_ms()
    levels = ((units("44990"), units(str(last))),)
    server.venue._on_market(DepthDiff("BTCUSDT", first, last, levels, (), now_ms), now_ms)


async def test_an_error_comes_with_its_probability_and_the_same_for_a_seed() -> None:
    patterns = []
    async with exchange() as (_, client):
        for seed in (7, 7, 8):
            await client.http.post("/admin/faults/seed", json={"seed": seed})
            await add(client, kind="error", operation="depth", code=-1008, probability=0.5)
            answers = [await client.get("/api/v3/depth", symbol="BTCUSDT", limit=5) for _ in range(24)]
            patterns.append([answer.status_code for answer in answers])
    assert patterns[0] == patterns[1] != patterns[2]
    assert set(patterns[0]) == {200, 503}


async def test_an_error_can_be_for_one_account_and_operation_and_carries_binances_text() -> None:
    async with exchange() as (_, client):
        await add(client, kind="error", operation="order.place", account="somebody", count=1)
        await add(client, kind="error", operation="order.place", account="default", code=-1006)
        assert (await client.get("/api/v3/depth", symbol="BTCUSDT")).status_code == 200
        refused = await client.order()
        assert body(refused) == {
            "code": -1006,
            "msg": "An unexpected response was received from the message bus. Execution status unknown.",
        }
        assert (await client.order()).status_code == 200


@pytest.mark.parametrize(("kind", "landed"), [("land_and_error", 1), ("error", 0)])
async def test_an_unknown_outcome_may_have_landed_or_not(kind: str, landed: int) -> None:
    async with exchange() as (_, client):
        await add(client, kind=kind, operation="order.place", code=-1007)
        answer = await client.order()
        assert (answer.status_code, body(answer)["code"]) == (504, -1007)
        assert len((await client.signed("GET", "/api/v3/openOrders")).json()) == landed


@pytest.mark.parametrize(("kind", "landed"), [("land_and_close", 1), ("drop_and_close", 0)])
async def test_a_connection_that_was_to_break_is_no_error_of_the_server(
    kind: str, landed: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with exchange() as (_, client):
        await add(client, kind=kind, operation="order.place")
        with pytest.raises(httpx2.TransportError):
            await client.order()
        assert len((await client.signed("GET", "/api/v3/openOrders")).json()) == landed
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_storm_lasts_as_long_as_it_was_told_to() -> None:
    async with exchange() as (server, client):
        await add(client, kind="rate_limit", operation="*", retry_after_s=2, for_s=0.3)
        await add(client, kind="ban", operation="ping", retry_after_s=120, count=1)
        storm = await client.get("/api/v3/time")
        assert (storm.status_code, storm.headers["retry-after"], body(storm)["code"]) == (429, "2", -1003)
        async with connect(url(server, "/ws-api/v3")) as socket:
            await socket.send('{"id":1,"method":"time"}')
            answer = await receive(socket)
            data = answer["error"]["data"]
            assert (answer["status"], data["retryAfter"] - data["serverTime"]) == (429, 2_000)
            async with asyncio.timeout(PATIENCE_S):
                while (await client.get("/api/v3/time")).status_code == 429:
                    await asyncio.sleep(0.05)
        banned = await client.get("/api/v3/ping")
        assert (banned.status_code, banned.headers["retry-after"]) == (418, "120")
        # Clients read the time out of it.
        assert re.search(r"IP banned until \d{13}\. ", str(body(banned)["msg"]))
        assert "request weight per 1 MINUTE" in str(body(storm)["msg"])
        assert (await client.get("/api/v3/ping")).status_code == 200


async def test_a_skewed_clock_refuses_timestamps_until_the_client_asks_for_the_time() -> None:
    """-1021; ``serverTime`` tells the same wrong time, over REST and over the WebSocket API."""
    async with exchange() as (server, client):
        added = await add(client, kind="clock_skew", skew_ms=-30_000)
        assert added["left"] is None
        refused = await client.order()
        assert body(refused)["code"] == -1021
        told = int(str(body(await client.get("/api/v3/time"))["serverTime"]))
        assert -35_000 < told - server.venue.now_ms() <= -30_000
        assert (await client.order(timestamp=told)).status_code == 200
        await client.http.delete(f"/admin/faults/{added['id']}")
        assert (await client.order()).status_code == 200


async def test_messages_of_one_stream_are_lost_with_and_without_a_gap() -> None:
    async with exchange() as (server, client), connect(url(server, "/ws/btcusdt@depth@100ms")) as socket:
        await add(client, kind="stream_drop", stream="depth", symbol="BTCUSDT")
        for first in (1_001, 1_003):
            depth(server, first, first + 1)
        assert (await receive(socket))["U"] == 1_003
        await add(client, kind="stream_drop", stream="depth", symbol="BTCUSDT", count=2, gap=False)
        for first in (1_005, 1_007, 1_009):
            depth(server, first, first + 1)
        event = await receive(socket)
        assert (event["U"], event["u"]) == (1_005, 1_010)


async def test_messages_come_twice_or_late_and_in_order() -> None:
    async with exchange() as (server, client), connect(url(server, "/ws/btcusdt@trade")) as socket:
        await add(client, kind="stream_duplicate", stream="trade", copies=1)
        await add(client, kind="stream_delay", stream="*", delay_ms=300, count=1)
        for number in (101, 102, 103):
            trade(server, number)
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        assert [(await receive(socket))["t"] for _ in range(2)] == [101, 101]
        assert [(await receive(socket))["t"] for _ in range(2)] == [102, 103]
        assert loop.time() - started_s >= 0.25


async def test_market_data_is_late_by_its_latency_and_in_order() -> None:
    async with exchange() as (server, client), connect(url(server, "/ws/btcusdt@trade/btcusdt@depth@100ms")) as socket:
        set_to = await client.http.patch("/admin/streams/latency", json={"fixed_ms": 150, "jitter_ms": 100})
        assert set_to.json() == (await client.http.get("/admin/streams/latency")).json()
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        for number in range(5):
            trade(server, 101 + number)
            depth(server, 1_001 + number, 1_001 + number)
        events = [await receive(socket) for _ in range(10)]
        assert loop.time() - started_s >= 0.145
        assert [event.get("t", event.get("u")) for event in events] == [
            number + base for number in range(5) for base in (101, 1_001)
        ]
        wrong = await client.http.patch("/admin/streams/latency", json={"fixed_ms": -1})
        assert wrong.status_code == 400


async def test_account_events_are_lost_and_doubled_on_both_ways_in() -> None:
    async with exchange() as (server, client):
        key = str(body(await client.keyed("POST", "/api/v3/userDataStream"))["listenKey"])
        async with connect(url(server, f"/ws/{key}")) as socket:
            await add(client, kind="stream_drop", stream="user", account="default")
            await add(client, kind="stream_duplicate", stream="user", symbol="BTCUSDT")
            await client.order()
            first = await receive(socket)
            assert first["e"] == "outboundAccountPosition", "the report of the order was lost"
            await client.order()
            reports = [await receive(socket) for _ in range(2)]
            assert reports[0] == reports[1]
            assert reports[0]["e"] == "executionReport"


async def test_a_new_connection_can_be_half_open() -> None:
    """Accepted, then silent for ever: no answer, no event, no pong, no end."""
    async with exchange() as (server, client):
        await add(client, kind="half_open", connections="streams")
        async with connect(url(server, "/ws-api/v3")) as api:
            await api.send('{"id":1,"method":"ping"}')
            assert (await receive(api))["status"] == 200
        async with connect(url(server, "/ws/btcusdt@trade"), ping_interval=None, close_timeout=0.1) as socket:
            trade(server, 101)
            await socket.send('{"method":"LIST_SUBSCRIPTIONS","id":1}')
            pong = asyncio.ensure_future(await socket.ping())
            assert await is_silent(socket)
            assert not pong.done()
            pong.cancel()
            assert socket.close_code is None
        async with connect(url(server, "/ws/btcusdt@trade")) as socket:
            trade(server, 102)
            assert (await receive(socket))["t"] == 102


async def test_open_connections_can_freeze() -> None:
    async with exchange() as (server, client):
        streams = connect(url(server, "/ws/btcusdt@trade"), close_timeout=0.1)
        api = connect(url(server, "/ws-api/v3"), close_timeout=0.1)
        async with streams as first, api as second:
            added = await add(client, kind="freeze", connections="streams")
            assert (added["connections"], added["left"]) == (1, 0)
            trade(server, 101)
            assert await is_silent(first)
            await second.send('{"id":1,"method":"ping"}')
            assert (await receive(second))["status"] == 200


async def test_open_connections_can_be_cut_or_told_of_a_shutdown() -> None:
    async with exchange() as (server, client):
        streams, api = connect(url(server, "/ws")), connect(url(server, "/ws-api/v3"))
        async with streams as first, api as second:
            assert (await add(client, kind="shutdown_notice"))["connections"] == 2
            assert (await receive(first))["e"] == "serverShutdown"
            assert (await receive(second))["event"]["e"] == "serverShutdown"
            assert (await add(client, kind="cut", connections="ws-api"))["connections"] == 1
            with pytest.raises(ConnectionClosed):
                await receive(second)
            assert second.close_code == 1006
            await first.send('{"method":"LIST_SUBSCRIPTIONS","id":1}')
            assert (await receive(first))["id"] == 1


async def test_connections_can_be_cut_later_by_themselves() -> None:
    async with exchange() as (server, client), connect(url(server, "/ws")) as socket:
        added = await add(client, kind="cut", after_s=0.1)
        assert added["connections"] == 0
        with pytest.raises(ConnectionClosed):
            await receive(socket)


async def test_handshakes_can_be_refused() -> None:
    async with exchange() as (server, client):
        await add(client, kind="refuse_connection", status=502, retry_after_s=3)
        with pytest.raises(InvalidStatus) as refused:
            await connect(url(server, "/ws"))
        assert refused.value.response.status_code == 502
        assert refused.value.response.headers["Retry-After"] == "3"
        async with connect(url(server, "/ws")):
            pass


async def test_faults_are_listed_and_cleared_and_their_errors_name_the_field() -> None:
    async with exchange() as (server, client):
        added = await add(client, kind="error", operation="*", for_s=60)
        (listed,) = (await client.http.get("/admin/faults")).json()
        assert listed == added
        assert listed["spec"] == {"kind": "error", "operation": "*", "for_s": 60.0}
        assert abs(listed["since_ms"] - server.venue.now_ms()) < 10_000
        wrong = await client.http.post("/admin/faults", json={"kind": "error", "operation": "depth", "count": 0})
        assert (wrong.status_code, body(wrong)["msg"]) == (400, "Not a fault: count: Expected `int` >= 1")
        text = 'seed = 3\n[[fault]]\nkind = "cut"\nafter_s = 60'
        assert (await client.http.post("/admin/faults/rules", json={"text": text})).status_code == 409
        assert (await client.http.delete("/admin/faults")).json() == {"cleared": 1}
        (loaded,) = (await client.http.post("/admin/faults/rules", json={"text": text})).json()
        assert loaded["spec"]["kind"] == "cut"
        assert (await client.http.post("/admin/faults/rules", json={"text": "x"})).status_code == 400


async def test_an_exchange_can_start_with_a_rules_file(tmp_path: Path) -> None:
    rules = read_rules('[[fault]]\nkind = "error"\noperation = "ping"\ncode = -1001\n', "rules.toml")
    server = ExchangeServer(paper_venue(), port=0, faults=rules)
    async with Supervisor("test") as jobs:
        task = jobs.start("exchange", server.serve)
        await server.wait_started()
        async with httpx2.AsyncClient(base_url=server.url) as http:
            first, second = [(await http.get("/api/v3/ping")).status_code for _ in range(2)]
        server.stop()
        await task
    assert (first, second) == (500, 200)
