"""The WebSocket API client against the paper exchange, over real sockets."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from cryptotrader.core.errors import UnknownOutcome, VenueBanned, VenueRateLimited, VenueRejected
from cryptotrader.exchange.accounts import SAMPLE_KEY_ID, SAMPLE_SECRET, ApiKey, KeyKind, sample_key
from cryptotrader.exchange.protocol.faults import FaultKind, FaultSpec
from cryptotrader.exchange.server import ExchangeServer
from cryptotrader.services.binance.request import SecurityType
from cryptotrader.services.binance.signing import Credentials
from cryptotrader.services.binance.websocketAPI.account_requests import get_user_acct_info
from cryptotrader.services.binance.websocketAPI.base_operations import BinanceWebSocketConnection
from cryptotrader.services.binance.websocketAPI.general_requests import connectivity, server_time
from cryptotrader.services.binance.websocketAPI.market_data_requests import order_book
from cryptotrader.services.binance.websocketAPI.session_requests import session_status
from cryptotrader.services.binance.websocketAPI.trading_requests import cancel_order, place_new_order, query_order
from cryptotrader.services.binance.websocketAPI.user_data_stream_requests import (
    ping_user_data_stream,
    start_user_data_stream,
    stop_user_data_stream,
)
from cryptotrader.services.binance.wsapi.limits import RateLimits
from cryptotrader.services.binance.wsapi.reconnect import ConnectionPolicy
from tests.support.paper import paper_venue, running_exchange
from tests.support.waiting import eventually

SAMPLE = Credentials.of(SAMPLE_KEY_ID, SAMPLE_SECRET)
LIMIT_ORDER: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.001",
    "price": "44000.00",
}
IMPATIENT = ConnectionPolicy(reply_timeout_s=0.5, tick_s=0.05, engine_timeout_s=0.2)


def limit_order(**more: Any) -> place_new_order.NewOrderParams:
    given = {"side": "BUY", "type": "LIMIT", "time_in_force": "GTC", "quantity": "0.001", "price": "44000.00"}
    return place_new_order.NewOrderParams(symbol="BTCUSDT", **{**given, **more})


@asynccontextmanager
async def client_of(server: ExchangeServer, **options: Any) -> AsyncIterator[BinanceWebSocketConnection]:
    url = f"ws://127.0.0.1:{server.port}/ws-api/v3"
    given = {"credentials": SAMPLE, "limits": RateLimits(), **options}
    async with BinanceWebSocketConnection(url=url, **given) as client:
        yield client


@asynccontextmanager
async def trading(**options: Any) -> AsyncIterator[tuple[ExchangeServer, BinanceWebSocketConnection]]:
    async with running_exchange() as server, client_of(server, **options) as client:
        yield server, client


def fail(server: ExchangeServer, operation: str, kind: FaultKind, **more: Any) -> None:
    """Let a fault wait for the next request of an operation."""
    server.operations.desk.faults.add(FaultSpec(operation=operation, kind=kind, **more))


async def test_s4_6_every_request_comes_as_callback_and_as_typed_call() -> None:
    async with trading() as (_, client):
        assert await connectivity.SPEC.call(client, connectivity.PingParams()) is not None
        assert (await server_time.SPEC.call(client, server_time.ServerTimeParams())).server_time > 0
        book = await order_book.SPEC.call(client, order_book.OrderBookParams(symbol="BTCUSDT", limit=5))
        assert book.last_update_id == 1_000
        replies: list[dict[str, Any]] = []

        async def callback(reply: dict[str, Any]) -> None:
            replies.append(reply)

        message_id = await order_book.SPEC.process_request(client, {"symbol": "BTCUSDT", "limit": 5}, callback)
        await eventually(lambda: len(replies) == 1)
        assert (replies[0]["id"], replies[0]["status"]) == (message_id, 200)
        assert replies[0]["rateLimits"][0]["rateLimitType"] == "REQUEST_WEIGHT"


async def test_s4_11_two_hundred_requests_on_one_connection_get_their_own_answers() -> None:
    async with trading() as (_, client):
        limits = [1 + number % 20 for number in range(200)]

        async def ask(limit: int) -> int:
            params = order_book.OrderBookParams(symbol="BTCUSDT", limit=limit)
            return len((await order_book.SPEC.call(client, params)).bids)

        assert await asyncio.gather(*map(ask, limits)) == limits
        assert client.unmatched_replies == 0


async def test_an_order_and_its_events_over_one_connection() -> None:
    async with trading() as (_, client), client.user_data() as events:
        placed = await place_new_order.SPEC.call(client, limit_order())
        async with asyncio.timeout(5):
            event = await anext(events)
        assert (event["e"], event["x"], event["c"]) == ("executionReport", "NEW", placed.client_order_id)
        params = cancel_order.CancelOrderParams(symbol="BTCUSDT", order_id=placed.order_id)
        assert (await cancel_order.SPEC.call(client, params)).status == "CANCELED"


@pytest.mark.parametrize("quantity", ["0.001", 0.001])
async def test_s4_9_numbers_are_accepted_as_text_and_as_numbers(quantity: object) -> None:
    async with trading() as (_, client):
        replies: list[dict[str, Any]] = []

        async def callback(reply: dict[str, Any]) -> None:
            replies.append(reply)

        given = {**LIMIT_ORDER, "quantity": quantity, "price": 44_000.0}
        await place_new_order.SPEC.process_request(client, given, callback)
        await eventually(lambda: bool(replies))
        assert replies[0]["status"] == 200


async def test_s4_12_a_refusal_has_binances_code_and_text() -> None:
    async with trading() as (_, client):
        with pytest.raises(VenueRejected, match="insufficient balance") as caught:
            await place_new_order.SPEC.call(client, limit_order(quantity="1000", price="45000"))
        assert (caught.value.venue_code, caught.value.http_status) == (-2010, 400)


@pytest.mark.parametrize(
    ("kind", "landed"),
    [
        (FaultKind.LAND_AND_SILENCE, True),
        (FaultKind.DROP_AND_SILENCE, False),
        (FaultKind.LAND_AND_CLOSE, True),
        (FaultKind.DROP_AND_CLOSE, False),
        (FaultKind.LAND_AND_ERROR, True),
    ],
)
async def test_an_order_whose_answer_is_lost_is_unknown_until_it_is_reconciled(kind: FaultKind, landed: bool) -> None:
    """Nothing is invented, nothing is sent twice, and the truth is found (DESIGN 4.7)."""
    async with trading(policy=IMPATIENT) as (server, client):
        fail(server, "order.place", kind)
        with pytest.raises(UnknownOutcome) as caught:
            await place_new_order.SPEC.call(client, limit_order(recv_window="1000"))
        await eventually(lambda: client.is_connected)
        found = await client.reconcile(caught.value)
        assert (found is not None) == landed
        if found is not None:
            assert found.client_order_id == caught.value.client_order_id
        assert len(server.venue.engine.open_orders("default", "BTCUSDT")) == int(landed)


async def test_a_cancellation_whose_answer_is_lost_is_reconciled_as_well() -> None:
    async with trading(policy=IMPATIENT) as (server, client):
        placed = await place_new_order.SPEC.call(client, limit_order())
        fail(server, "order.cancel", FaultKind.LAND_AND_CLOSE)
        params = cancel_order.CancelOrderParams(symbol="BTCUSDT", orig_client_order_id=placed.client_order_id)
        with pytest.raises(UnknownOutcome) as caught:
            await cancel_order.SPEC.call(client, params)
        await eventually(lambda: client.is_connected)
        found = await client.reconcile(caught.value)
        assert found is not None
        assert (found.order_id, found.status) == (placed.order_id, "CANCELED")


async def test_s4_13_a_read_survives_a_connection_that_breaks() -> None:
    async with trading() as (server, client):
        fail(server, "depth", FaultKind.DROP_AND_CLOSE)
        book = await order_book.SPEC.call(client, order_book.OrderBookParams(symbol="BTCUSDT"))
        assert book.last_update_id == 1_000
        assert client.stats.reconnects == 1


@pytest.mark.parametrize(("kind", "error"), [(FaultKind.RATE_LIMIT, VenueRateLimited), (FaultKind.BAN, VenueBanned)])
async def test_s4_12_429_and_418_are_told_and_waited_for(kind: FaultKind, error: type[VenueRateLimited]) -> None:
    async with trading() as (server, client):
        fail(server, "ping", kind, retry_after_s=1)
        with pytest.raises(error) as caught:
            await connectivity.SPEC.call(client, connectivity.PingParams())
        assert caught.value.retry_after_s == 1.0
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        await connectivity.SPEC.call(client, connectivity.PingParams())
        assert loop.time() - began_s > 0.5


async def test_listen_keys_work_where_the_venue_has_them() -> None:
    async with trading() as (_, client):
        key = await start_user_data_stream.SPEC.call(client, start_user_data_stream.StartStreamParams())
        listen_key = key.listen_key
        assert listen_key
        await ping_user_data_stream.SPEC.call(client, ping_user_data_stream.PingStreamParams(listen_key=listen_key))
        await stop_user_data_stream.SPEC.call(client, stop_user_data_stream.StopStreamParams(listen_key=listen_key))


@pytest.mark.parametrize("password", [None, "a password"])
@pytest.mark.parametrize("kind", [KeyKind.ED25519, KeyKind.RSA])
async def test_keys_of_every_kind_sign_and_ed25519_logs_on(kind: KeyKind, password: str | None) -> None:
    key = Ed25519PrivateKey.generate() if kind is KeyKind.ED25519 else generate_private_key(65_537, 2_048)
    lock = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock).decode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    credentials = Credentials.of("another-key", private, password=password)
    venue = paper_venue(keys=(sample_key(), ApiKey("another-key", "default", kind, public)))
    async with running_exchange(venue) as server, client_of(server, credentials=credentials) as client:
        assert (await get_user_acct_info.SPEC.call(client, get_user_acct_info.AccountParams())).can_trade
        if kind is KeyKind.ED25519:
            await client.logon()
            assert client.is_logged_on
            status = await session_status.SPEC.call(client, session_status.SessionStatusParams())
            assert status.api_key == "another-key"
            async with client.user_data() as events:
                placed = await place_new_order.SPEC.call(client, limit_order())
                async with asyncio.timeout(5):
                    assert (await anext(events))["i"] == placed.order_id
            params = query_order.QueryOrderParams(symbol="BTCUSDT", order_id=placed.order_id)
            assert (await query_order.SPEC.call(client, params)).status == "NEW"
            await client.logout()
            assert (await query_order.SPEC.call(client, params)).status == "NEW"


async def test_send_takes_any_method() -> None:
    async with trading() as (_, client):
        replies: list[dict[str, Any]] = []

        async def callback(reply: dict[str, Any]) -> None:
            replies.append(reply)

        await client.send(method="v3/account.status", security_type=SecurityType.USER_DATA, callback=callback)
        await client.send(method="no.such.method", callback=callback)
        await eventually(lambda: len(replies) == 2)
        assert sorted(reply["status"] for reply in replies) == [200, 400]


def test_the_client_library_pulls_in_neither_server_nor_settings() -> None:
    """What is imported tells what is paid for; the time itself is measured by the benchmark."""
    unwanted = ["pydantic", "pydantic_settings", "starlette", "uvicorn", "httpx2", "prometheus_client", "talib", "apsw"]
    unwanted += ["typer", "stamina", "cryptotrader.exchange", "cryptotrader.gateway", "cryptotrader.telemetry"]
    code = (
        "import sys, cryptotrader.services.binance.websocketAPI, "
        "cryptotrader.services.binance.websocketAPI.base_operations; "
        f"print(*[name for name in {unwanted!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == []
