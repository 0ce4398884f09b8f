"""uvicorn's HTTP protocol, with source 0's error shape for what is no HTTP, and a bound on the head of a request."""

from __future__ import annotations

import uuid

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from cryptotrader.config import get_logger
from cryptotrader.gateway.http.errors import Answer

log = get_logger(__name__)

MAX_HEAD_BYTES = 64 * 1024
"""Longest request line with all header fields. Unit: bytes. Reason: the parser itself would collect without end."""


class GatewayHttp(HttpToolsProtocol):
    """What uvicorn runs on each connection."""

    _head_bytes = 0
    _is_in_head = False

    def on_message_begin(self) -> None:
        """A request begins."""
        self._is_in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its head is whole."""
        self._is_in_head = False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Parse what came; refuse a head that does not end."""
        super().data_received(data)
        if self._is_in_head and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(431, f"Request header larger than {MAX_HEAD_BYTES} bytes")

    def send_400_response(self, msg: str) -> None:
        """Bytes that are no HTTP get the same shape as every other error (S0-56, S0-61)."""
        self._refuse(400, "Invalid HTTP request")

    def _refuse(self, status: int, text: str) -> None:
        body = Answer(status, text).body
        reason = {400: "Bad Request", 431: "Request Header Fields Too Large"}[status]
        head = (
            f"HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            f"X-Request-Id: {uuid.uuid4()}\r\nX-Response-Time: 0\r\nAccess-Control-Allow-Origin: *\r\n"
            "Connection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
        log.info(f"HTTP refused: {text} - {status}")
