"""One client of ``/ws`` or ``/stream``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cryptotrader.core.clock import Clock, to_ms
from cryptotrader.exchange.protocol.faults import Target
from cryptotrader.exchange.protocol.limits import ConnectionMeter
from cryptotrader.exchange.protocol.stream_names import StreamName, StreamUrl
from cryptotrader.exchange.protocol.streams.control import ControlSession
from cryptotrader.exchange.protocol.streams.crowd import Crowd
from cryptotrader.exchange.protocol.streams.hub import StreamHub, Variant, conflation_key
from cryptotrader.exchange.protocol.streams.payloads import MICROS, MILLIS, combined, server_shutdown
from cryptotrader.exchange.protocol.streams.policy import WsPolicy
from cryptotrader.exchange.protocol.streams.rate import MessageRate
from cryptotrader.exchange.protocol.streams.shared import SharedEvent
from cryptotrader.exchange.protocol.streams.users import UserHub
from cryptotrader.transport.fanout import Published
from cryptotrader.transport.frames import Frame
from cryptotrader.transport.types import Connection

CLOSE_GOING_AWAY = 1001
CLOSE_UNSUPPORTED = 1003
CLOSE_POLICY = 1008

SHUTDOWN_STREAM = "!serverShutdown"
"""``stream`` of the notice on combined connections. Source: ``web-socket-streams.md``, "Server Shutdown"."""


@dataclass(frozen=True)
class House:
    """What all connections of one exchange share.

    Attributes:
        hub: Market streams.
        users: User data streams.
        crowd: All open connections.
        policy: Limits.
        clock: Time.
        meter: Counts stream connections that were thrown out, by address.
    """

    hub: StreamHub
    users: UserHub
    crowd: Crowd
    policy: WsPolicy
    clock: Clock
    meter: ConnectionMeter | None = None


class StreamConnection:
    """``WebSocketHandler`` and broadcaster's member of one stream connection.

    Args:
        url: What the URL asked for.
        house: What it shares with the others.
        address: Peer address.
    """

    def __init__(self, url: StreamUrl, house: House, address: str = "") -> None:
        self.connection: Connection
        self._address = address
        self._meter = house.meter
        self._hub = house.hub
        self._users = house.users
        self._crowd = house.crowd
        self._clock = house.clock
        policy = house.policy
        self._unit = MICROS if url.micros else MILLIS
        self._session = ControlSession(url.names, combined=url.combined, max_streams=policy.max_streams)
        self._rate = MessageRate(policy.control_messages, policy.control_window_s)
        self._leave: dict[str, Callable[[], None]] = {}
        self._is_closing = False

    # WebSocketHandler

    def on_open(self, connection: Connection) -> None:
        """Start with the streams of the URL."""
        self.connection = connection
        self._crowd.add(self)
        self._listen_to_users(self._session.names)
        self._take_seat()

    def on_text(self, text: str) -> None:
        """A control message."""
        if not self._may_speak():
            return
        was_combined = self._session.combined
        outcome = self._session.receive(text)
        self.connection.send(Frame.text(outcome.reply))
        for name in outcome.removed:
            self._leave.pop(name, _nothing)()
        self._listen_to_users(outcome.added)
        if outcome.added or outcome.removed or was_combined != self._session.combined:
            self._take_seat()

    def on_binary(self, data: bytes) -> None:
        """Binance has no binary messages here."""
        self._close(CLOSE_UNSUPPORTED, "text frames only")

    def on_ping(self, data: bytes) -> None:
        """A ping counts as a message."""
        self._may_speak()

    def on_pong(self) -> None:
        """So does a pong, asked for or not."""
        self._may_speak()

    def on_writable(self) -> None:
        """The broadcaster takes care of it."""

    def on_close(self, code: int, reason: str) -> None:
        """Leave nothing behind."""
        self._is_closing = True
        self._crowd.remove(self)
        self._hub.unseat(self)
        for leave in self._leave.values():
            leave()
        self._leave.clear()

    # Member of the broadcaster

    def on_missed(self, batch: Sequence[Published[StreamName]]) -> None:
        """Keep what the client could not take: the newest of what is a state, all of the rest.

        The transport closes it with 1008 when that grows too much or lasts too long.
        """
        for missed in batch:
            self.connection.send(missed.frame, key=conflation_key(missed.item))

    def on_caught_up(self) -> None:
        """The transport has written what was kept."""

    # Guest of the crowd

    @property
    def target(self) -> Target:
        """At ``/ws`` or ``/stream``."""
        return "streams"

    def announce_shutdown(self, now_ms: int) -> None:
        """``serverShutdown``, so that the client connects elsewhere in time."""
        notice = server_shutdown(now_ms, self._unit)
        self.connection.send(Frame.text(combined(SHUTDOWN_STREAM, notice) if self._session.combined else notice))

    def retire(self) -> None:
        """The day is over."""
        self._close(CLOSE_GOING_AWAY, "connections live 24 hours")

    def drop(self) -> None:
        """Break the connection without a close frame."""
        self._is_closing = True
        self.connection.abort()

    def freeze(self) -> None:
        """Fall silent without closing."""
        self._is_closing = True
        self.connection.freeze()

    def _take_seat(self) -> None:
        self._hub.seat(self, self._session.names, Variant(self._session.combined, self._unit))

    def _listen_to_users(self, names: tuple[str, ...]) -> None:
        for name in names:
            leave = self._users.listen_by_key(name, self._telling(name))
            if leave is not None:
                self._leave[name] = leave

    def _telling(self, key: str) -> Callable[[SharedEvent], None]:
        def tell(event: SharedEvent) -> None:
            self.connection.send(event.stream_frame(key if self._session.combined else None, self._unit))

        return tell

    def _may_speak(self) -> bool:
        if self._is_closing:
            return False
        if self._rate.allow(self._clock.monotonic_ns()):
            return True
        self._close(CLOSE_POLICY, "Too many requests")
        if self._meter is not None:
            self._meter.note_thrown_out(self._address, now_ms=to_ms(self._clock.now_ns()))
        return False

    def _close(self, code: int, reason: str) -> None:
        if not self._is_closing:
            self._is_closing = True
            self.connection.close(code, reason)


def _nothing() -> None:
    """What leaving a stream takes that is no user data stream."""
