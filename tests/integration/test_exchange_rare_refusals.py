"""Refusals that take some doing: another unit or encoding, a number too long, a symbol that is halted, an old order."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from websockets.asyncio.client import connect

from cryptotrader.core.clock import NS_PER_MS
from cryptotrader.exchange.venue import PaperVenue
from cryptotrader.net import SystemClock
from tests.support.api_client import RESTING, SYMBOL, Api, place, served
from tests.support.paper import BTC, QuietSource, SignedClient, TestClock, body, paper_venue, running_exchange, units

DAY_MS = 86_400_000


@pytest.mark.parametrize(
    ("headers", "refusal"),
    [
        (
            {"X-MBX-TIME-UNIT": "NANOSECOND"},
            {"code": -1194, "msg": "Invalid value for time unit; expected either MICROSECOND or MILLISECOND."},
        ),
        (
            {"X-MBX-SBE": "three"},
            {"code": -1152, "msg": "Invalid `X-MBX-SBE` header; expected `<SCHEMA_ID>:<VERSION>`."},
        ),
        ({"X-MBX-SBE": "3:1"}, {"code": -1155, "msg": "SBE is not enabled."}),
    ],
)
async def test_a_unit_or_encoding_that_is_not_there_is_refused(headers: dict[str, str], refusal: object) -> None:
    async with running_exchange() as server, SignedClient(server.url) as client:
        reply = await client.http.get("/api/v3/time", headers=headers)
        assert (reply.status_code, body(reply)) == (400, refusal)
        assert (await client.http.get("/api/v3/time", headers={"X-MBX-TIME-UNIT": "MILLISECOND"})).status_code == 200


async def test_the_websocket_api_refuses_a_unit_that_is_not_there() -> None:
    async with running_exchange() as server:
        url = f"ws://127.0.0.1:{server.port}/ws-api/v3?timeUnit=NANOSECOND"
        async with connect(url) as socket:
            answer = await Api(server, socket).ask("time")
            assert (answer["status"], answer["error"]["code"]) == (400, -1194)


async def test_a_number_that_is_too_long_overflows() -> None:
    async with served() as api:
        for name, value in (("orderId", 2**63), ("orderId", 10**19)):
            told = await api.error("order.status", **SYMBOL, **{name: value})
            assert told == (400, -1108, f"Parameter '{name}' overflowed.")
        assert (await api.error("order.status", **SYMBOL, orderId=-1))[1] == -1130


async def test_an_order_has_the_name_that_its_query_says() -> None:
    """-2039, of queries only (Binance's ``CHANGELOG.md`` of 2025-04-08)."""
    async with served() as api:
        order = await place(api, newClientOrderId="mine")
        both = SYMBOL | {"orderId": order["orderId"], "origClientOrderId": "yours"}
        wrong = (400, -2039, "Client order ID is not correct for this order ID.")
        assert await api.error("order.status", **both) == wrong
        assert await api.error("order.cancel", **both) == (400, -2011, "Unknown order sent.")
        assert (await api.result("order.status", **(both | {"origClientOrderId": "mine"})))["status"] == "NEW"


async def test_an_order_that_ended_without_a_fill_is_archived_after_ninety_days() -> None:
    clock = TestClock()
    venue = paper_venue(clock=clock)
    async with served(venue=venue) as api:
        gone, filled = await place(api), await place(api, price="45001")
        await api.result("order.cancel", **SYMBOL, orderId=gone["orderId"])
        clock.ns += 90 * DAY_MS * NS_PER_MS
        assert (await api.result("order.status", **SYMBOL, orderId=gone["orderId"]))["status"] == "CANCELED"
        clock.turn(1)
        text = "Order was canceled or expired with no executed qty over 90 days ago and has been archived."
        assert await api.error("order.status", **SYMBOL, orderId=gone["orderId"]) == (400, -2026, text)
        assert (await api.result("order.status", **SYMBOL, orderId=filled["orderId"]))["status"] == "FILLED"


CLOSED = (400, -1013, "Market is closed.")
MISMATCH = (400, -1220, "The symbol's status does not match the requested symbolStatus.")


async def test_a_symbol_that_is_halted_takes_no_orders_and_lets_them_go() -> None:
    venue = paper_venue(QuietSource())
    async with served(venue=venue) as api:
        order = await place(api)
        venue.set_status("BTCUSDT", "HALT")
        assert await api.error("order.place", **RESTING) == CLOSED
        assert await api.error("order.test", **RESTING) == CLOSED
        info: dict[str, Any] = await api.result("exchangeInfo", **SYMBOL)
        assert info["symbols"][0]["status"] == "HALT"
        for method in ("ticker.price", "ticker.book", "ticker.24hr", "depth"):
            assert await api.error(method, **SYMBOL, symbolStatus="TRADING") == MISMATCH
            assert await api.result(method, **SYMBOL, symbolStatus="HALT")
        assert await api.result("ticker.price", symbols='["BTCUSDT"]', symbolStatus="TRADING") == []
        assert await api.result("ticker.price", symbolStatus="TRADING") == []
        assert (await api.error("ticker.price", **SYMBOL, symbolStatus="SHUT"))[1:] == (-1122, "Invalid symbolStatus.")
        assert (await api.result("order.cancel", **SYMBOL, orderId=order["orderId"]))["status"] == "CANCELED"
        venue.set_status("BTCUSDT", "TRADING")
        await place(api)


async def test_an_amount_that_the_book_cannot_serve_is_refused() -> None:
    """``errors.md``: an order by amount must come to what the lot filters want."""
    rules = msgspec.structs.replace(BTC, market_min_qty=units("20"))
    async with served(venue=PaperVenue([rules], [QuietSource()], clock=SystemClock())) as api:
        told = await api.error("order.place", **SYMBOL, side="BUY", type="MARKET", quoteOrderQty="1000000")
        text = "Order book liquidity is less than `MARKET_LOT_SIZE` filter minimum quantity."
        assert told == (400, -2010, text)


FAULTS = {
    -1001: (500, "Internal error; unable to process your request. Please try again."),
    -1006: (500, "An unexpected response was received from the message bus. Execution status unknown."),
    -1008: (503, "Server is currently overloaded with other requests. Please try again in a few minutes."),
    -1016: (503, "This service is no longer available."),
}
"""Troubles of a server, which come on request only."""


async def test_troubles_of_the_server_come_on_request() -> None:
    async with running_exchange() as server, SignedClient(server.url) as client:
        for code, (status, text) in FAULTS.items():
            wanted = {"operation": "time", "kind": "error", "code": code, "count": 1}
            assert (await client.http.post("/admin/faults", json=wanted)).status_code < 300
            reply = await client.get("/api/v3/time")
            assert (reply.status_code, body(reply)) == (status, {"code": code, "msg": text})
