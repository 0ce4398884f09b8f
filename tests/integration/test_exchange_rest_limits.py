"""Limits, headers and faults of the paper exchange over real HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest

from cryptotrader.exchange.protocol.limits import BAN_AFTER_REFUSALS, LimitPolicy
from cryptotrader.exchange.server import ExchangeServer
from tests.support.paper import START_MS, SignedClient, TestClock, body, paper_venue, rows, running_exchange
from tests.support.waiting import eventually


@pytest.fixture
async def exchange() -> AsyncIterator[ExchangeServer]:
    async with running_exchange() as server:
        yield server


@pytest.fixture
async def client(exchange: ExchangeServer) -> AsyncIterator[SignedClient]:
    async with SignedClient(exchange.url) as client:
        yield client


async def fault(client: SignedClient, **spec: object) -> httpx2.Response:
    return await client.http.post("/admin/faults", json=spec)


async def unanswered(client: SignedClient, **changes: object) -> None:
    """Place an order that gets no answer while the client is willing to wait."""
    client.http.timeout = httpx2.Timeout(0.3)
    with pytest.raises(httpx2.TimeoutException):
        await client.order(**changes)
    client.http.timeout = httpx2.Timeout(10)


async def test_every_answer_tells_the_weight_used_in_this_minute() -> None:
    """``rest-api.md``, "IP Limits": weights are those of the request's own description."""
    async with running_exchange(paper_venue(clock=TestClock())) as server, SignedClient(server.url) as client:
        used = []
        for path, params in (("ping", {}), ("depth", {"symbol": "BTCUSDT", "limit": 500}), ("depth", {"symbol": "NO"})):
            response = await client.get(f"/api/v3/{path}", **params)
            assert response.headers["x-mbx-used-weight"] == response.headers["x-mbx-used-weight-1m"]
            used.append(int(response.headers["x-mbx-used-weight-1m"]))
        assert used == [1, 26, 31]


async def test_an_order_that_is_accepted_weighs_nothing_and_is_counted() -> None:
    """Since 2026-04-02."""
    async with running_exchange(paper_venue(clock=TestClock())) as server, SignedClient(server.url) as client:
        placed = await client.order(timestamp=START_MS)
        assert placed.headers["x-mbx-used-weight-1m"] == "0"
        assert placed.headers["x-mbx-order-count-10s"] == "1"
        assert placed.headers["x-mbx-order-count-1d"] == "1"
        refused = await client.order(timestamp=START_MS, quantity="0.000001")
        assert refused.headers["x-mbx-used-weight-1m"] == "1"
        assert "x-mbx-order-count-10s" not in refused.headers
        await client.signed("DELETE", "/api/v3/openOrders", timestamp=START_MS, symbol="BTCUSDT")
        for _ in range(3):
            filled = await client.order(timestamp=START_MS, price="45001")
            assert filled.headers["x-mbx-order-count-10s"] == "1", "its fill took it out of the unfilled count"
        counts = rows(await client.signed("GET", "/api/v3/rateLimit/order", timestamp=START_MS))
        assert [row["count"] for row in counts] == [1, 1]


async def test_too_much_weight_is_429_with_retry_after_and_then_418() -> None:
    """S0-57."""
    clock = TestClock()
    limits = LimitPolicy(request_weight=10)
    async with running_exchange(paper_venue(clock=clock), limits=limits) as server, SignedClient(server.url) as client:
        assert (await client.get("/api/v3/depth", symbol="BTCUSDT")).status_code == 200
        assert (await client.get("/api/v3/depth", symbol="BTCUSDT")).status_code == 200
        for _ in range(BAN_AFTER_REFUSALS):
            response = await client.get("/api/v3/ping")
            assert response.status_code == 429
            assert 1 <= int(response.headers["retry-after"]) <= 60
            assert body(response)["code"] == -1003
        response = await client.get("/api/v3/ping")
        assert response.status_code == 418
        assert response.headers["retry-after"] == "120"
        clock.turn(120_000)
        assert (await client.get("/api/v3/ping")).status_code == 200


async def test_too_many_unfilled_orders_are_refused() -> None:
    limits = LimitPolicy(orders_10s=2)
    venue = paper_venue(clock=TestClock())
    async with running_exchange(venue, limits=limits) as server, SignedClient(server.url) as client:
        for _ in range(2):
            assert (await client.order(timestamp=START_MS)).status_code == 200
        response = await client.order(timestamp=START_MS)
        assert response.status_code == 429
        assert body(response) == {
            "code": -1015,
            "msg": "Too many new orders; current limit is 2 orders per 10 SECOND.",
        }
        assert "retry-after" in response.headers


async def test_an_order_can_land_without_an_answer(client: SignedClient) -> None:
    """DESIGN 4.7: what an unknown outcome looks like from outside."""
    made = await fault(client, operation="order.place", kind="land_and_silence")
    assert made.status_code == 201
    await unanswered(client, newClientOrderId="landed")
    found = await client.signed("GET", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="landed")
    assert body(found)["status"] == "NEW"
    assert rows(await client.http.get("/admin/faults")) == []


