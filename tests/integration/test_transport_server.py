"""The WebSocket protocol class under a real uvicorn, with real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
import uvloop
import websockets
from websockets.asyncio.client import connect

from cryptotrader.transport.frames import Frame
from cryptotrader.transport.policy import TransportPolicy
from cryptotrader.transport.types import Accept, Connection, Refuse, UpgradeRequest, UpgradeRouter
from tests.support.raw_websocket import RawClient, masked
from tests.support.waiting import eventually
from tests.support.websocket_server import running_server


@dataclass
class Recorder:
    """Echoes text and binary and remembers everything."""

    connection: Connection | None = None
    closed: list[tuple[int, str]] = field(default_factory=list)
    pings: list[bytes] = field(default_factory=list)
    writable: int = 0
    modes: list[bool] = field(default_factory=list)

    def on_open(self, connection: Connection) -> None:
        self.modes.append(connection.deflates)
        self.connection = connection

    def on_text(self, text: str) -> None:
        assert self.connection is not None
        self.connection.send(Frame.text(text.encode()))

    def on_binary(self, data: bytes) -> None:
        assert self.connection is not None
        self.connection.send(Frame.binary(data))

    def on_ping(self, data: bytes) -> None:
        self.pings.append(data)

    def on_writable(self) -> None:
        self.writable += 1

    def on_close(self, code: int, reason: str) -> None:
        self.closed.append((code, reason))


def accepting(recorder: Recorder, **options: object) -> UpgradeRouter:
    async def route(_: UpgradeRequest) -> Accept | Refuse:
        return Accept(recorder, **options)  # type: ignore[arg-type]

    return route


async def test_http_and_websocket_share_the_port() -> None:
    async with running_server(accepting(Recorder())) as server:
        async with httpx2.AsyncClient() as http:
            assert (await http.get(f"http://127.0.0.1:{server.port}/hello")).text == "hello"
        async with connect(server.url) as client:
            await client.send("one")
            assert await client.recv() == "one"
            await client.send(b"two")
            assert await client.recv() == b"two"


async def test_the_router_sees_path_query_and_headers_and_may_add_headers() -> None:
    seen: list[UpgradeRequest] = []

    async def route(request: UpgradeRequest) -> Accept | Refuse:
        seen.append(request)
        return Accept(Recorder(), subprotocol="chat", headers=(("X-Request-Id", "abc"),))

    async with running_server(route) as server:
        client = await RawClient.connect(server.port)
        status, headers, _ = await client.handshake(
            "/ws/a%20b?token=t&x=1", "Authorization: Bearer t\r\nSec-WebSocket-Protocol: chat, other\r\n"
        )
        await client.close()
    assert (status, headers["x-request-id"], headers["sec-websocket-protocol"]) == (101, "abc", "chat")
    assert seen[0].path == "/ws/a b"
    assert seen[0].query == "token=t&x=1"
    assert seen[0].headers["authorization"] == "Bearer t"
    assert seen[0].subprotocols == ("chat", "other")
    assert seen[0].client == "127.0.0.1"
    assert "Bearer" not in repr(seen[0])
    assert "token" not in repr(seen[0])


async def test_a_refusal_is_a_real_http_answer_and_ends_the_connection() -> None:
    """S0-53: the 51st client gets its 503 as the answer to the handshake."""

    async def route(_: UpgradeRequest) -> Accept | Refuse:
        return Refuse(503, b'{"error":"full","status":503}', headers=(("Retry-After", "60"),))

    async with running_server(route) as server:
        client = await RawClient.connect(server.port)
        status, headers, body = await client.handshake()
        assert (status, json.loads(body)) == (503, {"error": "full", "status": 503})
        assert headers["retry-after"] == "60"
        assert headers["content-type"] == "application/json"
        assert headers["connection"] == "close"
        assert await client.at_eof()
        await client.close()
        with pytest.raises(websockets.InvalidStatus) as refused:
            await connect(server.url)
        assert refused.value.response.status_code == 503
        await eventually(lambda: not server.server.server_state.connections)


async def test_every_handshake_answer_carries_the_tracing_headers() -> None:
    """S0-61: also the answers that no router sees."""
    policy = TransportPolicy(answer_headers=lambda _: (("X-Request-Id", "made"),))
    async with running_server(accepting(Recorder(), headers=(("X-Request-Id", "own"),)), policy=policy) as server:
        client = await RawClient.connect(server.port)
        assert (await client.handshake())[1]["x-request-id"] == "own"
        await client.close()
        client = await RawClient.connect(server.port)
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        status, headers, body = await client.answer()
        assert (status, headers["x-request-id"]) == (400, "made")
        assert set(json.loads(body)) == {"error", "status"}
        await client.close()


@pytest.mark.parametrize(
    ("path", "header", "status"),
    [("/" + "a" * 9_000, "X-Small: a", 414), ("/", "X-Big: " + "a" * 9_000, 431)],
)
async def test_a_handshake_that_is_too_long_is_refused_like_any_other(path: str, header: str, status: int) -> None:
    """S0-56, S0-61: the library refuses it before it knows what it is, and still it looks like every error."""
    policy = TransportPolicy(answer_headers=lambda _: (("X-Request-Id", "made"),))
    async with running_server(accepting(Recorder()), policy=policy) as server:
        client = await RawClient.connect(server.port)
        client.send(
            f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{header}\r\n\r\n".encode()
        )
        answered, headers, body = await client.answer()
        assert (answered, headers["x-request-id"]) == (status, "made")
        assert json.loads(body)["status"] == status
        assert set(json.loads(body)) == {"error", "status"}
        await client.close()


async def test_a_router_that_hangs_is_answered_with_503() -> None:
    async def route(_: UpgradeRequest) -> Accept | Refuse:
        await asyncio.Event().wait()
        raise AssertionError

    async with running_server(route, policy=TransportPolicy(handshake_timeout_s=0.05)) as server:
        client = await RawClient.connect(server.port)
        assert (await client.handshake())[0] == 503
        await client.close()


async def test_a_router_that_fails_is_answered_with_500_and_no_details(capsys: pytest.CaptureFixture[str]) -> None:
    async def route(_: UpgradeRequest) -> Accept | Refuse:
        raise ValueError("inner workings")

    async with running_server(route) as server:
        client = await RawClient.connect(server.port)
        status, _, body = await client.handshake()
        await client.close()
    assert (status, json.loads(body)["error"]) == (500, "Internal server error")
    assert "inner workings" in capsys.readouterr().err


async def test_a_client_that_leaves_during_the_decision_is_opened_and_closed() -> None:
    """A router that counted the client in must be able to count it out."""
    recorder = Recorder()
    decide = asyncio.Event()
    asked = asyncio.Event()

    async def route(_: UpgradeRequest) -> Accept | Refuse:
        asked.set()
        await decide.wait()
        return Accept(recorder)

    async with running_server(route) as server:
        client = await RawClient.connect(server.port)
        task = asyncio.create_task(client.handshake())
        await asked.wait()
        task.cancel()
        await asyncio.wait([task])
        client.writer.transport.abort()
        await client.close()
        decide.set()
        await eventually(lambda: recorder.closed)
    assert recorder.connection is not None
    assert recorder.closed == [(1006, "")]


async def test_fragments_with_a_ping_between_them_make_one_message() -> None:
    recorder = Recorder()
    async with running_server(accepting(recorder)) as server:
        client = await RawClient.connect(server.port)
        await client.handshake()
        euro = "€".encode()
        client.send(masked(0x1, b"a" + euro[:1], fin=False))
        client.send(masked(0x9, b"hi"))
        client.send(masked(0x0, b"", fin=False) + masked(0x0, euro[1:] + b"b"))
        assert await client.frame() == (0x8A, b"hi")
        assert await client.frame() == (0x81, "a€b".encode())
        await client.close()
        await eventually(lambda: recorder.closed)
    assert recorder.pings == [b"hi"]
    assert recorder.closed == [(1006, "")]


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (masked(0x1, b"\xff\xfe"), 1007),
        (masked(0x1, b"\xe2\x82", fin=False) + masked(0x0, b"x"), 1007),
        (masked(0x1, b"x" * 1001), 1009),
        (masked(0x1, b"x" * 600, fin=False) + masked(0x0, b"x" * 600), 1009),
        (masked(0x3, b"x"), 1002),
        (masked(0x1, b"x", rsv=0x40), 1002),
        (masked(0x0, b"x"), 1002),
        (masked(0x1, b"x", fin=False) + masked(0x1, b"y"), 1002),
        (masked(0x9, b"x" * 126), 1002),
        (masked(0x9, b"x", fin=False), 1002),
        (b"\x81\x01x", 1002),
        (masked(0x8, b"\x03"), 1002),
        (masked(0x8, (1005).to_bytes(2, "big")), 1002),
        (masked(0x8, (1000).to_bytes(2, "big") + b"\xff"), 1007),
        (masked(0x8, b""), 1005),
        (masked(0x8, (1000).to_bytes(2, "big") + b"bye"), 1000),
    ],
)
async def test_broken_input_is_answered_with_the_right_close_code(sent: bytes, code: int) -> None:
    """RFC 6455, section 7.4.1."""
    recorder = Recorder()
    async with running_server(accepting(recorder, max_message_bytes=1000)) as server:
        client = await RawClient.connect(server.port)
        await client.handshake()
        client.send(sent)
        assert await client.close_code() == code
        assert await client.at_eof()
        await client.close()
        await eventually(lambda: recorder.closed)
    assert [seen for seen, _ in recorder.closed] == [code]


async def test_the_servers_close_is_flushed_answered_and_reported_once() -> None:
    recorder = Recorder()
    async with running_server(accepting(recorder)) as server, connect(server.url) as client:
        await eventually(lambda: recorder.connection)
        assert recorder.connection is not None
        recorder.connection.send(Frame.text(b"last"))
        recorder.connection.close(1008, "token revoked")
        recorder.connection.send(Frame.text(b"too late"))
        assert await client.recv() == "last"
        with pytest.raises(websockets.ConnectionClosed):
            await client.recv()
        assert (client.close_code, client.close_reason) == (1008, "token revoked")
        await eventually(lambda: recorder.closed)
    assert recorder.closed == [(1008, "token revoked")]


async def test_a_client_that_ignores_the_close_frame_is_dropped() -> None:
    recorder = Recorder()
    policy = TransportPolicy(close_timeout_s=0.05, tick_s=0.01)
    async with running_server(accepting(recorder), policy=policy) as server:
        client = await RawClient.connect(server.port)
        await client.handshake()
        await eventually(lambda: recorder.connection)
        assert recorder.connection is not None
        recorder.connection.close(1000)
        await eventually(lambda: recorder.closed)
        await client.close()
    assert recorder.closed == [(1006, "")]


async def test_silent_clients_are_pinged_and_dropped() -> None:
    recorder = Recorder()
    policy = TransportPolicy(ping_interval_s=0.02, pong_timeout_s=0.3, tick_s=0.01)
    async with running_server(accepting(recorder), policy=policy) as server:
        client = await RawClient.connect(server.port)
        await client.handshake()
        first, payload = await client.frame()
        assert (first, payload.isdigit()) == (0x89, True)
        for _ in range(3):
            client.send(masked(0xA, payload))
            first, payload = await client.frame()
            assert first == 0x89
        await eventually(lambda: recorder.closed)
        await client.close()
        assert server.protocol.hub.stats.closed_silent == 1
    assert recorder.closed == [(1006, "")]


async def test_pongs_that_answer_no_ping_keep_no_connection_open() -> None:
    """``web-socket-streams.md``, "General WSS information": unsolicited pongs will not prevent disconnection."""
    recorder = Recorder()
    policy = TransportPolicy(ping_interval_s=0.02, pong_timeout_s=0.2, tick_s=0.01)
    async with running_server(accepting(recorder), policy=policy) as server:
        client = await RawClient.connect(server.port)
        await client.handshake()
        while not recorder.closed:
            client.send(masked(0xA, b""))
            await asyncio.sleep(0.01)
        await client.close()
        assert server.protocol.hub.stats.closed_silent == 1


async def test_shutdown_says_1001_to_everyone() -> None:
    recorder = Recorder()
    async with running_server(accepting(recorder)) as server:
        client = await connect(server.url)
        await eventually(lambda: recorder.connection)
        server.server.should_exit = True
        with pytest.raises(websockets.ConnectionClosed):
            await client.recv()
        assert client.close_code == 1001
        await client.close()
    assert [code for code, _ in recorder.closed] == [1001]


async def test_a_client_that_ignores_the_shutdown_is_dropped_before_the_server_runs_out_of_patience(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A clean stop logs no error, whatever its clients do."""
    recorder = Recorder()
    policy = TransportPolicy(shutdown_close_s=0.05, close_timeout_s=60, tick_s=0.01)
    async with running_server(accepting(recorder), policy=policy) as server:
        client = await RawClient.connect(server.port)
        await client.handshake()
        await eventually(lambda: recorder.connection)
    assert recorder.closed == [(1006, "")]
    assert "timeout graceful shutdown exceeded" not in caplog.text
    await client.close()


