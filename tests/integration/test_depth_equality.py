"""Books built only from ``/ws/depth/btcusdt`` equal the recorded best prices, with many clients and a slow one."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import AsyncExitStack
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.support.process import TOKEN, Process, Server, running_server
from tests.support.recording import EQUAL_IDS, ClientBook, final_book, need_recording, oracle

CLIENTS = 50
FULL_CHECKERS = 5
SPEED = 20
"""Times real time. At this speed one core of the test's own readers still keeps up with 50 streams."""
TIMEOUT_S = 120.0
SLOW_EVERY, SLOW_PAUSE_S = 25, 0.5
"""The slow client takes a quarter of what comes. Everything else must be merged for it."""
SLOW_BUFFER_BYTES = 16_384


def start_exchange(folder: Path, spec: str) -> tuple[Process, str]:
    """A paper exchange in a process of its own, and its ``host:port``."""
    exchange = Process(["exchange", "--port", "0", "--market", spec], data_dir=folder)
    return exchange, exchange.wait_for_line(r"Paper exchange +http://(\S+)").group(1)


def urls(host: str) -> list[str]:
    """Flags that point a gateway at an exchange that it did not start."""
    return [
        "--binance-rest-url", f"http://{host}",
        "--binance-stream-url", f"ws://{host}",
        "--binance-ws-api-url", f"ws://{host}/ws-api/v3",
    ]  # fmt: skip


@lru_cache(maxsize=512)
def parse(text: str) -> dict[str, Any]:
    """All clients get the same text, so it is parsed once."""
    message: dict[str, Any] = json.loads(text)
    return message


def open_stream(server: Server, *, slow: bool) -> connect:
    """One client of the depth stream; a slow one leaves little room in its own buffers."""
    sock = socket.socket()
    if slow:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SLOW_BUFFER_BYTES)
    host, port = server.host.split(":")
    sock.connect((host, int(port)))
    return connect(
        server.ws + "/ws/depth/btcusdt",
        sock=sock,
        additional_headers={"Authorization": f"Bearer {TOKEN}"},
        max_size=None,
        max_queue=1 if slow else 64,
        open_timeout=60,
        # The slow client's pongs would come late, which is not what is tested here.
        ping_interval=None,
    )


class Reader:
    """One client; it compares with the recording at every update id that the recording has a book ticker for."""

    def __init__(self, connection: ClientConnection, *, number: int) -> None:
        self.connection = connection
        self.book = ClientBook()
        self.compared = 0
        self._is_slow = number == 0
        self._checks_book = number < FULL_CHECKERS

    async def read_until(self, last: int) -> None:
        """Read until the book is at ``last``."""
        tops, _ = oracle()
        while self.book.last < last:
            message = parse(str(await self.connection.recv()))
            self.book.apply(message)
            if (top := tops.get(self.book.last)) is not None:
                self.compared += 1
                got = self.book.top() if self._checks_book else (*message["b"][0], *message["a"][0])
                if got != top:
                    self.book.faults.append(f"top at {self.book.last}")
            if self._is_slow and self.book.messages % SLOW_EVERY == 0:
                # Its buffers are small, so the server's fill while everybody else reads on.
                await asyncio.sleep(SLOW_PAUSE_S)


async def compare(folder: Path, *, speed: int, timeout_s: float) -> list[Reader]:
    """Play the whole recording to ``CLIENTS`` clients; every check is made, and the readers are returned."""
    files = ",".join(str(path) for path in need_recording())
    last, bids, asks = final_book()
    tops, ends = oracle()
    assert sum(end in tops for end in ends) == EQUAL_IDS
    exchange, host = start_exchange(folder / "x", f"tape:{files}?speed={speed}&hold=true&loop=false")
    try:
        with running_server(folder / "g", args=urls(host), env={"MAX_WS_CONNECTIONS": "60"}) as server:
            async with AsyncExitStack() as stack:
                readers = [
                    Reader(await stack.enter_async_context(open_stream(server, slow=number == 0)), number=number)
                    for number in range(CLIENTS)
                ]
                async with asyncio.timeout(timeout_s), asyncio.TaskGroup() as group:
                    for reader in readers:
                        group.create_task(reader.read_until(last))
    finally:
        exchange.stop()
    for reader in readers:
        assert reader.book.faults == []
        assert (reader.book.bids, reader.book.asks) == (bids, asks)
    assert {reader.compared for reader in readers[1:]} == {EQUAL_IDS}
    return readers


@pytest.mark.timeout(240)
async def test_s0_41_s0_42_s0_43_every_book_equals_the_recording(tmp_path: Path) -> None:
    """S0-41, S0-42, S0-43, C-22: every equal id of the recording matches, with 50 clients of which one reads slowly."""
    slow, *others = await compare(tmp_path, speed=SPEED, timeout_s=TIMEOUT_S)
    assert slow.book.messages < min(reader.book.messages for reader in others), "the slow client was not slow enough"
