"""One connection on ``/ws``: nobody knows its protocol until its first message, or its handshake, tells (C-1, C-2)."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import msgspec

from cryptotrader.config import get_logger
from cryptotrader.core.clock import NS_PER_S, Clock
from cryptotrader.core.limits import TokenBucket
from cryptotrader.dialects.undecided import UndecidedError
from cryptotrader.sessions.ws.dialect import Dialect, DialectSession
from cryptotrader.sessions.ws.timer import SharedTimer
from cryptotrader.telemetry.metrics import WS_OPEN
from cryptotrader.transport.frames import Frame
from cryptotrader.transport.types import Connection

log = get_logger(__name__)

CLOSE_POLICY = 1008

UNPINNED = "unpinned"
"""What metrics call a connection whose protocol is not known."""

_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class ClientPolicy:
    """Limits of a connection that has not shown its protocol."""

    unpinned_s: float = 300.0
    """How long it may take to do so (C-2)."""
    messages_per_s: int = 10
    """Messages a second that are looked at, and as many at once (C-11)."""
    max_refused: int = 100
    """Messages refused in a row before it is closed. Reason: ten seconds of twice the rate (C-11)."""


@dataclass(frozen=True)
class Surroundings:
    """What every connection on ``/ws`` shares."""

    dialects: tuple[Dialect, ...]
    clock: Clock
    timer: SharedTimer
    policy: ClientPolicy
    on_gone: Callable[[WsClient], None]


class WsClient:
    """``transport.types.WebSocketHandler``: hands everything to the session of its protocol, once there is one.

    Args:
        around: What it shares with others.
        address: The client's.
        dialect: Chosen in the handshake; None where the first message decides.
    """

    def __init__(self, around: Surroundings, address: str, dialect: Dialect | None) -> None:
        self._around = around
        self._address = address
        self._dialect = dialect
        self._connection: Connection | None = None
        self._session: DialectSession | None = None
        self._must_end: tuple[int, str] | None = None
        self._bucket = TokenBucket(around.policy.messages_per_s, around.policy.messages_per_s)
        self._refused = 0
        self._opened_ns = 0

    @property
    def key_id(self) -> str | None:
        """Public id of the key that it proved to hold."""
        return self._session.key_id if self._session is not None else None

    @property
    def kind(self) -> str:
        """Its protocol, for logs and metrics."""
        return self._dialect.name if self._dialect is not None else UNPINNED

    def end(self, code: int, reason: str) -> None:
        """Close it from this side; in the words of its protocol where that is known."""
        if self._session is not None:
            self._session.end(code, reason)
        elif self._connection is not None:
            self._connection.close(code, reason)
        else:
            self._must_end = (code, reason)

    # transport.types.WebSocketHandler

    def on_open(self, connection: Connection) -> None:
        """The handshake is done."""
        self._connection = connection
        self._opened_ns = self._around.clock.monotonic_ns()
        WS_OPEN.labels(kind=self.kind).inc()
        log.info(f"WebSocket connected: /ws - client_id={connection.id}")
        if self._dialect is not None:
            self._session = self._dialect.open(connection, self._address)
        else:
            due_ns = self._opened_ns + int(self._around.policy.unpinned_s * NS_PER_S)
            # The wheel must not keep a client that is long gone.
            me = weakref.ref(self)

            def fire() -> None:
                client = me()
                if client is not None:
                    client._unpinned_due()

            self._around.timer.at(due_ns, fire)
        if self._must_end is not None:
            self.end(*self._must_end)

    def on_text(self, text: str) -> None:
        """A message."""
        if self._session is not None:
            self._session.on_message(text)
        else:
            self._first(text)

    def on_binary(self, data: bytes) -> None:
        """The same; protocols decide whether they take it."""
        if self._session is not None:
            self._session.on_message(data)
        else:
            self._first(data)

    def on_ping(self, data: bytes) -> None:
        """The transport answers."""

    def on_writable(self) -> None:
        """The broadcaster has seen to it."""

    def on_close(self, code: int, reason: str) -> None:
        """The connection is gone."""
        if self._session is not None:
            self._session.on_close()
        WS_OPEN.labels(kind=self.kind).dec()
        seconds = (self._around.clock.monotonic_ns() - self._opened_ns) // NS_PER_S
        log.info(f"WebSocket disconnected: /ws - duration={seconds}s")
        self._around.on_gone(self)

    # Before the protocol is known

    def _first(self, data: str | bytes) -> None:
        assert self._connection is not None
        if not self._bucket.allow(self._around.clock.monotonic_ns()):
            self._refuse()
            return
        self._refused = 0
        try:
            fields = _decode_fields(data)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            self._tell("invalid_message", "Malformed message: not a JSON object")
            return
        dialect = next((dialect for dialect in self._around.dialects if dialect.claims(fields)), None)
        if dialect is None:
            self._tell("invalid_message", "Malformed message: it is of no protocol that is spoken here")
            return
        WS_OPEN.labels(kind=self.kind).dec()
        self._dialect = dialect
        WS_OPEN.labels(kind=self.kind).inc()
        self._session = dialect.open(self._connection, self._address)
        self._session.on_message(data)

    def _refuse(self) -> None:
        assert self._connection is not None
        self._refused += 1
        self._tell("rate_limited", "Too many messages")
        if self._refused >= self._around.policy.max_refused:
            self._connection.close(CLOSE_POLICY, "too many messages")

    def _tell(self, code: Literal["invalid_message", "rate_limited"], message: str) -> None:
        """An error in the form of the open protocol (C-1)."""
        assert self._connection is not None
        frame = Frame.text(_encode(UndecidedError(code=code, message=message)))
        self._connection.send(frame, key=f"error/{code}")

    def _unpinned_due(self) -> None:
        if self._session is None and self._connection is not None:
            self._connection.close(CLOSE_POLICY, "no message of a known protocol")
