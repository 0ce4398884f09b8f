"""The HTTP half of the gateway: source 0's REST interface as one Starlette application."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from cryptotrader.core.errors import CryptotraderError, Forbidden
from cryptotrader.gateway.asyncapi.routes import asyncapi_routes
from cryptotrader.gateway.endpoints import endpoints
from cryptotrader.gateway.http.contract import Call, Endpoint, parse_query
from cryptotrader.gateway.http.errors import TIMEOUT_TEXT, Answer, HttpProblem, answer_for
from cryptotrader.gateway.http.guard import Guard
from cryptotrader.gateway.http.replies import error_reply
from cryptotrader.gateway.http.tracing import Tracing
from cryptotrader.gateway.openapi.routes import document_routes
from cryptotrader.gateway.ports import GatewayServices

Handler = Callable[[Request], Awaitable[Response]]

STOPPING = Answer(503, "Server is shutting down", (("Retry-After", "60"),))
"""Answer to a question that the server has no time left for."""

OUTCOME_UNKNOWN = Answer(504, TIMEOUT_TEXT)
"""The same for a command: it may have taken effect, as after any timeout of the venue (S0-55)."""


class GatewayApp(Starlette):
    """A Starlette application whose outermost layer is the tracing, so that even a 500 is numbered and timed."""

    def __init__(self, services: GatewayServices, **options: Any) -> None:
        self._services = services
        super().__init__(**options)

    def build_middleware_stack(self) -> ASGIApp:
        """Starlette's own stack, error page included, inside the tracing."""
        return Tracing(super().build_middleware_stack(), self._services.clock)


def create_gateway_app(services: GatewayServices) -> Starlette:
    """Build the application.

    Args:
        services: What its routes use.
    """
    by_path: dict[str, dict[str, Endpoint[Any]]] = defaultdict(dict)
    for endpoint in endpoints():
        by_path[endpoint.path][endpoint.method] = endpoint
    routes = [
        # A symbol may be spelled with a slash (C-12).
        Route(path.replace("{symbol}", "{symbol:path}"), _serve(services, methods), methods=list(methods))
        for path, methods in by_path.items()
    ]
    guard = Middleware(Guard, services.authenticator, services.limits, services.clock)
    app = GatewayApp(
        services,
        routes=[*routes, *document_routes(services), *asyncapi_routes()],
        middleware=[guard],
        exception_handlers={
            CryptotraderError: _on_error,
            HttpProblem: _on_problem,
            HTTPException: _on_http,
            Exception: _on_fault,
        },
    )
    # A path is what it is: a redirect would not have the shape of an answer, and would trust the Host header.
    app.router.redirect_slashes = False
    return app


def _serve(services: GatewayServices, methods: dict[str, Endpoint[Any]]) -> Handler:
    """One route for all methods of a path, so that 405 can name them all in ``Allow``."""

    async def serve(request: Request) -> Response:
        endpoint = methods.get(request.method) or methods["GET"]
        request.state.route = endpoint.path
        principal = getattr(request.state, "principal", None)
        if endpoint.scope is not None and (principal is None or endpoint.scope not in principal.scopes):
            raise Forbidden(f"Token does not allow this: needs scope {endpoint.scope.value}")
        query = parse_query(request.scope["query_string"], endpoint.query)
        try:
            return await endpoint.handler(Call(services, principal, query, request))
        except asyncio.CancelledError:
            # Only the server cancels a request: it stops, and the venue has been silent for as long as a stop may last.
            return error_reply(STOPPING if request.method == "GET" else OUTCOME_UNKNOWN)

    return serve


async def _on_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, CryptotraderError)
    return error_reply(answer_for(error))


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HttpProblem)
    return error_reply(error.answer)


async def _on_http(request: Request, error: Exception) -> Response:
    """404 and 405 of the router itself; ``Allow`` stays."""
    assert isinstance(error, HTTPException)
    return error_reply(Answer(error.status_code, error.detail, tuple((error.headers or {}).items())))


async def _on_fault(request: Request, error: Exception) -> Response:
    """A fault in here; Starlette hands the exception on to the server, which logs it."""
    return error_reply(Answer(500, "Internal server error"))
