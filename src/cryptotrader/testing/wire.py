"""A venue without sockets: a scripted connector whose connections understand subscriptions."""

from __future__ import annotations

import asyncio
from collections import deque

import msgspec

from cryptotrader.core.clock import NS_PER_S
from cryptotrader.core.errors import NotConnected, VenueError, VenueUnreachable
from cryptotrader.net.clock import WaitingClock


class FakeWire:
    """``net.ws.Wire`` between a link and a ``FakeVenue``."""

    def __init__(self, venue: FakeVenue, url: str, number: int) -> None:
        self.url = url
        self.number = number
        self.sent: list[dict[str, object]] = []
        self.streams: set[str] = set()
        self.pings = 0
        self.closed = False
        self.answers_control = True
        self._venue = venue
        self._inbox: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._heard_ns = venue.clock.monotonic_ns()

    async def recv(self) -> bytes:
        """The next message."""
        while not self._inbox:
            if self.closed:
                raise NotConnected("connection closed with 1006")
            self._wake.clear()
            await self._wake.wait()
        return self._inbox.popleft()

    async def send(self, data: bytes) -> None:
        """Take a frame and answer it as the venue would."""
        if self.closed:
            raise NotConnected("connection closed with 1006")
        frame = msgspec.json.decode(data, type=dict[str, object])
        self.sent.append(frame)
        if self.answers_control:
            self._venue.on_frame(self, frame)

    async def ping(self) -> None:
        """Count it; the answer ends the silence unless the venue is frozen."""
        self.pings += 1
        if not self._venue.frozen:
            self._heard_ns = self._venue.clock.monotonic_ns()

    async def close(self) -> None:
        """End it."""
        self.drop()

    def silent_s(self) -> float:
        """Seconds since something came."""
        return (self._venue.clock.monotonic_ns() - self._heard_ns) / NS_PER_S

    def push(self, message: object) -> None:
        """Let the link receive a message, given as bytes or as something to encode."""
        if self.closed or self._venue.frozen:
            return
        self._inbox.append(message if isinstance(message, bytes) else msgspec.json.encode(message))
        self._heard_ns = self._venue.clock.monotonic_ns()
        self._wake.set()

    def drop(self) -> None:
        """Break the connection."""
        self.closed = True
        self._wake.set()


class FakeVenue:
    """Accepts connections, acknowledges control frames, and hands events to whoever subscribed."""

    def __init__(self, clock: WaitingClock) -> None:
        self.clock = clock
        self.wires: list[FakeWire] = []
        self.refusal: VenueError | None = None
        """What a connection attempt gets; None accepts."""
        self.frozen = False
        """Sends nothing, not even answers, but keeps connections open."""
        self.refused_streams: set[str] = set()
        """Names that make the venue refuse a whole control frame."""
        self.attempts = 0

    async def connect(self, url: str) -> FakeWire:
        """``net.ws.Connector``."""
        self.attempts += 1
        await asyncio.sleep(0)
        if self.refusal is not None:
            raise self.refusal
        wire = FakeWire(self, url, len(self.wires) + 1)
        self.wires.append(wire)
        return wire

    def refuse(self) -> None:
        """Be unreachable from now on, and drop what is open."""
        self.refusal = VenueUnreachable("no connection")
        self.drop_all()

    def accept(self) -> None:
        """Be reachable again."""
        self.refusal = None

    @property
    def open_wires(self) -> list[FakeWire]:
        """Connections that are up."""
        return [wire for wire in self.wires if not wire.closed]

    def drop_all(self) -> None:
        """Break every connection."""
        for wire in self.open_wires:
            wire.drop()

    def publish(self, stream: str, data: object) -> None:
        """An event for every connection that subscribed."""
        for wire in self.open_wires:
            if stream in wire.streams:
                wire.push({"stream": stream, "data": data})

    def on_frame(self, wire: FakeWire, frame: dict[str, object]) -> None:
        """Answer a control frame; a subclass may answer more methods."""
        params = frame.get("params")
        names = {str(name) for name in params} if isinstance(params, list) else set()
        if names & self.refused_streams:
            wire.push({"error": {"code": 2, "msg": "Invalid request"}, "id": frame.get("id")})
            return
        match frame.get("method"):
            case "SUBSCRIBE":
                wire.streams |= names
            case "UNSUBSCRIBE":
                wire.streams -= names
        wire.push({"result": None, "id": frame.get("id")})
