"""Who may ask, and how often: bearer tokens (S0-50, S0-51) and requests per minute (S0-52, C-11). Pure ASGI."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from cryptotrader.core.clock import Clock
from cryptotrader.core.errors import CryptotraderError, MessageRateExceeded, NotAuthenticated
from cryptotrader.core.limits import WindowLimit
from cryptotrader.gateway.http.errors import RETRY_AFTER_S, answer_for
from cryptotrader.gateway.http.replies import error_reply
from cryptotrader.gateway.ports import Authenticates
from cryptotrader.telemetry.metrics import RATE_LIMITED

PROTECTED = "/api/"
"""Everything below needs a token. ``/metrics``, ``/docs`` and ``/openapi.json`` hold no secrets and are open."""

EXEMPT = frozenset({"/health"})
"""Never limited: a health check must tell the truth when the server is busy. OPTIONS is answered before this layer."""


class Guard:
    """ASGI layer that lets a request through, or answers 401 or 429.

    Requests with a good token count against that token, which may have a limit of its own. All others count against the
    peer's address, so that guessing tokens is limited too.
    """

    def __init__(self, app: ASGIApp, authenticator: Authenticates, limits: WindowLimit, clock: Clock) -> None:
        self._app = app
        self._authenticator = authenticator
        self._limits = limits
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one request."""
        if scope["type"] != "http" or scope["path"] in EXEMPT:
            await self._app(scope, receive, send)
            return
        try:
            self._check(scope)
        except CryptotraderError as error:
            await error_reply(answer_for(error))(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        refused: NotAuthenticated | None = None
        peer = scope.get("client")
        client = peer[0] if peer else None
        key, limit = f"ip:{client or 'unknown'}", None
        if scope["path"].startswith(PROTECTED):
            try:
                # One header only: a query token would end up in logs and histories, and REST clients can set headers.
                header = Headers(scope=scope).get("authorization")
                principal = self._authenticator.authenticate(header, client=client)
                scope.setdefault("state", {})["principal"] = principal
                key, limit = f"token:{principal.key_id}", principal.limits.requests_per_minute
            except NotAuthenticated as error:
                refused = error
        if not self._limits.allow(key, self._clock.monotonic_ns(), limit=limit):
            RATE_LIMITED.inc()
            raise MessageRateExceeded("Rate limit exceeded", retry_after_s=RETRY_AFTER_S)
        if refused is not None:
            raise refused
