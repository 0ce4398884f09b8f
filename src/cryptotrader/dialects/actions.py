"""What every WebSocket protocol of ours may ask its session to do, whatever else it asks for."""

from __future__ import annotations

from typing import NamedTuple

CLOSE_NORMAL = 1000
CLOSE_GOING_AWAY = 1001
CLOSE_POLICY = 1008
CLOSE_INTERNAL = 1011


class Send(NamedTuple):
    """Write a text frame."""

    data: bytes


class Close(NamedTuple):
    """Close the connection after what was sent."""

    code: int
    reason: str
