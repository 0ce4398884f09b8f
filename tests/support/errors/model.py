"""What an entry of the catalogue of errors is, and a client that provokes them over REST and the WebSocket API."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlencode

import httpx2
import msgspec
from websockets.asyncio.client import connect

from cryptotrader.core.events import Level
from cryptotrader.exchange.accounts import SAMPLE_KEY_ID, SAMPLE_SECRET, PaperAccount
from cryptotrader.exchange.engine.rules import SymbolRules
from cryptotrader.exchange.protocol.limits import LimitPolicy
from cryptotrader.exchange.server import ExchangeServer
from cryptotrader.exchange.venue import PaperVenue
from cryptotrader.net import SystemClock
from cryptotrader.services.binance.registry import AnySpec, by_method
from tests.support.paper import ASKS, BIDS, BTC, QuietSource, running_exchange

Over = Literal["REST", "WebSocket API"]
BOTH: tuple[Over, ...] = ("REST", "WebSocket API")

REWORDED = frozenset({-1160})
"""Codes whose text names two parameters in the document and one on the wire."""

ORDER_ID = "@order"
"""Stands for the id of the order that was placed last."""

Told = tuple[int, int, str]
"""Status, code and text of a refusal."""


@dataclass(frozen=True)
class Ask:
    """One request, by the name of its WebSocket method."""

    method: str
    params: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Setting:
    """What is special about the exchange on which a refusal is provoked."""

    rules: Mapping[str, object] = field(default_factory=dict)
    """Fields of BTCUSDT's rules."""
    account: Mapping[str, object] = field(default_factory=dict)
    """Fields of the account."""
    limits: LimitPolicy = field(default_factory=LimitPolicy)
    asks: tuple[Level, ...] = ASKS
    status: str = "TRADING"
    """Of the symbol, once the requests that go before have been answered."""


PLAIN = Setting()


@dataclass(frozen=True)
class Caller:
    """Who asks, where that is what is wrong."""

    key: str = SAMPLE_KEY_ID
    secret: str = SAMPLE_SECRET
    late_ms: int = 0
    """By how much the timestamp is in the past. Unit: milliseconds."""


@dataclass(frozen=True)
class Case:
    """A refusal that a test produces."""

    code: int
    text: str
    """As Binance's document has it: ``%s`` stands for what differs."""
    how: str
    """In words, for the page."""
    ask: Ask | None = None
    """The request that is refused; None: ``by_hand`` does it."""
    told: str = ""
    """The text on the wire, where ``text`` has gaps."""
    status: int = 400
    before: tuple[Ask, ...] = ()
    setting: Setting = PLAIN
    caller: Caller = field(default_factory=Caller)
    by_hand: Callable[[], Awaitable[Told]] | None = None
    by_fault: bool = False
    """A healthy exchange never gives this one: a fault asks for it."""
    is_extra: bool = False
    """Binance's ``errors.md`` and ``filters.md`` do not name it; another document of Binance's does, or nobody."""

    @property
    def wire(self) -> str:
        """The exact text."""
        return self.told or self.text

    @property
    def is_plain(self) -> bool:
        """Whether any exchange will do."""
        return self.ask is not None and self.setting is PLAIN and not self.before

    def roads(self) -> tuple[Over, ...]:
        """Over what it can be provoked."""
        if self.ask is None:
            return ("REST",)
        spec = by_method(self.ask.method)
        assert spec is not None
        return BOTH if spec.rest else ("WebSocket API",)

    def fits(self) -> bool:
        """Whether the exact text is the document's with its gaps filled."""
        return self.told == "" or self._is_like_the_document(self.told) or self.code in REWORDED

    def tells(self, text: str) -> bool:
        """Whether this is the text that is expected."""
        return text == self.told if self.told else self._is_like_the_document(text)

    def _is_like_the_document(self, text: str) -> bool:
        parts = [re.escape(part) for part in re.split(r"%s|%d", self.text)]
        return re.fullmatch(".+".join(parts), text) is not None


@dataclass(frozen=True)
class Never:
    """An error of Binance's documents that can't occur here."""

    code: int
    text: str
    why: str


class World:
    """A client of a running exchange."""

    def __init__(self, server: ExchangeServer) -> None:
        self.server = server
        self.last_order: object = None

    async def ask(self, over: Over, ask: Ask, caller: Caller = Caller()) -> tuple[int, dict[str, Any]]:
        """Status and answer: the result, or ``{"code": .., "msg": ..}``."""
        spec = by_method(ask.method)
        assert spec is not None
        params = {name: str(self._filled(value)) for name, value in ask.params.items()}
        status, answer = await (self._rest if over == "REST" else self._api)(spec, params, caller)
        if isinstance(answer, dict) and "orderId" in answer:
            self.last_order = answer["orderId"]
        return status, answer

    async def refusal(self, over: Over, ask: Ask, caller: Caller = Caller()) -> Told:
        """Status, code and text; a request that succeeds is no refusal."""
        status, answer = await self.ask(over, ask, caller)
        assert isinstance(answer, dict), answer
        assert "code" in answer, answer
        return status, answer["code"], answer["msg"]

    def _filled(self, value: object) -> object:
        return self.last_order if value == ORDER_ID else value

    def _stamp(self, caller: Caller) -> str:
        return str(self.server.venue.now_ms() - caller.late_ms)

    async def _rest(self, spec: AnySpec, params: dict[str, str], caller: Caller) -> tuple[int, Any]:
        verb, path = spec.rest.split(" ")
        headers = {"X-MBX-APIKEY": caller.key} if spec.needs_key else {}
        query = urlencode(params | ({"timestamp": self._stamp(caller)} if spec.is_signed else {}))
        if spec.is_signed:
            query += f"&signature={_hmac(caller.secret, query)}"
        async with httpx2.AsyncClient(base_url=self.server.url, timeout=10) as http:
            reply = await http.request(verb, f"{path}?{query}", headers=headers)
        return reply.status_code, msgspec.json.decode(reply.content)

    async def _api(self, spec: AnySpec, params: dict[str, str], caller: Caller) -> tuple[int, Any]:
        sent = dict(params)
        if spec.needs_key and spec.method != "userDataStream.subscribe":
            sent["apiKey"] = caller.key
        if spec.is_signed:
            sent["timestamp"] = self._stamp(caller)
            sent["signature"] = _hmac(caller.secret, "&".join(f"{name}={sent[name]}" for name in sorted(sent)))
        async with connect(f"ws://127.0.0.1:{self.server.port}/ws-api/v3") as socket:
            await socket.send(json.dumps({"id": 1, "method": spec.method, "params": sent}))
            answer = json.loads(await socket.recv())
        result = answer.get("error", answer.get("result"))
        return answer["status"], result


def _hmac(secret: str, payload: str) -> str:
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


@asynccontextmanager
async def world(setting: Setting = PLAIN, before: tuple[Ask, ...] = (), over: Over = "REST") -> AsyncIterator[World]:
    """An exchange as a case wants it, on which everything that goes before has happened."""
    rules: SymbolRules = msgspec.structs.replace(BTC, **setting.rules)
    account = PaperAccount(**dict(setting.account))  # type: ignore[arg-type]
    venue = PaperVenue([rules], [QuietSource(BIDS, setting.asks)], clock=SystemClock(), accounts=(account,))
    async with running_exchange(venue, limits=setting.limits) as server:
        found = World(server)
        for step in before:
            _, answer = await found.ask(over, step)
            assert not isinstance(answer, dict) or "code" not in answer, (step, answer)
        venue.set_status("BTCUSDT", setting.status)
        yield found
