"""Many WebSocket clients in one event loop, each as cheap as can be: some exact, some slow, some rude."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import time
from collections.abc import Iterable
from typing import Any

from tests.support.channel_client import login
from tests.support.raw_websocket import masked

OPEN = 101
SLEEPER_BUFFER_BYTES = 4_096
_TRADE = b'{"channel":"trades"'
_BOOK = b'{"channel":"orderbook"'
_ID = b'"id":"'


class CrowdClient(asyncio.Protocol):
    """One connection. ``faults`` holds what should not have happened; ``end`` the close code, once there is one."""

    path = "/ws"
    token: str | None = None

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.end: int | None = None
        self.status: int | None = None
        self.head = b""
        self.received = 0
        self.told: list[dict[str, Any]] = []
        """Messages that are no data: acknowledgements, errors, pings, closes."""
        self.last_s = 0.0
        """When the last message came."""
        self._data = b""
        self._transport: asyncio.Transport | None = None

    @property
    def transport(self) -> asyncio.Transport:
        assert self._transport is not None
        return self._transport

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        extra = f"Authorization: Bearer {self.token}\r\n" if self.token else ""
        transport.write(
            f"GET {self.path} HTTP/1.1\r\nHost: crowd\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{extra}\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        self._data += data
        if self.status is None:
            head, end, rest = self._data.partition(b"\r\n\r\n")
            if not end:
                return
            self.status, self.head, self._data = int(head.split(b" ", 2)[1]), head, rest
            if self.status == OPEN:
                self.on_open()
        if self.status == OPEN:
            self._frames()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.end is None:
            self.end = 1006

    def _frames(self) -> None:
        data, start, size = self._data, 0, len(self._data)
        while size - start >= 2:
            opcode, length, body = data[start] & 0x0F, data[start + 1], start + 2
            if length == 126:
                length, body = int.from_bytes(data[body : body + 2]), body + 2
            elif length == 127:
                length, body = int.from_bytes(data[body : body + 8]), body + 8
            if size < body + length or size < body:
                break
            self._frame(opcode, data[body : body + length])
            start = body + length
        self._data = data[start:]

    def _frame(self, opcode: int, payload: bytes) -> None:
        if opcode == 0x1:
            self.received += 1
            self.last_s = time.monotonic()
            self.on_text(payload)
        elif opcode == 0x9:
            self.transport.write(masked(0xA, payload))
        elif opcode == 0x8:
            self.end = int.from_bytes(payload[:2]) if payload else 1005
            self.transport.write(masked(0x8, payload))

    # What roles are made of

    def on_open(self) -> None:
        """The handshake is done."""

    def on_text(self, payload: bytes) -> None:
        """A message."""

    def say(self, message: object) -> None:
        """Send JSON, or a text as it is."""
        text = message if isinstance(message, str) else json.dumps(message)
        self.transport.write(masked(0x1, text.encode()))

    def hang_up(self) -> None:
        """Drop the connection."""
        if self._transport is not None:
            self._transport.abort()

    @property
    def errors(self) -> list[int]:
        """Codes of the errors that it was told."""
        return [row["code"] for row in self.told if row.get("event") == "error"]


class Subscriber(CrowdClient):
    """Logs in, subscribes, answers pings, and checks what can be checked of every message.

    Args:
        channels: What it subscribes to.
        symbols: For which symbols; None for all of the account's.
        depth: Levels of books.
    """

    def __init__(self, channels: Iterable[str], symbols: list[str] | None = None, *, depth: int = 20) -> None:
        super().__init__()
        self.channels = list(channels)
        self.symbols = symbols
        self.depth = depth
        self.trades = 0
        self.last_trade: int | None = None
        self.books: list[bytes] = []
        self.orders: list[tuple[str, str, float]] = []
        self.is_subscribed = False
        self.delays_ms: list[float] = []

    def on_open(self) -> None:
        self.say(login())

    def on_text(self, payload: bytes) -> None:
        if payload.startswith(_TRADE):
            self._trade(payload)
        elif payload.startswith(_BOOK):
            self._book(payload)
        elif payload.startswith(b'{"channel":"orders"'):
            data = json.loads(payload)["data"]
            self.orders.append((data["id"], data["status"], data["filled"]))
        elif not payload.startswith(b'{"channel"'):
            row = json.loads(payload)
            if "channel" not in row:
                self.told.append(row)
                self.on_told(row)

    def on_told(self, row: dict[str, Any]) -> None:
        """Something that is no data."""
        match row.get("event"):
            case "authenticated":
                self.subscribe()
            case "subscribed":
                self.is_subscribed = True
            case "ping":
                self.say({"action": "pong"})
            case "error" | "close":
                self.faults.append(f"told {row}")

    def subscribe(self) -> None:
        """Ask for the channels."""
        params: dict[str, object] = {"exchange": "binance", "depth": self.depth}
        if self.symbols is not None:
            params["symbols"] = self.symbols
        self.say({"action": "subscribe", "channels": self.channels, "params": params})

    def _trade(self, payload: bytes) -> None:
        start = payload.index(_ID) + len(_ID)
        number = int(payload[start : payload.index(b'"', start)])
        if self.last_trade is not None and number != self.last_trade + 1:
            self.faults.append(f"trade {number} after {self.last_trade}")
        self.last_trade = number
        self.trades += 1
        sent_ms = int(payload[payload.rindex(b":") + 1 : -1])
        self.delays_ms.append(time.time() * 1_000 - sent_ms)

    def _book(self, payload: bytes) -> None:
        book = payload[payload.index(b'"bids"') : payload.index(b',"timestamp"')]
        if self.books and self.books[-1] == book:
            self.faults.append("the same book twice")
        self.books.append(book)


class Sleeper(Subscriber):
    """Stops reading a while after it has subscribed. What comes must be whole, up to a close with 1008."""

    def on_told(self, row: dict[str, Any]) -> None:
        if row.get("event") == "close":
            return
        super().on_told(row)
        if row.get("event") == "subscribed":
            self.transport.pause_reading()

    def wake(self) -> None:
        """Read again."""
        if self.end is None and not self.transport.is_closing():
            self.transport.resume_reading()


class Rude(CrowdClient):
    """Keeps what it is told, and does what its kind does."""

    def on_text(self, payload: bytes) -> None:
        row = json.loads(payload)
        if "channel" in row:
            self.faults.append("data for who did not ask")
        self.told.append(row)
        self.on_told(row)

    def on_told(self, row: dict[str, Any]) -> None:
        """Something that is no data."""


class Shouter(Rude):
    """Says far more in a moment than ten messages a second."""

    def on_open(self) -> None:
        self.say(login())

    def shout(self) -> None:
        """A hundred and fifty messages in one write."""
        self.transport.write(masked(0x1, b'{"action":"pong"}') * 150)

    def judge(self) -> None:
        """Ten pass, ninety-nine are refused with 429, and the hundredth refusal in a row is the close (C-11)."""
        if (self.errors, self.end) != ([429] * 99, 1008):
            self.faults.append(f"a shouter was told {len(self.errors)} errors and closed with {self.end}")


class Greedy(Rude):
    """Wants more than a hundred subscriptions."""

    def __init__(self, symbols: list[str]) -> None:
        super().__init__()
        self._symbols = symbols

    def on_open(self) -> None:
        self.say(login())

    def on_told(self, row: dict[str, Any]) -> None:
        if row["event"] == "authenticated":
            channels = ["market_data", "trades", "orderbook"]
            self.say(
                {
                    "action": "subscribe",
                    "channels": channels,
                    "params": {"exchange": "binance", "symbols": self._symbols},
                }
            )

        elif row["event"] == "ping":
            self.say({"action": "pong"})

    def judge(self) -> None:
        """All or nothing (C-10)."""
        if (self.errors, self.end) != ([429], None):
            self.faults.append(f"a greedy one was told {self.errors} and closed with {self.end}")


class Liar(Rude):
    """Signs wrongly, three times."""

    def on_open(self) -> None:
        self.say(login(secret="not the secret"))

    def on_told(self, row: dict[str, Any]) -> None:
        if row["event"] == "error":
            self.say(login(secret="not the secret"))

    def judge(self) -> None:
        """C-5."""
        if (self.errors, self.end) != ([401] * 3, 1008):
            self.faults.append(f"a liar was told {self.errors} and closed with {self.end}")


class Mute(Rude):
    """Chooses the protocol and says nothing."""

    path = "/ws?dialect=channels"

    def on_open(self) -> None:
        self.opened_s = time.monotonic()

    def judge(self) -> None:
        """Closed after ten seconds, not before (C-5)."""
        if (self.end, [row["event"] for row in self.told]) != (1008, ["close"]):
            self.faults.append(f"a mute one was told {self.told} and closed with {self.end}")
        elif self.last_s - self.opened_s < 9.9:
            self.faults.append(f"a mute one was closed after {self.last_s - self.opened_s:.1f} s")


class Babbler(Rude):
    """Says what is no message at all, and at last something far too large."""

    nonsense = ("", "{", "[1]", '{"a":1}', '{"type":"hello"}')

    def on_open(self) -> None:
        for text in self.nonsense:
            self.say(text)

    def babble_on(self) -> None:
        """The largest message allowed is 64 KiB."""
        self.say("x" * 100_000)

    def judge(self) -> None:
        """Each piece of nonsense is answered once, in the open form (C-1); then 1009."""
        codes = [row.get("code") for row in self.told]
        if (codes, self.end) != (["invalid_message"] * len(self.nonsense), 1009):
            self.faults.append(f"a babbler was told {codes} and closed with {self.end}")


class Silent(Rude):
    """Logs in and never answers a ping."""

    def __init__(self) -> None:
        super().__init__()
        self.times: dict[str, float] = {}

    def on_open(self) -> None:
        self.say(login())

    def on_told(self, row: dict[str, Any]) -> None:
        self.times[row["event"]] = time.monotonic()

    def judge(self) -> None:
        """A ping after thirty silent seconds, and ten seconds later the close (S1-17)."""
        events = [row["event"] for row in self.told]
        if (events, self.end) != (["authenticated", "ping", "close"], 1000):
            self.faults.append(f"a silent one was told {events} and closed with {self.end}")
            return
        idle_s = self.times["ping"] - self.times["authenticated"]
        grace_s = self.times["close"] - self.times["ping"]
        if idle_s < 29.9 or grace_s < 9.9:
            self.faults.append(f"a silent one was asked after {idle_s:.2f} s and closed {grace_s:.2f} s later")


class StreamReader(CrowdClient):
    """A client of source 0; keeps what it gets."""

    def __init__(self, path: str, token: str, *, keeps: bool = False) -> None:
        super().__init__()
        self.path = path
        self.token = token
        self.keeps = keeps
        self.kept: list[bytes] = []
        self._next: int | None = None
        self._is_depth = path.startswith("/ws/depth")

    def on_text(self, payload: bytes) -> None:
        if self.keeps:
            self.kept.append(payload)
        if self._is_depth:
            first = int(payload[payload.index(b'"U":') + 4 : payload.index(b',"u":')])
            last = int(payload[payload.index(b'"u":') + 4 : payload.index(b',"b":')])
            if self._next is not None and first != self._next and not payload.endswith(b'"snapshot":true}'):
                self.faults.append(f"depth {first} instead of {self._next}")
            self._next = last + 1


async def connect(client: CrowdClient, address: tuple[str, int]) -> None:
    """Open the connection of one client; one that sleeps leaves little room in its own buffers."""
    loop = asyncio.get_running_loop()
    sock = socket.socket()
    sock.setblocking(False)
    if isinstance(client, Sleeper):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SLEEPER_BUFFER_BYTES)
    await loop.sock_connect(sock, address)
    await loop.create_connection(lambda: client, sock=sock)
