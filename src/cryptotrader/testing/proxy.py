"""A TCP proxy that can break: for tests of what happens when the way to a venue is cut."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from cryptotrader.net import Supervisor

CHUNK_BYTES = 65_536

CONNECT_TIMEOUT_S = 5.0
"""Longest wait for the server behind. Unit: seconds."""


class FaultProxy:
    """Hands bytes to and fro between its own port on the loopback and a server.

    Args:
        target_port: The server's port on the loopback.
        lifetime: Asked for each direction of every new connection: the bytes after which it is reset, None for never.
    """

    def __init__(self, target_port: int, *, lifetime: Callable[[], int | None] = lambda: None) -> None:
        self._target_port = target_port
        self._lifetime = lifetime
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._jobs = Supervisor("fault proxy", max_jobs=1_000)
        self.is_cut = False
        self.accepted = 0
        """Connections ever accepted."""

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def open_count(self) -> int:
        """Connections of clients that are open now."""
        return len(self._writers) // 2

    async def start(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, family=socket.AF_INET)

    async def close(self) -> None:
        """Drop everything and listen no more."""
        self.cut()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        await self._jobs.close()

    def cut(self) -> None:
        """Reset every connection, and every new one, until ``mend``."""
        self.is_cut = True
        for writer in tuple(self._writers):
            writer.transport.abort()

    def mend(self) -> None:
        """Work again."""
        self.is_cut = False

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        if self.is_cut:
            writer.transport.abort()
            return
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                behind, onwards = await asyncio.open_connection("127.0.0.1", self._target_port)
        except (OSError, TimeoutError):
            writer.transport.abort()
            return
        self._writers |= {writer, onwards}
        self._jobs.start("up", lambda: self._pump(reader, onwards, writer))
        await self._pump(behind, writer, onwards)

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, other: asyncio.StreamWriter
    ) -> None:
        left = self._lifetime()
        try:
            while data := await source.read(CHUNK_BYTES):
                sink.write(data if left is None else data[:left])
                await sink.drain()
                if left is not None:
                    left -= len(data)
                    if left <= 0:
                        break
        except OSError:
            pass
        finally:
            # Either end closes both, as a router that forgets the connection would.
            sink.close()
            other.close()
            self._writers -= {sink, other}
