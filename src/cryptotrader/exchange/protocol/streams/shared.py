"""One event, encoded and framed once for each way in which somebody wants it."""

from __future__ import annotations

from collections.abc import Callable

from cryptotrader.exchange.protocol.streams.payloads import combined
from cryptotrader.exchange.protocol.user_data import enveloped
from cryptotrader.transport.frames import Frame

Renderer = Callable[[int], bytes]
"""From units of time in a millisecond (1 or 1000) to the payload."""


class SharedEvent:
    """Lazily rendered; every frame is made at most once and shared by all who get the event."""

    def __init__(self, render: Renderer) -> None:
        self._render = render
        self._payloads: dict[int, bytes] = {}
        self._frames: dict[tuple[str | int | None, int], Frame] = {}

    def payload(self, unit: int) -> bytes:
        """The bare JSON."""
        payload = self._payloads.get(unit)
        if payload is None:
            payload = self._payloads[unit] = self._render(unit)
        return payload

    def stream_frame(self, stream: str | None, unit: int) -> Frame:
        """As a stream connection gets it: bare, or wrapped where ``stream`` names the combined stream."""
        frame = self._frames.get((stream, unit))
        if frame is None:
            payload = self.payload(unit)
            frame = Frame.text(payload if stream is None else combined(stream, payload))
            self._frames[stream, unit] = frame
        return frame

    def api_frame(self, subscription_id: int, unit: int) -> Frame:
        """As a WebSocket API connection gets it: ``{"subscriptionId":0,"event":{..}}``."""
        frame = self._frames.get((subscription_id, unit))
        if frame is None:
            frame = Frame.text(enveloped(self.payload(unit), subscription_id))
            self._frames[subscription_id, unit] = frame
        return frame
