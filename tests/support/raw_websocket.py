"""A WebSocket client that may break every rule: bytes in, bytes out."""

from __future__ import annotations

import asyncio
import contextlib
import struct

HEAD = (
    "GET {path} HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{extra}\r\n"
)

MASK = b"\x01\x02\x03\x04"


def masked(opcode: int, payload: bytes, *, fin: bool = True, rsv: int = 0) -> bytes:
    """A frame as a client sends it."""
    first = (0x80 if fin else 0) | rsv | opcode
    if len(payload) < 126:
        head = bytes((first, 0x80 | len(payload)))
    elif len(payload) < 65_536:
        head = struct.pack("!BBH", first, 0x80 | 126, len(payload))
    else:
        head = struct.pack("!BBQ", first, 0x80 | 127, len(payload))
    return head + MASK + bytes(byte ^ MASK[index % 4] for index, byte in enumerate(payload))


class RawClient:
    """One TCP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, port: int) -> RawClient:
        """Open the connection, send nothing."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def handshake(self, path: str = "/", extra: str = "") -> tuple[int, dict[str, str], bytes]:
        """Ask for an upgrade; returns status, headers in lower case, body."""
        self.writer.write(HEAD.format(path=path, extra=extra).encode())
        return await self.answer()

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Read one HTTP answer."""
        head = (await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 5)).decode()
        first, *lines = head.strip().split("\r\n")
        headers = {line.split(":", 1)[0].lower(): line.split(":", 1)[1].strip() for line in lines}
        body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return int(first.split()[1]), headers, body

    def send(self, data: bytes) -> None:
        """Write bytes as they are."""
        self.writer.write(data)

    async def frame(self) -> tuple[int, bytes]:
        """The next frame: first byte as it is (FIN, RSV, opcode) and payload."""
        first, length = await asyncio.wait_for(self.reader.readexactly(2), 5)
        if length == 126:
            (length,) = struct.unpack("!H", await self.reader.readexactly(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", await self.reader.readexactly(8))
        return first, await asyncio.wait_for(self.reader.readexactly(length), 5)

    async def close_code(self) -> int:
        """Skip to the close frame; its code, 1005 where it has none."""
        while True:
            first, payload = await self.frame()
            if first & 0x0F == 0x8:
                return int.from_bytes(payload[:2], "big") if payload else 1005

    async def at_eof(self) -> bool:
        """Whether the server ends the connection, within five seconds."""
        return await asyncio.wait_for(self.reader.read(), 5) == b""

    async def close(self) -> None:
        """Hang up."""
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()
