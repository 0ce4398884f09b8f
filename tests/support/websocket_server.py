"""Boots a real uvicorn with our WebSocket protocol on a free port of the loopback, inside the test's event loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from cryptotrader.transport.policy import TransportPolicy
from cryptotrader.transport.protocol import WebSocketProtocol, websocket_protocol
from cryptotrader.transport.types import UpgradeRouter
from tests.support.waiting import eventually


@dataclass
class RunningServer:
    """A server that accepts connections."""

    server: uvicorn.Server
    protocol: type[WebSocketProtocol]
    port: int

    @property
    def url(self) -> str:
        """Where WebSocket clients connect to."""
        return f"ws://127.0.0.1:{self.port}"


async def _hello(_: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


@contextlib.asynccontextmanager
async def running_server(
    router: UpgradeRouter, *, policy: TransportPolicy | None = None, app: Starlette | None = None
) -> AsyncIterator[RunningServer]:
    """Serve until the block ends, then shut down as uvicorn does on SIGTERM."""
    protocol = websocket_protocol(router, policy)
    config = uvicorn.Config(
        app or Starlette(routes=[Route("/hello", _hello)]),
        host="127.0.0.1",
        port=0,
        ws=protocol,
        log_config=None,
        lifespan="off",
        timeout_graceful_shutdown=5,
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve())
    try:
        await eventually(lambda: server.started or task.done())
        port = server.servers[0].sockets[0].getsockname()[1]
        yield RunningServer(server, protocol, port)
    finally:
        server.should_exit = True
        await asyncio.wait_for(task, 10)
