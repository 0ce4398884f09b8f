"""A WebSocket client connection as the rest of the product sees it: whole messages in, text out, silence measured."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, InvalidURI, WebSocketException

from cryptotrader.core.errors import (
    ConfigError,
    NotConnected,
    VenueBanned,
    VenueRateLimited,
    VenueRejected,
    VenueUnreachable,
)
from cryptotrader.net.connection import MAX_MESSAGE_BYTES, MessageConnection
from cryptotrader.net.wire import Connector, Wire

__all__ = ["Connector", "WebSocketWire", "Wire", "connect_websocket"]

OPEN_TIMEOUT_S = 10.0
"""Longest handshake. Unit: seconds. Reason: what source 0 allows Binance for an answer (S0-55)."""

CLOSE_TIMEOUT_S = 1.0
"""Longest closing handshake. Unit: seconds. Reason: a shutdown closes several connections, one after the other, and
must be over within ten seconds although the venue is frozen; the far side of the world answers in a third of one."""

SEND_TIMEOUT_S = 10.0
"""Longest wait for the kernel to take a frame. Unit: seconds. Reason: control frames are tiny; a peer that does not
take one for this long is gone."""

MAX_RETRY_AFTER_S = 3 * 24 * 3600.0
"""Longest pause believed. Unit: seconds. Reason: Binance bans for at most three days (``rest-api.md``, "IP Limits")."""


class WebSocketWire:
    """``Wire`` over the websockets library. Server pings are answered by the library as soon as they arrive."""

    def __init__(self, connection: MessageConnection) -> None:
        self._connection = connection
        self.post: Callable[[bytes], None] = connection.put_text
        """Send one text message without waiting; it leaves with all others of this turn of the loop. Raises
        NotConnected. Whoever posts looks at ``unsent_bytes``, since nothing here holds it back. Not a method of our
        own, since every request passes here."""

    async def recv(self) -> bytes:
        """The next whole message."""
        connection = self._connection
        if connection.inbox and connection.is_reading:
            return connection.inbox.popleft()
        try:
            return await connection.next_message()
        except ConnectionClosed as error:
            raise NotConnected(_closed_text(error)) from None

    async def recv_all(self) -> list[bytes]:
        """All messages that have come, at least one.

        Raises:
            NotConnected: The connection is closed.
        """
        try:
            return await self._connection.next_messages()
        except ConnectionClosed as error:
            raise NotConnected(_closed_text(error)) from None

    async def run(self, on_message: Callable[[bytes], None]) -> None:
        """Hand over every message without a task in between, until the connection ends.

        Args:
            on_message: Called as soon as a message has come; short, and does not raise.

        Raises:
            NotConnected: The connection is closed.
        """
        try:
            await self._connection.hand_over(on_message)
        except ConnectionClosed as error:
            raise NotConnected(_closed_text(error)) from None

    @property
    def unsent_bytes(self) -> int:
        """Bytes that the kernel has not taken yet."""
        return self._connection.unsent_bytes

    async def send(self, data: bytes) -> None:
        """Send one text message; it leaves with all others of this turn of the loop."""
        self.post(data)
        if self._connection.is_full:
            await self._drained()

    async def _drained(self) -> None:
        """Wait until the kernel takes data again."""
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await self._connection.drain()
        except ConnectionClosed as error:
            raise NotConnected(_closed_text(error)) from None
        except TimeoutError:
            raise NotConnected("the peer takes no data") from None

    async def ping(self) -> None:
        """Send a ping and do not wait for the answer."""
        try:
            self._connection.flush()
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await self._connection.ping()
        except ConnectionClosed as error:
            raise NotConnected(_closed_text(error)) from None
        except TimeoutError:
            raise NotConnected("the peer takes no data") from None

    async def close(self) -> None:
        """Close it; after ``CLOSE_TIMEOUT_S`` without an answer, or where this is cancelled, the socket is dropped."""
        self._connection.flush()
        try:
            await self._connection.close()
        except asyncio.CancelledError:
            self._connection.transport.abort()
            raise

    def silent_s(self) -> float:
        """Seconds since bytes last came in."""
        return self._connection.loop.time() - self._connection.last_heard_s


async def connect_websocket(url: str) -> Wire:
    """Open a connection; proxies of the environment are ignored.

    Args:
        url: ``ws://`` or ``wss://``. It may hold a listen key, so it appears in no error.

    Raises:
        ConfigError: The URL is none.
        VenueUnreachable: No connection within ``OPEN_TIMEOUT_S``.
        VenueRejected: The server refused the upgrade; ``http_status`` says how.
        VenueRateLimited: 429.
        VenueBanned: 418.
    """
    try:
        connection = await connect(
            url,
            create_connection=MessageConnection,
            compression=None,
            proxy=None,
            open_timeout=OPEN_TIMEOUT_S,
            close_timeout=CLOSE_TIMEOUT_S,
            # The venue pings (every 20 s) and we answer; our own pings would count against its limit of messages.
            ping_interval=None,
            max_size=MAX_MESSAGE_BYTES,
        )
    except InvalidURI:
        raise ConfigError("not a WebSocket address") from None
    except InvalidStatus as error:
        raise _refusal(error) from None
    except (OSError, TimeoutError, EOFError, WebSocketException) as error:
        raise VenueUnreachable(f"no connection: {type(error).__name__}") from None
    assert isinstance(connection, MessageConnection)
    return WebSocketWire(connection)


def _refusal(error: InvalidStatus) -> VenueRejected | VenueRateLimited:
    status = error.response.status_code
    if status in (418, 429):
        text = error.response.headers.get("Retry-After", "")
        pause_s = min(float(text), MAX_RETRY_AFTER_S) if text.isdecimal() else None
        kind = VenueBanned if status == 418 else VenueRateLimited
        return kind(f"the upgrade was refused with {status}", retry_after_s=pause_s)
    return VenueRejected(f"the upgrade was refused with {status}", venue_code=0, http_status=status)


def _closed_text(error: ConnectionClosed) -> str:
    code = error.rcvd.code if error.rcvd else 1006
    return f"connection closed with {code}"
