"""From a router's decision to the bytes of a handshake answer."""

from __future__ import annotations

import email.utils
import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from urllib.parse import unquote

from websockets.datastructures import Headers, MultipleValuesError
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol

from cryptotrader.transport.frames import DEFLATE_WINDOW_BITS
from cryptotrader.transport.types import Refuse, UpgradeRequest

RETRY_AFTER_S = 60
"""What a busy server tells a client to wait. Reason: the number that the gateway documents everywhere (S0-53)."""


class Handshake(ServerProtocol):
    """websockets' protocol; what it refuses by itself (a head that is too long) looks like every other refusal.

    Args:
        dress: Called with every answer before it is sent.
        compress: Whether permessage-deflate is offered.
    """

    def __init__(self, dress: Callable[[Response], None], *, compress: bool) -> None:
        super().__init__(extensions=[deflate_factory()] if compress else None)
        self._dress = dress

    def reject(self, status: HTTPStatus | int, text: str) -> Response:
        """A refusal with the body that every error has (S0-56)."""
        return refusal_response(error_refusal(int(status), text.strip().split("\n")[0]))

    def send_response(self, response: Response) -> None:
        """Send an answer, dressed."""
        self._dress(response)
        super().send_response(response)


def deflate_factory() -> ServerPerMessageDeflateFactory:
    """Compression that keeps nothing between messages, so that one compressed frame serves many clients."""
    return ServerPerMessageDeflateFactory(server_no_context_takeover=True, client_no_context_takeover=True)


def takes_shared_deflate(ws: ServerProtocol) -> bool:
    """Whether frames compressed by ``transport.frames`` suit what was negotiated."""
    return any(
        isinstance(extension, PerMessageDeflate) and extension.local_max_window_bits >= DEFLATE_WINDOW_BITS
        for extension in ws.extensions
    )


def upgrade_request(request: Request, client: str) -> UpgradeRequest:
    """The parsed head, in the words of ``transport.types``. A repeated header is joined with commas."""
    path, _, query = request.path.partition("?")
    offered = header_of(request.headers, "sec-websocket-protocol") or ""
    return UpgradeRequest(
        path=unquote(path),
        query=query,
        headers=joined_headers(request.headers),
        client=client,
        subprotocols=tuple(name.strip() for name in offered.split(",") if name.strip()),
    )


def joined_headers(headers: Headers) -> Mapping[str, str]:
    """Header names in lower case, each once."""
    joined: dict[str, str] = {}
    for name, value in headers.raw_items():
        lower = name.lower()
        joined[lower] = f"{joined[lower]}, {value}" if lower in joined else value
    return joined


def header_of(headers: Headers, name: str) -> str | None:
    """The value of a header that may be repeated."""
    try:
        return headers.get(name)
    except MultipleValuesError:
        return ", ".join(headers.get_all(name))


def error_refusal(status: int, text: str, *, headers: tuple[tuple[str, str], ...] = ()) -> Refuse:
    """A refusal with the body that every error has (S0-56)."""
    body = json.dumps({"error": text, "status": status}, separators=(",", ":")).encode()
    return Refuse(status=status, body=body, headers=headers)


def refusal_response(refusal: Refuse) -> Response:
    """The HTTP answer for a refusal; the connection ends after it."""
    headers = Headers(
        [
            ("Date", email.utils.formatdate(usegmt=True)),
            ("Connection", "close"),
            ("Content-Length", str(len(refusal.body))),
            ("Content-Type", refusal.content_type),
        ]
    )
    for name, value in refusal.headers:
        headers[name] = value
    return Response(refusal.status, _phrase(refusal.status), headers, refusal.body)


def add_missing(headers: Headers, extra: tuple[tuple[str, str], ...]) -> None:
    """Put headers on an answer unless it has them."""
    for name, value in extra:
        if name not in headers:
            headers[name] = value


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
