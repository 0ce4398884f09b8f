"""A WebSocket API without sockets, whose answers a test gives one by one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cryptotrader.core.clock import NS_PER_MS
from cryptotrader.services.binance.signing import Credentials
from cryptotrader.services.binance.websocketAPI.base_operations import BinanceWebSocketConnection
from cryptotrader.services.binance.wsapi.limits import RateLimits
from cryptotrader.testing import FakeClock, FakeVenue, FakeWire, settle

URL = "ws://venue/ws-api/v3"
HMAC = Credentials.of("an-api-key-of-a-test", "a-secret-of-a-test")
PEM = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
ED25519 = Credentials.of("an-ed25519-key-of-a-test", PEM)


class ApiVenue(FakeVenue):
    """Answers ``time``, sessions and subscriptions by itself; everything else waits in ``inbox``."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.ahead_ms = 0
        """How far its clock is from the client's."""
        self.inbox: list[tuple[FakeWire, dict[str, Any]]] = []
        self.auto: dict[str, Callable[[FakeWire, dict[str, Any]], dict[str, Any]]] = {
            "time": lambda wire, params: {"serverTime": self.now_ms()},
            "session.logon": lambda wire, params: self._status(params["apiKey"]),
            "session.logout": lambda wire, params: self._status(None),
            "userDataStream.subscribe": self._subscribe,
            "userDataStream.subscribe.signature": self._subscribe,
            "userDataStream.unsubscribe": lambda wire, params: {},
        }
        self.refusals: dict[str, tuple[int, int]] = {}
        """Method to status and code."""
        self._subscriptions = 0

    def now_ms(self) -> int:
        """Its clock."""
        return self.clock.now_ns() // NS_PER_MS + self.ahead_ms

    def on_frame(self, wire: FakeWire, frame: dict[str, object]) -> None:
        """Answer, or keep it for the test."""
        method = str(frame["method"])
        if method in self.refusals:
            self.refuse_request(wire, frame, *self.refusals[method])
        elif method in self.auto:
            params = frame.get("params", {})
            assert isinstance(params, dict)
            wire.push({"id": frame["id"], "status": 200, "result": self.auto[method](wire, params)})
        else:
            self.inbox.append((wire, dict(frame)))

    def methods(self, number: int = 0) -> list[str]:
        """What was asked, on one connection or on all."""
        return [str(frame["method"]) for wire in self.wires if number in (0, wire.number) for frame in wire.sent]

    def sent(self, method: str) -> list[dict[str, Any]]:
        """Every frame of a method."""
        return [frame for wire in self.wires for frame in wire.sent if frame["method"] == method]

    def take(self) -> tuple[FakeWire, dict[str, Any]]:
        """The oldest request that waits for an answer."""
        return self.inbox.pop(0)

    def answer(self, result: object = None, **more: object) -> None:
        """Answer the oldest request."""
        wire, frame = self.take()
        wire.push({"id": frame["id"], "status": 200, "result": {} if result is None else result, **more})

    def refuse_request(self, wire: FakeWire, frame: dict[str, Any], status: int, code: int, **data: object) -> None:
        """Answer with an error."""
        error: dict[str, object] = {"code": code, "msg": "no"}
        if data:
            error["data"] = data
        wire.push({"id": frame["id"], "status": status, "error": error})

    def event(self, payload: dict[str, object], subscription: int) -> None:
        """An event on every connection that has the subscription."""
        for wire in self.open_wires:
            if str(subscription) in wire.streams:
                wire.push({"subscriptionId": subscription, "event": payload})

    def _status(self, key: str | None) -> dict[str, Any]:
        now_ms = self.now_ms()
        return {
            "apiKey": key,
            "authorizedSince": now_ms if key else None,
            "connectedSince": now_ms,
            "returnRateLimits": True,
            "serverTime": now_ms,
            "userDataStream": False,
        }

    def _subscribe(self, wire: FakeWire, params: dict[str, Any]) -> dict[str, Any]:
        number, self._subscriptions = self._subscriptions, self._subscriptions + 1
        wire.streams.add(str(number))
        return {"subscriptionId": number}


class Told:
    """A callback that remembers."""

    def __init__(self) -> None:
        self.replies: list[dict[str, Any]] = []

    async def __call__(self, reply: dict[str, Any]) -> None:
        self.replies.append(reply)

    @property
    def statuses(self) -> list[int]:
        """What they say."""
        return [reply["status"] for reply in self.replies]


class Desk:
    """A client, its venue and the clock that both go by."""

    def __init__(self, **options: Any) -> None:
        self.clock = FakeClock()
        self.venue = ApiVenue(self.clock)
        self.limits = options.pop("limits", None) or RateLimits()
        self.client = BinanceWebSocketConnection(
            **{
                "url": URL,
                "credentials": HMAC,
                "limits": self.limits,
                "clock": self.clock,
                "connect": self.venue.connect,
                "draw": lambda: 0.5,
                **options,
            }
        )

    @property
    def wire(self) -> FakeWire:
        """The newest connection."""
        return self.venue.wires[-1]

    async def close(self) -> None:
        """Close the client, and let the time pass that it may wait for replies."""
        closing = asyncio.ensure_future(self.client.close())
        await settle()
        while not closing.done():
            await self.clock.advance(0.5)
        await closing

    def drop(self) -> None:
        """Break every connection."""
        self.venue.drop_all()


@asynccontextmanager
async def desk(**options: Any) -> AsyncIterator[Desk]:
    """A connected client."""
    made = Desk(**options)
    await made.client.connect()
    try:
        yield made
    finally:
        await made.close()
        await settle()


def encoded(message: object) -> bytes:
    """JSON."""
    return msgspec.json.encode(message)
