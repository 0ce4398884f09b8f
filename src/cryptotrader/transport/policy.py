"""Limits and times of the WebSocket server, each with its reason. Tests hand in shorter ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class TransportPolicy:
    """How patient the server is and how much it keeps for one client."""

    ping_interval_s: float = 20.0
    """Time between pings. Reason: Binance pings every 20 s; clients and proxies in between are used to it."""
    pong_timeout_s: float = 60.0
    """A client that has not answered a ping for this long is gone. Reason: Binance's own minute."""
    handshake_timeout_s: float = 10.0
    """How long deciding about an upgrade may take. Reason: it may ask the venue, which gets ten seconds (S0-55)."""
    close_timeout_s: float = 5.0
    """How long a client may take to answer a close frame. Reason: half of the ten seconds a shutdown may last."""
    shutdown_close_s: float = 1.0
    """The same at a shutdown. Reason: with a tick on top it is over before uvicorn's patience of three seconds ends."""
    max_behind_s: float = 10.0
    """A client that has not caught up for this long is closed with 1008 (C-22)."""
    high_water_bytes: int = 65_536
    """Unsent bytes at which a client counts as behind. Reason: asyncio's own default; a second of a busy book."""
    low_water_bytes: int = 16_384
    """Unsent bytes at which it has caught up again."""
    send_buffer_bytes: int = 131_072
    """What the kernel may hold for one client. Reason: it grows this by itself to megabytes, where messages grow old
    and can no longer be merged; this is a second of a busy book."""
    max_outbox_frames: int = 2_048
    """Frames kept for a client that is behind. Reason: minutes of a user's own order events."""
    max_outbox_bytes: int = 4 * 1_048_576
    """Bytes kept for a client that is behind. Reason: 1,000 slow clients must not need more than a few GB."""
    compress: bool = True
    """Whether permessage-deflate is offered."""
    tick_s: float = 1.0
    """Resolution of all the times above. Reason: nobody feels a second there, and one timer serves all clients."""
    answer_headers: Callable[[float], Headers] | None = None
    """Headers for every handshake answer that does not have them yet, from the seconds it took."""
