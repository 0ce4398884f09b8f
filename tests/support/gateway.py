"""A gateway whose venue, clock and live state a test holds in its hands."""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2
from starlette.applications import Starlette

from cryptotrader.core.clock import NS_PER_S
from cryptotrader.core.errors import UnknownSymbol, VenueRejected
from cryptotrader.core.events import Ticker24h
from cryptotrader.core.instruments import compact_symbol
from cryptotrader.core.limits import WindowLimit
from cryptotrader.gateway import AccountServices, GatewayServices, ListenKeys, create_gateway_app
from cryptotrader.market.book import OrderBook
from cryptotrader.market.candles import CandleSeries
from cryptotrader.market.trades import TradeTape
from cryptotrader.services.binance.request import Params, RequestSpec
from cryptotrader.sessions.auth import Authenticator
from cryptotrader.sessions.keys import DEFAULT_ACCOUNT
from cryptotrader.trading.orders import OrderDesk

TOKEN = "test_token_123"
AUTH = {"Authorization": f"Bearer {TOKEN}"}


class FakeClock:
    """Time that only a test, or waiting, moves."""

    def __init__(self, now_ms: int = 1_700_000_000_000) -> None:
        self._wall_ns = now_ms * 1_000_000
        self._mono_ns = 5 * NS_PER_S

    def now_ns(self) -> int:
        return self._wall_ns

    def monotonic_ns(self) -> int:
        return self._mono_ns

    def advance(self, seconds: float) -> None:
        self._wall_ns += int(seconds * NS_PER_S)
        self._mono_ns += int(seconds * NS_PER_S)

    async def sleep(self, delay_s: float) -> None:
        self.advance(delay_s)
        await asyncio.sleep(0)


@dataclass(frozen=True)
class Reply:
    """A good answer of the fake venue."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Script = bytes | BaseException | Callable[[dict[str, Any]], Any]


class FakeVenue:
    """Answers requests by name from a script, and remembers them.

    ``script["order.place"]`` holds what to answer, one after the other; the last one stays.
    """

    def __init__(self) -> None:
        self.script: dict[str, list[Script]] = defaultdict(list)
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.now_ms = 0

    def venue_now_ms(self) -> int:
        return self.now_ms

    def says(self, name: str, *answers: Script) -> None:
        self.script[name] = list(answers)

    def calls_of(self, name: str) -> list[dict[str, Any]]:
        return [params for called, params in self.calls if called == name]

    async def raw(self, spec: RequestSpec[Any, Any], params: Params) -> Reply:
        wire = params.wire()
        self.calls.append((spec.method, wire))
        answers = self.script[spec.method]
        if not answers:
            raise VenueRejected("Not scripted.", venue_code=-1000, http_status=500)
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if callable(answer):
            answer = answer(wire)
            if asyncio.iscoroutine(answer):
                answer = await answer
        if isinstance(answer, BaseException):
            raise answer
        assert isinstance(answer, bytes)
        return Reply(answer)


class FakeCatalogue:
    """Knows a few symbols."""

    def __init__(self, *symbols: str) -> None:
        self.symbols: Sequence[str] = symbols or ("BTCUSDT", "ETHUSDT", "ETHBTC")

    async def load(self) -> object:
        return self.symbols

    async def require(self, symbol_text: str) -> str:
        symbol = compact_symbol(symbol_text)
        if symbol not in self.symbols:
            raise UnknownSymbol("Invalid symbol", param="symbol", problem="unknown")
        return symbol


@dataclass
class FakeDepth:
    book: OrderBook
    is_fresh: bool = False
    complete_levels: int = 1_000


@dataclass
class FakeTicker:
    latest: Ticker24h | None = None
    is_fresh: bool = False


@dataclass
class FakeTrades:
    tape: TradeTape
    is_fresh: bool = False


@dataclass
class FakeCandles:
    series: CandleSeries
    is_fresh: bool = False


class FakeLive:
    """Live state that is never fresh unless a test says so."""

    def __init__(self) -> None:
        self._depth: dict[str, FakeDepth] = {}
        self._ticker: dict[str, FakeTicker] = defaultdict(FakeTicker)
        self._trades: dict[str, FakeTrades] = {}
        self._candles: dict[tuple[str, str], FakeCandles] = {}

    def depth(self, symbol: str) -> FakeDepth:
        return self._depth.setdefault(symbol, FakeDepth(OrderBook(symbol)))

    def ticker(self, symbol: str) -> FakeTicker:
        return self._ticker[symbol]

    def trades(self, symbol: str) -> FakeTrades:
        return self._trades.setdefault(symbol, FakeTrades(TradeTape(symbol)))

    def candles(self, symbol: str, interval: str) -> FakeCandles:
        return self._candles.setdefault((symbol, interval), FakeCandles(CandleSeries(symbol, interval, 1_000)))


def counting_entropy() -> Callable[[int], bytes]:
    """Random bytes that are not random."""
    numbers = itertools.count(1)
    return lambda size: (next(numbers) * 0x9E3779B97F4A7C15 % 2 ** (8 * size)).to_bytes(size)


@dataclass
class Bench:
    """A gateway with all its parts in reach."""

    venue: FakeVenue = field(default_factory=FakeVenue)
    clock: FakeClock = field(default_factory=FakeClock)
    live: FakeLive = field(default_factory=FakeLive)
    catalogue: FakeCatalogue = field(default_factory=FakeCatalogue)
    rate_limit: int = 1_000
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.orders = OrderDesk(self.venue, self.clock, entropy=counting_entropy())
        services = GatewayServices(
            upstream=self.venue,
            accounts={DEFAULT_ACCOUNT: AccountServices(self.venue, self.orders)}.__getitem__,
            live=self.live,
            catalogue=self.catalogue,
            authenticator=Authenticator([TOKEN]),
            limits=WindowLimit(self.rate_limit),
            listen_keys=ListenKeys(self.clock, counting_entropy()),
            clock=self.clock,
            mode="paper",
            may_trade=True,
            started_ns=self.clock.monotonic_ns(),
        )
        self.services = replace(services, **self.options)
        self.app: Starlette = create_gateway_app(self.services)

    def client(self, *, token: str | None = TOKEN, host: str = "127.0.0.1") -> httpx2.AsyncClient:
        """An HTTP client that talks to the application in memory."""
        transport = httpx2.ASGITransport(app=self.app, raise_app_exceptions=False, client=(host, 5000))
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx2.AsyncClient(transport=transport, base_url="http://gateway", headers=headers)


PLACED = (
    b'{"symbol":"BTCUSDT","orderId":12345678,"orderListId":-1,"clientOrderId":"x-A6SIDXVS","transactTime":1609459200000,'
    b'"price":"44000.00000000","origQty":"0.00100000","executedQty":"0.00000000","origQuoteOrderQty":"0.00000000",'
    b'"cummulativeQuoteQty":"0.00000000","status":"NEW","timeInForce":"GTC","type":"LIMIT","side":"BUY",'
    b'"workingTime":1609459200000,"fills":[],"selfTradePreventionMode":"EXPIRE_MAKER"}'
)

LIMIT_ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": "0.001", "price": "44000.00"}
