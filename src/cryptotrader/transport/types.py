"""What a WebSocket server and the code behind it say to each other. No I/O here.

The server half (``transport.protocol``) speaks RFC 6455 on uvicorn's transport; the application half implements
``WebSocketHandler`` and never awaits: callbacks are synchronous and short, sending is queueing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from cryptotrader.transport.frames import Frame


@dataclass(frozen=True)
class UpgradeRequest:
    """The HTTP request that wants to become a WebSocket."""

    path: str
    """Percent-decoded path, without the query."""
    query: str = field(repr=False)
    """Raw query string; may hold a token, so it is kept out of repr."""
    headers: Mapping[str, str] = field(repr=False)
    """Names in lower case; may hold a token."""
    client: str
    """Peer address."""
    subprotocols: tuple[str, ...] = ()


@dataclass(frozen=True)
class Accept:
    """Go ahead: 101."""

    handler: WebSocketHandler
    subprotocol: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    max_message_bytes: int = 65_536
    """Largest message accepted from the client; a larger one closes the connection with 1009."""
    on_pong: Callable[[], None] | None = None
    """Called with every pong, whether it answers a ping of ours or not."""


@dataclass(frozen=True)
class Refuse:
    """No: a real HTTP answer instead of 101."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = "application/json"


class FlowListener(Protocol):
    """Who wants to know how a connection's client keeps up."""

    def on_behind(self) -> None:
        """The client reads more slowly than it is written to."""
        ...

    def on_caught_up(self) -> None:
        """It took everything that waited for it."""
        ...

    def on_gone(self) -> None:
        """The connection closes or is gone; write nothing more. Nothing is called after this."""
        ...


class Connection(Protocol):
    """One open WebSocket, as the application sees it."""

    id: str
    """Unique within the process; safe to log."""

    def send(self, frame: Frame, *, key: str | None = None) -> None:
        """Queue a frame; everything queued in one loop wake-up leaves in one write.

        With ``key`` the frame is state-like: while the client is behind, a newer frame of the same key takes its place.
        """
        ...

    def close(self, code: int, reason: str = "") -> None:
        """Flush what is queued, send a close frame, and drop the connection if the peer does not answer in time."""
        ...

    def abort(self) -> None:
        """Drop the connection at once."""
        ...

    def freeze(self) -> None:
        """Fall silent: read and write nothing any more, and keep the connection as if the network had swallowed it."""
        ...

    def flush(self) -> None:
        """Write what is queued now instead of at the end of the wake-up."""
        ...

    def watch(self, listener: FlowListener | None) -> None:
        """Tell ``listener`` (one per connection) when the client falls behind, catches up or goes."""
        ...

    @property
    def writer(self) -> Callable[[bytes], None]:
        """Writes framed bytes at once, past every queue; for the broadcaster, until ``FlowListener.on_gone``."""
        ...

    @property
    def deflates(self) -> bool:
        """Whether the client takes compressed frames (``Frame.deflated``)."""
        ...

    @property
    def buffered_bytes(self) -> int:
        """Bytes queued here or in the transport that the kernel has not taken yet."""
        ...

    @property
    def is_behind(self) -> bool:
        """Whether the transport asked to pause: the client reads more slowly than it is written to."""
        ...


class WebSocketHandler(Protocol):
    """What the application does with one connection."""

    def on_open(self, connection: Connection) -> None:
        """The handshake is done."""
        ...

    def on_text(self, text: str) -> None:
        """A whole text message arrived."""
        ...

    def on_binary(self, data: bytes) -> None:
        """A whole binary message arrived."""
        ...

    def on_ping(self, data: bytes) -> None:
        """The client sent a ping (the pong has been sent already)."""
        ...

    def on_writable(self) -> None:
        """The client caught up after having been behind."""
        ...

    def on_close(self, code: int, reason: str) -> None:
        """The connection is gone; called exactly once after ``on_open``. 1006 where there was no close frame."""
        ...


UpgradeRouter = Callable[[UpgradeRequest], Awaitable[Accept | Refuse]]
"""Decides about an upgrade. Runs with a timeout; a handshake that takes longer is refused with 503."""
