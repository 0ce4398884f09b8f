"""A client of the channel protocol that signs as C-4 says and keeps everything it was sent."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

TOKEN = "test_token_123"

_newest = [0]
"""Timestamp of the newest login."""


def login(api_key: str = TOKEN, secret: str = TOKEN, *, timestamp: int | None = None) -> dict[str, Any]:
    """The first message, signed; each call has a timestamp of its own, since a login is good for one time."""
    if timestamp is None:
        _newest[0] = max(time.time_ns() // 1_000_000, _newest[0] + 1)
    stamp = _newest[0] if timestamp is None else timestamp
    text = f"GET\n/ws\n{stamp}\n"
    signature = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    return {"action": "authenticate", "api_key": api_key, "timestamp": stamp, "signature": signature}


def subscribe(*channels: str, symbols: list[str] | None = None, **params: Any) -> dict[str, Any]:
    """A subscription at Binance."""
    given: dict[str, Any] = {"exchange": "binance", **params}
    if symbols is not None:
        given["symbols"] = symbols
    return {"action": "subscribe", "channels": list(channels), "params": given}


def unsubscribe(*channels: str, symbols: list[str] | None = None) -> dict[str, Any]:
    """Its end."""
    return {**subscribe(*channels, symbols=symbols), "action": "unsubscribe"}


class ChannelClient:
    """Everything that arrives is in ``messages``; ``closed`` is the close code, once there is one."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.messages: list[dict[str, Any]] = []
        self.closed: tuple[int, str] | None = None
        self._wake = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            async for text in self.connection:
                self.messages.append(json.loads(text))
                self._wake.set()
        except ConnectionClosed:
            pass
        finally:
            self.closed = (self.connection.close_code or 1006, self.connection.close_reason or "")
            self._wake.set()

    async def send(self, message: object) -> None:
        """Send JSON, or a text as it is."""
        await self.connection.send(message if isinstance(message, str | bytes) else json.dumps(message))

    async def ask(self, message: object) -> dict[str, Any]:
        """Send, and wait for the answer: the next message with an ``event`` that is no data."""
        seen = len(self.messages)
        await self.send(message)
        return await self.wait(lambda row: "event" in row and "channel" not in row, after=seen)

    async def login(self, api_key: str = TOKEN, secret: str = TOKEN) -> dict[str, Any]:
        """Authenticate."""
        return await self.ask(login(api_key, secret))

    async def wait(
        self, check: Callable[[dict[str, Any]], object], *, after: int = 0, timeout_s: float = 15.0
    ) -> dict[str, Any]:
        """The first message, ``after`` so many, that satisfies ``check``."""
        position = after
        async with asyncio.timeout(timeout_s):
            while True:
                for row in self.messages[position:]:
                    position += 1
                    if check(row):
                        return row
                assert self.closed is None, f"closed with {self.closed}; got {self.messages[-3:]}"
                self._wake.clear()
                await self._wake.wait()

    async def wait_data(self, channel: str, *, after: int = 0, **fields: object) -> dict[str, Any]:
        """The first data message of a channel."""
        wanted = {"channel": channel, **fields}
        return await self.wait(lambda row: wanted.items() <= row.items(), after=after)

    async def wait_closed(self, timeout_s: float = 15.0) -> tuple[int, str]:
        """Code and reason."""
        async with asyncio.timeout(timeout_s):
            while self.closed is None:
                self._wake.clear()
                await self._wake.wait()
        return self.closed

    async def close(self) -> None:
        """Hang up."""
        await self.connection.close()
        await self._reading


@asynccontextmanager
async def channel_client(url: str, *, path: str = "/ws", **options: Any) -> AsyncIterator[ChannelClient]:
    """Connected for the length of a block, not authenticated."""
    client = ChannelClient(await connect(url + path, ping_interval=None, close_timeout=2, **options))
    try:
        yield client
    finally:
        await client.close()
