"""A venue's REST side without sockets: answers are made by functions that the test hands in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from cryptotrader.core.errors import VenueError, VenueRejected
from cryptotrader.services.binance.request import Params, RequestSpec

P = TypeVar("P", bound=Params)
R = TypeVar("R")

Answer = Callable[[Mapping[str, Any]], object]
"""From wire parameters to what the venue would answer, as plain JSON values or wire structs."""


class FakeRest:
    """``feeds.VenueRest``: looks answers up by ``VERB path`` and decodes them into the result type of the spec."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.calls: list[tuple[str, Mapping[str, Any]]] = []
        self.failure: VenueError | None = None
        """Raised by every request while set."""
        self.gate: asyncio.Event | None = None
        """While set, requests wait for the event before they are answered."""

    def on(self, rest: str, answer: Answer) -> None:
        """Answer requests to ``GET /api/v3/depth`` and the like."""
        self.answers[rest] = answer

    def count(self, rest: str) -> int:
        """How often a path was asked."""
        return sum(name == rest for name, _ in self.calls)

    async def call(self, spec: RequestSpec[P, R], params: P) -> R:
        """Answer a request."""
        wire = params.wire()
        self.calls.append((spec.rest, wire))
        await asyncio.sleep(0)
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        answer = self.answers.get(spec.rest)
        if answer is None:
            raise VenueRejected("Path not found", venue_code=-1, http_status=404)
        return msgspec.json.decode(msgspec.json.encode(answer(wire)), type=spec.result)

    async def sync_clock(self) -> int:
        """The clocks agree."""
        self.calls.append(("GET /api/v3/time", {}))
        return 0
