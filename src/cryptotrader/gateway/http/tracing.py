"""The outermost layer: every answer, errors and preflights included, is numbered, timed, counted and logged.

Pure ASGI, so that it costs no task and no queue per request. S0-61 (tracing headers), S0-62 (CORS), S0-63 (log lines).
"""

from __future__ import annotations

import re
import uuid
from urllib.parse import unquote

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cryptotrader.config import REDACTOR, get_logger
from cryptotrader.core.clock import NS_PER_MS, NS_PER_S, Clock
from cryptotrader.telemetry.metrics import HTTP_DURATION, HTTP_REQUESTS

log = get_logger(__name__)

MAX_LOGGED_CHARS = 512
"""Longest path with query in a log line. Unit: characters. Reason: a client chooses its length."""

METHODS = ("GET", "POST", "DELETE", "OPTIONS")
"""Methods that a browser's page may use, as S0-62 lists them."""

PUT_PATH = "/api/v1/userDataStream"
"""The one path that also takes PUT (C-20)."""

EXPOSED = "X-Request-Id, X-Response-Time, Retry-After, X-Trading-Mode, X-Client-Order-Id, Idempotent-Replayed"
"""Headers that a browser's page may read."""

UNMATCHED = "unmatched"
"""Metric label of a path that is no route: labels never carry what a client chooses freely."""

_KNOWN_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_KEY_IN_PATH = re.compile(r"(?<=/)[A-Za-z0-9]{40,}(?=/|$)")
_CONTROL = re.compile(r"[^\x20-\x7e]")


def loggable_target(path: str, query: str) -> str:
    """Path and query for a log line: no secret, no control character, bounded.

    Args:
        path: As sent, percent-encoded.
        query: As sent, without the question mark.
    """
    sent = f"{_KEY_IN_PATH.sub('***', path)}?{query}" if query else _KEY_IN_PATH.sub("***", path)
    decoded = unquote(sent)
    cleaned = REDACTOR.clean(decoded)
    shown = sent if cleaned == decoded else cleaned
    return _CONTROL.sub("?", shown)[:MAX_LOGGED_CHARS]


class Tracing:
    """ASGI layer around the whole application.

    Adds ``X-Request-Id`` (a random UUID), ``X-Response-Time`` (whole milliseconds, no unit) and
    ``Access-Control-Allow-Origin`` to every answer, answers preflights by itself, logs and counts.
    """

    def __init__(self, app: ASGIApp, clock: Clock) -> None:
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started_ns = self._clock.monotonic_ns()
        request_id = str(uuid.uuid4())
        scope.setdefault("state", {})["request_id"] = request_id
        status = 500

        async def traced(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                headers["X-Response-Time"] = str(self._elapsed_ns(started_ns) // NS_PER_MS)
                headers["Access-Control-Allow-Origin"] = "*"
                headers["Access-Control-Expose-Headers"] = EXPOSED
            await send(message)

        try:
            if scope["method"] == "OPTIONS":
                await self._preflight(scope, traced)
            else:
                await self._app(scope, receive, traced)
        finally:
            self._record(scope, status, started_ns)

    def _elapsed_ns(self, started_ns: int) -> int:
        return self._clock.monotonic_ns() - started_ns

    async def _preflight(self, scope: Scope, send: Send) -> None:
        """Any OPTIONS is answered 200, without token and without counting against a limit (S0-62)."""
        methods = (*METHODS[:2], "PUT", *METHODS[2:]) if scope["path"] == PUT_PATH else METHODS
        start: Message = {"type": "http.response.start", "status": 200, "headers": []}
        headers = MutableHeaders(scope=start)
        headers["Access-Control-Allow-Methods"] = ", ".join(methods)
        headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
        headers["Access-Control-Max-Age"] = "600"
        headers["Content-Length"] = "0"
        await send(start)
        await send({"type": "http.response.body", "body": b""})

    def _record(self, scope: Scope, status: int, started_ns: int) -> None:
        elapsed_ns = self._elapsed_ns(started_ns)
        method = scope["method"] if scope["method"] in _KNOWN_METHODS else "OTHER"
        route = scope["state"].get("route", UNMATCHED)
        HTTP_REQUESTS.labels(route, method, str(status)).inc()
        HTTP_DURATION.labels(route).observe(elapsed_ns / NS_PER_S)
        raw_path = scope.get("raw_path") or scope["path"].encode()
        target = loggable_target(raw_path.decode("latin-1"), scope["query_string"].decode("latin-1"))
        log.info(f"HTTP {method} {target} - {status} - {elapsed_ns // NS_PER_MS}ms")
