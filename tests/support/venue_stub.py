"""A venue that answers whatever a test wants, on a port of its own."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tests.support.waiting import eventually


@dataclass(frozen=True)
class Answer:
    """What to answer; ``silent`` never does, ``cut`` breaks the connection instead."""

    body: bytes = b"{}"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    silent: bool = False
    cut: bool = False


@dataclass(frozen=True)
class Seen:
    """A request as it arrived; the query is not decoded."""

    verb: str
    path: str
    query: str
    headers: Mapping[str, str]


class VenueStub:
    """Answers a path with the answers planned for it, in order, the last one for ever."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.url = ""
        self.release = asyncio.Event()
        """Silent answers end when it is set."""
        self._plans: dict[str, deque[Answer]] = {}
        self._transports: set[asyncio.Transport] = set()

    def plan(self, path: str, *answers: Answer) -> None:
        """Replace what ``path`` answers."""
        self._plans[path] = deque(answers)

    def count(self, path: str) -> int:
        """Requests that arrived for ``path``."""
        return sum(seen.path == path for seen in self.seen)

    def hang_up(self) -> None:
        """Close every connection that is open now, whether it is idle or not."""
        for transport in self._transports:
            transport.close()
        self._transports.clear()

    async def answer(self, request: Request) -> Response:
        """The endpoint."""
        path = request.url.path
        headers = dict(request.headers)
        self.seen.append(Seen(request.method, path, request.scope["query_string"].decode(), headers))
        plan = self._plans.get(path) or deque([Answer()])
        answer = plan.popleft() if len(plan) > 1 else plan[0]
        if answer.silent:
            await self.release.wait()
        transport: asyncio.Transport = request.scope["extensions"]["stub"]["transport"]
        self._transports.add(transport)
        if answer.cut:
            transport.abort()
        return Response(answer.body, answer.status, dict(answer.headers), media_type="application/json")


class _Protocol(HttpToolsProtocol):
    """Lets an endpoint reach its transport."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {"stub": {"transport": self.transport}}


@asynccontextmanager
async def venue_stub() -> AsyncIterator[VenueStub]:
    """A stub that runs while the block does."""
    stub = VenueStub()
    app = Starlette(routes=[Route("/{path:path}", stub.answer, methods=["GET", "POST", "PUT", "DELETE"])])
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, http=_Protocol, ws="none", lifespan="off", log_config=None, date_header=False
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    async with asyncio.TaskGroup() as group:
        task = group.create_task(server._serve())
        await eventually(lambda: server.started)
        stub.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        try:
            yield stub
        finally:
            stub.release.set()
            server.should_exit = True
            server.force_exit = True
            await asyncio.wait([task], timeout=5)
