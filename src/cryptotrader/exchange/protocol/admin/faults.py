"""``/admin/faults``: faults that wait for requests, messages and connections to befall.

========================================  ==========================================================================
``GET /admin/faults``                     those that wait: ``[{"id": 1, "spec": {..}, "left": 2, "hits": 0,
                                          "since_ms": 1700000000000}]``; ``left`` is null for any number of times
``POST /admin/faults``                    adds one (``faults.model.FaultSpec``); answers the entry, and for what befalls
                                          open connections at once ``"connections"``: how many it hit
``DELETE /admin/faults``                  forgets all: ``{"cleared": 3}``
``DELETE /admin/faults/{id}``             forgets one; 404 where there is none
``POST /admin/faults/seed``               ``{"seed": 7}``: forgets all and begins chance anew
``POST /admin/faults/rules``              a rules file as ``{"text": "<TOML>"}``: added to what waits
========================================  ==========================================================================
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cryptotrader.exchange.protocol.admin.guard import MAX_BODY_BYTES, Guard, Problem, answer, read
from cryptotrader.exchange.protocol.faults import MAX_FAULTS, FaultSpec, decode_fault, read_rules
from cryptotrader.exchange.protocol.faults.model import ACTIONS
from cryptotrader.exchange.protocol.faults.rules import BadFault
from cryptotrader.exchange.protocol.upgrade import WebSocketFront


class Seed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /admin/faults/seed``."""

    seed: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class RulesText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /admin/faults/rules``."""

    text: str


class FaultRoutes:
    """List, add and clear faults.

    Args:
        front: Has the faults, and the connections that they befall.
    """

    def __init__(self, front: WebSocketFront) -> None:
        self._front = front
        self._faults = front.faults

    def routes(self, guard: Guard) -> list[Route]:
        """For the exchange's application."""
        return [
            guard.route("/admin/faults", get=self._list, post=self._add, delete=self._clear),
            guard.route("/admin/faults/seed", post=self._reseed),
            guard.route("/admin/faults/rules", post=self._rules),
            guard.route("/admin/faults/{fault_id:int}", delete=self._clear_one),
        ]

    async def _list(self, request: Request) -> Response:
        waiting = self._faults.list(self._front.now_ms())
        return answer([msgspec.to_builtins(fault) for fault in waiting])

    async def _add(self, request: Request) -> Response:
        try:
            spec = decode_fault(await _body(request))
        except BadFault as wrong:
            raise Problem(f"Not a fault: {wrong}") from None
        return answer(self._added(spec), 201)

    async def _rules(self, request: Request) -> Response:
        rules = read_rules((await read(request, RulesText)).text, "rules")
        if self._faults.list(self._front.now_ms()):
            raise Problem("Faults are waiting already; clear them first.", 409)
        self._front.obey(rules)
        return await self._list(request)

    async def _reseed(self, request: Request) -> Response:
        self._faults.reseed((await read(request, Seed)).seed)
        return answer({"seed": self._faults.seed})

    async def _clear(self, request: Request) -> Response:
        return answer({"cleared": self._faults.clear()})

    async def _clear_one(self, request: Request) -> Response:
        cleared = self._faults.clear(int(request.path_params["fault_id"]))
        return answer({"cleared": cleared}, 200 if cleared else 404)

    def _added(self, spec: FaultSpec) -> dict[str, Any]:
        fault = self._faults.add(spec, self._front.now_ms())
        if fault is None:
            raise Problem(f"More than {MAX_FAULTS} faults are waiting.", 409)
        hit = self._front.act() if spec.kind in ACTIONS else None
        told: dict[str, Any] = msgspec.to_builtins(fault)
        return told if hit is None else told | {"connections": hit}


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise Problem("The body is too large.", 413)
    return bytes(body)
