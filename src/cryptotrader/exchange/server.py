"""The paper exchange on a port: Binance's REST API and WebSockets, served by uvicorn on the running loop."""

from __future__ import annotations

import secrets
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from cryptotrader.config import get_logger
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
from cryptotrader.transport.server import PortServer

log = get_logger(__name__)

LISTEN_KEY_BYTES: Final = 32
"""Random bytes of a listen key; 64 characters as at Binance."""


def make_operations(venue: PaperVenue, *, limits: LimitPolicy | None = None) -> Operations:
    """What answers the requests of one exchange."""
    keys = ListenKeys(
        lambda: secrets.token_hex(LISTEN_KEY_BYTES), kept=venue.kept_listen_keys, keep=venue.keep_listen_key
    )
    return Operations(Desk(venue=venue, listen_keys=keys, limits=limits or LimitPolicy()))


def create_exchange_app(
    operations: Operations, websockets: WebSocketFront, *, admin_token: str | None = None
) -> Starlette:
    """The HTTP side: ``/api/v3`` and ``/admin``."""
    venue = operations.desk.venue
    front = RestFront(operations, RequestAuthenticator(venue.keys, venue.clock))
    routes = [*Admin(operations, admin_token).routes(), Troubles(websockets.house).route(), Mount("/", app=front)]
    return Starlette(routes=routes, exception_handlers={Exception: _unexpected})


async def _unexpected(request: Request, error: Exception) -> Response:
    """An error of our own, in Binance's shape; the server's log has the rest."""
    return Response(error_body(UNKNOWN, UNKNOWN_TEXT), 500, media_type="application/json")


class _Http(HttpToolsProtocol):
    """uvicorn's HTTP protocol, and a way for the application to drop the connection without a word."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {ABORT: {"call": self.transport.abort}}


class ExchangeServer(PortServer):
    """Serves one venue on one port.

    Args:
        venue: The exchange; the server runs its market and closes it at the end.
        host: Address to listen on.
        port: Port to listen on; 0 lets the system choose, see ``port``.
        limits: How much clients may ask for.
        admin_token: What the back door wants of programs on other machines; None keeps them out.
    """

    def __init__(
        self,
        venue: PaperVenue,
        *,
        host: str = "127.0.0.1",
        port: int = 3100,
        limits: LimitPolicy | None = None,
        admin_token: str | None = None,
    ) -> None:
        self.venue = venue
        self.operations = make_operations(venue, limits=limits)
        self.websockets = make_upgrade_router(venue, self.operations, venue.clock)
        app = create_exchange_app(self.operations, self.websockets, admin_token=admin_token)
        super().__init__(app, websocket_protocol(self.websockets), host=host, port=port, http=_Http)

    def stop(self) -> None:
        """Tell stream clients that they should look for another server, then stop as any port does."""
        if not self.is_stopping:
            self.websockets.announce_shutdown()
        super().stop()

    async def serve(self) -> None:
        """Serve until ``stop``; then end open connections, and put everything on disk."""
        self.bind()
        async with Supervisor("exchange", max_jobs=8) as jobs:
            log.info(f"paper exchange listening on {self.url}")
            jobs.start("market", self.venue.run, restart=True)
            await super().serve()
        await self.websockets.close()
        await self.venue.close()
        log.info("paper exchange stopped")
