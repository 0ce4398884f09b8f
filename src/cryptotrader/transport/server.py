"""One port: HTTP by an ASGI application, WebSockets by our own protocol, on the running event loop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn

from cryptotrader.core.errors import ConfigError

STOP_S = 3
"""How long open requests and connections may take to end. Unit: seconds. Reason: a process has ten seconds to stop."""

KEEP_ALIVE_S = 75
"""How long an idle connection is kept. Unit: seconds. Reason: longer than common clients keep theirs, so that it is the
client who closes and no request meets a closing door."""

BACKLOG = 2_048
"""Connections that wait to be accepted. Reason: two thousand clients may come back at once after a restart."""


class _Uvicorn(uvicorn.Server):
    """Leaves signals to whoever runs the process, and tells when it is ready."""

    def __init__(self, config: uvicorn.Config, ready: asyncio.Event) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class PortServer:
    """uvicorn on one port, without signals, access log or lifespan.

    Args:
        app: The ASGI application for HTTP.
        websockets: Protocol class from ``transport.protocol.websocket_protocol``.
        host: Address to listen on.
        port: Port to listen on; 0 lets the system choose.
        http: uvicorn's HTTP protocol, or a class derived from it.
    """

    def __init__(self, app: Any, websockets: type[Any], *, host: str, port: int, http: Any = "httptools") -> None:
        self.host = host
        self._wanted_port = port
        self._socket: socket.socket | None = None
        self._started = asyncio.Event()
        self._server = _Uvicorn(
            uvicorn.Config(
                app,
                http=http,
                ws=websockets,
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                backlog=BACKLOG,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=STOP_S,
            ),
            self._started,
        )

    @property
    def port(self) -> int:
        """The port it listens on, once ``bind`` was called."""
        return int(self._socket.getsockname()[1]) if self._socket is not None else self._wanted_port

    @property
    def url(self) -> str:
        """Base address for clients."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def bind(self) -> int:
        """Take the port without serving yet; returns it.

        Raises:
            ConfigError: The address cannot be had.
        """
        if self._socket is None:
            family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
            # asyncio turns Nagle's algorithm off only where the protocol is named; else answers wait 40 ms.
            sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
            try:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.bind((self.host, self._wanted_port))
            except OSError as error:
                sock.close()
                hint = "; choose another port, 0 takes a free one" if error.errno == errno.EADDRINUSE else ""
                where = f"{self.host}:{self._wanted_port}"
                raise ConfigError(f"cannot listen on {where}: {error.strerror}{hint}") from None
            self._socket = sock
        return self.port

    async def wait_started(self) -> None:
        """Return once requests are answered."""
        await self._started.wait()

    @property
    def is_stopping(self) -> bool:
        """Whether ``stop`` was called."""
        return self._server.should_exit

    def stop(self) -> None:
        """Stop accepting, tell WebSocket clients 1001, let open requests end; ``serve`` then returns."""
        self._server.should_exit = True

    async def serve(self) -> None:
        """Serve until ``stop``."""
        self.bind()
        assert self._socket is not None
        try:
            await self._server.serve(sockets=[self._socket])
        finally:
            self._socket.close()
