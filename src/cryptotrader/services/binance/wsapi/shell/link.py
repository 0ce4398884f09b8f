"""One open connection: it reads, writes and knows its own state. What it reads is for others to judge."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Literal, Protocol, runtime_checkable

from cryptotrader.config import get_logger
from cryptotrader.core.errors import NotConnected
from cryptotrader.net.wire import Wire
from cryptotrader.services.binance.wsapi.reconnect import ConnectionPolicy, Silence
from cryptotrader.services.binance.wsapi.shell.feeds import Feed

log = get_logger(__name__)

MAX_HELD = 5_000
"""Events of a connection that has not taken over yet. Overflow: they are handed on at once, nothing is lost."""

State = Literal["candidate", "current", "draining", "ended"]


@runtime_checkable
class DirectWire(Protocol):
    """A wire that writes without waiting and hands over what comes without a task in between."""

    def post(self, data: bytes) -> None:
        """Write one text message; raises NotConnected."""
        ...

    @property
    def unsent_bytes(self) -> int:
        """Bytes that the network has not taken yet."""
        ...

    async def run(self, on_message: Callable[[bytes], None]) -> None:
        """Hand over every message until the connection ends, then raise NotConnected."""
        ...


class Link:
    """One connection, from the handshake to the end.

    Args:
        wire: The open connection.
        number: Tells it from the others.
        opened_ns: Monotonic time.
        policy: Limits.
        on_message: Called with this link and every message.
        on_end: Called with this link, once.
    """

    def __init__(
        self,
        wire: Wire,
        number: int,
        *,
        opened_ns: int,
        policy: ConnectionPolicy,
        on_message: Callable[[Link, bytes], None],
    ) -> None:
        self.number = number
        self.opened_ns = opened_ns
        self.state: State = "candidate"
        self.logged_on = False
        """Whether ``session.logon`` was answered with yes, so that requests need no signature."""
        self.feeds: dict[int, Feed] = {}
        """Subscriptions by their ids."""
        self.has_plain_subscription = False
        """Whether somebody subscribed by a request of his own, which is not done again on a successor."""
        self.end_reason = ""
        self.replace_because = ""
        """Why a successor is needed though this one still works."""
        self.on_end: Callable[[Link], None] = _ignore
        self._wire = wire
        self._direct = wire if isinstance(wire, DirectWire) else None
        self.post: Callable[[bytes], None] | None = self._direct.post if self._direct is not None else None
        """Writes a frame without waiting, where the wire can; raises NotConnected, and ``end`` is to be called then."""
        self.on_message = on_message
        """Called with every message as long as this has not ended."""
        self._silence = Silence(policy)
        self._held: deque[tuple[Feed, bytes]] = deque()
        self.written_bytes = 0
        """At least the bytes that the network has not taken; all of those written since ``is_full`` was asked."""

    def __repr__(self) -> str:
        return f"Link({self.number}, {self.state})"

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.state != "ended"

    def is_full(self, limit_bytes: int) -> bool:
        """Whether more than ``limit_bytes`` wait for the network to take them."""
        if self._direct is not None:
            self.written_bytes = self._direct.unsent_bytes
        return self.written_bytes > limit_bytes

    async def send(self, frame: bytes) -> None:
        """Write a frame. Where that fails the link ends; what became of the frame is not known then."""
        try:
            if self._direct is not None:
                self.written_bytes += len(frame)
                self._direct.post(frame)
                return
            self.written_bytes += len(frame)
            try:
                await self._wire.send(frame)
            finally:
                self.written_bytes -= len(frame)
        except NotConnected as error:
            self.end(error.message)

    async def run(self) -> None:
        """Read until the connection ends."""
        try:
            if self._direct is not None:
                await self._direct.run(self._read)
            while True:
                self._read(await self._wire.recv())
        except NotConnected as error:
            self.end(error.message)
        finally:
            self.end("closed")
            await self._wire.close()

    async def close(self) -> None:
        """End it; ``run`` returns soon after."""
        self.end("closed")
        await self._wire.close()

    def end(self, reason: str) -> None:
        """It works no more; idempotent."""
        if self.state != "ended":
            self.state = "ended"
            self.end_reason = reason
            self._held.clear()
            self.on_end(self)

    async def check(self, now_ns: int, *, is_busy: bool) -> None:
        """Look after a connection that says nothing."""
        try:
            match self._silence.judge(self._wire.silent_s(), now_ns, is_busy=is_busy):
                case "dead":
                    self.end("silent")
                    await self._wire.close()
                case "ping":
                    await self._wire.ping()
                case "fine":
                    pass
        except NotConnected as error:
            self.end(error.message)

    def offer(self, feed: Feed, payload: bytes) -> None:
        """An event: held until this link takes over, so that the order of events is kept."""
        if self.state == "candidate" and len(self._held) < MAX_HELD:
            self._held.append((feed, payload))
            return
        self.release()
        feed.deliver(self.number, payload)

    def release(self) -> None:
        """Hand over what was held."""
        while self._held:
            feed, payload = self._held.popleft()
            feed.deliver(self.number, payload)

    def _read(self, data: bytes) -> None:
        if self.state != "ended":
            self.on_message(self, data)


def _ignore(link: Link) -> None:
    """Nobody wants to know."""
