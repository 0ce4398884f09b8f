"""The short cut for received messages: whatever the cuts between reads, the same messages in the same order."""

from __future__ import annotations

import asyncio
import random

import pytest
from websockets.client import ClientProtocol
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import OPEN
from websockets.server import ServerProtocol
from websockets.uri import parse_uri
from websockets.utils import accept_key

from cryptotrader.net.connection import MAX_BEHIND_BYTES, MAX_MESSAGE_BYTES, MessageConnection


class Transport(asyncio.Transport):
    """Keeps what is written, and whether reading is paused."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.is_paused = False
        self.is_ended = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.is_ended = True


def opened() -> tuple[MessageConnection, Transport]:
    connection = MessageConnection(ClientProtocol(parse_uri("ws://venue/"), state=OPEN, max_size=MAX_MESSAGE_BYTES))
    transport = Transport()
    connection.connection_made(transport)
    connection.response = Response(101, "Switching Protocols", Headers())
    return connection, transport


def paused(transport: Transport) -> bool:
    """A type checker takes an attribute to stay as it is."""
    return transport.is_paused


def frame(payload: bytes, opcode: Opcode = Opcode.TEXT, *, fin: bool = True) -> bytes:
    return Frame(opcode, payload, fin=fin).serialize(mask=False)


async def messages_of(connection: MessageConnection, count: int) -> list[bytes]:
    async with asyncio.timeout(1):
        return [await connection.next_message() for _ in range(count)]


async def test_every_cut_of_a_mixed_stream_gives_the_same_messages() -> None:
    stream = (
        frame(b"one")
        + frame(b"x" * 200)
        + frame(b"ping", Opcode.PING)
        + frame(b"", Opcode.TEXT)
        + frame(b"fra", fin=False)
        + frame(b"pong", Opcode.PONG)
        + frame(b"gment", Opcode.CONT)
        + frame(b"y" * 70_000)
        + frame("币安".encode())
    )
    wanted = [b"one", b"x" * 200, b"", b"fragment", b"y" * 70_000, "币安".encode()]
    cuts = [*range(280), *range(len(stream) - 40, len(stream))]
    for cut in cuts:
        connection, transport = opened()
        connection.data_received(stream[:cut])
        connection.data_received(stream[cut:])
        assert await messages_of(connection, len(wanted)) == wanted
        assert len(transport.written) == 1, "the ping is answered"


@pytest.mark.parametrize("seed", range(30))
async def test_any_number_of_cuts_gives_the_same_messages(seed: int) -> None:
    draw = random.Random(seed)
    wanted = [draw.randbytes(draw.choice((0, 3, 125, 126, 300, 65_535, 65_536))) for _ in range(20)]
    stream = b"".join(map(frame, wanted))
    connection, _ = opened()
    while stream:
        size = draw.choice((1, 2, 7, 1_000, 100_000))
        connection.data_received(stream[:size])
        stream = stream[size:]
    assert await messages_of(connection, len(wanted)) == wanted


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (b"\x81\x83\0\0\0\0abc", CloseCode.PROTOCOL_ERROR),
        (b"\xc1\x01a", CloseCode.PROTOCOL_ERROR),
        (b"\x81\x7f" + (MAX_MESSAGE_BYTES + 1).to_bytes(8, "big"), CloseCode.MESSAGE_TOO_BIG),
    ],
)
async def test_a_server_that_breaks_the_protocol_is_told_so_after_its_good_messages(bad: bytes, code: int) -> None:
    connection, transport = opened()
    connection.data_received(frame(b"good") + bad + frame(b"late"))
    assert await messages_of(connection, 1) == [b"good"]
    connection.connection_lost(None)
    with pytest.raises(ConnectionClosed) as caught:
        await connection.next_message()
    assert caught.value.sent is not None
    assert caught.value.sent.code == code
    assert not connection.is_open
    assert len(transport.written) == 1


async def test_a_reader_that_is_behind_stops_the_reading_and_a_waiting_one_is_woken() -> None:
    connection, transport = opened()
    waiting = asyncio.ensure_future(connection.next_message())
    await asyncio.sleep(0)
    connection.data_received(frame(b"0"))
    assert await waiting == b"0"
    big = frame(b"x" * (MAX_BEHIND_BYTES // 4))
    for _ in range(3):
        connection.data_received(big)
    assert not paused(transport)
    connection.data_received(big)
    assert paused(transport)
    await messages_of(connection, 3)
    assert paused(transport)
    await messages_of(connection, 1)
    assert not paused(transport)
    connection.data_received(big)
    assert not paused(transport), "a reader that has caught up is not behind"


async def test_a_close_of_the_server_comes_after_what_it_sent_before() -> None:
    connection, transport = opened()
    connection.data_received(frame(b"last") + frame(b"\x03\xe9bye", Opcode.CLOSE) + frame(b"never"))
    assert not connection.is_open
    assert await messages_of(connection, 1) == [b"last"]
    connection.connection_lost(None)
    with pytest.raises(ConnectionClosed, match="1001"):
        await connection.next_message()
    assert transport.written


async def test_what_one_turn_of_the_loop_sends_leaves_in_one_write_that_a_server_understands() -> None:
    connection, transport = opened()
    sent = [b"a", b"b" * 125, b"c" * 126, "币".encode() * 400, b"d" * 70_000]
    for message in sent:
        connection.put_text(message)
    assert transport.written == []
    await asyncio.sleep(0)
    assert len(transport.written) == 1
    server = ServerProtocol(state=OPEN)
    server.receive_data(transport.written[0])
    frames = server.events_received()
    assert [bytes(event.data) for event in frames if isinstance(event, Frame)] == sent
    assert all(isinstance(event, Frame) and event.opcode is Opcode.TEXT for event in frames)


async def test_a_listener_gets_what_waited_and_then_each_message_as_it_comes() -> None:
    connection, _ = opened()
    heard: list[bytes] = []
    connection.data_received(frame(b"before"))
    handing = asyncio.ensure_future(connection.hand_over(heard.append))
    await asyncio.sleep(0)
    connection.data_received(frame(b"one") + frame(b"t", fin=False) + frame(b"wo", Opcode.CONT) + frame(b"three"))
    assert heard == [b"before", b"one", b"two", b"three"]
    connection.connection_lost(None)
    with pytest.raises(ConnectionClosed):
        await handing


async def test_every_cut_of_the_handshake_leaves_the_frames_behind_it_to_us() -> None:
    protocol = ClientProtocol(parse_uri("ws://venue/"))
    head = (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept_key(protocol.key)}\r\n\r\n"
    ).encode()
    answer = head + frame(b"first") + frame(b"second")
    for cut in range(len(answer) + 1):
        twin = ClientProtocol(parse_uri("ws://venue/"))
        twin.key = protocol.key
        connection = MessageConnection(twin)
        connection.connection_made(Transport())
        twin.send_request(twin.connect())
        for part in (answer[:cut], answer[cut:]):
            if part:
                connection.data_received(part)
        assert connection.is_open
        assert await messages_of(connection, 2) == [b"first", b"second"]
