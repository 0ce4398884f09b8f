"""The paper exchange on a port: Binance's REST API and WebSockets, served by uvicorn on the running loop."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount

from cryptotrader.config import get_logger
from cryptotrader.core.scaled import parse_scaled
from cryptotrader.exchange.protocol.admin import Admin
from cryptotrader.exchange.protocol.auth import RequestAuthenticator
from cryptotrader.exchange.protocol.faults import FaultRules, ReportedClock
from cryptotrader.exchange.protocol.limits import LimitPolicy
from cryptotrader.exchange.protocol.listen_keys import ListenKeys
from cryptotrader.exchange.protocol.operations import UNKNOWN, UNKNOWN_TEXT, Desk, Operations
from cryptotrader.exchange.protocol.rest import ABORT, RestFront, error_body
from cryptotrader.exchange.protocol.upgrade import WebSocketFront, make_upgrade_router
from cryptotrader.exchange.venue import PaperVenue
from cryptotrader.market.blocks import BlockSchedule
from cryptotrader.net import Supervisor
from cryptotrader.transport.http_head import BoundedHead
from cryptotrader.transport.policy import TransportPolicy
from cryptotrader.transport.protocol import websocket_protocol
from cryptotrader.transport.server import PortServer

log = get_logger(__name__)

LISTEN_KEY_BYTES: Final = 32
"""Random bytes of a listen key; 64 characters as at Binance."""

BLOCK_LOOK_MS: Final = 60_000
"""Longest sleep without a look at the clock. Unit: milliseconds. Reason: a clock that was set must be noticed."""

BLOCK_LATE_MS: Final = 60_000
"""Block trades that are later than this are left out. Unit: milliseconds. Reason: a machine that slept for a night must
not wake up to hundreds of them."""

BLOCK_SHARE: Final = 0.001
"""Size of a block trade as a part of what was traded in 24 hours. Reason: large, and yet no sensation."""

BLOCK_SPREAD: Final = 0.002
"""How far from the last price it is agreed at most, as a part of the price."""


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
    front = RestFront(operations, RequestAuthenticator(venue.keys, ReportedClock(venue.clock, operations.desk.faults)))
    routes = [*Admin(operations, websockets, admin_token).routes(), Mount("/", app=front)]
    return Starlette(routes=routes, exception_handlers={Exception: _unexpected})


async def _unexpected(request: Request, error: Exception) -> Response:
    """An error of our own, in Binance's shape; the server's log has the rest."""
    return Response(error_body(UNKNOWN, UNKNOWN_TEXT), 500, media_type="application/json")


class _Http(BoundedHead):
    """HTTP with a bounded head, and a way for the application to drop the connection without a word."""

    def refusal(self, status: int, text: str) -> tuple[bytes, tuple[tuple[str, str], ...]]:
        """In Binance's shape."""
        return error_body(-1100, text), ()

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
        faults: What goes wrong, from a rules file.
        block_symbols: Symbols in which block trades happen by themselves, as in a synthetic market.
        admin_token: What the back door wants of programs on other machines; None keeps them out.
    """

    def __init__(
        self,
        venue: PaperVenue,
        *,
        host: str = "127.0.0.1",
        port: int = 3100,
        limits: LimitPolicy | None = None,
        faults: FaultRules | None = None,
        block_symbols: Iterable[str] = (),
        admin_token: str | None = None,
    ) -> None:
        self.venue = venue
        self._blocks = BlockSchedule(block_symbols)
        self.operations = make_operations(venue, limits=limits)
        self.websockets = make_upgrade_router(venue, self.operations, venue.clock)
        if faults is not None:
            self.websockets.obey(faults)
        self.app = create_exchange_app(self.operations, self.websockets, admin_token=admin_token)
        policy = self.operations.desk.limits
        transport = TransportPolicy(ping_interval_s=policy.ping_interval_s, pong_timeout_s=policy.pong_timeout_s)
        super().__init__(self.app, websocket_protocol(self.websockets, transport), host=host, port=port, http=_Http)

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
            self.start_market(jobs)
            await super().serve()
        await self.close()
        log.info("paper exchange stopped")

    def start_market(self, jobs: Supervisor) -> None:
        """Let the market move; also for those who use the exchange without its port."""
        jobs.start("market", self.venue.run, restart=True)
        jobs.start("block-trades", self._print_blocks, restart=True)

    async def close(self) -> None:
        """End what the port left, and put everything on disk."""
        await self.websockets.close()
        await self.venue.close()

    async def _print_blocks(self) -> None:
        """Print the block trades of a synthetic market when their time comes."""
        venue = self.venue
        at_ms = venue.now_ms()
        while (due := self._blocks.next(at_ms)) is not None:
            due_ms, symbol = due
            if (wait_ms := due_ms - venue.now_ms()) > 0:
                await asyncio.sleep(min(wait_ms, BLOCK_LOOK_MS) / 1_000)
                continue
            at_ms = max(due_ms, venue.now_ms() - BLOCK_LATE_MS)
            size, distance, buyer_is_maker = self._blocks.draw(symbol, due_ms)
            rules, price = venue.rules[symbol], venue.last_price(symbol)
            told = price + int(price * distance * BLOCK_SPREAD) // rules.tick * rules.tick
            volume = parse_scaled(venue.day(symbol).volume)
            qty = int(volume * BLOCK_SHARE * (0.2 + size)) // rules.step * rules.step
            if told > 0 and qty > 0:
                venue.blocks.add(symbol, told, qty, buyer_is_maker=buyer_is_maker, now_ms=venue.now_ms())
