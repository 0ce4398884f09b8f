"""The paper exchange's WebSocket API over real sockets: envelope, signatures, sessions, user data subscriptions."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from cryptotrader.core.events import DepthDiff
from cryptotrader.core.scaled import SCALE
from cryptotrader.exchange.accounts import SAMPLE_KEY_ID, SAMPLE_SECRET, ApiKey, KeyKind, PaperAccount, sample_key
from cryptotrader.exchange.engine.events import DepthChanged
from cryptotrader.exchange.protocol.faults import FaultKind, FaultSpec
from cryptotrader.exchange.protocol.streams.policy import WsPolicy
from cryptotrader.exchange.protocol.upgrade import make_upgrade_router
from cryptotrader.exchange.server import ExchangeServer, make_operations
from cryptotrader.transport.policy import TransportPolicy
from tests.support.paper import QuietSource, paper_venue, running_exchange
from tests.support.websocket_server import running_server

PATIENCE_S = 5.0
ED25519 = Ed25519PrivateKey.generate()
RSA = generate_private_key(public_exponent=65_537, key_size=2_048)
ED25519_ID, RSA_ID, OTHER_ID, OTHER_SECRET = "ed25519key", "rsakey", "otherkey", "othersecret"


def pem(key: Ed25519PrivateKey | RSAPrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


KEYS = (
    sample_key(),
    ApiKey(ED25519_ID, "default", KeyKind.ED25519, pem(ED25519)),
    ApiKey(RSA_ID, "default", KeyKind.RSA, pem(RSA)),
    ApiKey(OTHER_ID, "other", KeyKind.HMAC, OTHER_SECRET),
)
ACCOUNTS = (PaperAccount(), PaperAccount(id="other", uid=2, balances={"USDT": 1_000 * SCALE}))


@asynccontextmanager
async def session(query: str = "") -> AsyncIterator[tuple[ExchangeServer, ClientConnection]]:
    async with running_exchange(paper_venue(keys=KEYS, accounts=ACCOUNTS)) as server:
        url = f"ws://127.0.0.1:{server.port}/ws-api/v3{query}"
        async with connect(url) as socket:
            yield server, socket


async def receive(socket: ClientConnection) -> Any:
    async with asyncio.timeout(PATIENCE_S):
        return json.loads(await socket.recv())


async def ask(socket: ClientConnection, method: str, params: object = None, request_id: object = 1) -> Any:
    """The answer to a request; events that come before it are passed over."""
    message: dict[str, object] = {"id": request_id, "method": method}
    if params is not None:
        message["params"] = params
    return await ask_text(socket, json.dumps(message))


async def ask_text(socket: ClientConnection, text: str) -> Any:
    await socket.send(text)
    while "event" in (answer := await receive(socket)):
        pass
    return answer


def payload_of(params: Mapping[str, object]) -> bytes:
    """What a client signs: each value as JSON has it, texts without quotes."""
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in params.items()}
    return "&".join(f"{name}={texts[name]}" for name in sorted(texts)).encode()


def signed(server: ExchangeServer, params: Mapping[str, object] = {}, *, key: str = SAMPLE_KEY_ID) -> dict[str, object]:
    whole = {"timestamp": server.venue.now_ms(), **params, "apiKey": key}
    payload = payload_of(whole)
    match key:
        case "ed25519key":
            signature = base64.b64encode(ED25519.sign(payload)).decode()
        case "rsakey":
            signature = base64.b64encode(RSA.sign(payload, PKCS1v15(), SHA256())).decode()
        case _:
            secret = OTHER_SECRET if key == OTHER_ID else SAMPLE_SECRET
            signature = hmac.new(secret.encode(), payload, hashlib.sha256).hexdigest()
    return {**whole, "signature": signature}


LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": 44000.0, "quantity": 0.001}
MARKET = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.001"}


@pytest.mark.parametrize("request_id", [7, "7", "e2a85d9f-07a5-4f94-8d5f-789dc3deb097", None, 0, -1, 10**30])
async def test_an_answer_has_id_status_result_and_rate_limits(request_id: object) -> None:
    async with session() as (_, socket):
        answer = await ask(socket, "ping", request_id=request_id)
    assert list(answer) == ["id", "status", "result", "rateLimits"]
    assert (answer["id"], answer["status"], answer["result"]) == (request_id, 200, {})
    assert answer["rateLimits"] == [
        {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000, "count": 3}
    ]


async def test_rate_limits_are_left_out_where_they_are_not_wanted() -> None:
    async with session("?returnRateLimits=false") as (_, socket):
        assert "rateLimits" not in await ask(socket, "time")
        assert "rateLimits" in await ask(socket, "time", {"returnRateLimits": True})
        assert "rateLimits" not in await ask(socket, "nonsense")
    async with session() as (_, socket):
        assert "rateLimits" not in await ask(socket, "time", {"returnRateLimits": False})


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("ping", None),
        ("v3/time", {}),
        ("exchangeInfo", {"symbols": ["BTCUSDT"]}),
        ("depth", {"symbol": "BTCUSDT", "limit": 5}),
        ("trades.recent", {"symbol": "BTCUSDT"}),
        ("klines", {"symbol": "BTCUSDT", "interval": "1m"}),
        ("avgPrice", {"symbol": "BTCUSDT"}),
        ("ticker.24hr", {"symbol": "BTCUSDT"}),
        ("ticker.price", None),
        ("ticker.book", {"symbol": "BTCUSDT"}),
    ],
)
async def test_public_requests_are_answered(method: str, params: object) -> None:
    async with session() as (_, socket):
        answer = await ask(socket, method, params)
    assert answer["status"] == 200, answer


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("nonsense", -1135),
        ("[]", -1135),
        ('{"id":1,"method":"ping"', -1135),
        ('{"id":1,"method":"ping","params":[]}', -1135),
        ('{"id":1,"method":"ping","params":{"a":tru}}', -1135),
        ('{"id":[1],"method":"ping"}', -1100),
        ('{"id":1.5,"method":"ping"}', -1100),
        ('{"id":1}', -1102),
        ('{"id":1,"method":5}', -1102),
        ('{"id":1,"method":"nosuch"}', -1020),
        ('{"id":1,"method":"depth"}', -1102),
        ('{"id":1,"method":"depth","params":{"symbol":"NOSUCH"}}', -1121),
        ('{"id":1,"method":"depth","params":{"symbol":"\\ud800"}}', -1135),
        ('{"id":1,"method":"depth","params":{"symbol":null}}', -1102),
        ('{"id":1,"method":"account.status"}', -1102),
        ('{"id":1,"method":"account.status","params":{"apiKey":"*"}}', -2014),
        ('{"id":1,"method":"account.status","params":{"apiKey":"nobody"}}', -2015),
        ('{"id":1,"method":"userDataStream.subscribe"}', -1002),
        ('{"id":1,"method":"userDataStream.unsubscribe"}', -2036),
        ('{"id":1,"method":"userDataStream.unsubscribe","params":{"subscriptionId":4}}', -2036),
        ('{"id":1,"method":"userDataStream.unsubscribe","params":{"subscriptionId":"x"}}', -1130),
        ('{"id":1,"method":"ping","params":{"returnRateLimits":1}}', -1100),
        ("[" * 50_000, -1135),
    ],
)
async def test_a_bad_request_gets_binances_number_and_the_connection_stays(text: str, code: int) -> None:
    async with session() as (_, socket):
        answer = await ask_text(socket, text)
        assert answer["error"]["code"] == code, answer
        assert answer["status"] >= 400
        assert (await ask(socket, "ping"))["status"] == 200


@pytest.mark.parametrize("key", [SAMPLE_KEY_ID, ED25519_ID, RSA_ID])
async def test_numbers_are_signed_as_they_are_written(key: str) -> None:
    """Prices like 44000.0 must keep their lexeme, whatever kind of key signs."""
    async with session() as (server, socket):
        answer = await ask(socket, "order.place", signed(server, LIMIT, key=key))
    assert answer["status"] == 200, answer
    assert answer["result"]["status"] == "NEW"
    kinds = [(limit["rateLimitType"], limit["interval"]) for limit in answer["rateLimits"]]
    assert kinds == [("ORDERS", "SECOND"), ("ORDERS", "DAY"), ("REQUEST_WEIGHT", "MINUTE")]


async def test_an_order_lives_through_place_status_and_cancel() -> None:
    async with session() as (server, socket):
        placed = (await ask(socket, "order.place", signed(server, LIMIT)))["result"]
        named = {"symbol": "BTCUSDT", "orderId": placed["orderId"]}
        found = (await ask(socket, "order.status", signed(server, named)))["result"]
        assert found["clientOrderId"] == placed["clientOrderId"]
        assert len((await ask(socket, "openOrders.status", signed(server)))["result"]) == 1
        gone = (await ask(socket, "order.cancel", signed(server, named)))["result"]
        assert gone["status"] == "CANCELED"
        again = await ask(socket, "order.cancel", signed(server, named))
        assert (again["status"], again["error"]["code"]) == (400, -2011)
        poor = await ask(socket, "order.place", signed(server, LIMIT | {"quantity": 1_000}))
        assert (poor["status"], poor["error"]["code"]) == (400, -2010)
        assert [limit["rateLimitType"] for limit in poor["rateLimits"]] == ["ORDERS", "ORDERS", "REQUEST_WEIGHT"]
        assert (await ask(socket, "order.test", signed(server, LIMIT)))["result"] == {}
        await ask(socket, "order.place", signed(server, LIMIT))
        everything = await ask(socket, "openOrders.cancelAll", signed(server, {"symbol": "BTCUSDT"}))
        assert [row["status"] for row in everything["result"]] == ["CANCELED"]
        history = await ask(socket, "allOrders", signed(server, {"symbol": "BTCUSDT"}))
        assert len(history["result"]) == 2
        assert (await ask(socket, "myTrades", signed(server, {"symbol": "BTCUSDT"})))["result"] == []
        assert (await ask(socket, "account.status", signed(server)))["result"]["accountType"] == "SPOT"


async def test_timestamps_and_signatures_are_checked() -> None:
    async with session() as (server, socket):
        now_ms = server.venue.now_ms()
        old = await ask(socket, "account.status", signed(server, {"timestamp": now_ms - 6_000}))
        early = await ask(socket, "account.status", signed(server, {"timestamp": now_ms + 60_000}))
        forged = await ask(socket, "account.status", signed(server) | {"signature": "0" * 64})
        unsigned = signed(server)
        del unsigned["signature"]
        bare = await ask(socket, "account.status", unsigned)
        wide = await ask(socket, "account.status", signed(server, {"timestamp": now_ms - 6_000, "recvWindow": 60000}))
        micros = await ask(socket, "account.status", signed(server, {"timestamp": now_ms * 1_000}))
    assert [answer["error"]["code"] for answer in (old, early, forged, bare)] == [-1021, -1021, -1022, -1102]
    assert (wide["status"], micros["status"]) == (200, 200)


async def test_a_signature_subscription_brings_wrapped_events_of_its_account_only() -> None:
    async with session() as (server, socket):
        assert (await ask(socket, "userDataStream.subscribe.signature", signed(server)))["result"] == {
            "subscriptionId": 0
        }
        other = await ask(socket, "userDataStream.subscribe.signature", signed(server, key=OTHER_ID))
        assert other["result"] == {"subscriptionId": 1}
        twice = await ask(socket, "userDataStream.subscribe.signature", signed(server))
        assert (twice["status"], twice["error"]["code"]) == (400, -2035)
        listed = await ask(socket, "session.subscriptions")
        assert listed["result"] == [{"subscriptionId": 0}, {"subscriptionId": 1}]
        await socket.send(json.dumps({"id": 5, "method": "order.place", "params": signed(server, MARKET)}))
        got = [await receive(socket) for _ in range(4)]
        events = [message for message in got if "event" in message]
        assert {message["subscriptionId"] for message in events} == {0}
        assert [message["event"]["e"] for message in events].count("executionReport") == 2
        assert await ask(socket, "userDataStream.unsubscribe", {"subscriptionId": 0}) | {"rateLimits": []} == {
            "id": 1,
            "status": 200,
            "result": {},
            "rateLimits": [],
        }
        ended = await receive(socket)
        assert (ended["subscriptionId"], ended["event"]["e"]) == (0, "eventStreamTerminated")
        again = await ask(socket, "userDataStream.subscribe.signature", signed(server))
        assert again["result"] == {"subscriptionId": 2}
    assert server.websockets.house.users.listener_count == 0


async def test_an_ed25519_session_needs_no_further_signatures() -> None:
    async with session() as (server, socket):
        refused = await ask(socket, "session.logon", signed(server))
        assert refused["error"]["code"] == -4056
        status = (await ask(socket, "session.logon", signed(server, key=ED25519_ID)))["result"]
        assert status["apiKey"] == ED25519_ID
        assert status["authorizedSince"] >= status["connectedSince"]
        stamped = {"timestamp": server.venue.now_ms()}
        assert (await ask(socket, "order.place", LIMIT | stamped))["status"] == 200
        assert (await ask(socket, "order.place", LIMIT))["error"]["code"] == -1102
        assert (await ask(socket, "userDataStream.subscribe", {}))["result"] == {"subscriptionId": 0}
        assert (await ask(socket, "session.status"))["result"]["userDataStream"] is True
        out = (await ask(socket, "session.logout"))["result"]
        assert (out["apiKey"], out["authorizedSince"], out["userDataStream"]) == (None, None, False)
        assert (await receive(socket))["event"]["e"] == "eventStreamTerminated"
        assert (await ask(socket, "account.status", stamped))["error"]["code"] == -1102


async def test_a_session_whose_key_was_revoked_is_told_so_once() -> None:
    async with session() as (server, socket):
        await ask(socket, "session.logon", signed(server, key=ED25519_ID))
        server.venue.keys.remove(ED25519_ID)
        revoked = await ask(socket, "account.status", {"timestamp": server.venue.now_ms()})
        assert (revoked["id"], revoked["status"], revoked["error"]["code"]) == (None, 401, -2015)
        assert (await ask(socket, "session.status"))["result"]["apiKey"] is None


async def test_old_clients_still_get_listen_keys() -> None:
    """C-23, C-24: the key alone is enough."""
    async with session() as (_, socket):
        key = {"apiKey": SAMPLE_KEY_ID}
        listen_key = (await ask(socket, "userDataStream.start", key))["result"]["listenKey"]
        named = key | {"listenKey": listen_key}
        assert (await ask(socket, "userDataStream.ping", named))["result"] == {}
        assert (await ask(socket, "userDataStream.stop", named))["result"] == {}
        assert (await ask(socket, "userDataStream.ping", named))["error"]["code"] == -1125


async def test_a_fault_can_leave_a_request_without_an_answer_and_the_next_is_answered() -> None:
    async with session() as (server, socket):
        server.operations.desk.faults.add(FaultSpec(operation="order.place", kind=FaultKind.LAND_AND_SILENCE))
        await socket.send(json.dumps({"id": 1, "method": "order.place", "params": signed(server, LIMIT)}))
        answer = await ask(socket, "openOrders.status", signed(server), request_id=2)
    assert (answer["id"], len(answer["result"])) == (2, 1)


async def test_used_up_weight_is_told_with_the_time_to_come_back() -> None:
    async with session() as (server, socket):
        server.operations.desk.weights.charge("127.0.0.1", 5_990, now_ms=server.venue.now_ms())
        answer = await ask(socket, "exchangeInfo")
    assert (answer["status"], answer["error"]["code"]) == (429, -1003)
    data = answer["error"]["data"]
    assert data["serverTime"] < data["retryAfter"] <= data["serverTime"] + 60_000


async def test_a_stop_is_announced() -> None:
    async with session() as (server, socket):
        server.stop()
        assert (await receive(socket))["event"]["e"] == "serverShutdown"


async def test_too_many_unanswered_requests_are_refused_and_a_slow_one_ends_with_unknown() -> None:
    policy = WsPolicy(max_pending_requests=1, request_timeout_s=0.2)
    venue = paper_venue(keys=KEYS, accounts=ACCOUNTS)
    operations = make_operations(venue)
    front = make_upgrade_router(venue, operations, venue.clock, policy)
    operations.desk.faults.add(FaultSpec(operation="depth", kind=FaultKind.DELAY, delay_ms=5_000))
    async with running_server(front) as server, connect(f"{server.url}/ws-api/v3") as socket:
        for number in (1, 2):
            await socket.send(json.dumps({"id": number, "method": "depth", "params": {"symbol": "BTCUSDT"}}))
        busy, late = [await receive(socket) for _ in range(2)]
    await front.close()
    assert (busy["id"], busy["status"], busy["error"]["code"]) == (2, 429, -1003)
    assert (late["id"], late["error"]["code"]) == (1, -1007)


async def test_connections_beyond_the_limit_are_refused_with_503() -> None:
    venue = paper_venue()
    front = make_upgrade_router(venue, make_operations(venue), venue.clock, WsPolicy(max_connections=1))
    async with running_server(front) as server, connect(f"{server.url}/ws"):
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"{server.url}/ws-api/v3")
    await front.close()
    assert refused.value.response.status_code == 503
    assert refused.value.response.headers["Retry-After"] == "5"


async def test_a_client_that_does_not_read_is_closed_with_1008() -> None:
    """C-22: differences are kept for it up to a bound, never dropped."""
    source = QuietSource()
    venue = paper_venue(source)
    front = make_upgrade_router(venue, make_operations(venue), venue.clock)
    transport = TransportPolicy(high_water_bytes=4_096, low_water_bytes=1_024, max_outbox_bytes=65_536)
    levels = tuple((1_000_000 + number, 1) for number in range(500))
    async with running_server(front, policy=transport) as server:
        url = f"{server.url}/ws/btcusdt@depth@100ms"
        async with connect(url, max_queue=1) as socket:
            socket.transport.pause_reading()
            last = 0
            while not server.protocol.hub.stats.closed_slow:
                last += 1
                venue.market.publish(DepthChanged(DepthDiff("BTCUSDT", last, last, levels, (), 1)))
                await asyncio.sleep(0)
            socket.transport.resume_reading()
            with contextlib.suppress(ConnectionClosed):
                async for _ in socket:
                    pass
    await front.close()
    assert socket.close_code == 1008
