"""One server under test: ``python -m benchmarks.fanout_server ours|broadcast|fastapi``.

Prints its port, then obeys lines on stdin: ``burst N`` publishes N messages at once, ``pace RATE SECONDS`` publishes
evenly, ``cpu`` prints the CPU seconds used so far; the end of stdin ends it.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence

import uvicorn
import uvloop

from benchmarks.load_client import make_message
from cryptotrader.transport.fanout import Broadcaster, Published
from cryptotrader.transport.frames import Frame
from cryptotrader.transport.policy import TransportPolicy
from cryptotrader.transport.protocol import websocket_protocol
from cryptotrader.transport.types import Accept, Connection, Refuse, UpgradeRequest

Publish = Callable[[bytes], Awaitable[None] | None]
Start = Callable[[], Awaitable[tuple[int, Publish]]]


class Listener:
    """A subscriber of ours; what it misses while it is behind goes to its outbox."""

    connection: Connection

    def __init__(self, broadcaster: Broadcaster[None]) -> None:
        self._broadcaster = broadcaster

    def on_open(self, connection: Connection) -> None:
        self.connection = connection
        self._broadcaster.join(self, ["bench"])

    def on_missed(self, batch: Sequence[Published[None]]) -> None:
        for published in batch:
            self.connection.send(published.frame)

    def on_caught_up(self) -> None: ...

    def on_text(self, text: str) -> None: ...

    def on_binary(self, data: bytes) -> None: ...

    def on_ping(self, data: bytes) -> None: ...

    def on_writable(self) -> None: ...

    def on_close(self, code: int, reason: str) -> None:
        self._broadcaster.leave(self)


async def _serve(config: uvicorn.Config) -> int:
    server = uvicorn.Server(config)
    _background.append(asyncio.create_task(server._serve()))
    while not server.started:
        await asyncio.sleep(0.01)
    return int(server.servers[0].sockets[0].getsockname()[1])


_background: list[asyncio.Task[None]] = []


async def start_ours() -> tuple[int, Publish]:
    """This product's transport under uvicorn, with everything on."""
    broadcaster: Broadcaster[None] = Broadcaster()

    async def route(_: UpgradeRequest) -> Accept | Refuse:
        return Accept(Listener(broadcaster))

    async def app(scope: object, receive: object, send: object) -> None: ...

    protocol = websocket_protocol(route, TransportPolicy(max_behind_s=60))
    port = await _serve(
        uvicorn.Config(app, host="127.0.0.1", port=0, ws=protocol, log_config=None, lifespan="off", backlog=4096)
    )
    return port, lambda message: broadcaster.publish("bench", Frame.text(message), None)


async def start_broadcast() -> tuple[int, Publish]:
    """``websockets.broadcast`` on its own server."""
    from websockets.asyncio.server import ServerConnection, broadcast, serve

    clients: set[ServerConnection] = set()

    async def handler(connection: ServerConnection) -> None:
        clients.add(connection)
        try:
            await connection.wait_closed()
        finally:
            clients.discard(connection)

    server = await serve(handler, "127.0.0.1", 0, compression=None, ping_interval=None, backlog=4096)
    return int(next(iter(server.sockets)).getsockname()[1]), lambda message: broadcast(clients, message.decode())


async def start_fastapi() -> tuple[int, Publish]:
    """FastAPI on uvicorn."""
    from benchmarks.fanout_fastapi import app, publish

    port = await _serve(
        uvicorn.Config(
            app,
            host="127.0.0.1",
            port=0,
            log_config=None,
            lifespan="off",
            backlog=4096,
            ws_per_message_deflate=False,
            ws_ping_interval=None,
        )
    )

    return port, publish


STACKS: dict[str, Start] = {"ours": start_ours, "broadcast": start_broadcast, "fastapi": start_fastapi}


async def _publish(publish: Publish, message: bytes) -> None:
    waiting = publish(message)
    if waiting is not None:
        await waiting


async def _pace(publish: Publish, rate: float, seconds: float) -> int:
    """Publish evenly; where the server cannot keep up, less than asked for is published."""
    started, sent = time.monotonic(), 0
    while (passed := time.monotonic() - started) < seconds:
        if sent < passed * rate:
            await _publish(publish, make_message())
            sent += 1
            if sent < (time.monotonic() - started) * rate:
                await asyncio.sleep(0)
                continue
        await asyncio.sleep(min(0.02, max(0.0, (sent + 1) / rate - (time.monotonic() - started))))
    return sent


async def main(stack: str) -> None:
    """Serve until stdin ends."""
    port, publish = await STACKS[stack]()
    print(port, flush=True)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        match line.decode().split():
            case ["burst", count]:
                for _ in range(int(count)):
                    await _publish(publish, make_message())
            case ["pace", rate, seconds]:
                print(await _pace(publish, float(rate), float(seconds)), flush=True)
            case ["cpu"]:
                print(time.process_time(), flush=True)
            case _:
                raise SystemExit(f"what is {line!r}?")


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
