"""What every answer has in common: shapes, tokens, limits, tracing, CORS, log lines."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from cryptotrader.core.errors import VenueRateLimited, VenueRejected, VenueTimeout, VenueUnreachable
from cryptotrader.gateway.http.tracing import loggable_target
from tests.support.gateway import AUTH, Bench
from tests.support.waiting import eventually

PRICE = "/api/v1/ticker/price?symbol=BTCUSDT"


async def test_health_needs_no_token_and_counts_seconds() -> None:
    """S0-60."""
    bench = Bench()
    bench.clock.advance(3600.9)
    async with bench.client(token=None) as client:
        reply = await client.get("/health")
    assert reply.status_code == 200
    assert reply.json() == {"status": "ok", "timestamp": 1_700_003_600_900, "uptime_seconds": 3600}


async def test_missing_header_is_401_with_the_documented_text() -> None:
    """S0-50."""
    async with Bench().client(token=None) as client:
        reply = await client.get(PRICE)
    assert reply.status_code == 401
    assert reply.json() == {"error": "Missing Authorization header", "status": 401}


@pytest.mark.parametrize("header", ["Bearer wrong_token", "Bearer ", "", "Basic dGVzdA==", "test_token_123"])
async def test_wrong_token_is_401_with_the_documented_text(header: str) -> None:
    """S0-51."""
    async with Bench().client(token=None) as client:
        reply = await client.get(PRICE, headers={"Authorization": header})
    assert reply.status_code == 401
    assert reply.json() == {"error": "Invalid or expired token", "status": 401}


@pytest.mark.parametrize(
    ("method", "path", "operation", "expected"),
    [
        ("GET", PRICE, "ticker.price", (503, "Server is shutting down")),
        ("DELETE", "/api/v1/order?symbol=BTCUSDT&orderId=1", "order.cancel",
         (504, "Gateway timeout - Binance API not responding")),
    ],
)  # fmt: skip
async def test_a_request_that_a_shutdown_cuts_off_is_answered_in_the_documented_shape(
    method: str, path: str, operation: str, expected: tuple[int, str]
) -> None:
    """S0-56, S0-61. A command whose outcome nobody knows is a timeout of the venue (S0-55), not a clean refusal."""
    bench = Bench()
    bench.venue.says(operation, lambda wire: asyncio.Event().wait())
    async with bench.client() as client:
        asking = asyncio.create_task(client.request(method, path))
        await eventually(lambda: bench.venue.calls_of(operation))
        asking.cancel()
        reply = await asking
    assert reply.json() == {"error": expected[1], "status": expected[0]}
    assert reply.status_code == expected[0]
    assert uuid.UUID(reply.headers["X-Request-Id"])


async def test_a_token_in_the_query_opens_nothing_over_rest() -> None:
    """S0-65 is for WebSockets only."""
    async with Bench().client(token=None) as client:
        reply = await client.get(PRICE + "&token=test_token_123")
    assert reply.json() == {"error": "Missing Authorization header", "status": 401}


async def test_the_request_after_the_limit_is_429_and_told_to_wait_60_seconds() -> None:
    """S0-52."""
    bench = Bench(rate_limit=3)
    bench.venue.says("ticker.price", b'{"symbol":"BTCUSDT","price":"1.0"}')
    async with bench.client() as client:
        assert [(await client.get(PRICE)).status_code for _ in range(3)] == [200] * 3
        reply = await client.get(PRICE)
        assert reply.status_code == 429
        assert reply.json() == {"error": "Rate limit exceeded", "status": 429}
        assert reply.headers["retry-after"] == "60"
        bench.clock.advance(60)
        assert (await client.get(PRICE)).status_code == 200


async def test_guessing_tokens_is_limited_by_address_and_does_not_hurt_those_who_have_one() -> None:
    """C-11, S0-52."""
    bench = Bench(rate_limit=2)
    bench.venue.says("ticker.price", b'{"symbol":"BTCUSDT","price":"1.0"}')
    async with bench.client(token="guess") as stranger, bench.client() as friend:
        assert [(await stranger.get(PRICE)).status_code for _ in range(4)] == [401, 401, 429, 429]
        assert (await friend.get(PRICE)).status_code == 200
    async with bench.client(token="guess", host="10.0.0.9") as other:
        assert (await other.get(PRICE)).status_code == 401


async def test_health_and_preflight_are_never_limited() -> None:
    """C-11."""
    bench = Bench(rate_limit=1)
    async with bench.client(token=None) as client:
        assert [(await client.get("/health")).status_code for _ in range(5)] == [200] * 5
        assert [(await client.options(PRICE)).status_code for _ in range(5)] == [200] * 5


@pytest.mark.parametrize(
    ("method", "path", "token", "status"),
    [
        ("GET", "/health", False, 200),
        ("GET", PRICE, False, 401),
        ("GET", "/nowhere", False, 404),
        ("GET", "/health/", False, 404),
        ("DELETE", PRICE, True, 405),
        ("OPTIONS", PRICE, False, 200),
        ("POST", "/api/v1/order", True, 400),
        ("GET", "/metrics", False, 200),
        ("GET", "/openapi.json", False, 200),
        ("GET", "/docs", False, 200),
    ],
)
async def test_every_answer_carries_a_uuid_and_whole_milliseconds(
    method: str, path: str, token: bool, status: int
) -> None:
    """S0-61, S0-62."""
    async with Bench().client(token=None) as client:
        reply = await client.request(method, path, headers=AUTH if token else {})
    assert reply.status_code == status
    assert uuid.UUID(reply.headers["x-request-id"]).version == 4
    assert reply.headers["x-response-time"].isdigit()
    assert reply.headers["access-control-allow-origin"] == "*"


async def test_preflight_lists_what_source_0_lists() -> None:
    """S0-62, C-20."""
    ask = {"Origin": "http://example.com", "Access-Control-Request-Method": "GET"}
    async with Bench().client(token=None) as client:
        reply = await client.options("/api/v1/ticker/price", headers=ask)
        stream = await client.options("/api/v1/userDataStream", headers=ask)
    assert reply.status_code == 200
    assert reply.headers["access-control-allow-methods"] == "GET, POST, DELETE, OPTIONS"
    assert reply.headers["access-control-allow-headers"] == "Authorization, Content-Type"
    assert stream.headers["access-control-allow-methods"] == "GET, POST, PUT, DELETE, OPTIONS"


async def test_unknown_paths_and_methods_have_the_same_shape_as_other_errors() -> None:
    """S0-56."""
    async with Bench().client() as client:
        lost = await client.get("/api/v1/nothing")
        wrong = await client.put("/api/v1/order")
    assert (lost.status_code, lost.json()) == (404, {"error": "Not Found", "status": 404})
    assert (wrong.status_code, wrong.json()) == (405, {"error": "Method Not Allowed", "status": 405})
    assert {"GET", "POST", "DELETE"} <= {method.strip() for method in wrong.headers["allow"].split(",")}


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (VenueRejected("Invalid symbol.", venue_code=-1121), 400, "Invalid symbol"),
        (VenueRejected("API-key format invalid.", venue_code=-2014, http_status=401), 403, "Invalid API key"),
        (VenueRejected("Invalid API-key, IP, or permissions.", venue_code=-2015), 403, "Invalid API key"),
        (VenueTimeout("silence"), 504, "Gateway timeout - Binance API not responding"),
        (VenueUnreachable("refused"), 502, "Bad gateway - Binance API not reachable"),
        (VenueRejected("Order does not exist.", venue_code=-2013), 400, "Order does not exist"),
        (VenueRejected("Internal error.", venue_code=0, http_status=500), 502, "Bad gateway - Binance API error"),
    ],
)
async def test_what_the_exchange_says_becomes_the_documented_error(error: Exception, status: int, text: str) -> None:
    """S0-18, S0-54, S0-55, S0-56."""
    bench = Bench()
    bench.venue.says("ticker.price", error)
    async with bench.client() as client:
        reply = await client.get(PRICE)
    assert (reply.status_code, reply.json()) == (status, {"error": text, "status": status})


async def test_when_the_exchange_says_wait_the_client_is_told_how_long() -> None:
    """S0-57."""
    bench = Bench()
    bench.venue.says("ticker.price", VenueRateLimited("Too much.", retry_after_s=12.2))
    async with bench.client() as client:
        reply = await client.get(PRICE)
    assert (reply.status_code, reply.json()) == (429, {"error": "Rate limit exceeded", "status": 429})
    assert reply.headers["retry-after"] == "13"


async def test_a_fault_in_here_is_500_in_the_same_shape_with_tracing() -> None:
    """S0-56, S0-61."""
    bench = Bench()
    bench.venue.says("ticker.price", ZeroDivisionError("fault"))
    async with bench.client() as client:
        reply = await client.get(PRICE)
    assert (reply.status_code, reply.json()) == (500, {"error": "Internal server error", "status": 500})
    assert "x-request-id" in reply.headers


async def test_log_line_has_the_documented_form(capsys: pytest.CaptureFixture[str]) -> None:
    """S0-63."""
    bench = Bench()
    bench.venue.says("ticker.price", b'{"symbol":"BTCUSDT","price":"1.0"}')
    async with bench.client() as client:
        await client.get(PRICE)
    assert "[INFO] HTTP GET /api/v1/ticker/price?symbol=BTCUSDT - 200 - 0ms" in capsys.readouterr().err


@pytest.mark.parametrize(
    "target",
    [
        ("/api/v1/x", "token=supersecretvalue"),
        ("/api/v1/x", "a=1&%61pi_key=supersecretvalue"),
        ("/api/v1/x", "listenKey=supersecretvalue&signature=supersecretvalue"),
        ("/ws/" + "supersecretvalue" * 4, ""),
    ],
)
def test_log_lines_hold_no_secret(target: tuple[str, str]) -> None:
    """S0-63."""
    assert "supersecret" not in loggable_target(*target)


def test_log_lines_cannot_be_forged() -> None:
    """S0-63."""
    line = loggable_target("/x\r\n[INFO] forged", "token=abcdefgh%0A[INFO]")
    assert "\n" not in line
    assert "\r" not in line


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("", "Missing required parameter: symbol"),
        ("symbol=", "Invalid symbol"),
        ("symbol=INVALID", "Invalid symbol"),
        ("symbol=%00", "Invalid symbol"),
        ("symbol=BTCUSDT&symbol=ETHUSDT", "Duplicate parameter: symbol"),
        ("symbol=BTCUSDT&limt=5", "Unknown parameter: limt"),
        ("symbol=%FF", "Malformed query string"),
    ],
)
async def test_a_wrong_parameter_is_400_and_named(query: str, text: str) -> None:
    """S0-18, S0-56."""
    async with Bench().client() as client:
        reply = await client.get(f"/api/v1/ticker/price?{query}")
    assert (reply.status_code, reply.json()) == (400, {"error": text, "status": 400})
