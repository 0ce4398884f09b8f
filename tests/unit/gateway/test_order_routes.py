"""Orders over HTTP: bodies, keys, modes, scopes."""

from __future__ import annotations

from typing import Any

import pytest

from cryptotrader.core.errors import UnknownOutcome, VenueRejected, VenueTimeout
from cryptotrader.sessions.auth import Principal, Scope
from tests.support.gateway import LIMIT_ORDER, PLACED, Bench

ABSENT = VenueRejected("Order does not exist.", venue_code=-2013)


class ReadOnly:
    """Knows one client, who may only read."""

    def authenticate(
        self, authorization: str | None, query_token: str | None = None, *, client: str | None = None
    ) -> Principal:
        return Principal("reader", "reader", frozenset({Scope.READ}))


async def test_the_venues_answer_is_passed_on_byte_for_byte_and_names_the_mode() -> None:
    """S0-20, S0-21, C-14."""
    bench = Bench()
    bench.venue.says("order.place", PLACED)
    async with bench.client() as client:
        reply = await client.post("/api/v1/order", json=LIMIT_ORDER)
    assert (reply.status_code, reply.content) == (200, PLACED)
    assert reply.headers["x-trading-mode"] == "paper"
    assert reply.headers["x-client-order-id"] == bench.venue.calls_of("order.place")[0]["newClientOrderId"]


@pytest.mark.parametrize(
    ("content", "kind", "status", "text"),
    [
        (b"{}", "application/json", 400, "Missing required parameter: symbol"),
        (b"[]", "application/json", 400, "Expected object"),
        (b"", "application/json", 400, "Request body is not valid JSON"),
        (b"{", "application/json", 400, "Request body is not valid JSON"),
        (b'{"symbol":"\xff"}', "application/json", 400, "Request body is not valid JSON"),
        (b"[" * 60_000, "application/json", 400, ""),
        (b'{"symbol":"BTCUSDT","side":"BUY","type":"MARKET","quantity":' + b"[" * 60_000, "application/json", 400, ""),
        (
            b'{"symbol":"BTCUSDT","side":"BUY","type":"MARKET","quantity":"1","quantity":"2"}',
            "application/json",
            400,
            "Duplicate parameter: quantity",
        ),
        (
            b'{"symbol":"BTCUSDT","side":"BUY","type":"MARKET","quantity":1' + b"0" * 9_000 + b"}",
            "application/json",
            400,
            "Invalid quantity",
        ),
        (b"x" * 70_000, "application/json", 413, "Request body larger than 65536 bytes"),
        (b"a=1", "application/x-www-form-urlencoded", 415, "Unsupported media type: use application/json"),
    ],
)
async def test_a_bad_body_is_refused_in_the_common_shape(content: bytes, kind: str, status: int, text: str) -> None:
    """S0-56."""
    async with Bench().client() as client:
        reply = await client.post("/api/v1/order", content=content, headers={"Content-Type": kind})
    assert reply.status_code == status
    assert set(reply.json()) == {"error", "status"}
    assert text in reply.json()["error"]


async def test_a_body_without_a_length_is_bounded_too() -> None:
    """S0-56."""

    async def endless() -> Any:
        for _ in range(100):
            yield b"x" * 1_000

    async with Bench().client() as client:
        reply = await client.post("/api/v1/order", content=endless(), headers={"Content-Type": "application/json"})
    assert reply.status_code == 413


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"quantiy": "1"}, "Unknown parameter: quantiy"),
        ({"side": "buy"}, "Invalid side"),
        ({"type": "MAGIC"}, "Invalid type"),
        ({"timeInForce": "GTD"}, "Invalid timeInForce"),
        ({"quantity": "one"}, "Invalid quantity"),
        ({"quantity": None}, "Invalid quantity"),
        ({"newClientOrderId": "with space"}, "Invalid newClientOrderId"),
        ({"symbol": "NOPE"}, "Invalid symbol"),
        ({"symbol": 5}, "Invalid symbol"),
    ],
)
async def test_the_offending_field_is_named(change: dict[str, object], text: str) -> None:
    """S0-18, S0-56."""
    bench = Bench()
    async with bench.client() as client:
        reply = await client.post("/api/v1/order", json=LIMIT_ORDER | change)
    assert reply.status_code == 400
    assert reply.json()["error"].startswith(text)
    assert bench.venue.calls == []


async def test_insufficient_funds_are_told_without_the_full_stop() -> None:
    """S0-28."""
    bench = Bench()
    refusal = VenueRejected("Account has insufficient balance for requested action.", venue_code=-2010)
    bench.venue.says("order.place", refusal)
    async with bench.client() as client:
        reply = await client.post("/api/v1/order", json=LIMIT_ORDER)
    assert reply.json() == {"error": "Account has insufficient balance for requested action", "status": 400}


