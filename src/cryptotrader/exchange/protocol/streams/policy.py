"""Numbers that bound the WebSocket face of the exchange. Defaults are Binance's own where it states one."""

from __future__ import annotations

from dataclasses import dataclass

from cryptotrader.exchange.protocol.limits import LimitPolicy
from cryptotrader.exchange.protocol.streams.control import MAX_STREAMS


@dataclass(frozen=True)
class WsPolicy:
    """Limits of stream and WebSocket API connections. Pings and slow readers are the transport's business."""

    lifetime_s: float = 86_400.0
    """How long a connection lives. Source: ``web-socket-streams.md``, "General WSS information": 24 hours."""
    notice_s: float = 60.0
    """How long before its end a connection is told ``serverShutdown``."""
    control_messages: int | None = 5
    """Messages that a stream connection may send within ``control_window_s``; None for any number. Source: "WebSocket
    Limits"."""
    control_window_s: float = 0.9
    """Binance counts by the second; a tenth less, since a client that keeps the limit exactly may be bunched up by the
    network and must not be thrown out for it."""
    max_streams: int = MAX_STREAMS
    """Streams of one connection. Source: "WebSocket Limits"."""
    max_connections: int = 10_000
    """Open WebSocket connections. Reason: what the process's memory and descriptors are planned for (C-10)."""
    max_message_bytes: int = 65_536
    """Largest message of a client. Reason: 1,024 stream names of 60 characters fit in."""
    max_pending_requests: int = 256
    """Unanswered requests of one WebSocket API connection. Reason: more is a client that does not read."""
    request_timeout_s: float = 10.0
    """How long a request may take until -1007 is answered. Source: ``web-socket-api.md``, "General API Information"."""

    @classmethod
    def of(cls, limits: LimitPolicy) -> WsPolicy:
        """What the exchange's limits mean for its WebSockets."""
        return cls(
            lifetime_s=limits.connection_life_s,
            notice_s=limits.shutdown_notice_s,
            control_messages=limits.stream_messages if limits.is_enforced else None,
            max_streams=limits.streams,
        )
