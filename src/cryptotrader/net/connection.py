"""A websockets client connection whose ordinary messages take a short cut.

The library does the opening and closing handshakes, pings, fragments, sizes and every error. What is left, a whole text
message in one frame, is nearly everything that a venue sends, and is taken out of the received bytes here for a
twentieth of the cost. Messages that are sent leave together, one write for all that one turn of the loop produced.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.frames import Frame, Opcode, apply_mask  # type: ignore[attr-defined]  # in C where that is installed
from websockets.http11 import Request, Response
from websockets.protocol import OPEN, Event

from cryptotrader.core.errors import NotConnected

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""Largest message accepted. Unit: bytes. Reason: the largest documented one (all mini tickers) is under 1 MB."""

MAX_BEHIND_BYTES = 1024 * 1024
"""Bytes received, since the reader last had nothing to read, at which reading from the socket pauses until it has
nothing to read again. Unit: bytes. Overflow: none is lost, the kernel pushes back. Reason: four reads of asyncio."""

MAX_HEAD_BYTES = 65_536
"""Longest head of the answer to the handshake that is held until it is whole. Unit: bytes. Overflow: the library gets
it as it is, and refuses it by limits of its own."""

MASK_POOL_BYTES = 4_096
"""Random bytes fetched at a time, four for each frame (RFC 6455, section 5.3). Unit: bytes."""

TOO_LONG = MAX_MESSAGE_BYTES + 1

WHOLE_TEXT = 0x81
"""First byte of a frame that is a whole text message."""


