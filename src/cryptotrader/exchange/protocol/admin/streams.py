"""``/admin/streams``: trouble for WebSocket clients at once, how late market data is, and block trades.

``POST /admin/streams`` with one of::

    {"action": "drop"}                                           every connection breaks without a close frame
    {"action": "announce_shutdown"}                              every client gets ``serverShutdown``
    {"action": "lose_depth", "symbol": "BTCUSDT", "count": 3}    the next three changes of the book are not told

The answer tells how many connections there were: ``{"connections": 2}``. ``/admin/faults`` can do more of the kind.

``GET`` and ``PATCH /admin/streams/latency``: ``{"fixed_ms": 20, "jitter_ms": 5, "seed": 1}``; messages of market
streams come so much later, in order.

``POST /admin/block-trades``: ``{"symbol": "BTCUSDT", "price": "60000", "qty": "25", "buyer_is_maker": true}`` prints a
block trade; without a price at the last one.
"""

from __future__ import annotations

from typing import Annotated, assert_never

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cryptotrader.core.scaled import parse_scaled
from cryptotrader.exchange.latency import Latency
from cryptotrader.exchange.protocol.admin.guard import Guard, Problem, answer, read
from cryptotrader.exchange.protocol.operations import Desk
from cryptotrader.exchange.protocol.streams.connection import House

Amount = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,10}(\.[0-9]{1,8})?$")]


class Drop(msgspec.Struct, frozen=True, tag_field="action", tag="drop", forbid_unknown_fields=True):
    """Break every connection."""


class AnnounceShutdown(
    msgspec.Struct, frozen=True, tag_field="action", tag="announce_shutdown", forbid_unknown_fields=True
):
    """Send ``serverShutdown`` to everyone; nothing is shut down."""


class LoseDepth(msgspec.Struct, frozen=True, tag_field="action", tag="lose_depth", forbid_unknown_fields=True):
    """Tell nobody of the next changes of a book, so that clients see a hole in its ids."""

    symbol: Annotated[str, msgspec.Meta(min_length=1, max_length=20)]
    count: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1


Trouble = Drop | AnnounceShutdown | LoseDepth

_decoder: msgspec.json.Decoder[Trouble] = msgspec.json.Decoder(Trouble)


class Block(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /admin/block-trades``."""

    symbol: str
    qty: Amount
    price: Amount | None = None
    buyer_is_maker: bool = False


class StreamRoutes:
    """The routes and what they do.

    Args:
        desk: Has the venue.
        house: Has the connections.
    """

    def __init__(self, desk: Desk, house: House) -> None:
        self._desk = desk
        self._house = house

    def routes(self, guard: Guard) -> list[Route]:
        """For the exchange's application."""
        return [
            guard.route("/admin/streams", post=self._cause),
            guard.route("/admin/streams/latency", get=self._latency, patch=self._set_latency),
            guard.route("/admin/block-trades", post=self._block),
        ]

    async def _cause(self, request: Request) -> Response:
        trouble = await read(request, _decoder)
        connections = len(self._house.crowd)
        match trouble:
            case Drop():
                self._house.crowd.drop_all()
            case AnnounceShutdown():
                self._house.crowd.announce_shutdown()
            case LoseDepth(symbol=symbol, count=count):
                self._house.hub.lose_depth(symbol, count)
            case _:
                assert_never(trouble)
        return answer({"connections": connections})

    async def _latency(self, request: Request) -> Response:
        return answer(self._house.hub.delays.latency)

    async def _set_latency(self, request: Request) -> Response:
        self._house.hub.delays.latency = await read(request, Latency)
        return await self._latency(request)

    async def _block(self, request: Request) -> Response:
        wanted = await read(request, Block)
        venue = self._desk.venue
        if wanted.symbol not in venue.rules:
            raise Problem("symbol: no such symbol")
        price = parse_scaled(wanted.price) if wanted.price is not None else venue.last_price(wanted.symbol)
        qty = parse_scaled(wanted.qty)
        if not price or not qty:
            raise Problem("price and qty must be positive")
        block = venue.blocks.add(wanted.symbol, price, qty, buyer_is_maker=wanted.buyer_is_maker, now_ms=venue.now_ms())
        return answer({"id": block.trade_id, "time": block.time_ms}, 201)
