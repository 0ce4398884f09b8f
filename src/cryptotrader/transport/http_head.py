"""uvicorn's HTTP protocol with a bound on the size and the time of a request's head."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from cryptotrader.config import get_logger

log = get_logger(__name__)

MAX_HEAD_BYTES = 64 * 1024
"""Longest request line with all header fields. Unit: bytes. Reason: the parser itself would collect without end."""

HEAD_S = 30.0
"""Longest time from a connection, or from the first byte of a later request, to the end of a head. Unit: seconds.
Reason: connections that say nothing would be kept for ever; no honest client needs a tenth of it."""


class BoundedHead(HttpToolsProtocol):
    """What uvicorn runs on each connection. A derived class says what a refusal looks like."""

    head_s: ClassVar[float] = HEAD_S
    _head_bytes = 0
    _is_in_head = False
    _head_timer: asyncio.TimerHandle | None = None

    def refusal(self, status: int, text: str) -> tuple[bytes, tuple[tuple[str, str], ...]]:
        """Body (JSON) and further headers of a refusal; a plain one here.

        Args:
            status: 400, 408 or 431.
            text: What is wrong.
        """
        return f'{{"code":-{1_000 + status},"msg":"{text}"}}'.encode(), ()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """A client is there; its request must follow."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._stop_waiting()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A request begins."""
        self._is_in_head, self._head_bytes = True, 0
        if self._head_timer is None:
            self._await_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its head is whole."""
        self._is_in_head = False
        self._stop_waiting()
        super().on_headers_complete()

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(self.head_s, self._give_up_head)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up_head(self) -> None:
        """The head did not come. Who is still being answered, or never said anything, gets no further answer."""
        self._head_timer = None
        if self.transport.is_closing():
            return
        if self._is_in_head and (self.cycle is None or self.cycle.response_complete):
            self._refuse(408, "Request did not arrive in time")
        else:
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        """Parse what came; refuse a head that does not end."""
        super().data_received(data)
        if self._is_in_head and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(431, f"Request header larger than {MAX_HEAD_BYTES} bytes")

    def send_400_response(self, msg: str) -> None:
        """Bytes that are no HTTP are refused like everything else (S0-56, S0-61)."""
        self._refuse(400, "Invalid HTTP request")

    def _refuse(self, status: int, text: str) -> None:
        body, headers = self.refusal(status, text)
        reason = {400: "Bad Request", 408: "Request Timeout", 431: "Request Header Fields Too Large"}[status]
        more = "".join(f"{name}: {value}\r\n" for name, value in headers)
        head = (
            f"HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            f"{more}Connection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
        log.info(f"HTTP refused: {text} - {status}")