async def test_compressed_frames_are_shared_and_readable() -> None:
    recorder = Recorder()
    text = json.dumps([["61837.63000000", "0.10000000"]] * 50)
    async with running_server(accepting(recorder)) as server:
        async with connect(server.url) as client:
            for _ in range(2):
                await client.send(text)
                assert await client.recv() == text
        async with connect(server.url, compression=None) as client:
            await client.send(text)
            assert await client.recv() == text
        assert recorder.modes == [True, False]


async def test_a_client_with_a_tiny_window_is_served_uncompressed() -> None:
    recorder = Recorder()
    async with running_server(accepting(recorder)) as server:
        client = await RawClient.connect(server.port)
        _, headers, _ = await client.handshake(
            extra="Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=9\r\n"
        )
        assert "server_no_context_takeover" in headers["sec-websocket-extensions"]
        client.send(masked(0x1, b"x" * 500))
        assert await client.frame() == (0x81, b"x" * 500)
        await client.close()


async def test_a_slow_client_conflates_and_then_catches_up() -> None:
    """C-22, DESIGN 4.5: state-like messages conflate to the newest."""
    recorder = Recorder()
    policy = TransportPolicy(high_water_bytes=1024, low_water_bytes=256)
    async with (
        running_server(accepting(recorder), policy=policy) as server,
        connect(server.url, compression=None, max_queue=1) as client,
    ):
        connection = recorder.connection
        assert connection is not None
        sent = 0
        while not connection.is_behind:
            connection.send(Frame.text(b"%06d" % sent + b"x" * 50_000))
            connection.flush()
            sent += 1
            await asyncio.sleep(0)
        for number in range(1000):
            connection.send(Frame.text(b"state %d" % number), key="state")
        assert connection.buffered_bytes > 1024
        for number in range(sent):
            message = await client.recv()
            assert isinstance(message, str)
            assert message.startswith(f"{number:06d}")
        assert await client.recv() == "state 999"
        assert recorder.writable >= 1
        assert server.protocol.hub.stats.conflated == 999


