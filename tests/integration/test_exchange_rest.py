"""The paper exchange's REST API over real HTTP, against the shapes of Binance's documents."""

from __future__ import annotations

from tests.support.paper import SignedClient, body, rows, running_exchange


async def test_ping_time_and_exchange_info_have_binances_shape() -> None:
    async with running_exchange() as server, SignedClient(server.url) as client:
        assert body(await client.get("/api/v3/ping")) == {}
        assert isinstance(body(await client.get("/api/v3/time"))["serverTime"], int)
        info = body(await client.get("/api/v3/exchangeInfo", symbol="BTCUSDT"))
        assert list(info) == ["timezone", "serverTime", "rateLimits", "exchangeFilters", "symbols"]


async def test_a_limit_order_rests_can_be_queried_and_cancelled() -> None:
    """S0-21, S0-24, S0-25."""
    async with running_exchange() as server, SignedClient(server.url) as client:
        placed = await client.order(newClientOrderId="mine")
        assert placed.status_code == 200, placed.text
        answer = body(placed)
        assert answer["status"] == "NEW"
        assert answer["fills"] == []
        found = body(await client.signed("GET", "/api/v3/order", symbol="BTCUSDT", orderId=answer["orderId"]))
        assert found["clientOrderId"] == "mine"
        gone = body(await client.signed("DELETE", "/api/v3/order", symbol="BTCUSDT", orderId=answer["orderId"]))
        assert gone["status"] == "CANCELED"
        assert gone["origClientOrderId"] == "mine"
        assert rows(await client.signed("GET", "/api/v3/openOrders")) == []
