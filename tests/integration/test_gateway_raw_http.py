"""What reaches the port without being proper HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from cryptotrader.gateway.http import contract
from cryptotrader.gateway.http.protocol import MAX_HEAD_BYTES, GatewayHttp
from cryptotrader.net import Supervisor
from cryptotrader.transport.protocol import websocket_protocol
from cryptotrader.transport.server import PortServer
from cryptotrader.transport.types import Accept, Refuse, UpgradeRequest
from tests.support.gateway import Bench


async def no_websockets(request: UpgradeRequest) -> Accept | Refuse:
    return Refuse(404, b'{"error":"Not found","status":404}')


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """The gateway's application on the port as the product serves it."""
    server = PortServer(Bench().app, websocket_protocol(no_websockets), host="127.0.0.1", port=0, http=GatewayHttp)
    async with Supervisor("test") as jobs:
        task = jobs.start("port", server.serve)
        await server.wait_started()
        yield server.port
        server.stop()
        await asyncio.wait([task], timeout=5)


async def exchange(port: int, *parts: bytes) -> tuple[str, dict[str, str], dict[str, object]]:
    """Send bytes, read until the end: status line, headers, body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
    except ConnectionError:
        pass
    async with asyncio.timeout(5):
        text = await reader.read(65_536)
    writer.close()
    head, _, body = text.decode().partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return status, headers, json.loads(body)


@pytest.mark.parametrize(
    "garbage", [b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", b"HELO\r\n\r\n", b"GET /\x00 HTTP/1.1\r\n\r\n"]
)
async def test_what_is_no_http_gets_the_common_shape(port: int, garbage: bytes) -> None:
    """S0-56, S0-61."""
    status, headers, body = await exchange(port, garbage)
    assert status == "HTTP/1.1 400 Bad Request"
    assert body == {"error": "Invalid HTTP request", "status": 400}
    assert {"x-request-id", "x-response-time"} <= set(headers)


async def test_a_head_that_does_not_end_is_refused(port: int) -> None:
    """S0-56."""
    line = b"x" * 1_000
    parts = [b"GET /health HTTP/1.1\r\nX-Long: ", *([line] * (MAX_HEAD_BYTES // 1_000 + 5))]
    status, _, body = await exchange(port, *parts)
    assert status.startswith("HTTP/1.1 431")
    assert body["status"] == 431


@pytest.mark.parametrize("part", [b"GET /health HT", b"POST /api/v1/order HTTP/1.1\r\nHost: x\r\nX-Slow: "])
async def test_a_head_that_does_not_come_to_its_end_is_given_up(
    port: int, part: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S0-56: a client that dawdles gets the common shape."""
    monkeypatch.setattr(GatewayHttp, "head_s", 0.1)
    status, _, body = await exchange(port, part)
    assert status == "HTTP/1.1 408 Request Timeout"
    assert body == {"error": "Request did not arrive in time", "status": 408}


async def test_a_connection_that_says_nothing_is_closed(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GatewayHttp, "head_s", 0.1)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(5):
        assert await reader.read() == b""
    writer.close()


async def test_a_connection_that_waits_for_its_next_request_is_kept(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """S0-64: the time for a head does not run between two requests."""
    monkeypatch.setattr(GatewayHttp, "head_s", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(2):
        writer.write(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(5):
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            await reader.readuntil(b"}")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.4):
                await reader.read(1)
    writer.close()


async def test_a_body_that_does_not_come_is_given_up(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """S0-56."""
    monkeypatch.setattr(contract, "BODY_S", 0.1)
    head = (
        b"POST /api/v1/order HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer test_token_123\r\n"
        b"Content-Type: application/json\r\nContent-Length: 50\r\nConnection: close\r\n\r\n{"
    )
    status, _, body = await exchange(port, head)
    assert status.startswith("HTTP/1.1 408")
    assert body == {"error": "Request did not arrive in time", "status": 408}


async def test_proper_http_goes_on_as_before(port: int) -> None:
    """S0-60, S0-64."""
    request = b"GET /health HTTP/1.1\r\nHost: x\r\n"
    status, _, body = await exchange(port, request, b"Connection: close\r\n\r\n")
    assert status == "HTTP/1.1 200 OK"
    assert body["status"] == "ok"
