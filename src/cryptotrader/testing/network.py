"""A network that breaks on purpose: connections of counted bytes, each with a plan of what will go wrong.

Messages are framed as RFC 6455 frames them, so that a connection can be cut after any byte of a request or of an
answer. What was cut in the middle never arrives; what was whole arrives even if the sender hears of an error.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Protocol

from cryptotrader.core.clock import NS_PER_S
from cryptotrader.core.errors import NotConnected, VenueError, VenueUnreachable
from cryptotrader.testing.simulation import SimulatedLoop

SERVER_PING_S = 20.0
"""How often a server pings. Source: ``web-socket-api.md``, "General API Information"."""

SERVER_PING_BYTES = 2
CLIENT_PONG_BYTES = 6
"""An empty control frame without and with a mask."""

OPEN_TIMEOUT_S = 10.0
"""When an opening handshake that nobody answers is given up. Unit: seconds. As in ``net.ws``."""

TICK_S = 1e-6
"""Least time between two messages of one direction. Reason: the loop keeps no order among timers of the same time."""


def frame_bytes(payload_bytes: int, *, masked: bool) -> int:
    """Length of a WebSocket frame: header, mask and payload (RFC 6455, section 5.2)."""
    extended = 0 if payload_bytes < 126 else 2 if payload_bytes < 65_536 else 8
    return 2 + extended + (4 if masked else 0) + payload_bytes


@dataclass(frozen=True)
class LinkPlan:
    """What will happen to one connection. The default is a good one."""

    refusal: VenueError | None = None
    """The handshake fails with it."""
    hangs: bool = False
    """The handshake is answered by nobody."""
    open_s: float = 0.01
    """How long the handshake takes."""
    up_bytes: int | None = None
    """Bytes of frames from the client that arrive; with the last of them the connection breaks."""
    down_bytes: int | None = None
    """Bytes of frames to the client that arrive; with the last of them the connection breaks."""
    breaks_after_s: float | None = None
    """When it breaks at the latest."""
    is_silent: bool = False
    """The client is not told of the break: nothing comes any more, and what it sends is lost."""
    notice_s: float = 0.0
    """How long after the break the client is told of it."""
    send_raises: bool = True
    """Whether the very ``send`` that meets the break fails."""
    stall: float = 0.0
    """Chance that ``send`` returns only after a while, up to ``stall_s``."""
    stall_s: float = 0.2
    up_s: tuple[float, float] = (0.005, 0.02)
    """Shortest and longest time of a message to the server."""
    down_s: tuple[float, float] = (0.005, 0.02)
    """Shortest and longest time of a message to the client."""
    slow: float = 0.0
    """Chance that a message takes up to ``slow_s`` instead."""
    slow_s: float = 4.5


class Server(Protocol):
    """The other end of the network."""

    def admit(self) -> VenueError | None:
        """Somebody knocks; an error refuses the handshake."""
        ...

    def opened(self, wire: FaultyWire) -> None:
        """A connection is open."""
        ...

    def received(self, wire: FaultyWire, data: bytes, sent_ns: int) -> None:
        """A whole message has come; ``sent_ns`` is the true time at which it left (monotonic)."""
        ...

    def closed(self, wire: FaultyWire) -> None:
        """A connection is gone."""
        ...


@dataclass(frozen=True)
class Passed:
    """A message that the client handed to the network, or got from it."""

    wire: int
    at_ns: int
    data: bytes


class FaultyNetwork:
    """``net.ws.Connector`` whose connections follow plans.

    Args:
        server: Who answers.
        plan: From the number of an attempt (1, 2, ..) to what will happen to it.
        random: Where delays are drawn from.
        is_direct: Whether its connections are ``DirectFaultyWire``.
    """

    def __init__(
        self, server: Server, plan: Callable[[int], LinkPlan], random: Random, *, is_direct: bool = False
    ) -> None:
        self.server = server
        self._kind = DirectFaultyWire if is_direct else FaultyWire
        self.plan = plan
        self.random = random
        self.attempts: list[int] = []
        """When each attempt to connect was made. Unit: monotonic nanoseconds."""
        self.sent: list[Passed] = []
        """What the client handed to ``send``, whether it arrived or not."""
        self.delivered: list[Passed] = []
        """What ``recv`` returned."""
        self.wires: list[FaultyWire] = []
        self.refusals: list[tuple[int, VenueError]] = []
        """When handshakes were refused, and how."""

    @property
    def now_ns(self) -> int:
        """The true time, monotonic."""
        loop = asyncio.get_running_loop()
        return loop.now_ns if isinstance(loop, SimulatedLoop) else int(loop.time() * NS_PER_S)

    @property
    def open_wires(self) -> list[FaultyWire]:
        """Connections that the client believes to be open."""
        return [wire for wire in self.wires if not wire.is_closed]

    async def connect(self, url: str) -> FaultyWire:
        """Open a connection, or fail as planned."""
        self.attempts.append(self.now_ns)
        plan = self.plan(len(self.attempts))
        if plan.hangs:
            await asyncio.sleep(OPEN_TIMEOUT_S)
            raise VenueUnreachable("no connection: TimeoutError")
        await asyncio.sleep(plan.open_s)
        refusal = plan.refusal or self.server.admit()
        if refusal is not None:
            self.refusals.append((self.now_ns, refusal))
            raise refusal
        wire = self._kind(self, url, len(self.attempts), plan)
        self.wires.append(wire)
        self.server.opened(wire)
        return wire

    def breaks(self) -> None:
        """Break every connection at once, as a router that restarts."""
        for wire in self.open_wires:
            wire.cut()


class FaultyWire:
    """``net.ws.Wire``; the server answers through ``push`` and ``hang_up``."""

    def __init__(self, network: FaultyNetwork, url: str, number: int, plan: LinkPlan) -> None:
        self.url = url
        self.number = number
        self.plan = plan
        self.is_closed = False
        """The client knows that it is over."""
        self.is_cut = False
        """Nothing passes any more."""
        self.up_total = 0
        """Bytes of frames that the client has written."""
        self.down_total = 0
        self._network = network
        self._loop = asyncio.get_running_loop()
        self._inbox: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._heard_s = self._loop.time()
        self._up_due_s = self._down_due_s = self._loop.time()
        self._is_gone = False
        self._loop.call_later(SERVER_PING_S, self._server_ping)
        if plan.breaks_after_s is not None:
            self._loop.call_later(plan.breaks_after_s, self._planned_break)

    # The client's side

    async def recv(self) -> bytes:
        """The next message; what came before the end is handed out first."""
        while not self._inbox:
            if self.is_closed:
                raise NotConnected("connection closed with 1006")
            self._wake.clear()
            await self._wake.wait()
        data = self._inbox.popleft()
        self._network.delivered.append(Passed(self.number, self._network.now_ns, data))
        return data

    async def send(self, data: bytes) -> None:
        """Send a message. An error says nothing about whether it arrives."""
        self._write(data)
        if self._network.random.random() < self.plan.stall:
            await asyncio.sleep(self._network.random.uniform(0, self.plan.stall_s))
        if self.is_closed:
            raise NotConnected("connection closed with 1006")

    def _write(self, data: bytes) -> None:
        if self.is_closed:
            raise NotConnected("connection closed with 1006")
        sent_ns = self._network.now_ns
        self._network.sent.append(Passed(self.number, sent_ns, data))
        if self._up(frame_bytes(len(data), masked=True)):
            self._later_up(lambda: self._network.server.received(self, data, sent_ns))

    async def ping(self) -> None:
        """The server answers unless the connection is cut."""
        if self.is_closed:
            raise NotConnected("connection closed with 1006")
        if self._up(CLIENT_PONG_BYTES):
            self._later_up(lambda: self._down(SERVER_PING_BYTES, None))

    async def close(self) -> None:
        """End it."""
        self.is_cut = True
        self._fail()

    def silent_s(self) -> float:
        """Seconds since something came."""
        return self._loop.time() - self._heard_s

    # The server's side

    def push(self, data: bytes) -> None:
        """Send a message to the client."""
        self._down(frame_bytes(len(data), masked=False), data)

    def hang_up(self) -> None:
        """Close from the server's side, after what was sent before."""
        self._later_down(self.cut_for_good)

    # The way

    def cut(self) -> None:
        """Break the connection; the client hears of it as planned."""
        if self.is_cut:
            return
        self.is_cut = True
        self._leave()
        if not self.plan.is_silent:
            self._loop.call_later(self.plan.notice_s, self._fail)

    def _planned_break(self) -> None:
        # The plan may have been changed meanwhile.
        if self.plan.breaks_after_s is not None:
            self.cut()

    def cut_for_good(self) -> None:
        """Break it so that both ends know at once."""
        self.is_cut = True
        self._fail()

    def _up(self, size: int) -> bool:
        """Count bytes to the server; whether all of them arrive."""
        if self.is_cut:
            return False
        self.up_total += size
        limit = self.plan.up_bytes
        if limit is None or self.up_total < limit:
            return True
        is_whole = self.up_total == limit
        self.cut()
        if self.plan.send_raises and not self.plan.is_silent:
            self._fail()
        return is_whole

    def _down(self, size: int, data: bytes | None) -> None:
        if self.is_cut:
            return
        limit = self.plan.down_bytes
        is_over = limit is not None and self.down_total >= limit
        self.down_total += size
        if is_over:
            return
        if limit is None or self.down_total <= limit:
            self._later_down(lambda: self._arrive(data))
        if limit is not None and self.down_total >= limit:
            self._later_down(self.cut)

    def _arrive(self, data: bytes | None) -> None:
        if self.is_cut or self.is_closed:
            return
        self._heard_s = self._loop.time()
        if data is not None:
            self._take(data)

    def _take(self, data: bytes) -> None:
        self._inbox.append(data)
        self._wake.set()

    def _server_ping(self) -> None:
        if self.is_cut or self.is_closed:
            return
        self._down(SERVER_PING_BYTES, None)
        self._up(CLIENT_PONG_BYTES)
        self._loop.call_later(SERVER_PING_S, self._server_ping)

    def _fail(self) -> None:
        """The client knows."""
        self.is_closed = True
        self._wake.set()
        self._leave()

    def _leave(self) -> None:
        """The server will know, after what is on its way."""
        if not self._is_gone:
            self._is_gone = True
            self._later_up(lambda: self._network.server.closed(self))

    def _later_up(self, act: Callable[[], None]) -> None:
        self._up_due_s = max(self._up_due_s + TICK_S, self._loop.time() + self._delay_s(self.plan.up_s))
        self._loop.call_at(self._up_due_s, act)

    def _later_down(self, act: Callable[[], None]) -> None:
        self._down_due_s = max(self._down_due_s + TICK_S, self._loop.time() + self._delay_s(self.plan.down_s))
        self._loop.call_at(self._down_due_s, act)

    def _delay_s(self, usual: tuple[float, float]) -> float:
        random = self._network.random
        longest_s = self.plan.slow_s if random.random() < self.plan.slow else usual[1]
        return random.uniform(usual[0], longest_s)


class DirectFaultyWire(FaultyWire):
    """The same for a client that writes without waiting and is called with what comes."""

    unsent_bytes = 0
    _on_message: Callable[[bytes], None] | None = None

    def post(self, data: bytes) -> None:
        """Send a message. An error says nothing about whether it arrives."""
        self._write(data)
        if self.is_closed:
            raise NotConnected("connection closed with 1006")

    async def run(self, on_message: Callable[[bytes], None]) -> None:
        """Hand over every message at the moment at which it comes, until the end."""
        while self._inbox:
            on_message(await self.recv())
        self._on_message = on_message
        while not self.is_closed:
            self._wake.clear()
            await self._wake.wait()
        raise NotConnected("connection closed with 1006")

    def _take(self, data: bytes) -> None:
        if self._on_message is None:
            super()._take(data)
            return
        self._network.delivered.append(Passed(self.number, self._network.now_ns, data))
        self._on_message(data)
