"""A WebSocket without a socket: the exchange's end, and the end of the test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any

import msgspec

from cryptotrader.transport.frames import OP_TEXT, Frame
from cryptotrader.transport.types import FlowListener, WebSocketHandler

RECEIVE_S = 60.0
"""How long a message is awaited. Unit: seconds. Reason: costs nothing on virtual time; in real time it is patience."""

CLOSE_NORMAL = 1000
CLOSE_ABNORMAL = 1006


class ClosedByExchange(ConnectionError):
    """The exchange has ended the connection, or did not let it begin."""


class _ServerEnd:
    """``transport.types.Connection``: what the exchange writes to. Nothing is ever queued on the way."""

    deflates = False
    is_behind = False
    buffered_bytes = 0

    def __init__(self, name: str, on_message: Callable[[Any], None], on_end: Callable[[int, str], None]) -> None:
        self.id = name
        self.listener: FlowListener | None = None
        self.is_frozen = False
        self._on_message = on_message
        self._on_end = on_end

    def send(self, frame: Frame, *, key: str | None = None) -> None:
        """A message."""
        self._take(frame.payload)

    def close(self, code: int, reason: str = "") -> None:
        """Close, but not within the caller's own turn."""
        asyncio.get_running_loop().call_soon(self._on_end, code, reason)

    def abort(self) -> None:
        """Break."""
        asyncio.get_running_loop().call_soon(self._on_end, CLOSE_ABNORMAL, "")

    def freeze(self) -> None:
        """Fall silent."""
        self.is_frozen = True

    def flush(self) -> None:
        """Nothing waits."""

    def watch(self, listener: FlowListener | None) -> None:
        """Remember who wants to know of the end."""
        self.listener = listener

    @property
    def writer(self) -> Callable[[bytes], None]:
        """Takes framed messages, several at a time."""
        return self._take_frames

    def _take_frames(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            opcode, length, start = view[0] & 0x0F, view[1] & 0x7F, 2
            if length >= 126:
                start = 4 if length == 126 else 10
                length = int.from_bytes(view[2:start], "big")
            if opcode == OP_TEXT:
                self._take(bytes(view[start : start + length]))
            view = view[start + length :]

    def _take(self, payload: bytes) -> None:
        if not self.is_frozen:
            self._on_message(msgspec.json.decode(payload))


class InProcessSocket:
    """The test's end of one WebSocket; ``async with`` hangs up.

    Args:
        handler: What the exchange does with the connection.
        name: Unique.
    """

    def __init__(self, handler: WebSocketHandler, name: str) -> None:
        self.closed: tuple[int, str] | None = None
        """Code and reason once the connection is gone."""
        self._messages: asyncio.Queue[Any] = asyncio.Queue()
        self._handler = handler
        self._server_end = _ServerEnd(name, self._keep, self._end)
        handler.on_open(self._server_end)

    async def __aenter__(self) -> InProcessSocket:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hang_up()

    async def receive(self) -> Any:
        """The next message, decoded.

        Raises:
            ClosedByExchange: There is none and will be none.
            TimeoutError: None came within ``RECEIVE_S``.
        """
        async with asyncio.timeout(RECEIVE_S):
            message = await self._messages.get()
        if message is None:
            self._messages.put_nowait(None)
            raise ClosedByExchange(f"closed with {self.closed}")
        return message

    def send(self, message: object) -> None:
        """Send text as it is, anything else as JSON."""
        if self.closed is None and not self._server_end.is_frozen:
            self._handler.on_text(message if isinstance(message, str) else msgspec.json.encode(message).decode())

    def hang_up(self) -> None:
        """End the connection."""
        self._end(CLOSE_NORMAL, "")

    def _keep(self, message: Any) -> None:
        if self.closed is None:
            self._messages.put_nowait(message)

    def _end(self, code: int, reason: str) -> None:
        if self.closed is not None:
            return
        self.closed = (code, reason)
        if self._server_end.listener is not None:
            self._server_end.listener.on_gone()
        self._handler.on_close(code, reason)
        self._messages.put_nowait(None)
