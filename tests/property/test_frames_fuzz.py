"""Whatever bytes a client sends, the server answers or closes; it never fails, and it reports the end exactly once."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from cryptotrader.transport.frames import Frame
from cryptotrader.transport.policy import TransportPolicy
from cryptotrader.transport.protocol import websocket_protocol
from cryptotrader.transport.types import Accept, Connection, Refuse, UpgradeRequest
from tests.support.raw_websocket import HEAD, masked


class FakeTransport(asyncio.Transport):
    """Takes everything; checks that nothing is written after the end."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.ended = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.ended, "wrote after the end"
        self.written += data

    def write_eof(self) -> None:
        self.ended = True

    def can_write_eof(self) -> bool:
        return True

    def close(self) -> None:
        self.ended = True

    def abort(self) -> None:
        self.ended = True

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Echo:
    """Answers everything and counts ends."""

    connection: Connection

    def __init__(self) -> None:
        self.ends: list[int] = []

    def on_open(self, connection: Connection) -> None:
        self.connection = connection

    def on_text(self, text: str) -> None:
        self.connection.send(Frame.text(text.encode()))

    def on_binary(self, data: bytes) -> None:
        self.connection.send(Frame.binary(data))

    def on_ping(self, data: bytes) -> None: ...

    def on_writable(self) -> None: ...

    def on_close(self, code: int, reason: str) -> None:
        self.ends.append(code)


frames = st.builds(
    masked,
    st.integers(min_value=0, max_value=15),
    st.binary(max_size=200),
    fin=st.booleans(),
    rsv=st.sampled_from([0, 0, 0, 0x40, 0x20]),
)
inputs = st.lists(st.one_of(frames, st.binary(max_size=40)), max_size=12)


async def feed(chunks: list[bytes], extra: str) -> tuple[Echo, FakeTransport]:
    echo = Echo()

    async def route(_: UpgradeRequest) -> Accept | Refuse:
        return Accept(echo, max_message_bytes=300)

    state = SimpleNamespace(connections=set(), tasks=set())
    protocol = websocket_protocol(route, TransportPolicy())(cast(Any, None), cast(Any, state), {})
    transport = FakeTransport()
    protocol.connection_made(transport)
    protocol.data_received(HEAD.format(path="/", extra=extra).encode())
    while not hasattr(echo, "connection"):
        await asyncio.sleep(0)
    for chunk in chunks:
        protocol.data_received(chunk)
        await asyncio.sleep(0)
    protocol.connection_lost(None)
    assert not state.connections
    assert not state.tasks
    for handle in [protocol.hub._ticking]:
        if handle is not None:
            handle.cancel()
    return echo, transport


@settings(max_examples=300)
@given(inputs, st.sampled_from(["", "Sec-WebSocket-Extensions: permessage-deflate\r\n"]))
def test_no_input_breaks_the_server(chunks: list[bytes], extra: str) -> None:
    """RFC 6455: every failure has a close code."""
    echo, transport = asyncio.run(feed(chunks, extra))
    assert transport.written.startswith(b"HTTP/1.1 101")
    assert len(echo.ends) == 1
    assert echo.ends[0] in range(1000, 5000)