async def test_an_unknown_outcome_is_504_with_the_name_to_ask_for() -> None:
    """S0-55."""
    bench = Bench()
    bench.venue.says("order.place", VenueTimeout("silence"))
    bench.venue.says("order.status", VenueTimeout("silence"))
    async with bench.client() as client:
        reply = await client.post("/api/v1/order", json=LIMIT_ORDER)
    assert reply.status_code == 504
    assert reply.json() == {"error": "Gateway timeout - Binance API not responding", "status": 504}
    assert reply.headers["x-client-order-id"] == bench.venue.calls_of("order.place")[0]["newClientOrderId"]
    assert issubclass(UnknownOutcome, Exception)


async def test_a_repeated_key_is_answered_again_and_says_so() -> None:
    """DESIGN 4.7."""
    bench = Bench()
    bench.venue.says("order.status", ABSENT)
    bench.venue.says("order.place", PLACED)
    headers = {"Idempotency-Key": "one"}
    async with bench.client() as client:
        first = await client.post("/api/v1/order", json=LIMIT_ORDER, headers=headers)
        second = await client.post("/api/v1/order", json=LIMIT_ORDER, headers=headers)
        other = await client.post("/api/v1/order", json=LIMIT_ORDER | {"side": "SELL"}, headers=headers)
        bad = await client.post("/api/v1/order", json=LIMIT_ORDER, headers={"Idempotency-Key": "with space"})
        twice = [("Idempotency-Key", "one"), ("Idempotency-Key", "two")]
        ambiguous = await client.post("/api/v1/order", json=LIMIT_ORDER, headers=twice)
    assert first.content == second.content == PLACED
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert other.json() == {"error": "Idempotency-Key was used with a different order", "status": 400}
    assert bad.status_code == ambiguous.status_code == 400
    assert len(bench.venue.calls_of("order.place")) == 1


async def test_an_order_is_asked_for_and_cancelled_by_either_name() -> None:
    """S0-24, S0-25."""
    bench = Bench()
    bench.venue.says("order.status", b'{"orderId":7}')
    bench.venue.says("order.cancel", b'{"status":"CANCELED"}')
    async with bench.client() as client:
        assert (await client.get("/api/v1/order?symbol=BTCUSDT&orderId=7")).json() == {"orderId": 7}
        assert (await client.get("/api/v1/order?symbol=BTCUSDT&origClientOrderId=x-1")).status_code == 200
        assert (await client.delete("/api/v1/order?symbol=BTCUSDT&orderId=7")).json() == {"status": "CANCELED"}
        nothing = await client.delete("/api/v1/order?symbol=BTCUSDT")
    assert nothing.json() == {"error": "Missing required parameter: orderId or origClientOrderId", "status": 400}
    assert [params for name, params in bench.venue.calls if name == "order.status"] == [
        {"symbol": "BTCUSDT", "orderId": 7},
        {"symbol": "BTCUSDT", "origClientOrderId": "x-1"},
    ]


async def test_account_data_is_always_asked_of_the_venue() -> None:
    """S0-26, S0-27, S0-29, S0-30, S0-31."""
    bench = Bench()
    for name in ("openOrders.status", "allOrders", "account.status", "myTrades"):
        bench.venue.says(name, b"[]")
    async with bench.client() as client:
        for _ in range(2):
            await client.get("/api/v1/openOrders?symbol=BTCUSDT")
            await client.get("/api/v1/allOrders?symbol=BTCUSDT&limit=100")
            await client.get("/api/v1/account")
            await client.get("/api/v1/myTrades?symbol=BTCUSDT&limit=50")
    assert len(bench.venue.calls) == 8
    assert bench.venue.calls_of("allOrders")[0] == {"symbol": "BTCUSDT", "limit": 100}


@pytest.mark.parametrize(
    "path", ["allOrders?limit=5", "allOrders?symbol=BTCUSDT&limit=1001", "myTrades?symbol=BTCUSDT&fromId=1&startTime=1"]
)
async def test_wrong_history_parameters_are_400(path: str) -> None:
    """S0-27, S0-30."""
    async with Bench().client() as client:
        assert (await client.get(f"/api/v1/{path}")).status_code == 400


async def test_a_token_that_may_only_read_cannot_trade() -> None:
    """C-3."""
    bench = Bench(options={"authenticator": ReadOnly()})
    bench.venue.says("account.status", b"{}")
    async with bench.client() as client:
        assert (await client.get("/api/v1/account")).status_code == 200
        reply = await client.post("/api/v1/order", json=LIMIT_ORDER)
        cancelled = await client.delete("/api/v1/order?symbol=BTCUSDT&orderId=1")
    assert reply.json() == {"error": "Token does not allow this: needs scope trade", "status": 403}
    assert cancelled.status_code == 403


async def test_real_money_needs_its_own_switch() -> None:
    """DESIGN 8."""
    bench = Bench(options={"may_trade": False, "mode": "live"})
    bench.venue.says("order.test", b"{}")
    async with bench.client() as client:
        reply = await client.post("/api/v1/order", json=LIMIT_ORDER)
        assert (await client.post("/api/v1/order/test", json=LIMIT_ORDER)).status_code == 200
    assert reply.status_code == 403
    assert bench.venue.calls_of("order.place") == []
