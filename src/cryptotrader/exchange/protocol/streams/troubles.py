"""Trouble on demand for WebSocket clients: broken connections, shutdown notices, lost depth events.

``POST /admin/streams`` from the same machine, with one of::

    {"action": "drop"}                                           every connection breaks without a close frame
    {"action": "announce_shutdown"}                              every client gets ``serverShutdown``
    {"action": "lose_depth", "symbol": "BTCUSDT", "count": 3}    the next three changes of the book are not told

The answer tells how many connections there were: ``{"connections": 2}``.
"""

from __future__ import annotations

from typing import Annotated, assert_never

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cryptotrader.exchange.protocol.admin import is_local
from cryptotrader.exchange.protocol.streams.connection import House

MAX_BODY_BYTES = 1_024
"""Largest request body. Unit: bytes. Reason: ten times what the longest one needs."""


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

_decode: msgspec.json.Decoder[Trouble] = msgspec.json.Decoder(Trouble)


class Troubles:
    """The route and what it does."""

    def __init__(self, house: House) -> None:
        self._house = house

    def route(self) -> Route:
        """For the exchange's application."""
        return Route("/admin/streams", self.cause, methods=["POST"])

    async def cause(self, request: Request) -> Response:
        """Cause trouble."""
        if not is_local(request):
            return _answer({"code": -1130, "msg": "Only from this machine."}, 403)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                return _answer({"code": -1130, "msg": "The body is too large."}, 413)
        try:
            trouble = _decode.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return _answer({"code": -1130, "msg": f"Not a trouble: {error}"}, 400)
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
        return _answer({"connections": connections}, 200)


def _answer(content: dict[str, object], status: int) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")
