"""A paper exchange with a market that stands still until a test moves it, and a client that signs."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlencode

import httpx2
import msgspec

from cryptotrader.core.clock import NS_PER_MS, Clock
from cryptotrader.core.events import BookSnapshot, Candle, Level, Trade
from cryptotrader.core.scaled import SCALE
from cryptotrader.exchange.accounts import SAMPLE_KEY_ID, SAMPLE_SECRET, ApiKey, PaperAccount
from cryptotrader.exchange.engine.rules import SymbolRules
from cryptotrader.exchange.market.source import MarketEvent
from cryptotrader.exchange.protocol.limits import LimitPolicy
from cryptotrader.exchange.server import ExchangeServer
from cryptotrader.exchange.venue import PaperVenue
from cryptotrader.net import Supervisor, SystemClock

START_MS = 1_700_000_000_000


def units(text: str) -> int:
    """``"0.5"`` scaled."""
    whole, _, places = text.partition(".")
    return int(whole) * SCALE + int(places.ljust(8, "0"))


BTC = SymbolRules(
    symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    tick=units("0.01"),
    min_price=units("0.01"),
    max_price=units("1000000"),
    step=units("0.00001"),
    min_qty=units("0.00001"),
    max_qty=units("9000"),
    market_max_qty=units("200"),
    min_notional=units("5"),
    max_notional=units("9000000"),
    bid_multiplier_up=5 * SCALE,
    bid_multiplier_down=units("0.2"),
    ask_multiplier_up=5 * SCALE,
    ask_multiplier_down=units("0.2"),
)

BIDS: tuple[Level, ...] = tuple((units("45000") - n * units("1"), units("0.5")) for n in range(20))
ASKS: tuple[Level, ...] = tuple((units("45001") + n * units("1"), units("0.5")) for n in range(20))


class TestClock:
    """Stands still until it is turned."""

    __test__ = False

    def __init__(self, start_ms: int = START_MS) -> None:
        self.ns = start_ms * NS_PER_MS

    def now_ns(self) -> int:
        return self.ns

    def monotonic_ns(self) -> int:
        return self.ns

    def turn(self, ms: int) -> None:
        self.ns += ms * NS_PER_MS


class QuietHistory:
    """Nothing happened before the start but one trade."""

    def candles(
        self, symbol: str, interval: str, *, start_ms: int | None = None, end_ms: int | None = None, limit: int = 500
    ) -> list[Candle]:
        return []

    def trades(self, symbol: str, limit: int = 500) -> list[Trade]:
        price = units("45000.50")
        return [Trade(symbol, 100, price, units("0.1"), START_MS - 1_000, False, START_MS - 1_000)]


class QuietSource:
    """One symbol with twenty levels a side; hands over what a test puts into ``queue``."""

    def __init__(self, bids: tuple[Level, ...] = BIDS, asks: tuple[Level, ...] = ASKS) -> None:
        self.symbols: tuple[str, ...] = ("BTCUSDT",)
        self.history = QuietHistory()
        self.queue: list[MarketEvent] = []
        self.released: list[str] = []
        self.resumed: bytes | None = None
        self._bids = bids
        self._asks = asks

    def start(self, now_ns: int) -> None:
        pass

    def snapshot(self, symbol: str) -> BookSnapshot:
        return BookSnapshot(symbol, 1_000, self._bids, self._asks)

    def advance(self, now_ns: int, max_events: int) -> list[MarketEvent]:
        events, self.queue = self.queue[:max_events], self.queue[max_events:]
        return events

    def next_due_ns(self) -> int | None:
        return 0 if self.queue else None

    def release(self, symbol: str, now_ns: int) -> None:
        self.released.append(symbol)

    def checkpoint(self) -> bytes:
        return b"quiet"

    def resume(self, data: bytes, now_ns: int) -> None:
        self.resumed = data


def paper_venue(
    source: QuietSource | None = None,
    *,
    clock: Clock | None = None,
    store_path: Path | None = None,
    keys: Iterable[ApiKey] | None = None,
    accounts: Iterable[PaperAccount] = (PaperAccount(),),
) -> PaperVenue:
    """A venue with BTCUSDT on a quiet market."""
    return PaperVenue(
        [BTC],
        [source or QuietSource()],
        clock=clock or SystemClock(),
        accounts=tuple(accounts),
        keys=keys,
        store_path=store_path,
    )


@asynccontextmanager
async def running_exchange(
    venue: PaperVenue | None = None, *, limits: LimitPolicy | None = None
) -> AsyncIterator[ExchangeServer]:
    """A venue on a free port of the loopback."""
    server = ExchangeServer(venue or paper_venue(), port=0, limits=limits)
    async with Supervisor("test") as jobs:
        task = jobs.start("exchange", server.serve)
        await server.wait_started()
        yield server
        server.stop()
        await task


class SignedClient:
    """Talks to a paper exchange as a Binance client does."""

    def __init__(self, url: str, *, key: str = SAMPLE_KEY_ID, secret: str = SAMPLE_SECRET) -> None:
        self.http = httpx2.AsyncClient(base_url=url, timeout=10)
        self._key = key
        self._secret = secret
        self._clock = SystemClock()

    async def __aenter__(self) -> SignedClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()

    def sign(self, params: Mapping[str, object]) -> str:
        """A query string with timestamp and signature."""
        stamped = {"timestamp": self._clock.now_ns() // NS_PER_MS, **params}
        query = urlencode(stamped)
        return f"{query}&signature={hmac.new(self._secret.encode(), query.encode(), hashlib.sha256).hexdigest()}"

    def sign_split(self, query: Mapping[str, object], form: Mapping[str, object]) -> tuple[str, str, str]:
        """(query string, form without, form with the signature of both)."""
        head = urlencode({"timestamp": self._clock.now_ns() // NS_PER_MS, **query})
        tail = urlencode(form)
        signature = hmac.new(self._secret.encode(), (head + tail).encode(), hashlib.sha256).hexdigest()
        return head, tail, f"{tail}&signature={signature}"

    async def get(self, path: str, **params: object) -> httpx2.Response:
        """A public request."""
        return await self.http.get(path, params={name: str(value) for name, value in params.items()})

    async def signed(self, verb: str, path: str, **params: object) -> httpx2.Response:
        """A signed request with everything in the query string."""
        return await self.http.request(verb, f"{path}?{self.sign(params)}", headers={"X-MBX-APIKEY": self._key})

    async def keyed(self, verb: str, path: str, **params: object) -> httpx2.Response:
        """A request that carries the key and no signature."""
        query = urlencode(params)
        return await self.http.request(verb, f"{path}?{query}", headers={"X-MBX-APIKEY": self._key})

    async def order(self, **changes: object) -> httpx2.Response:
        """A limit order that rests at 44000, unless changed; a change to None leaves the parameter out."""
        params: dict[str, object] = {
            "symbol": "BTCUSDT",
            "side": "BUY",
            "type": "LIMIT",
            "timeInForce": "GTC",
            "quantity": "0.001",
            "price": "44000.00",
        }
        params.update(changes)
        sent = {name: value for name, value in params.items() if value is not None}
        return await self.signed("POST", "/api/v3/order", **sent)


def body(response: httpx2.Response) -> dict[str, object]:
    """The answer as an object."""
    return msgspec.json.decode(response.content, type=dict[str, object])


def rows(response: httpx2.Response) -> list[dict[str, object]]:
    """The answer as a list of objects."""
    return msgspec.json.decode(response.content, type=list[dict[str, object]])
