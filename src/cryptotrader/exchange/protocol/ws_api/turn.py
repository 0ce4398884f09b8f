"""One request of the WebSocket API from its turn to its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.protocol.auth import Caller
from cryptotrader.exchange.protocol.operations import Silence
from cryptotrader.exchange.protocol.operations.refusals import TIMEOUT, TIMEOUT_TEXT, UNKNOWN, UNKNOWN_TEXT
from cryptotrader.exchange.protocol.ws_api.envelope import ApiRequest
from cryptotrader.services.binance.registry import AnySpec

if TYPE_CHECKING:
    from cryptotrader.exchange.protocol.ws_api.connection import ApiConnection

TOLD_AS_RESULTS = frozenset({("referencePrice", -2043)})
"""Refusals that come as the result of a good answer. Source: ``web-socket-api.md``, "Query Reference Price"."""


class ApiTurn:
    """A request with its sender checked: a ``Turn``.

    Args:
        connection: Where it came from.
        spec: What it asks for.
        asked: Its envelope.
        params: Its own parameters.
        caller: Who sends it; None where nobody had to say.
        weight: What its address was charged.
    """

    __slots__ = (
        "_answer",
        "_asked",
        "_connection",
        "_refusal",
        "_text",
        "_weight",
        "caller",
        "deadline_s",
        "is_over",
        "params",
        "spec",
    )

    def __init__(
        self,
        connection: ApiConnection,
        spec: AnySpec,
        asked: ApiRequest,
        *,
        params: Mapping[str, str],
        caller: Caller | None,
        weight: int,
    ) -> None:
        self.spec = spec
        self.params = params
        self.caller = caller
        self.deadline_s = 0.0
        self.is_over = False
        self._connection = connection
        self._asked = asked
        self._weight = weight
        self._answer: object = None
        self._refusal: Refusal | None = None
        self._text = b""

    def run(self) -> None:
        """Carry it out, and answer when that is on disk; or send it on its way."""
        connection, caller = self._connection, self.caller
        if not connection.goes_straight(caller):
            self.is_over = True
            connection.detours += 1
            connection.jobs.start("ws-api-request", self._take_detour)
            return
        self.deadline_s = asyncio.get_running_loop().time() + connection.request_timeout_s
        operations = connection.operations
        try:
            begun = operations.begin(self.spec, self.params, caller.account if caller is not None else None)
            self._refusal = begun.refusal
            if begun.refusal is None:
                self._answer = begun.answer
                self._text = connection.result_text(self.spec, begun.answer)
            if begun.waits:
                operations.tell_when_committed(self._kept)
            else:
                self._kept(True)
        except Refusal as refusal:
            self._refuse(refusal)

    async def _take_detour(self) -> None:
        """Carry it out after its way to the engine, or with what a fault makes of it."""
        connection, caller = self._connection, self.caller
        account = caller.account if caller is not None else None
        answered = False
        try:
            async with asyncio.timeout(connection.request_timeout_s):
                self._answer = await connection.operations.call(self.spec, self.params, account, road=connection.road)
            self._text = connection.result_text(self.spec, self._answer)
            self._succeed()
            answered = True
        except TimeoutError:
            self.expire()
            answered = True
        except Refusal as refusal:
            self._refuse(refusal)
            answered = True
        except Silence as silence:
            answered = True
            connection.end_silently(is_cut=silence.closes)
        finally:
            connection.detours -= 1
            if not answered:
                self.fail()

    def _kept(self, is_kept: bool) -> None:
        if self.is_over:
            return  # It was too late.
        if not is_kept:
            self._refuse(Refusal(UNKNOWN, UNKNOWN_TEXT))
        elif self._refusal is not None:
            self._refuse(self._refusal)
        else:
            self._succeed()

    def _succeed(self) -> None:
        connection = self._connection
        connection.operations.settle(self.spec, self._weight, address=connection.address, answer=self._answer)
        self._end(self._text)

    def _refuse(self, refusal: Refusal) -> None:
        """Answer with a refusal, or with what stands for one."""
        if (self.spec.method, refusal.code) in TOLD_AS_RESULTS:
            told = {"code": refusal.code, "msg": refusal.message}
            self._end(self._connection.result_text(self.spec, told))
        else:
            self._end(refusal)

    def expire(self) -> None:
        """It took too long."""
        self._end(Refusal(TIMEOUT, TIMEOUT_TEXT))

    def fail(self) -> None:
        """A fault of ours: the supervisor logs it, the client must not wait for ever."""
        self._end(Refusal(UNKNOWN, UNKNOWN_TEXT), counts=False)

    def _end(self, result: bytes | Refusal, *, counts: bool = True) -> None:
        self.is_over = True
        caller = self.caller
        account = caller.account if caller is not None and self.spec.order_count and counts else None
        self._connection.end(self._asked, result, account)
