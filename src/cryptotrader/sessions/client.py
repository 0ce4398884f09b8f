"""One client of a stream: what all three streams have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from cryptotrader.config import get_logger
from cryptotrader.core.clock import NS_PER_S, Clock
from cryptotrader.dialects.gateway_streams import encode_error
from cryptotrader.telemetry.metrics import WS_OPEN, WS_SENT
from cryptotrader.transport.fanout import Published
from cryptotrader.transport.frames import Frame
from cryptotrader.transport.types import Connection

log = get_logger(__name__)

T = TypeVar("T")

NOT_UNDERSTOOD = Frame.text(encode_error("This stream takes no messages", 400))


@dataclass(frozen=True)
class ClientContext:
    """What a client needs to know about where it lives.

    Attributes:
        kind: ``ticker``, ``depth`` or ``user``; a label of metrics.
        path: For the log, without the query (S0-63).
        key_id: Public id of the key it came with.
        clock: The time.
        on_gone: Called once when the connection is gone.
    """

    kind: str
    path: str
    key_id: str
    clock: Clock
    on_gone: Callable[[StreamClient[Any]], None]


class Channel(Protocol[T]):
    """Where the messages of one stream come from."""

    def enter(self, client: StreamClient[T]) -> None:
        """The client is connected: bring it up to date and keep it so."""
        ...

    def leave(self, client: StreamClient[T]) -> None:
        """The client is gone."""
        ...

    def catch_up(self, client: StreamClient[T]) -> None:
        """The client was behind and reads again: send what makes it level with the others."""
        ...

    def close(self) -> None:
        """Nobody wants this stream any more."""
        ...


class StreamClient(Generic[T]):
    """``transport.types.WebSocketHandler`` and ``transport.fanout.Member`` of one connection."""

    def __init__(self, context: ClientContext, channel: Channel[T]) -> None:
        self.context = context
        self._channel = channel
        self._connection: Connection | None = None
        self._opened_ns = 0
        self._must_close: tuple[int, str] | None = None

    @property
    def connection(self) -> Connection:
        """The open connection; there is one from ``on_open`` on."""
        assert self._connection is not None
        return self._connection

    def count_sent(self, messages: int) -> None:
        """Count messages that went to this client alone; the broadcaster counts its own."""
        WS_SENT.labels(kind=self.context.kind).inc(messages)

    def close(self, code: int, reason: str) -> None:
        """Close the connection, or as soon as its handshake is done."""
        if self._connection is None:
            self._must_close = (code, reason)
        else:
            self._connection.close(code, reason)

    def on_open(self, connection: Connection) -> None:
        """The handshake is done."""
        self._connection = connection
        self._opened_ns = self.context.clock.monotonic_ns()
        WS_OPEN.labels(kind=self.context.kind).inc()
        log.info(f"WebSocket connected: {self.context.path} - client_id={connection.id}")
        self._channel.enter(self)
        if self._must_close is not None:
            connection.close(*self._must_close)

    def on_text(self, text: str) -> None:
        """These streams take no commands; say so and stay."""
        self.connection.send(NOT_UNDERSTOOD, key="error")

    def on_binary(self, data: bytes) -> None:
        """The same for binary messages."""
        self.connection.send(NOT_UNDERSTOOD, key="error")

    def on_ping(self, data: bytes) -> None:
        """The transport answers."""

    def on_writable(self) -> None:
        """The broadcaster has seen to it."""

    def on_close(self, code: int, reason: str) -> None:
        """The connection is gone."""
        self._channel.leave(self)
        WS_OPEN.labels(kind=self.context.kind).dec()
        seconds = (self.context.clock.monotonic_ns() - self._opened_ns) // NS_PER_S
        log.info(f"WebSocket disconnected: {self.context.path} - duration={seconds}s")
        self.context.on_gone(self)

    @abstractmethod
    def on_missed(self, batch: Sequence[Published[T]]) -> None:
        """The client is behind and did not get these."""

    def on_caught_up(self) -> None:
        """It reads again."""
        self._channel.catch_up(self)
