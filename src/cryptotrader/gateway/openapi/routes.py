"""``/openapi.json`` and ``/docs`` (C-26)."""

from __future__ import annotations

import contextlib
from importlib import resources

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cryptotrader import __version__
from cryptotrader.core.errors import CryptotraderError
from cryptotrader.gateway.endpoints import endpoints
from cryptotrader.gateway.http.replies import value_reply
from cryptotrader.gateway.openapi.document import build
from cryptotrader.gateway.ports import GatewayServices

MAX_LISTED_SYMBOLS = 200
"""Most symbols named in the document. Reason: a venue with thousands would make it megabytes."""

PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:"
)
"""The page loads nothing from anywhere else and talks to nobody but this server."""


def document_routes(services: GatewayServices) -> list[Route]:
    """The two routes."""
    page = resources.files("cryptotrader.gateway.openapi").joinpath("docs.html").read_bytes()

    async def openapi(request: Request) -> Response:
        request.state.route = "/openapi.json"
        with contextlib.suppress(CryptotraderError):  # the document is good without them
            await services.catalogue.load()
        known = services.catalogue.symbols
        symbols = known if len(known) <= MAX_LISTED_SYMBOLS else ()
        return value_reply(build(endpoints(), version=__version__, symbols=symbols))

    async def docs(request: Request) -> Response:
        request.state.route = "/docs"
        return Response(page, media_type="text/html", headers={"Content-Security-Policy": PAGE_POLICY})

    return [Route("/openapi.json", openapi, methods=["GET"]), Route("/docs", docs, methods=["GET"])]