class MessageConnection(ClientConnection):
    """Whole messages in, text messages out; the short cut is described above."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.last_heard_s = self.loop.time()
        """When bytes last came in. Unit: seconds of the loop's clock."""
        self.inbox: deque[bytes] = deque()
        """Messages that nobody has read yet; take them with ``next_message``, or from here while ``is_reading``."""
        self._behind_bytes = 0
        self._listener: Callable[[bytes], None] | None = None
        self._arrival: asyncio.Future[None] | None = None
        self.is_reading = True
        """Whether bytes are taken from the socket; False while too many messages wait."""
        self._rest = b""
        self._parts: list[bytes | bytearray | memoryview] = []
        self._outbox: list[bytes] = []
        self._outbox_bytes = 0
        self._masks: list[bytes] = []

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent."""
        return self.protocol.state is OPEN

    @property
    def is_full(self) -> bool:
        """Whether the kernel takes nothing more for now."""
        return self.paused

    # Receiving

    async def next_message(self) -> bytes:
        """The next whole message.

        Raises:
            ConnectionClosed: There will be no more.
        """
        await self._some()
        message = self.inbox.popleft()
        self._read_on()
        return message

    async def next_messages(self) -> list[bytes]:
        """All messages that have come, at least one.

        Raises:
            ConnectionClosed: There will be no more.
        """
        await self._some()
        messages = list(self.inbox)
        self.inbox.clear()
        self._read_on()
        return messages

    async def _some(self) -> None:
        while not self.inbox:
            if self.connection_lost_waiter.done():
                raise self.close_exc
            self._arrival = self.loop.create_future()
            try:
                await self._arrival
            finally:
                self._arrival = None

    def _read_on(self) -> None:
        if not self.is_reading and not self.inbox:
            self.is_reading = True
            self.transport.resume_reading()

    async def hand_over(self, listener: Callable[[bytes], None]) -> None:
        """Call ``listener`` with every message as soon as it has come, instead of ``next_message``.

        Args:
            listener: Short, and does not raise: an error of it would end the connection.

        Raises:
            ConnectionClosed: There will be no more.
        """
        while self.inbox:
            listener(await self.next_message())
        self._listener = listener
        try:
            await asyncio.shield(self.connection_lost_waiter)
        finally:
            self._listener = None
        raise self.close_exc

    def data_received(self, data: bytes) -> None:
        """Bytes of any number of frames."""
        self.last_heard_s = self.loop.time()
        if self.protocol.state is OPEN:
            self._behind_bytes = self._behind_bytes + len(data) if self.inbox else len(data)
            self._take(data)
        else:
            self._shake_hands(data)

    def _shake_hands(self, data: bytes) -> None:
        """The library reads the head of the answer; frames right behind it are ours already."""
        data, self._rest = self._rest + data, b""
        end = data.find(b"\r\n\r\n") + 4
        if data.startswith(b"HTTP/1.1 101") and end > 3:
            super().data_received(data[:end])
            if end < len(data):
                self.data_received(data[end:])
        elif b"HTTP/1.1 101".startswith(data[:12]) and len(data) < MAX_HEAD_BYTES:
            self._rest = data
        else:
            super().data_received(data)

    def _take(self, data: bytes) -> None:
        """Take whole text messages out; leave every other frame to the library, one by one and whole."""
        if self._rest:
            data = self._rest + data
        position, size = 0, len(data)
        put = self._listener or self.inbox.append
        while size - position >= 2:
            length = data[position + 1]
            if length < 126:
                start = position + 2
            elif length == 126 and size - position >= 4:
                length = (data[position + 2] << 8) | data[position + 3]
                start = position + 4
            elif length == 127 and size - position >= 10:
                length = int.from_bytes(data[position + 2 : position + 10], "big")
                start = position + 10
            elif length < 128:
                break  # The length itself is not all there.
            else:
                start, length = position, TOO_LONG  # A server must not mask: the library knows what to say.
            stop = start + length
            if length > MAX_MESSAGE_BYTES:
                stop = size
            elif stop > size:
                break
            if data[position] == WHOLE_TEXT and length <= MAX_MESSAGE_BYTES and not self._parts:
                put(data[start:stop])
            else:
                super().data_received(data[position:stop])
                if self.protocol.state is not OPEN:
                    position = size
                    break
            position = stop
        self._rest = data[position:]
        if self.inbox:
            self._wake()

    def process_event(self, event: Event) -> None:
        """A frame that the library has read: fragments become messages, the rest is its own business."""
        if isinstance(event, (Request, Response)) or event.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            super().process_event(event)
            return
        self._put_fragment(event)

    def _put_fragment(self, frame: Frame) -> None:
        self._parts.append(frame.data)
        if frame.fin:
            message = b"".join(self._parts)
            self._parts.clear()
            (self._listener or self.inbox.append)(message)

    def _wake(self) -> None:
        if self._behind_bytes > MAX_BEHIND_BYTES and self.is_reading:
            self.is_reading = False
            self.transport.pause_reading()
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing comes any more; what has come can still be read."""
        super().connection_lost(exc)
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)

    # Sending

    @property
    def unsent_bytes(self) -> int:
        """Bytes that the kernel has not taken yet, but for the 64 KB that it may always hold back."""
        return self._outbox_bytes + (self.transport.get_write_buffer_size() if self.paused else 0)

    def put_text(self, data: bytes) -> None:
        """Send a text message before this turn of the loop is over.

        Raises:
            NotConnected: The connection is closed.
        """
        if self.protocol.state is not OPEN:
            raise NotConnected("connection closed")
        size = len(data)
        if size < 126:
            head = bytes((WHOLE_TEXT, 0x80 | size))
        elif size < 65_536:
            head = b"\x81\xfe" + size.to_bytes(2, "big")
        else:
            head = b"\x81\xff" + size.to_bytes(8, "big")
        if not self._masks:
            pool = os.urandom(MASK_POOL_BYTES)
            self._masks = [pool[at : at + 4] for at in range(0, MASK_POOL_BYTES, 4)]
        mask = self._masks.pop()
        outbox = self._outbox
        if not outbox:
            self.loop.call_soon(self.flush)
        outbox += (head, mask, apply_mask(data, mask))
        self._outbox_bytes += size

    def flush(self) -> None:
        """Hand over to the kernel what was put."""
        if self._outbox:
            data = b"".join(self._outbox)
            self._outbox.clear()
            self._outbox_bytes = 0
            if self.protocol.state is OPEN:
                self.transport.write(data)