@pytest.mark.parametrize("overflow", [True, False])
async def test_a_hopeless_client_is_closed_with_1008(overflow: bool) -> None:
    """C-22: still behind after the allowed time, or more than may wait for it."""
    recorder = Recorder()
    policy = TransportPolicy(
        high_water_bytes=1024,
        low_water_bytes=256,
        max_behind_s=60 if overflow else 0.05,
        max_outbox_frames=3,
        tick_s=0.01,
    )
    async with running_server(accepting(recorder), policy=policy) as server:
        client = await RawClient.connect(server.port)
        await client.handshake()
        await eventually(lambda: recorder.connection)
        connection = recorder.connection
        assert connection is not None

        def push() -> bool:
            """Fill the kernel's buffers, and the outbox where that is to overflow."""
            if overflow or not connection.is_behind:
                connection.send(Frame.binary(b"x" * 50_000))
                connection.flush()
            return server.protocol.hub.stats.closed_slow == 1

        await eventually(push, timeout_s=20)
        assert await client.close_code() == 1008
        client.send(masked(0x8, (1008).to_bytes(2, "big")))
        await eventually(lambda: recorder.closed)
        await client.close()
    assert recorder.closed == [(1008, "client reads too slowly")]


async def test_everything_queued_in_one_wake_up_leaves_in_one_write() -> None:
    recorder = Recorder()
    async with running_server(accepting(recorder)) as server:
        client = await RawClient.connect(server.port)
        await client.handshake()
        await eventually(lambda: recorder.connection)
        assert recorder.connection is not None
        for number in range(64):
            recorder.connection.send(Frame.text(b"%d" % number))
        data = await asyncio.wait_for(client.reader.read(65_536), 5)
        await client.close()
    assert data == b"".join(Frame.text(b"%d" % number).wire for number in range(64))


