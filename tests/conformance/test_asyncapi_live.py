"""Whatever the running gateway sends over any WebSocket is described in its own ``/asyncapi.json``, field by field."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.asyncio.client import connect

from tests.support.asyncapi import payload_validator
from tests.support.channel_client import ChannelClient, channel_client, subscribe
from tests.support.process import TOKEN, Server, running_server

WAIT_S = 30.0

HEADERS = {"Authorization": f"Bearer {TOKEN}"}

MARKET_ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
RESTING_ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": "0.01", "price": "42500.00"}
TERMS = {"stop_loss": 41000, "take_profit": 145000, "trailing_stop": 12.5}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("live"), env={"HTTP_RATE_LIMIT": "100000"}) as running:
        yield running


class Described:
    """The document that the server hands out."""

    def __init__(self, server: Server) -> None:
        document = server.get("/asyncapi.json", token=None).json()
        self._document = document
        self._validators = {name: payload_validator(document, name) for name in document["components"]["messages"]}

    def kind(self, operation: str, message: Any) -> str:
        """Which message of an operation this is; it must be exactly one."""
        refs = self._document["operations"][operation]["messages"]
        names: list[str] = [ref["$ref"].rpartition("/")[2] for ref in refs]
        fitting = [name for name in names if self._validators[name].is_valid(message)]
        assert len(fitting) == 1, (message, fitting)
        return fitting[0]


@pytest.fixture(scope="module")
def described(server: Server) -> Described:
    return Described(server)


def order(server: Server, body: dict[str, str]) -> None:
    """Place it; one that rests is cancelled again."""
    reply = server.call("POST", "/api/v1/order", json=body)
    assert reply.status_code == 200, reply.text
    if body["type"] == "LIMIT":
        number = reply.json()["orderId"]
        assert server.call("DELETE", f"/api/v1/order?symbol=BTCUSDT&orderId={number}").status_code == 200


@pytest.mark.parametrize("stream", ["ticker", "depth"])
async def test_market_streams_send_what_is_described(server: Server, described: Described, stream: str) -> None:
    """S0-40 to S0-43, S0-49."""
    found: Counter[str] = Counter()
    async with asyncio.timeout(WAIT_S), connect(f"{server.ws}/ws/{stream}/btcusdt", additional_headers=HEADERS) as ws:
        await ws.send("hello")
        while len(found) < 2 or found.total() < 4:
            found[described.kind(f"streams.{stream}.send", json.loads(await ws.recv()))] += 1
    assert found.keys() == {f"streams.{stream.capitalize()}Message", "streams.ErrorMessage"}


async def test_the_user_stream_sends_what_is_described(server: Server, described: Described) -> None:
    """S0-45 to S0-47."""
    found: Counter[str] = Counter()
    async with asyncio.timeout(WAIT_S), connect(f"{server.ws}/ws/user", additional_headers=HEADERS) as ws:
        for body in (MARKET_ORDER, RESTING_ORDER):
            await asyncio.to_thread(order, server, body)
        # NEW and TRADE, NEW and CANCELED.
        while found["streams.ExecutionReport"] < 4 or not found["streams.AccountPosition"]:
            found[described.kind("streams.user.send", json.loads(await ws.recv()))] += 1


async def fill_the_channels(server: Server, client: ChannelClient) -> None:
    """Make every channel say something."""
    every = ("market_data", "orderbook", "trades", "orders", "positions", "system_events")
    await client.send(subscribe(*every, symbols=["BTCUSDT"], depth=5))
    await client.wait(lambda row: row.get("event") == "subscribed")
    for body in (MARKET_ORDER, RESTING_ORDER):
        await asyncio.to_thread(order, server, body)
    for channel in every:
        await client.wait_data(channel)
    await client.wait(lambda row: row.get("channel") == "positions" and row["data"]["amount"] > 0)
    reply = await asyncio.to_thread(server.call, "PUT", "/api/v1/positions/BTCUSDT", json=TERMS)
    assert reply.status_code == 200, reply.text
    await client.wait(lambda row: row.get("channel") == "positions" and row["data"]["stop_loss"] is not None)
    await client.send({"action": "unsubscribe", "channels": ["trades"], "params": {"exchange": "binance"}})
    await client.wait(lambda row: row.get("event") == "unsubscribed")


async def test_the_channel_protocol_sends_what_is_described(server: Server, described: Described) -> None:
    """S1-2 to S1-18: a whole session, with refusals, and to its end by the server."""
    async with channel_client(server.ws, path="/ws?dialect=channels") as client:
        await client.send({"action": "subscribe", "channels": ["trades"]})
        assert (await client.login())["event"] in ("error", "authenticated")
        await client.wait(lambda row: row.get("event") == "authenticated")
        await fill_the_channels(server, client)
    found = {described.kind("channels.ws.send", row) for row in client.messages}
    names = "Authenticated Subscribed TickerMessage BookMessage TradeMessage OrderMessage PositionMessage SystemMessage"
    assert found == {f"channels.{name}" for name in (*names.split(), "ErrorMessage")}


async def test_before_a_protocol_is_chosen_errors_are_as_described(server: Server, described: Described) -> None:
    """C-1."""
    async with channel_client(server.ws) as client:
        await client.send("hello")
        row = await client.wait(lambda row: True)
    assert described.kind("undecided.ws.send", row) == "undecided.UndecidedError"
    assert list(row) == ["type", "code", "message"]


async def test_a_server_that_stops_says_goodbye_as_described(described: Described, tmp_path: Any) -> None:
    """S1-18."""
    with running_server(tmp_path) as stopping:
        async with channel_client(stopping.ws) as client:
            await client.login()
            assert await asyncio.to_thread(stopping.stop) == 0
            assert (await client.wait_closed())[0] == 1001
    assert described.kind("channels.ws.send", client.messages[-1]) == "channels.CloseMessage"
