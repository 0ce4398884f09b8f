"""The paper exchange's back door: accounts, keys, latency, and what of it survives."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
import websockets
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cryptotrader.core.clock import NS_PER_MS
from cryptotrader.exchange.server import ExchangeServer
from cryptotrader.net import SystemClock
from cryptotrader.services.binance.signing import Credentials, encode_query, signing_payload_ws
from tests.support.paper import SignedClient, body, paper_venue, rows, running_exchange

ORDER = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.005",
    "price": "44000",
}


@pytest.fixture
async def exchange() -> AsyncIterator[ExchangeServer]:
    async with running_exchange() as server:
        yield server


@pytest.fixture
async def admin(exchange: ExchangeServer) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=f"{exchange.url}/admin") as client:
        yield client


async def opened(admin: httpx2.AsyncClient, **more: object) -> dict[str, Any]:
    """A new account as the back door shows it."""
    answer = await admin.post("/accounts", json={"account": "alice", "balances": {"USDT": "1000"}, **more})
    assert answer.status_code == 201, answer.text
    return msgspec.json.decode(answer.content, type=dict[str, Any])


async def sent(
    exchange: ExchangeServer, key: dict[str, Any], verb: str, path: str, **params: object
) -> httpx2.Response:
    """A request signed by a key as the back door shows it, of whatever kind."""
    credentials = Credentials.of(key["key"], key.get("secret") or key["private_key"])
    stamp = SystemClock().now_ns() // NS_PER_MS
    query = encode_query({**{name: str(value) for name, value in params.items()}, "timestamp": str(stamp)})
    signed = f"{query}&{encode_query({'signature': credentials.signer.sign(query)})}"
    async with httpx2.AsyncClient(base_url=exchange.url) as client:
        return await client.request(verb, f"{path}?{signed}", headers={"X-MBX-APIKEY": key["key"]})


class ApiClient:
    """A WebSocket API connection that signs by a shared secret."""

    def __init__(self, exchange: ExchangeServer) -> None:
        self._connect = websockets.connect(f"ws://127.0.0.1:{exchange.port}/ws-api/v3")
        self._events: list[dict[str, Any]] = []
        self._next_id = 1

    async def __aenter__(self) -> ApiClient:
        self._socket = await self._connect
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._socket.close()

    async def send(self, method: str, params: dict[str, str] | None = None, *, key: str, secret: str) -> int:
        """Send a signed request; returns its id."""
        stamp = str(SystemClock().now_ns() // NS_PER_MS)
        signed = {**(params or {}), "apiKey": key, "timestamp": stamp}
        signed["signature"] = Credentials.of(key, secret).signer.sign(signing_payload_ws(signed))
        request_id, self._next_id = self._next_id, self._next_id + 1
        await self._socket.send(msgspec.json.encode({"id": request_id, "method": method, "params": signed}).decode())
        return request_id

    async def answer(self) -> dict[str, Any]:
        """The next answer."""
        while "event" in (message := await self._receive()):
            self._events.append(message)
        return message

    async def event(self) -> dict[str, Any]:
        """The next event."""
        return self._events.pop(0) if self._events else await self._receive()

    async def call(self, method: str, *, key: str, secret: str) -> dict[str, Any]:
        """Ask and wait."""
        await self.send(method, key=key, secret=secret)
        return await self.answer()

    async def _receive(self) -> dict[str, Any]:
        async with asyncio.timeout(10):
            return msgspec.json.decode(await self._socket.recv(), type=dict[str, Any])


async def test_an_account_with_a_key_of_every_kind_trades(exchange: ExchangeServer, admin: httpx2.AsyncClient) -> None:
    account = await opened(admin, keys=["hmac", "ed25519", "rsa"], maker_bps=3, taker_bps=7, permissions=["SPOT"])
    assert account["uid"] == 100_002
    assert account["balances"] == {"USDT": {"free": "1000.00000000", "locked": "0.00000000"}}
    for key in account["keys"]:
        answer = await sent(exchange, key, "POST", "/api/v3/order", **ORDER)
        assert answer.status_code == 200, answer.text
    shown = body(await sent(exchange, account["keys"][0], "GET", "/api/v3/account"))
    assert (shown["uid"], shown["makerCommission"], shown["takerCommission"]) == (100_002, 3, 7)
    listed = await admin.get("/accounts")
    assert account["keys"][0]["secret"] not in listed.text
    assert [each["account"] for each in rows(listed)] == ["default", "alice"]
    again = await admin.post("/accounts", json={"account": "alice"})
    assert again.status_code == 409


async def test_the_owner_may_bring_a_public_key(exchange: ExchangeServer, admin: httpx2.AsyncClient) -> None:
    private = Ed25519PrivateKey.generate()
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    made = await admin.post("/accounts/default/keys", json={"kind": "ed25519", "public_key": pem, "name": "mine"})
    assert made.status_code == 201
    assert "private_key" not in body(made)
    for wrong in ({"kind": "rsa", "public_key": pem}, {"kind": "hmac", "public_key": pem}, {"kind": "dsa"}):
        assert (await admin.post("/accounts/default/keys", json=wrong)).status_code == 400
    assert (await admin.post("/accounts/nobody/keys", json={})).status_code == 404


async def test_a_key_does_what_it_may_and_nothing_else(exchange: ExchangeServer, admin: httpx2.AsyncClient) -> None:
    """-2014 for what is no key, -2015 for a key that lacks the permission, is revoked or comes from elsewhere."""
    made: Any = body(await admin.post("/accounts/default/keys", json={"permissions": ["USER_DATA"], "name": "reader"}))
    path = f"/accounts/default/keys/{made['key']}"
    assert (await sent(exchange, made, "GET", "/api/v3/account")).status_code == 200
    refused = await sent(exchange, made, "POST", "/api/v3/order", **ORDER)
    assert body(refused) == {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}
    assert refused.status_code == 401
    assert (await admin.patch(path, json={"permissions": ["USER_DATA", "TRADE"]})).status_code == 200
    assert (await sent(exchange, made, "POST", "/api/v3/order", **ORDER)).status_code == 200
    assert (await admin.patch(path, json={"addresses": ["10.0.0.0/8", "192.0.2.7"]})).status_code == 200
    assert body(await sent(exchange, made, "GET", "/api/v3/account"))["code"] == -2015
    async with ApiClient(exchange) as api:
        answer = await api.call("account.status", key=made["key"], secret=made["secret"])
        assert answer["error"]["code"] == -2015
    assert (await admin.patch(path, json={"addresses": ["127.0.0.0/8", "::1"]})).status_code == 200
    assert (await sent(exchange, made, "GET", "/api/v3/account")).status_code == 200
    assert (await admin.patch(path, json={"addresses": ["here"]})).status_code == 400
    assert (await admin.delete(path)).status_code == 200
    assert body(await sent(exchange, made, "GET", "/api/v3/account"))["code"] == -2015
    assert (await admin.delete(path)).status_code == 404
    assert body(await sent(exchange, made | {"key": "no key!"}, "GET", "/api/v3/account"))["code"] == -2014


async def test_an_account_may_be_kept_from_trading(exchange: ExchangeServer, admin: httpx2.AsyncClient) -> None:
    (key,) = (await opened(admin))["keys"]
    changed = await admin.patch("/accounts/alice", json={"can_trade": False, "maker_bps": 0})
    assert body(changed)["can_trade"] is False
    refused = body(await sent(exchange, key, "POST", "/api/v3/order", **ORDER))
    assert refused == {"code": -2010, "msg": "This account may not place or cancel orders."}
    assert body(await sent(exchange, key, "GET", "/api/v3/account"))["canTrade"] is False
    assert (await admin.patch("/accounts/alice", json={"balances": {}})).status_code == 400


async def test_fees_of_a_symbol_and_limits_of_an_asset_can_be_set(
    exchange: ExchangeServer, admin: httpx2.AsyncClient
) -> None:
    (key,) = (await opened(admin, balances={"USDT": "100000"}))["keys"]
    terms = {
        "symbol_fees": {"BTCUSDT": {"standard": {"taker": "0.002"}, "tax": {"buyer": "0.001"}}},
        "asset_limits": {"BTC": "0.5"},
    }
    changed = body(await admin.patch("/accounts/alice", json=terms))
    assert changed["asset_limits"] == {"BTC": "0.50000000"}
    too_much = await sent(exchange, key, "POST", "/api/v3/order", **ORDER | {"quantity": "0.6"})
    assert body(too_much) == {"code": -1013, "msg": "Filter failure: MAX_ASSET"}
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.1"}
    bought: Any = body(await sent(exchange, key, "POST", "/api/v3/order", **order))
    assert [(fill["commission"], fill["commissionAsset"]) for fill in bought["fills"]] == [("0.00030000", "BTC")]


async def test_a_reset_cancels_what_is_open_and_sets_what_is_held(
    exchange: ExchangeServer, admin: httpx2.AsyncClient
) -> None:
    (key,) = (await opened(admin))["keys"]
    async with ApiClient(exchange) as api:
        await api.call("userDataStream.subscribe.signature", key=key["key"], secret=key["secret"])
        await sent(exchange, key, "POST", "/api/v3/order", **ORDER)
        assert (await admin.post("/accounts/alice/deposit", json={"asset": "BTC", "amount": "2"})).status_code == 200
        reset = await admin.post("/accounts/alice/reset", json={"balances": {"USDT": "50", "ETH": "3"}})
        shown: Any = body(reset)
        assert shown["cancelled"] == 1
        assert {asset: each["free"] for asset, each in shown["balances"].items()} == {
            "BTC": "0.00000000",
            "ETH": "3.00000000",
            "USDT": "50.00000000",
        }
        kinds: list[str] = []
        while kinds.count("balanceUpdate") < 4:
            event = (await api.event())["event"]
            kinds.append(event["e"] if event["e"] != "executionReport" else event["x"])
    assert kinds.index("CANCELED") < len(kinds) - 3
    again: Any = body(await admin.post("/accounts/alice/reset", json={}))
    assert again["balances"]["USDT"]["free"] == "1000.00000000"


async def test_accounts_and_keys_survive_a_restart_and_no_secret_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with (
        running_exchange(paper_venue(store_path=tmp_path / "x.sqlite")) as exchange,
        httpx2.AsyncClient(base_url=f"{exchange.url}/admin") as admin,
    ):
        account = await opened(admin, keys=["hmac", "ed25519"], taker_bps=1, latency={"fixed_ms": 1})
        gone = body(await admin.post("/accounts/alice/keys", json={}))
        await admin.delete(f"/accounts/alice/keys/{gone['key']}")
    async with running_exchange(paper_venue(store_path=tmp_path / "x.sqlite")) as exchange:
        for key in account["keys"]:
            assert body(await sent(exchange, key, "GET", "/api/v3/account"))["takerCommission"] == 1
        assert body(await sent(exchange, gone, "GET", "/api/v3/account"))["code"] == -2015
        async with httpx2.AsyncClient(base_url=f"{exchange.url}/admin") as admin:
            assert body(await admin.get("/accounts/alice"))["latency"] == {"fixed_ms": 1, "jitter_ms": 0, "seed": 1}
    for secret in (account["keys"][0]["secret"], account["keys"][1]["private_key"], gone["secret"]):
        assert str(secret) not in caplog.text


async def test_requests_of_a_slow_account_keep_their_order(exchange: ExchangeServer, admin: httpx2.AsyncClient) -> None:
    """Orders reach the engine late, and answers the client later still, but none overtakes another."""
    latency = {"fixed_ms": 30, "jitter_ms": 60, "seed": 5}
    (key,) = (await opened(admin, balances={"USDT": "100000"}, latency=latency))["keys"]
    loop = asyncio.get_running_loop()
    async with ApiClient(exchange) as api:
        began = loop.time()
        sent_ids = [await api.send("order.place", ORDER, key=key["key"], secret=key["secret"]) for _ in range(20)]
        answers = [await api.answer() for _ in sent_ids]
        took_s = loop.time() - began
    assert [answer["id"] for answer in answers] == sent_ids
    order_ids = [answer["result"]["orderId"] for answer in answers]
    assert order_ids == sorted(order_ids)
    assert took_s >= 0.06


async def test_realism_and_trade_group_reach_the_engine(exchange: ExchangeServer, admin: httpx2.AsyncClient) -> None:
    await opened(admin, realism="pessimistic", trade_group=7)
    engine = exchange.venue.engine
    assert (engine.realism("alice"), engine.trade_group("alice")) == ("pessimistic", 7)
    await admin.patch("/accounts/alice", json={"realism": "optimistic", "trade_group": -1})
    assert (engine.realism("alice"), engine.trade_group("alice")) == ("optimistic", -1)
    assert (await admin.patch("/accounts/alice", json={"realism": "magic"})).status_code == 400


async def test_a_halted_symbol_takes_no_orders(exchange: ExchangeServer, admin: httpx2.AsyncClient) -> None:
    async with SignedClient(exchange.url) as client:
        assert (await admin.patch("/symbols/BTCUSDT", json={"status": "HALT"})).status_code == 200
        assert body(await client.order()) == {"code": -1013, "msg": "Market is closed."}
        assert (await admin.patch("/symbols/BTCUSDT", json={"status": "TRADING"})).status_code == 200
        assert (await client.order()).status_code == 200
    assert (await admin.patch("/symbols/BTCUSDT", json={"status": "ASLEEP"})).status_code == 400


async def test_the_exchange_has_a_latency_for_accounts_without_their_own(
    exchange: ExchangeServer, admin: httpx2.AsyncClient
) -> None:
    assert body(await admin.post("/latency", json={"fixed_ms": 50})) == {"fixed_ms": 50, "jitter_ms": 0, "seed": 1}
    (key,) = (await opened(admin, latency={"fixed_ms": 0}))["keys"]
    loop = asyncio.get_running_loop()
    async with SignedClient(exchange.url) as client:
        began = loop.time()
        assert (await client.order()).status_code == 200
        assert loop.time() - began >= 0.1
        assert (await sent(exchange, key, "GET", "/api/v3/account")).status_code == 200
    assert (await admin.post("/latency", json={"fixed_ms": 60_000})).status_code == 400
    assert body(await admin.get("/latency"))["fixed_ms"] == 50
