"""Who may use the back door, and what its requests and answers have in common.

Programs on the same machine get through as they are. From elsewhere a request needs the admin token, and without one
nobody gets through. A web page in a browser on this machine is on this machine too: without CORS headers from us it
cannot send JSON.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cryptotrader.core.errors import ConfigError
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.protocol.operations.refusals import UNKNOWN, UNKNOWN_TEXT
from cryptotrader.exchange.store import StoreBroken

MAX_BODY_BYTES = 16_384
"""Largest request body. Unit: bytes. Reason: the longest, an RSA key with its terms, has about one thousand."""

BODY_CODE = -1130
"""Code of every refusal here. Binance has no such interface; this is its code for a parameter that will not do."""

T = TypeVar("T")

Handler = Callable[[Request], Awaitable[Response]]


class Problem(Exception):
    """The request cannot be carried out.

    Attributes:
        text: What is wrong, for whoever sent it.
        status: HTTP status.
    """

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.text = text
        self.status = status


def answer(content: object, status: int = 200) -> Response:
    """JSON."""
    return Response(msgspec.json.encode(content), status, media_type="application/json")


def problem(text: str, status: int) -> Response:
    """A refusal in Binance's shape."""
    return answer({"code": BODY_CODE, "msg": text}, status)


def is_local(request: Request) -> bool:
    """Whether the other side is on this machine."""
    try:
        return request.client is not None and ip_address(request.client.host).is_loopback
    except ValueError:
        return False


async def read(request: Request, wanted: type[T] | msgspec.json.Decoder[T]) -> T:
    """The body, checked; without one an empty object.

    Raises:
        Problem: It is too large or is not what is expected.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise Problem("The body is too large.", 413)
    try:
        decoder = wanted if isinstance(wanted, msgspec.json.Decoder) else msgspec.json.Decoder(wanted)
        return decoder.decode(bytes(body) or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Problem(f"Not what is expected here: {error}") from None


class Guard:
    """Stands before every handler of the back door.

    Args:
        token: What requests from other machines must bear; None keeps all of them out.
    """

    def __init__(self, token: str | None = None) -> None:
        self._token = token

    def refusal(self, request: Request) -> Response | None:
        """Why the request may not come in; None where it may."""
        if not is_local(request) and not self._has_token(request):
            text = "Only from this machine." if self._token is None else "Only from this machine or with the token."
            return problem(text, 403)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if request.method in ("POST", "PATCH") and kind != "application/json":
            return problem("The body must be application/json.", 415)
        if request.method != "GET" and "origin" in request.headers:
            return problem("Not from a web page.", 403)
        return None

    def route(self, path: str, **handlers: Handler) -> Route:
        """A route with a handler per method: ``route("/admin/x", get=..., post=...)``."""
        by_method = {name.upper(): handler for name, handler in handlers.items()}

        async def handle(request: Request) -> Response:
            if (refusal := self.refusal(request)) is not None:
                return refusal
            method = "GET" if request.method == "HEAD" else request.method
            try:
                return await by_method[method](request)
            except Problem as wrong:
                return problem(wrong.text, wrong.status)
            except ConfigError as wrong:
                return problem(wrong.message, 400)
            except Refusal as refused:
                return answer({"code": refused.code, "msg": refused.message}, 400)
            except StoreBroken:
                return answer({"code": UNKNOWN, "msg": UNKNOWN_TEXT}, 500)

        return Route(path, handle, methods=list(by_method))

    def _has_token(self, request: Request) -> bool:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if self._token is None or scheme.lower() != "bearer":
            return False
        return hmac.compare_digest(given.strip().encode(), self._token.encode())