async def test_an_order_can_be_lost_without_an_answer(client: SignedClient) -> None:
    await fault(client, operation="order.place", kind="drop_and_silence", count=2)
    await unanswered(client, newClientOrderId="lost")
    found = await client.signed("GET", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="lost")
    assert body(found) == {"code": -2013, "msg": "Order does not exist."}
    waiting = rows(await client.http.get("/admin/faults"))
    assert [(item["left"], item["hits"]) for item in waiting] == [(1, 1)]


@pytest.mark.parametrize(("kind", "lands"), [("land_and_close", True), ("drop_and_close", False)])
async def test_the_connection_can_break_instead_of_an_answer(client: SignedClient, kind: str, lands: bool) -> None:
    await fault(client, operation="order.place", kind=kind)
    with pytest.raises(httpx2.TransportError):
        await client.order(newClientOrderId="broken")
    found = await client.signed("GET", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="broken")
    assert (found.status_code == 200) == lands


async def test_an_error_can_be_asked_for_a_number_of_times(client: SignedClient) -> None:
    await fault(client, operation="account.status", kind="error", code=-1003, status=429, retry_after_s=2, count=2)
    for _ in range(2):
        response = await client.signed("GET", "/api/v3/account")
        assert response.status_code == 429
        assert response.headers["retry-after"] == "2"
        assert body(response)["code"] == -1003
    assert (await client.signed("GET", "/api/v3/account")).status_code == 200


async def test_a_timeout_answer_can_hide_an_order_that_landed(client: SignedClient) -> None:
    """``errors.md``, -1007."""
    await fault(client, operation="order.place", kind="land_and_error")
    response = await client.order(newClientOrderId="hidden")
    assert response.status_code == 504
    assert body(response)["code"] == -1007
    found = await client.signed("GET", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="hidden")
    assert found.status_code == 200


async def test_rate_limits_bans_and_delays_can_be_asked_for(client: SignedClient) -> None:
    await fault(client, operation="depth", kind="rate_limit", retry_after_s=7)
    response = await client.get("/api/v3/depth", symbol="BTCUSDT")
    assert (response.status_code, response.headers["retry-after"]) == (429, "7")
    await fault(client, operation="*", kind="ban", retry_after_s=120)
    response = await client.get("/api/v3/ping")
    assert (response.status_code, response.headers["retry-after"]) == (418, "120")
    await fault(client, operation="depth", kind="delay", delay_ms=50)
    assert (await client.get("/api/v3/depth", symbol="BTCUSDT")).status_code == 200


async def test_faults_are_checked_and_can_be_cleared(client: SignedClient) -> None:
    for wrong in (
        {"operation": "order.place", "kind": "explode"},
        {"operation": "no.such", "kind": "error"},
        {"operation": "depth", "kind": "error", "count": 0},
        {"kind": "error"},
    ):
        assert (await fault(client, **wrong)).status_code == 400
    first = body(await fault(client, operation="depth", kind="error"))
    await fault(client, operation="depth", kind="error")
    assert (await client.http.delete(f"/admin/faults/{first['id']}")).status_code == 200
    assert (await client.http.delete(f"/admin/faults/{first['id']}")).status_code == 404
    assert body(await client.http.delete("/admin/faults")) == {"cleared": 1}


async def test_a_web_page_cannot_ask_for_faults(client: SignedClient) -> None:
    text = '{"operation":"depth","kind":"error"}'
    plain = await client.http.post("/admin/faults", content=text, headers={"Content-Type": "text/plain"})
    assert plain.status_code == 415
    page = {"Content-Type": "application/json", "Origin": "http://evil.example"}
    assert (await client.http.post("/admin/faults", content=text, headers=page)).status_code == 403
    assert (await client.http.delete("/admin/faults", headers=page)).status_code == 403
    assert rows(await client.http.get("/admin/faults")) == []


async def test_paper_money_can_be_added_and_taken(client: SignedClient) -> None:
    path = "/admin/accounts/default/deposit"
    assert (await client.http.post(path, json={"asset": "USDC", "amount": "12.5"})).status_code == 200
    assert (await client.http.post(path, json={"asset": "USDC", "amount": "-2.5"})).status_code == 200
    assert (await client.http.post(path, json={"asset": "USDC", "amount": "-20"})).status_code == 400
    assert (await client.http.post(path, json={"asset": "usdc", "amount": "1"})).status_code == 400
    assert (await client.http.post("/admin/accounts/nobody/deposit", json={"asset": "A", "amount": "1"})).is_error
    accounts = rows(await client.http.get("/admin/accounts"))
    balances = accounts[0]["balances"]
    assert isinstance(balances, dict)
    assert balances["USDC"] == {"free": "10.00000000", "locked": "0.00000000"}


async def test_a_server_with_a_silent_request_stops_all_the_same(exchange: ExchangeServer) -> None:
    async with SignedClient(exchange.url) as client:
        await fault(client, operation="ping", kind="drop_and_silence")
        silent = asyncio.create_task(client.get("/api/v3/ping"))
        await eventually(lambda: not exchange.operations.desk.faults.list())
        exchange.stop()
        with pytest.raises(httpx2.HTTPError):
            (await silent).raise_for_status()
