"""The outbound half of one open WebSocket."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable

from websockets.protocol import State
from websockets.server import ServerProtocol

from cryptotrader.telemetry.metrics import WS_CLOSED_SLOW, WS_CONFLATED
from cryptotrader.transport.frames import Frame, cut_reason, ping_frame
from cryptotrader.transport.hub import Hub
from cryptotrader.transport.outbox import Outbox, Put
from cryptotrader.transport.types import FlowListener, WebSocketHandler

CLOSE_GOING_AWAY = 1001
CLOSE_INTERNAL = 1011
CLOSE_ABNORMAL = 1006
CLOSE_POLICY = 1008

MAX_PENDING_FRAMES = 1_024
"""Frames that wait for the end of a wake-up. Reason: bounds what one callback can pile up before a write."""

TOO_SLOW = "client reads too slowly"

FROZEN_S = 900.0
"""How long a frozen connection is kept. Unit: seconds. Reason: longer than any client waits; since nothing is read from
it, nothing tells that the client has gone."""

PINGS_REMEMBERED = 16
"""Pings whose answer still counts. Reason: more are not on their way before the connection counts as dead."""

_CONFLATED = WS_CONFLATED.labels(kind="outbox")


class ServerConnection:
    """``transport.types.Connection`` on a transport of the event loop.

    While the transport takes everything, frames collect until the end of the loop's wake-up and leave in one write.
    When the transport asks to pause, they go to the outbox instead, until it asks to resume.
    """

    def __init__(
        self, transport: asyncio.Transport, ws: ServerProtocol, handler: WebSocketHandler, hub: Hub, *, deflates: bool
    ) -> None:
        self.id = secrets.token_hex(6)
        self.deflates = deflates
        self.handler = handler
        self.is_behind = False
        self._transport = transport
        self._ws = ws
        self._hub = hub
        self._pending: list[Frame] = []
        self._outbox = Outbox(max_frames=hub.policy.max_outbox_frames, max_bytes=hub.policy.max_outbox_bytes)
        self._listener: FlowListener | None = None
        self._closing = False
        self._gone = False
        self._behind_since = 0.0
        self._is_watched = False
        self._last_pong = time.monotonic()
        self._pings: deque[bytes] = deque(maxlen=PINGS_REMEMBERED)

    # What the application calls

    def send(self, frame: Frame, *, key: str | None = None) -> None:
        """Queue a frame; see ``transport.types.Connection.send``."""
        if self._closing:
            return
        if self.is_behind:
            self._keep(frame, key)
            return
        self._pending.append(frame)
        if len(self._pending) == 1:
            self._hub.mark(self)
        elif len(self._pending) >= MAX_PENDING_FRAMES:
            self.flush()

    def _keep(self, frame: Frame, key: str | None) -> None:
        match self._outbox.put(frame, key=key):
            case Put.QUEUED:
                pass
            case Put.CONFLATED:
                self._hub.stats.conflated += 1
                _CONFLATED.inc()
            case Put.OVERFLOW:
                self._hub.stats.overflowed += 1
                self._close_slow()

    def flush(self) -> None:
        """Write what is pending now instead of at the end of the wake-up."""
        if not self._pending or self._gone:
            return
        frames, self._pending = self._pending, []
        self._transport.write(self._join(frames))

    def _join(self, frames: list[Frame]) -> bytes:
        if self.deflates:
            return b"".join([frame.deflated for frame in frames])
        return b"".join([frame.wire for frame in frames])

    @property
    def writer(self) -> Callable[[bytes], None]:
        """Writes framed bytes straight to the transport. Only for who watches: not after ``on_gone``."""
        return self._transport.write

    def watch(self, listener: FlowListener | None) -> None:
        """Tell ``listener`` when this client falls behind, catches up or goes; at once where it is going already."""
        if listener is not None and self._closing:
            listener.on_gone()
        else:
            self._listener = listener

    @property
    def buffered_bytes(self) -> int:
        """Bytes that the kernel has not taken yet."""
        pending = sum(map(len, self._pending))
        return pending + self._outbox.byte_count + self._transport.get_write_buffer_size()

    @property
    def is_closing(self) -> bool:
        """Whether a close frame went out or the connection is gone."""
        return self._closing

    def close(self, code: int, reason: str = "") -> None:
        """Flush, send a close frame, drop the connection if the peer does not answer in time."""
        if self._closing:
            return
        self._stop()
        self._pending += self._outbox.drain()
        self.flush()
        if self._ws.state is State.OPEN:
            self._ws.send_close(code, cut_reason(reason))
            self._transport.write(b"".join(self._ws.data_to_send()))
        self._hub.after(self._hub.policy.close_timeout_s, self._abort_if_open)

    def abort(self) -> None:
        """Drop the connection at once."""
        self._stop()
        self._transport.abort()

    def freeze(self) -> None:
        """Fall silent, answer nothing, not even pings; dropped after ``FROZEN_S``."""
        if not self._closing:
            self._stop()
            self._pending.clear()
            self._transport.pause_reading()
            self._hub.after(FROZEN_S, self._abort_if_open)

    # What the protocol and the hub call

    def start(self) -> None:
        """The handshake has been written."""
        self._hub.connections.add(self)
        self._hub.stats.opened += 1
        self._hub.after(self._hub.policy.ping_interval_s, self._ping_due)

    def note_pong(self, payload: bytes) -> None:
        """The client sent a pong; one that answers no ping of ours keeps no connection open."""
        if payload in self._pings:
            self._last_pong = time.monotonic()

    def fall_behind(self) -> None:
        """The transport asks to pause."""
        if self.is_behind or self._closing:
            return
        self.is_behind = True
        self._behind_since = time.monotonic()
        if self._listener is not None:
            self._listener.on_behind()
        self._watch_behind(self._hub.policy.max_behind_s)

    def catch_up(self) -> None:
        """The transport takes more again."""
        if not self.is_behind or self._closing:
            return
        self.is_behind = False
        if len(self._outbox):
            self._transport.write(self._join(self._outbox.drain()))
        if not self.is_behind and self._listener is not None:
            self._listener.on_caught_up()
        if not self.is_behind:
            self.handler.on_writable()

    def begin_close(self) -> None:
        """The peer closes or broke the protocol: send nothing more."""
        if not self._closing:
            self.flush()
            self._stop()

    def lost(self, code: int, reason: str) -> None:
        """The connection is gone."""
        if self._gone:
            return
        self._stop()
        self._gone = True
        self._hub.connections.discard(self)
        self.handler.on_close(code, reason)

    def _stop(self) -> None:
        self._closing = True
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.on_gone()

    def _abort_if_open(self, _: float) -> None:
        if not self._gone:
            self._transport.abort()

    def _close_slow(self) -> None:
        self._hub.stats.closed_slow += 1
        WS_CLOSED_SLOW.inc()
        self._outbox.drain()
        self.close(CLOSE_POLICY, TOO_SLOW)

    def _behind_due(self, now_s: float) -> None:
        """At most one of these is scheduled per connection, however often its client falls behind and catches up."""
        self._is_watched = False
        if not self.is_behind or self._closing:
            return
        left_s = self._behind_since + self._hub.policy.max_behind_s - now_s
        if left_s <= 0:
            self._close_slow()
        else:
            self._watch_behind(left_s)

    def _watch_behind(self, delay_s: float) -> None:
        if not self._is_watched:
            self._is_watched = True
            self._hub.after(delay_s, self._behind_due)

    def _ping_due(self, now_s: float) -> None:
        if self._closing:
            return
        policy = self._hub.policy
        if now_s - self._last_pong >= policy.pong_timeout_s:
            self._hub.stats.closed_silent += 1
            self.abort()
            return
        payload = b"%d" % int(now_s * 1_000)
        self._pings.append(payload)
        self._transport.write(ping_frame(payload))
        self._hub.after(policy.ping_interval_s, self._ping_due)