@pytest.mark.parametrize(
    "scenario",
    [
        test_a_refusal_is_a_real_http_answer_and_ends_the_connection,
        test_a_client_that_leaves_during_the_decision_is_opened_and_closed,
        test_fragments_with_a_ping_between_them_make_one_message,
        test_the_servers_close_is_flushed_answered_and_reported_once,
        test_a_client_that_ignores_the_close_frame_is_dropped,
        test_silent_clients_are_pinged_and_dropped,
        test_shutdown_says_1001_to_everyone,
        test_compressed_frames_are_shared_and_readable,
        test_a_slow_client_conflates_and_then_catches_up,
        lambda: test_a_hopeless_client_is_closed_with_1008(overflow=True),
        lambda: test_a_hopeless_client_is_closed_with_1008(overflow=False),
        lambda: test_broken_input_is_answered_with_the_right_close_code(masked(0x1, b"x" * 1001), 1009),
        test_everything_queued_in_one_wake_up_leaves_in_one_write,
    ],
)
def test_the_same_holds_on_uvloop(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Production's loop pauses, resumes and closes transports in another order."""
    uvloop.run(scenario())


class _Broken(Recorder):
    """Has a fault of its own."""

    def on_text(self, text: str) -> None:
        raise RuntimeError("a fault of ours")


async def test_a_fault_in_handling_a_message_closes_that_connection_with_1011() -> None:
    """S1-18: the client hears that it was not its fault; the others go on."""
    broken, sound = _Broken(), Recorder()

    async def route(request: UpgradeRequest) -> Accept | Refuse:
        return Accept(broken if request.path == "/broken" else sound)

    async with running_server(route) as server:
        async with connect(server.url) as good, connect(f"ws://127.0.0.1:{server.port}/broken") as bad:
            await bad.send("anything")
            with pytest.raises(websockets.ConnectionClosedError) as closed:
                await bad.recv()
            assert closed.value.rcvd is not None
            assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1011, "internal error")
            await good.send("still here")
            assert await good.recv() == "still here"
        await eventually(lambda: broken.closed == [(1011, "internal error")])
