"""A client of the paper exchange's WebSocket API that asks one thing after the other and signs as clients do."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect

from cryptotrader.exchange.accounts import SAMPLE_KEY_ID, SAMPLE_SECRET
from cryptotrader.exchange.protocol.limits import LimitPolicy
from cryptotrader.exchange.server import ExchangeServer
from cryptotrader.exchange.venue import PaperVenue
from cryptotrader.services.binance.registry import by_method
from tests.support.paper import paper_venue, running_exchange

PATIENCE_S = 10.0
SYMBOL = {"symbol": "BTCUSDT"}
RESTING = SYMBOL | {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": "44000.00", "quantity": "0.001"}


@dataclass
class Api:
    """Asks over the WebSocket API, signing as a client does."""

    server: ExchangeServer
    socket: ClientConnection
    events: list[dict[str, Any]] = field(default_factory=list)
    """What came of the accounts that it listens to, in the order in which it came."""

    async def ask(self, method: str, **params: object) -> dict[str, Any]:
        """The whole answer; events that come before it are kept."""
        spec = by_method(method)
        assert spec is not None
        sent = {name: str(value) for name, value in params.items()}
        if spec.needs_key and method != "userDataStream.subscribe":
            sent["apiKey"] = SAMPLE_KEY_ID
        if spec.is_signed:
            sent |= {"timestamp": str(self.server.venue.now_ms())}
            payload = "&".join(f"{name}={sent[name]}" for name in sorted(sent))
            sent["signature"] = hmac.new(SAMPLE_SECRET.encode(), payload.encode(), hashlib.sha256).hexdigest()
        await self.socket.send(json.dumps({"id": 1, "method": method, "params": sent}))
        async with asyncio.timeout(PATIENCE_S):
            while "event" in (answer := json.loads(await self.socket.recv())):
                self.events.append(answer["event"])
        found: dict[str, Any] = answer
        return found

    async def result(self, method: str, **params: object) -> Any:
        """The result of a request that succeeds, which its type must be able to read."""
        answer = await self.ask(method, **params)
        assert answer["status"] == 200, answer
        spec = by_method(method)
        assert spec is not None
        msgspec.convert(answer["result"], spec.result)
        return answer["result"]

    async def error(self, method: str, **params: object) -> tuple[int, int, str]:
        """Status, code and text of a request that is refused."""
        answer = await self.ask(method, **params)
        assert "error" in answer, answer
        return answer["status"], answer["error"]["code"], answer["error"]["msg"]

    async def told(self, **fields: object) -> dict[str, Any]:
        """The next event that has these fields; those before it are kept as well."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for event in self.events:
                    if fields.items() <= event.items():
                        return event
                self.events.append(json.loads(await self.socket.recv())["event"])

    async def unfilled(self) -> int:
        """The account's unfilled orders of the day."""
        rows = await self.result("account.rateLimits.orders")
        return int(rows[1]["count"])


@asynccontextmanager
async def served(
    limits: LimitPolicy | None = None, store: Path | None = None, venue: PaperVenue | None = None
) -> AsyncIterator[Api]:
    """A running paper exchange with a client."""
    async with (
        running_exchange(venue or paper_venue(store_path=store), limits=limits) as server,
        connect(f"ws://127.0.0.1:{server.port}/ws-api/v3") as socket,
    ):
        yield Api(server, socket)


async def place(api: Api, **changes: object) -> dict[str, Any]:
    """A limit order that rests at 44000, unless changed."""
    found: dict[str, Any] = await api.result("order.place", **(RESTING | changes))
    return found
