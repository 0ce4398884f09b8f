"""Refusals that take more than one request to a quiet exchange: raw messages, headers, crowds, time, faults."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from cryptotrader.core.clock import NS_PER_MS
from cryptotrader.exchange.accounts import ApiKey, KeyKind, PaperAccount, sample_key
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.protocol.auth import Caller, RequestAuthenticator
from cryptotrader.exchange.protocol.limits import LimitPolicy
from cryptotrader.exchange.protocol.operations import http_status
from cryptotrader.exchange.protocol.streams.policy import WsPolicy
from cryptotrader.exchange.protocol.upgrade import make_upgrade_router
from cryptotrader.exchange.protocol.ws_api.session import (
    MAX_ACTIVE_SUBSCRIPTIONS,
    MAX_SUBSCRIPTION_IDS,
    ApiSession,
)
from cryptotrader.exchange.server import ExchangeServer, make_operations
from cryptotrader.transport.types import Refuse, UpgradeRequest
from tests.support.errors.model import Told
from tests.support.paper import SignedClient, TestClock, body, paper_venue, running_exchange

DAY_MS = 86_400_000
SECRET = "a-secret"

Produce = Callable[[], Awaitable[Told]]


def fault(code: int) -> Produce:
    """A fault makes the next request fail with this code."""

    async def produce() -> Told:
        async with running_exchange() as server, SignedClient(server.url) as client:
            wanted = {"operation": "time", "kind": "error", "code": code, "count": 1}
            assert (await client.http.post("/admin/faults", json=wanted)).status_code < 300
            return _told(await client.get("/api/v3/time"))

    return produce


def http(verb: str, path: str, **headers: str) -> Produce:
    """A plain HTTP request, headers with underscores for hyphens."""

    async def produce() -> Told:
        async with running_exchange() as server, SignedClient(server.url) as client:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return _told(await client.http.request(verb, path, headers=named))

    return produce


def message(text: str) -> Produce:
    """A message to the WebSocket API as it is."""

    async def produce() -> Told:
        async with running_exchange() as server, connect(_api_url(server)) as socket:
            await socket.send(text)
            return _answer(await socket.recv())

    return produce


async def connection_refused() -> Told:
    """One attempt to connect more than the address may make."""
    async with running_exchange(limits=LimitPolicy(connections=0)) as server:
        try:
            async with connect(f"ws://127.0.0.1:{server.port}/ws"):
                raise AssertionError("the connection was let in")
        except InvalidStatus as refused:
            told = json.loads(refused.response.body or b"{}")
            return refused.response.status_code, told["code"], told["msg"]


async def exchange_full() -> Told:
    """The exchange has as many connections as it holds; in-process."""
    venue = paper_venue()
    front = make_upgrade_router(venue, make_operations(venue), venue.clock, WsPolicy(max_connections=0))
    refused = await front(UpgradeRequest("/ws", "", {}, "127.0.0.1"))
    assert isinstance(refused, Refuse)
    told = json.loads(refused.body)
    await front.close()
    return refused.status, told["code"], told["msg"]


async def queue_full() -> Told:
    """More requests wait for their answers than a connection may have."""
    async with running_exchange() as server, SignedClient(server.url) as client:
        pending = WsPolicy().max_pending_requests
        slow = {"operation": "ping", "kind": "delay", "delay_ms": 300, "count": pending + 1}
        assert (await client.http.post("/admin/faults", json=slow)).status_code < 300
        async with connect(_api_url(server)) as socket:
            for number in range(pending + 1):
                await socket.send(json.dumps({"id": number, "method": "ping"}))
            return _answer(await socket.recv())


async def too_many_subscriptions() -> Told:
    """One connection listens to a thousand accounts, and to one more."""
    names = [f"account-{number}" for number in range(MAX_ACTIVE_SUBSCRIPTIONS + 1)]
    keys = [ApiKey(id=f"key-{name}", account=name, kind=KeyKind.HMAC, secret=SECRET) for name in names]
    venue = paper_venue(accounts=[PaperAccount(id=name) for name in names], keys=keys)
    async with running_exchange(venue, limits=LimitPolicy.off()) as server, connect(_api_url(server)) as socket:
        for key in keys:
            await socket.send(_subscribe(key, venue.now_ms()))
            answer = await socket.recv()
        return _answer(answer)


async def subscription_ids_used_up() -> Told:
    """One connection subscribes and unsubscribes until there are no numbers left; in-process."""
    venue = paper_venue()
    front = make_upgrade_router(venue, make_operations(venue), venue.clock)
    session = ApiSession(
        RequestAuthenticator(venue.keys, venue.clock), front.house.users, tell=lambda *_: None, connected_ms=0
    )
    caller = Caller(key_id=sample_key().id, account=sample_key().account)
    try:
        for _ in range(MAX_SUBSCRIPTION_IDS + 1):
            session.unsubscribe(session.subscribe_caller(caller))
    except Refusal as refusal:
        return http_status(refusal), refusal.code, refusal.message
    finally:
        await front.close()
    raise AssertionError("there was a number left")


async def subscribed_twice() -> Told:
    """One connection listens to the same account again."""
    async with running_exchange() as server, connect(_api_url(server)) as socket:
        for _ in range(2):
            await socket.send(_subscribe(sample_key(), server.venue.now_ms()))
            answer = await socket.recv()
        return _answer(answer)


async def archived() -> Told:
    """An order that was cancelled without a fill, more than ninety days later."""
    clock = TestClock()
    venue = paper_venue(clock=clock)
    async with running_exchange(venue) as server, SignedClient(server.url) as client:
        order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
        placed = await client.signed(
            "POST", "/api/v3/order", **order, price="44000", quantity="0.001", timestamp=venue.now_ms()
        )
        named = {"symbol": "BTCUSDT", "orderId": body(placed)["orderId"]}
        gone = await client.signed("DELETE", "/api/v3/order", **named, timestamp=venue.now_ms())
        assert gone.status_code == 200
        clock.ns += (90 * DAY_MS + 1) * NS_PER_MS
        return _told(await client.signed("GET", "/api/v3/order", **named, timestamp=venue.now_ms()))


def _subscribe(key: ApiKey, now_ms: int) -> str:
    params = {"apiKey": key.id, "timestamp": str(now_ms)}
    payload = "&".join(f"{name}={value}" for name, value in params.items())
    params["signature"] = hmac.new(key.secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
    return json.dumps({"id": 1, "method": "userDataStream.subscribe.signature", "params": params})


def _told(reply: Any) -> Told:
    answer = msgspec.json.decode(reply.content)
    return reply.status_code, answer["code"], answer["msg"]


def _answer(text: str | bytes) -> Told:
    answer = json.loads(text)
    return answer["status"], answer["error"]["code"], answer["error"]["msg"]


def _api_url(server: ExchangeServer) -> str:
    return f"ws://127.0.0.1:{server.port}/ws-api/v3"
