"""What a client connection is, apart from the library that makes it, which is loaded with the first connection."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, runtime_checkable


class Wire(Protocol):
    """One open connection. A test has a fake of it."""

    async def recv(self) -> bytes:
        """The next whole message.

        Raises:
            NotConnected: The connection is closed.
        """
        ...

    async def send(self, data: bytes) -> None:
        """Send one text message.

        Raises:
            NotConnected: The connection is closed, or the peer takes nothing.
        """
        ...

    async def ping(self) -> None:
        """Send a ping and do not wait for the answer; any answer ends the silence.

        Raises:
            NotConnected: The connection is closed.
        """
        ...

    async def close(self) -> None:
        """Close it; harmless where it is closed already."""
        ...

    def silent_s(self) -> float:
        """Seconds since bytes last came in, pings and pongs included."""
        ...


@runtime_checkable
class PlentyWire(Protocol):
    """A wire that hands over all that has come at once, which costs a tenth less per message of a busy stream."""

    async def recv_all(self) -> list[bytes]:
        """All messages that have come, at least one; raises NotConnected."""
        ...


Connector = Callable[[str], Awaitable[Wire]]
"""Opens a connection to a URL; raises a ``VenueError`` where it cannot."""


async def connect_when_needed(url: str) -> Wire:
    """``ws.connect_websocket``; a program that never connects, such as one that shows its help, does not load it."""
    from cryptotrader.net.ws import connect_websocket

    return await connect_websocket(url)
