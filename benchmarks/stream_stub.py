"""A server that only sends: ``python -m benchmarks.stream_stub FILE MESSAGES`` prints its port and sends trades.

Who subscribes gets ``MESSAGES`` of them as fast as it reads. ``FILE`` answers every HTTP request.

Frames are made in large pieces and the kernel's buffers set the pace, so that what is measured is the client. It speaks
just enough for the clients of the comparison: the handshake, SUBSCRIBE, and the exchange information that one of
them asks for.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import sys
import time
from pathlib import Path

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
PIECE = 200
"""Messages in one write. Unit: messages; about 40 KB."""


class Stub:
    """One connection."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, exchange_info: bytes, *, messages: int
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._exchange_info = exchange_info
        self._messages = messages

    async def serve(self) -> None:
        """Until the client goes."""
        try:
            while True:
                head = await self._reader.readuntil(b"\r\n\r\n")
                target = head.split(b" ", 2)[1].decode()
                names = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
                headers = {name.lower(): value for name, value in names.items()}
                key = headers.get(b"sec-websocket-key")
                if key is not None:
                    await self._websocket(key, is_combined=target.startswith("/stream"))
                    return
                self._answer(self._exchange_info)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writer.close()

    def _answer(self, body: bytes) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._writer.write(head.encode() + body)

    async def _websocket(self, key: bytes, *, is_combined: bool) -> None:
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
        self._writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        while True:
            request = json.loads(await self._frame())
            self._writer.write(_framed(json.dumps({"result": None, "id": request["id"]}).encode()))
            if request["method"] == "SUBSCRIBE" and request["params"]:
                await self._send(request["params"][0], is_combined=is_combined)

    async def _frame(self) -> bytes:
        """The payload of the next text frame of the client; they are short and masked."""
        while True:
            opcode, length = await self._reader.readexactly(2)
            length &= 0x7F
            if length == 126:
                length = int.from_bytes(await self._reader.readexactly(2))
            mask = await self._reader.readexactly(4)
            data = await self._reader.readexactly(length)
            if opcode & 0x0F == 1:
                return bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))

    async def _send(self, stream: str, *, is_combined: bool) -> None:
        """Trades with ascending ids."""
        first = 1_000_000_000
        for start in range(first, first + self._messages, PIECE):
            now_ms = time.time_ns() // 1_000_000
            piece = []
            for number in range(start, start + PIECE):
                trade = (
                    f'{{"e":"trade","E":{now_ms},"s":"BTCUSDT","t":{number},"p":"61837.{number % 100:02d}000000",'
                    f'"q":"0.00{number % 1000:03d}000","T":{now_ms},"m":true,"M":true}}'
                )
                piece.append(_framed((f'{{"stream":"{stream}","data":{trade}}}' if is_combined else trade).encode()))
            self._writer.write(b"".join(piece))
            await self._writer.drain()


def _framed(payload: bytes) -> bytes:
    length = len(payload)
    return (bytes((0x81, length)) if length < 126 else b"\x81\x7e" + length.to_bytes(2)) + payload


async def main(exchange_info: bytes, messages: int) -> None:
    """Serve until stdin ends."""
    connections: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(Stub(reader, writer, exchange_info, messages=messages).serve())
        connections.add(task)
        task.add_done_callback(connections.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]).read_bytes(), int(sys.argv[2])))
