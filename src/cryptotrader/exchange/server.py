"""The paper exchange on a port: Binance's REST API and WebSockets, served by uvicorn on the running loop."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
from collections.abc import Iterator
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from cryptotrader.config import get_logger
from cryptotrader.core.errors import ConfigError
from cryptotrader.exchange.protocol.admin import Admin
from cryptotrader.exchange.protocol.auth import RequestAuthenticator
from cryptotrader.exchange.protocol.limits import LimitPolicy
from cryptotrader.exchange.protocol.listen_keys import ListenKeys
from cryptotrader.exchange.protocol.operations import UNKNOWN, UNKNOWN_TEXT, Desk, Operations
from cryptotrader.exchange.protocol.rest import ABORT, RestFront, error_body
from cryptotrader.exchange.protocol.streams.troubles import Troubles
from cryptotrader.exchange.protocol.upgrade import WebSocketFront, make_upgrade_router
from cryptotrader.exchange.venue import PaperVenue
from cryptotrader.net import Supervisor
from cryptotrader.transport.protocol import websocket_protocol

log = get_logger(__name__)

STOP_S: Final = 3
"""How long open requests and connections may take to end. Unit: seconds. Reason: a process has ten seconds to stop."""

KEEP_ALIVE_S: Final = 75
"""How long an idle connection is kept. Unit: seconds. Reason: longer than common clients keep theirs, so that it is the
client who closes and no request meets a closing door."""

LISTEN_KEY_BYTES: Final = 32
"""Random bytes of a listen key; 64 characters as at Binance."""


def make_operations(venue: PaperVenue, *, limits: LimitPolicy | None = None) -> Operations:
    """What answers the requests of one exchange."""
    keys = ListenKeys(
        lambda: secrets.token_hex(LISTEN_KEY_BYTES), kept=venue.kept_listen_keys, keep=venue.keep_listen_key
    )
    return Operations(Desk(venue=venue, listen_keys=keys, limits=limits or LimitPolicy()))


def create_exchange_app(operations: Operations, websockets: WebSocketFront) -> Starlette:
    """The HTTP side: ``/api/v3`` and ``/admin``."""
    venue = operations.desk.venue
    front = RestFront(operations, RequestAuthenticator(venue.keys, venue.clock))
    routes = [*Admin(operations).routes(), Troubles(websockets.house).route(), Mount("/", app=front)]
    return Starlette(routes=routes, exception_handlers={Exception: _unexpected})


async def _unexpected(request: Request, error: Exception) -> Response:
    """An error of our own, in Binance's shape; the server's log has the rest."""
    return Response(error_body(UNKNOWN, UNKNOWN_TEXT), 500, media_type="application/json")


class _Http(HttpToolsProtocol):
    """uvicorn's HTTP protocol, and a way for the application to drop the connection without a word."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {ABORT: {"call": self.transport.abort}}


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


class ExchangeServer:
    """Serves one venue on one port.

    Args:
        venue: The exchange; the server runs its market and closes it at the end.
        host: Address to listen on.
        port: Port to listen on; 0 lets the system choose, see ``port``.
        limits: How much clients may ask for.
    """

    def __init__(
        self, venue: PaperVenue, *, host: str = "127.0.0.1", port: int = 3100, limits: LimitPolicy | None = None
    ) -> None:
        self.venue = venue
        self.host = host
        self.operations = make_operations(venue, limits=limits)
        self.websockets = make_upgrade_router(venue, self.operations, venue.clock)
        self._wanted_port = port
        self._socket: socket.socket | None = None
        self._started = asyncio.Event()
        self._server = _Uvicorn(
            uvicorn.Config(
                create_exchange_app(self.operations, self.websockets),
                http=_Http,
                ws=websocket_protocol(self.websockets),
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=STOP_S,
            ),
            self._started,
        )

    @property
    def should_exit(self) -> bool:
        """Set it to stop."""
        return self._server.should_exit

    @should_exit.setter
    def should_exit(self, value: bool) -> None:
        if value and not self._server.should_exit:
            self.websockets.announce_shutdown()
        self._server.should_exit = value

    @property
    def port(self) -> int:
        """The port it listens on, once ``bind`` was called."""
        return int(self._socket.getsockname()[1]) if self._socket is not None else self._wanted_port

    @property
    def url(self) -> str:
        """Base address for clients."""
        return f"http://{self.host}:{self.port}"

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
                raise ConfigError(f"cannot listen on {self.host}:{self._wanted_port}: {error.strerror}") from None
            self._socket = sock
        return self.port

    async def wait_started(self) -> None:
        """Return once requests are answered.

        Raises:
            RuntimeError: The server ended before that; the log says why.
        """
        await self._started.wait()
        if not self._server.started:
            raise RuntimeError("the paper exchange did not start")

    async def serve(self) -> None:
        """Serve until ``should_exit`` is set; then end open connections, and put everything on disk."""
        self.bind()
        sock = self._socket
        assert sock is not None
        async with Supervisor("exchange", max_jobs=8) as jobs:
            log.info(f"paper exchange listening on {self.url}")
            jobs.start("market", self.venue.run, restart=True)
            try:
                await self._server.serve(sockets=[sock])
            finally:
                self._started.set()
                sock.close()
        await self.websockets.close()
        await self.venue.close()
        log.info("paper exchange stopped")
