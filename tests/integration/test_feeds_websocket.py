"""The WebSocket shell against a small real server: refusals, silence, size, closing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response
from websockets.utils import accept_key

from cryptotrader.core.errors import (
    ConfigError,
    NotConnected,
    VenueBanned,
    VenueError,
    VenueRateLimited,
    VenueRejected,
    VenueUnreachable,
)
from cryptotrader.net.connection import MAX_MESSAGE_BYTES
from cryptotrader.net.ws import connect_websocket
from tests.support.waiting import eventually

Handler = Callable[[ServerConnection], Awaitable[None]]
Gate = Callable[[ServerConnection, Request], Response | None]


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


@asynccontextmanager
async def server(handler: Handler = echo, gate: Gate | None = None) -> AsyncIterator[str]:
    async with serve(handler, "127.0.0.1", 0, process_request=gate, ping_interval=None, max_size=None) as running:
        yield f"ws://127.0.0.1:{running.sockets[0].getsockname()[1]}/stream"


async def test_messages_go_out_as_text_and_come_back_as_bytes() -> None:
    kinds: list[type] = []

    async def note(connection: ServerConnection) -> None:
        message = await connection.recv()
        kinds.append(type(message))
        await connection.send(message)
        await connection.wait_closed()

    async with server(note) as url:
        wire = await connect_websocket(url)
        await wire.send('{"symbol":"币安"}'.encode())
        assert await wire.recv() == '{"symbol":"币安"}'.encode()
        assert kinds == [str]
        await wire.close()
        await wire.close()


async def test_a_ping_of_the_server_is_answered_with_its_payload_and_ends_the_silence() -> None:
    answered: list[float] = []

    async def ping(connection: ServerConnection) -> None:
        answered.append(await (await connection.ping(b"1672515782136")))
        await connection.wait_closed()

    async with server(ping) as url:
        wire = await connect_websocket(url)
        await eventually(lambda: answered)
        assert wire.silent_s() < 5
        await wire.close()


async def test_our_ping_is_answered_and_ends_the_silence() -> None:
    async with server() as url:
        wire = await connect_websocket(url)
        await eventually(lambda: wire.silent_s() > 0.05)
        await wire.ping()
        await eventually(lambda: wire.silent_s() < 0.05)
        await wire.close()


@pytest.mark.parametrize(
    ("status", "kind", "retry_after_s"),
    [
        (404, VenueRejected, None),
        (410, VenueRejected, None),
        (503, VenueRejected, None),
        (429, VenueRateLimited, 17.0),
        (418, VenueBanned, 17.0),
    ],
)
async def test_a_refused_upgrade_says_why(status: int, kind: type[VenueError], retry_after_s: float | None) -> None:
    def gate(connection: ServerConnection, request: Request) -> Response:
        response = connection.respond(HTTPStatus(status), "no")
        response.headers["Retry-After"] = "17"
        return response

    async with server(gate=gate) as url:
        with pytest.raises(kind) as caught:
            await connect_websocket(url + "/ws/a-secret-listen-key")
        assert type(caught.value) is kind
        assert caught.value.retry_after_s == retry_after_s
        assert "secret" not in str(caught.value)


async def test_nobody_there_is_unreachable_and_rubbish_is_no_address() -> None:
    async with server() as url:
        pass
    with pytest.raises(VenueUnreachable):
        await connect_websocket(url)
    with pytest.raises(ConfigError):
        await connect_websocket("http://127.0.0.1/")


async def test_a_server_that_hangs_up_during_the_handshake_is_unreachable() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.close()

    raw = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with raw:
        with pytest.raises(VenueUnreachable):
            await connect_websocket(f"ws://127.0.0.1:{raw.sockets[0].getsockname()[1]}/")


@pytest.mark.parametrize("how", ["close", "abort", "too large"])
async def test_a_connection_that_ends_is_not_connected_for_all_calls(how: str) -> None:
    async def end(connection: ServerConnection) -> None:
        if how == "close":
            await connection.close(1001, "bye")
        elif how == "abort":
            connection.transport.abort()
        else:
            await connection.send("x" * (MAX_MESSAGE_BYTES + 1))
            await connection.wait_closed()

    async with server(end) as url:
        wire = await connect_websocket(url)
        with pytest.raises(NotConnected):
            await wire.recv()
        with pytest.raises(NotConnected):
            await wire.send(b"{}")
        with pytest.raises(NotConnected):
            await wire.ping()
        await wire.close()


async def test_a_fragmented_message_arrives_whole() -> None:
    async def fragments(connection: ServerConnection) -> None:
        await connection.send(["{", '"a"', ":1}"])
        await connection.wait_closed()

    async with server(fragments) as url:
        wire = await connect_websocket(url)
        assert await wire.recv() == b'{"a":1}'
        await wire.close()


async def test_a_close_that_is_given_up_leaves_no_socket_behind() -> None:
    """A peer that never answers the close frame: whoever is cancelled while waiting for it drops the socket."""
    gone = asyncio.Event()

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        key = head.split("Sec-WebSocket-Key: ")[1].split("\r\n")[0]
        answer = (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept_key(key)}\r\n\r\n"
        )
        writer.write(answer.encode())
        with contextlib.suppress(ConnectionError):
            while await reader.read(4_096):
                pass
        writer.close()
        gone.set()

    listener = await asyncio.start_server(deaf, "127.0.0.1", 0)
    async with listener:
        wire = await connect_websocket(f"ws://127.0.0.1:{listener.sockets[0].getsockname()[1]}/")
        closing = asyncio.create_task(wire.close())
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        async with asyncio.timeout(5):
            await gone.wait()
