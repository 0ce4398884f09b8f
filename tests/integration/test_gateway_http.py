"""The REST gateway over real sockets, before a real paper exchange."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from tests.support.gateway import LIMIT_ORDER
from tests.support.paper_gateway import PaperGateway, running_gateway
from tests.support.waiting import eventually

TIMEOUT_TEXT = "Gateway timeout - Binance API not responding"
ORDERS = "/api/v1/allOrders?symbol=BTCUSDT"


@pytest.fixture
async def gateway() -> AsyncIterator[PaperGateway]:
    async with running_gateway(timeout_s=1.0) as running:
        yield running


async def test_a_limit_order_lives_from_placing_to_cancelling(gateway: PaperGateway) -> None:
    """S0-20, S0-21, S0-23 to S0-27."""
    client = gateway.client
    placed = await client.post("/api/v1/order", json=LIMIT_ORDER)
    order = placed.json()
    assert placed.status_code == 200, order
    assert placed.headers["x-trading-mode"] == "paper"
    assert (order["status"], order["timeInForce"], order["origQty"]) == ("NEW", "GTC", "0.00100000")
    assert order["clientOrderId"] == placed.headers["x-client-order-id"]
    which = f"symbol=BTCUSDT&orderId={order['orderId']}"
    assert (await client.get(f"/api/v1/order?{which}")).json()["status"] == "NEW"
    assert [row["orderId"] for row in (await client.get("/api/v1/openOrders?symbol=btcusdt")).json()] == [
        order["orderId"]
    ]
    cancelled = await client.delete(f"/api/v1/order?{which}")
    assert cancelled.json()["status"] == "CANCELED"
    assert cancelled.json()["origClientOrderId"] == order["clientOrderId"]
    assert (await client.get("/api/v1/openOrders")).json() == []
    assert [row["status"] for row in (await client.get(ORDERS)).json()] == ["CANCELED"]
    again = await client.delete(f"/api/v1/order?{which}")
    assert (again.status_code, again.json()) == (400, {"error": "Unknown order sent", "status": 400})


async def test_a_market_order_has_fills_and_changes_the_balance_at_once(gateway: PaperGateway) -> None:
    """S0-22, S0-29 to S0-31."""
    client = gateway.client

    async def usdt() -> str:
        rows = (await client.get("/api/v1/account")).json()["balances"]
        return next(str(row["free"]) for row in rows if row["asset"] == "USDT")

    before = await usdt()
    body = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": 0.001}
    placed = (await client.post("/api/v1/order", json=body)).json()
    assert placed["status"] == "FILLED"
    assert {"price", "qty", "commission", "commissionAsset"} <= set(placed["fills"][0])
    assert await usdt() != before
    (trade,) = (await client.get("/api/v1/myTrades?symbol=BTCUSDT&limit=50")).json()
    assert trade["orderId"] == placed["orderId"]


async def test_what_the_account_does_not_hold_is_refused_in_the_documented_words(gateway: PaperGateway) -> None:
    """S0-28."""
    reply = await gateway.client.post("/api/v1/order", json={**LIMIT_ORDER, "quantity": "100.0"})
    assert reply.status_code == 400
    assert reply.json() == {"error": "Account has insufficient balance for requested action", "status": 400}


@pytest.mark.parametrize("kind", ["land_and_silence", "land_and_error", "land_and_close"])
async def test_an_order_that_landed_unanswered_is_placed_once_and_told_truly(gateway: PaperGateway, kind: str) -> None:
    """S0-55."""
    await gateway.fault(operation="order.place", kind=kind, count=1)
    reply = await gateway.client.post("/api/v1/order", json=LIMIT_ORDER)
    assert reply.status_code == 200, reply.text
    assert reply.json()["status"] == "NEW"
    assert reply.json()["fills"] == []
    assert len((await gateway.client.get(ORDERS)).json()) == 1


async def test_an_order_that_never_landed_is_a_timeout(gateway: PaperGateway) -> None:
    """S0-55."""
    await gateway.fault(operation="order.place", kind="drop_and_silence", count=1)
    reply = await gateway.client.post("/api/v1/order", json=LIMIT_ORDER)
    assert (reply.status_code, reply.json()) == (504, {"error": TIMEOUT_TEXT, "status": 504})
    assert (await gateway.client.get(ORDERS)).json() == []


async def test_one_key_places_one_order_however_often_and_whenever_it_is_sent(gateway: PaperGateway) -> None:
    """DESIGN 4.7."""
    send = gateway.client.post
    headers = {"Idempotency-Key": "retry-me"}
    replies = await asyncio.gather(*(send("/api/v1/order", json=LIMIT_ORDER, headers=headers) for _ in range(8)))
    assert {reply.status_code for reply in replies} == {200}
    assert len({reply.json()["orderId"] for reply in replies}) == 1
    assert sum(reply.headers.get("idempotent-replayed") == "true" for reply in replies) == 7
    assert len((await gateway.client.get(ORDERS)).json()) == 1


async def test_a_silent_exchange_is_a_timeout_for_readers_too(gateway: PaperGateway) -> None:
    """S0-55."""
    await gateway.fault(operation="account.status", kind="drop_and_silence", count=3)
    reply = await gateway.client.get("/api/v1/account")
    assert (reply.status_code, reply.json()) == (504, {"error": TIMEOUT_TEXT, "status": 504})


async def test_a_restricted_exchange_is_told_on_with_the_time_to_wait(gateway: PaperGateway) -> None:
    """S0-57."""
    await gateway.fault(operation="account.status", kind="rate_limit", count=1)
    first, second = [await gateway.client.get("/api/v1/account") for _ in range(2)]
    for reply in (first, second):
        assert (reply.status_code, reply.json()) == (429, {"error": "Rate limit exceeded", "status": 429})
        assert int(reply.headers["retry-after"]) > 0


async def test_market_data_has_the_documented_shapes(gateway: PaperGateway) -> None:
    """S0-10, S0-11, S0-15, S0-17."""
    client = gateway.client
    price = (await client.get("/api/v1/ticker/price?symbol=btc/usdt")).json()
    assert set(price) == {"symbol", "price"}
    book = (await client.get("/api/v1/depth?symbol=BTCUSDT&limit=5")).json()
    assert len(book["bids"]) == len(book["asks"]) == 5
    assert len((await client.get("/api/v1/trades?symbol=BTCUSDT&limit=1")).json()) == 1
    day = (await client.get("/api/v1/ticker/24hr?symbol=BTCUSDT")).json()
    assert {"priceChange", "lastPrice", "count"} <= set(day)
    unknown = await client.get("/api/v1/depth?symbol=INVALID")
    assert (unknown.status_code, unknown.json()) == (400, {"error": "Invalid symbol", "status": 400})


async def test_connections_are_kept_alive(gateway: PaperGateway) -> None:
    """S0-64."""
    reply = await gateway.client.get("/health")
    assert reply.http_version == "HTTP/1.1"
    assert reply.headers.get("connection", "keep-alive") == "keep-alive"


async def test_an_exchange_that_is_gone_is_502() -> None:
    """S0-56: what S0 does not name is documented in /openapi.json; /health tells of the gateway itself."""
    async with running_gateway(timeout_s=2.0) as gateway:
        price = "/api/v1/ticker/price?symbol=BTCUSDT"
        assert (await gateway.client.get(price)).status_code == 200
        port = gateway.exchange.port
        gateway.exchange.stop()
        await eventually(lambda: not _listens(port))
        gone = await gateway.client.get(price)
        order = await gateway.client.post("/api/v1/order", json=LIMIT_ORDER)
        health = await gateway.client.get("/health")
    for reply in (gone, order):
        assert reply.status_code == 502, reply.text
        assert reply.json() == {"error": "Bad gateway - Binance API not reachable", "status": 502}
    assert health.status_code == 200


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
