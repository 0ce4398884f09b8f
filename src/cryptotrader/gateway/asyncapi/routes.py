"""``/asyncapi.json``; ``/docs`` shows it beside the OpenAPI document."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cryptotrader import __version__
from cryptotrader.gateway.asyncapi.document import build
from cryptotrader.gateway.asyncapi.protocols import PROTOCOLS
from cryptotrader.gateway.http.replies import json_reply

PATH = "/asyncapi.json"


def asyncapi_routes() -> list[Route]:
    """The route; the document says the same as long as the server runs."""
    body = msgspec.json.encode(build(PROTOCOLS, version=__version__))

    async def asyncapi(request: Request) -> Response:
        request.state.route = PATH
        return json_reply(body)

    return [Route(PATH, asyncapi, methods=["GET"])]
