"""WebSocket frames as a server writes them (RFC 6455, section 5). Pure: bytes in, bytes out.

A ``Frame`` is made once per message and shared by every connection that gets it: the header is put on once, and the
compressed form is made at most once, the first time somebody who negotiated compression needs it.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

OP_TEXT = 0x1
OP_BINARY = 0x2
OP_CLOSE = 0x8
OP_PING = 0x9
OP_PONG = 0xA

_FIN = 0x80
_RSV1 = 0x40

MAX_CONTROL_BYTES = 125
"""Longest payload of a control frame. Unit: bytes. Reason: RFC 6455, section 5.5."""

DEFLATE_WINDOW_BITS = 12
"""Size of the LZ77 window, as a power of two. Reason: 4 KiB holds nearly every message and costs little to set up; a
receiver with any window from 12 bits upwards can read it."""

DEFLATE_MIN_BYTES = 128
"""Shortest payload worth compressing. Unit: bytes. Reason: below it the saving is smaller than a TCP header."""

_DEFLATE_MEM_LEVEL = 5
_SYNC_TAIL_BYTES = 4
"""``00 00 ff ff`` ends a sync flush and is left out on the wire (RFC 7692, section 7.2.1)."""


def header(opcode: int, payload_bytes: int, *, compressed: bool = False) -> bytes:
    """Header of a final, unmasked frame.

    Args:
        opcode: One of the ``OP_`` numbers.
        payload_bytes: Length of what follows, 0 to 2**63 - 1.
        compressed: Sets RSV1, which permessage-deflate uses for "this message is compressed".
    """
    first = _FIN | opcode | (_RSV1 if compressed else 0)
    if payload_bytes < 126:
        return bytes((first, payload_bytes))
    if payload_bytes < 65_536:
        return struct.pack("!BBH", first, 126, payload_bytes)
    return struct.pack("!BBQ", first, 127, payload_bytes)


class Frame:
    """One message, framed once.

    ``wire`` is what goes out; ``deflated`` is the same message for those who negotiated permessage-deflate without
    context takeover, and equals ``wire`` where compressing does not pay.
    """

    __slots__ = ("_deflated", "_header_bytes", "_opcode", "wire")

    def __init__(self, opcode: int, payload: bytes) -> None:
        head = header(opcode, len(payload))
        self._opcode = opcode
        self._header_bytes = len(head)
        self._deflated: bytes | None = None
        self.wire = head + payload

    @classmethod
    def text(cls, payload: bytes) -> Frame:
        """A text message; ``payload`` must be valid UTF-8."""
        return cls(OP_TEXT, payload)

    @classmethod
    def binary(cls, payload: bytes) -> Frame:
        """A binary message."""
        return cls(OP_BINARY, payload)

    @property
    def payload(self) -> bytes:
        """The message without its header (a copy)."""
        return self.wire[self._header_bytes :]

    @property
    def deflated(self) -> bytes:
        """The compressed form, made when it is first asked for."""
        if self._deflated is None:
            self._deflated = self._deflate()
        return self._deflated

    def _deflate(self) -> bytes:
        payload = memoryview(self.wire)[self._header_bytes :]
        if len(payload) < DEFLATE_MIN_BYTES:
            return self.wire
        packer = zlib.compressobj(wbits=-DEFLATE_WINDOW_BITS, memLevel=_DEFLATE_MEM_LEVEL)
        packed = packer.compress(payload) + packer.flush(zlib.Z_SYNC_FLUSH)
        packed = packed[:-_SYNC_TAIL_BYTES]
        if len(packed) >= len(payload):
            return self.wire
        return header(self._opcode, len(packed), compressed=True) + packed

    def __len__(self) -> int:
        return len(self.wire)

    def __repr__(self) -> str:
        return f"Frame(opcode={self._opcode}, {len(self.wire) - self._header_bytes} bytes)"


class FrameBatch(Frame):
    """Several messages that leave together and count as one in every queue."""

    __slots__ = ("_frames",)

    def __init__(self, frames: Sequence[Frame]) -> None:
        super().__init__(OP_TEXT, b"")
        self._frames = tuple(frames)
        self.wire = b"".join([frame.wire for frame in frames])

    def _deflate(self) -> bytes:
        return b"".join([frame.deflated for frame in self._frames])


def ping_frame(payload: bytes = b"") -> bytes:
    """A ping; ``payload`` at most ``MAX_CONTROL_BYTES`` long."""
    if len(payload) > MAX_CONTROL_BYTES:
        raise ValueError(f"a ping carries at most {MAX_CONTROL_BYTES} bytes")
    return header(OP_PING, len(payload)) + payload


def cut_reason(reason: str) -> str:
    """The reason of a close frame, cut to what fits beside the code, never inside a character."""
    return reason.encode()[: MAX_CONTROL_BYTES - 2].decode(errors="ignore")
