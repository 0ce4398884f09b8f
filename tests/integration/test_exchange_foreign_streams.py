"""Stream connections as bots and libraries open them: addresses, names, identifiers, order of frames.

Each row is what the source of a program does that is not in ``tests/conformance/third_party``, or what Binance's
document allows ("Live Subscribing/Unsubscribing to streams").
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from cryptotrader.exchange.accounts import SAMPLE_KEY_ID, SAMPLE_SECRET
from cryptotrader.exchange.protocol.limits import LimitPolicy
from cryptotrader.exchange.server import ExchangeServer
from tests.support.paper import SignedClient, body, running_exchange
from tests.support.still_market import still_venue

WAIT_S = 5.0

TRADE = "btcusdt@trade"
MANY = [f"{symbol}@{kind}" for symbol in ("btcusdt", "btcusdc", "bnbusdt") for kind in ("trade", "aggTrade", "depth")]
HUNDREDS = [f"btcusdt@kline_{number}m" for number in range(300)] + [TRADE]
"""Most of them mean nothing, and are no error."""

ADDRESSES: dict[str, tuple[str, bool]] = {
    "one name": (f"/ws/{TRADE}", False),
    "several names": (f"/ws/{TRADE}/btcusdt@depth20@100ms/btcusdc@bookTicker", False),
    "go-binance's combined": (f"/stream?streams=btcusdt@depth/{TRADE}", True),
    "a slash at the end of the names": (f"/stream?streams={TRADE}/", True),
    "a slash at the end of a raw name": (f"/ws/{TRADE}/", False),
    "nautilus: the first name, the others later": (f"/stream?streams={TRADE}", True),
    "escaped names": ("/stream?streams=btcusdt%40trade%2Fbtcusdc%40trade", True),
    "another unit of time": (f"/stream?streams={TRADE}&timeUnit=MICROSECOND", True),
    "the unit first": (f"/stream?timeUnit=microsecond&streams={TRADE}", True),
    "a raw name and a unit": (f"/ws/{TRADE}?timeUnit=MICROSECOND", False),
    "two hundred names": ("/stream?streams=" + "/".join(f"btcusdt@x{n}" for n in range(199)) + f"/{TRADE}", True),
    "the same name twice": (f"/stream?streams={TRADE}/{TRADE}", True),
    "unknown names beside": (f"/stream?streams=nosuch@trade/!bookTicker/{TRADE}", True),
}
"""Path and query, and whether events come wrapped."""

SUBSCRIBED: dict[str, tuple[str, list[dict[str, Any]], bool]] = {
    "bare, then one": ("/ws", [{"method": "SUBSCRIBE", "params": [TRADE], "id": 1}], False),
    "a slash behind": ("/ws/", [{"method": "SUBSCRIBE", "params": [TRADE], "id": 1}], False),
    "bare combined": ("/stream", [{"method": "SUBSCRIBE", "params": [TRADE], "id": 1}], True),
    "combined with a slash behind": ("/stream/", [{"method": "SUBSCRIBE", "params": [TRADE], "id": 1}], True),
    "a number for a name": ("/ws/0", [{"method": "SUBSCRIBE", "params": [TRADE], "id": 1}], False),
    "hummingbot: two requests": (
        "/ws",
        [
            {"method": "SUBSCRIBE", "params": [TRADE, "btcusdc@trade"], "id": 1},
            {"method": "SUBSCRIBE", "params": ["btcusdt@depth@100ms", "btcusdc@depth@100ms"], "id": 2},
        ],
        False,
    ),
    "UBWA: the same again": (f"/stream?streams={TRADE}", [{"method": "SUBSCRIBE", "params": MANY, "id": 7}], True),
    "hundreds at once": ("/ws", [{"method": "SUBSCRIBE", "params": HUNDREDS, "id": 1}], False),
    "an id of text": ("/ws", [{"method": "SUBSCRIBE", "params": [TRADE], "id": "6f1d-aa_X9"}], False),
    "an id of 36 characters": ("/ws", [{"method": "SUBSCRIBE", "params": [TRADE], "id": "a" * 36}], False),
    "an id of 64 bits": ("/ws", [{"method": "SUBSCRIBE", "params": [TRADE], "id": 2**63 - 1}], False),
    "an id of nothing": ("/ws", [{"method": "SUBSCRIBE", "params": [TRADE], "id": None}], False),
    "an id of zero": ("/ws", [{"method": "SUBSCRIBE", "params": [TRADE], "id": 0}], False),
    "a negative id": ("/ws", [{"method": "SUBSCRIBE", "params": [TRADE], "id": -5}], False),
    "the id first": ("/ws", [{"id": 1, "params": [TRADE], "method": "SUBSCRIBE"}], False),
    "wrapped later": (
        "/ws",
        [
            {"method": "SET_PROPERTY", "params": ["combined", True], "id": 1},
            {"method": "SUBSCRIBE", "params": [TRADE], "id": 2},
        ],
        True,
    ),
    "left and taken again": (
        f"/ws/{TRADE}",
        [
            {"method": "UNSUBSCRIBE", "params": [TRADE, "btcusdt@nosuch"], "id": 1},
            {"method": "SUBSCRIBE", "params": [TRADE], "id": 2},
        ],
        False,
    ),
}
"""Path and query, frames, and whether events come wrapped; each frame is acknowledged under its identifier."""


async def _trade(server: ExchangeServer) -> int:
    """Something happens: an order that trades; answers its number of the trade."""
    async with SignedClient(f"http://127.0.0.1:{server.port}") as client:
        answer = body(await client.order(type="MARKET", timeInForce=None, price=None, newOrderRespType="FULL"))
    fills = answer["fills"]
    assert isinstance(fills, list)
    return int(fills[0]["tradeId"])


async def _event(socket: ClientConnection, trade_id: int, *, wrapped: bool) -> dict[str, Any]:
    """The event of a trade; everything else is passed over."""
    async with asyncio.timeout(WAIT_S):
        while True:
            message = json.loads(await socket.recv())
            if wrapped and message.get("stream") != TRADE:
                continue
            event: dict[str, Any] = message["data"] if wrapped else message
            if event.get("e") == "trade" and event.get("t") == trade_id:
                return event


@asynccontextmanager
async def _exchange() -> AsyncIterator[tuple[ExchangeServer, str]]:
    """A new exchange, and how the addresses of its streams begin."""
    async with running_exchange(still_venue(), limits=LimitPolicy.off()) as server:
        yield server, f"ws://127.0.0.1:{server.port}"


@pytest.mark.parametrize("name", ADDRESSES)
async def test_an_address_gives_its_streams(name: str) -> None:
    path, wrapped = ADDRESSES[name]
    async with _exchange() as (server, base), connect(f"{base}{path}") as socket:
        event = await _event(socket, await _trade(server), wrapped=wrapped)
    assert event["s"] == "BTCUSDT"
    assert (event["T"] > 10**15) is ("timeunit" in path.lower())


@pytest.mark.parametrize("name", SUBSCRIBED)
async def test_what_is_subscribed_to_is_acknowledged_and_comes(name: str) -> None:
    path, frames, wrapped = SUBSCRIBED[name]
    async with _exchange() as (server, base), connect(f"{base}{path}") as socket:
        for frame in frames:
            await socket.send(json.dumps(frame))
            assert json.loads(await asyncio.wait_for(socket.recv(), WAIT_S)) == {"result": None, "id": frame["id"]}
        event = await _event(socket, await _trade(server), wrapped=wrapped)
    assert event["s"] == "BTCUSDT"


async def test_names_in_capitals_are_acknowledged_and_give_nothing() -> None:
    """ "All symbols for streams are lowercase"."""
    async with _exchange() as (server, base), connect(f"{base}/ws/BTCUSDT@trade") as socket:
        await socket.send(json.dumps({"method": "SUBSCRIBE", "params": ["BTCUSDT@aggTrade", TRADE], "id": 1}))
        assert json.loads(await asyncio.wait_for(socket.recv(), WAIT_S)) == {"result": None, "id": 1}
        await _trade(server)
        async with asyncio.timeout(WAIT_S):
            assert json.loads(await socket.recv())["e"] == "trade"
        await socket.send(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": 2}))
        async with asyncio.timeout(WAIT_S):
            assert json.loads(await socket.recv())["id"] == 2


@pytest.mark.parametrize("path", ["/ws/{key}", "/stream?streams={key}", "/ws/{key}/btcusdt@trade", "/ws + SUBSCRIBE"])
async def test_a_listen_key_is_a_stream_like_any_other(path: str) -> None:
    """cryptofeed, and all that was written before 2026: ``POST userDataStream``, then the key in the address."""
    async with _exchange() as (server, base), SignedClient(f"http://127.0.0.1:{server.port}") as client:
        key = str(body(await client.keyed("POST", "/api/v3/userDataStream"))["listenKey"])
        address, _, subscribes = path.format(key=key).partition(" + ")
        async with connect(f"{base}{address}") as socket:
            if subscribes:
                await socket.send(json.dumps({"method": "SUBSCRIBE", "params": [key], "id": 1}))
                await asyncio.wait_for(socket.recv(), WAIT_S)
            assert (await client.keyed("PUT", "/api/v3/userDataStream", listenKey=key)).status_code == 200
            placed = body(await client.order())
            async with asyncio.timeout(WAIT_S):
                while True:
                    message = json.loads(await socket.recv())
                    event = message["data"] if address.startswith("/stream") else message
                    if event["e"] == "executionReport":
                        break
            assert event["i"] == placed["orderId"]
            if address.startswith("/stream"):
                assert message["stream"] == key


async def test_user_data_come_to_a_connection_that_is_subscribed_by_signature() -> None:
    """hummingbot: an identifier of its own, nothing but key and time among the parameters, events in an envelope."""
    async with (
        _exchange() as (server, base),
        SignedClient(f"http://127.0.0.1:{server.port}") as client,
        connect(f"{base}/ws-api/v3") as socket,
    ):
        signed = dict(pair.split("=") for pair in client.sign({}).split("&"))
        params: dict[str, Any] = {"apiKey": SAMPLE_KEY_ID, "timestamp": int(signed["timestamp"])}
        params["signature"] = _ws_signature(params)
        name = "c45ad3fe-4b86-4b0c-9c3e-ff3b7d7e1f0a"
        request = {"id": name, "method": "userDataStream.subscribe.signature", "params": params}
        await socket.send(json.dumps(request))
        answer = json.loads(await asyncio.wait_for(socket.recv(), WAIT_S))
        assert (answer["id"], answer["status"]) == (name, 200)
        placed = body(await client.order())
        message = json.loads(await asyncio.wait_for(socket.recv(), WAIT_S))
        assert message["subscriptionId"] == answer["result"]["subscriptionId"]
        assert message["event"]["e"] in ("executionReport", "outboundAccountPosition")
        assert placed["status"] == "NEW"


def _ws_signature(params: dict[str, Any]) -> str:
    text = "&".join(f"{name}={value}" for name, value in sorted(params.items()))
    return hmac.new(SAMPLE_SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()
