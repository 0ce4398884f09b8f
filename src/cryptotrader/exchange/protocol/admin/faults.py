"""``/admin/faults``: faults that wait for a request to befall."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cryptotrader.exchange.protocol.admin.guard import Guard, Problem, answer, read
from cryptotrader.exchange.protocol.faults import MAX_FAULTS, FaultSpec
from cryptotrader.exchange.protocol.operations import Desk
from cryptotrader.services.binance.registry import by_method


class FaultRoutes:
    """List, add and clear faults.

    Args:
        desk: Has the faults.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self, guard: Guard) -> list[Route]:
        """For the exchange's application."""
        return [
            guard.route("/admin/faults", get=self._list, post=self._add, delete=self._clear),
            guard.route("/admin/faults/{fault_id:int}", delete=self._clear_one),
        ]

    async def _list(self, request: Request) -> Response:
        return answer([msgspec.to_builtins(fault) for fault in self._desk.faults.list()])

    async def _add(self, request: Request) -> Response:
        spec = await read(request, FaultSpec)
        if spec.operation != "*" and by_method(spec.operation) is None:
            raise Problem("No such operation; name it as the WebSocket API does, or * for all.")
        fault = self._desk.faults.add(spec)
        if fault is None:
            raise Problem(f"More than {MAX_FAULTS} faults are waiting.", 409)
        return answer(msgspec.to_builtins(fault), 201)

    async def _clear(self, request: Request) -> Response:
        return answer({"cleared": self._desk.faults.clear()})

    async def _clear_one(self, request: Request) -> Response:
        cleared = self._desk.faults.clear(int(request.path_params["fault_id"]))
        return answer({"cleared": cleared}, 200 if cleared else 404)
