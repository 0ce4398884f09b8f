"""A keeper of positions before a venue that a test fills with fills, prices and balances."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from cryptotrader.bus import Topic
from cryptotrader.core.errors import UnknownSymbol, VenueError, VenueRejected
from cryptotrader.core.events import SystemEvent, Ticker24h, Trade
from cryptotrader.core.orders import Side
from cryptotrader.core.scaled import SCALE, format_scaled
from cryptotrader.market.trades import TradeTape
from cryptotrader.portfolio.positions import FillRow, Position
from cryptotrader.services.binance.models.exchange_info import ExchangeInfo, SymbolInfo
from cryptotrader.services.binance.request import Params, RequestSpec
from cryptotrader.testing.simulation import SimulatedClock
from cryptotrader.trading.orders import OrderDesk
from cryptotrader.trading.positions.keeper import KeeperDeps, PositionKeeper
from cryptotrader.trading.positions.ports import PositionView
from cryptotrader.trading.positions.store import PositionStore

P = TypeVar("P", bound=Params)
R = TypeVar("R")

ACCOUNT = "default"
MINUTE_MS = 60_000


def _symbol(base: str, quote: str) -> dict[str, object]:
    return {
        "symbol": base + quote, "status": "TRADING", "baseAsset": base, "quoteAsset": quote,
        "filters": [{"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "9000", "stepSize": "0.001"}],
    }  # fmt: skip


INFO = {
    "timezone": "UTC",
    "serverTime": 0,
    "symbols": [_symbol("BTC", "USDT"), _symbol("BNB", "USDT"), _symbol("ETH", "BTC")],
    "sors": [{"baseAsset": "BTC", "symbols": ["BTCUSDT"]}],
}


@dataclass(frozen=True)
class Answer:
    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Venue:
    """Answers out of what a test puts in."""

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock
        self.fills: list[FillRow] = []
        self.holds = "0"
        """Balance of BTC."""
        self.btc_price = 42_900 * SCALE
        self.bnb_price = 600 * SCALE
        self.failure: VenueError | None = None
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.page = 1_000

    def venue_now_ms(self) -> int:
        return self._clock.now_ms()

    async def raw(self, spec: RequestSpec[Any, Any], params: Params) -> Answer:
        wire = params.wire()
        self.calls.append((spec.method, wire))
        await asyncio.sleep(0.001)
        if self.failure is not None:
            raise self.failure
        return Answer(msgspec.json.encode(self._answer(spec.method, wire)))

    async def call(self, spec: RequestSpec[P, R], params: P) -> R:
        return msgspec.json.decode((await self.raw(spec, params)).body, type=spec.result)

    def count(self, method: str) -> int:
        return sum(name == method for name, _ in self.calls)

    def _answer(self, method: str, params: Mapping[str, Any]) -> object:
        match method:
            case "account.status":
                return {"balances": [{"asset": "BTC", "free": self.holds, "locked": "0"}]}
            case "openOrders.status":
                return []
            case "myTrades":
                return self._rows(params, is_allocation=False, first=params["fromId"])
            case "myAllocations":
                return self._rows(params, is_allocation=True, first=params["fromAllocationId"])
            case "ticker.price" if "symbols" in params:
                return [self._price(symbol) for symbol in params["symbols"]]
            case "ticker.price":
                return self._price(params["symbol"])
            case "trades.aggregate":
                return []
            case "klines" if "endTime" in params:
                return []  # Nothing was traded while nobody watched.
            case "klines":
                minute = params["startTime"]
                text = format_scaled(self.bnb_price)
                return [[minute, *[text] * 4, "1", minute + MINUTE_MS - 1, "1", 1, "1", "1", "0"]]
        raise VenueRejected("Not scripted.", venue_code=-1000)

    def _price(self, symbol: str) -> object:
        return {"symbol": symbol, "price": format_scaled({"BNBUSDT": self.bnb_price}.get(symbol, self.btc_price))}

    def _rows(self, params: Mapping[str, Any], *, is_allocation: bool, first: int) -> object:
        own = [
            fill
            for fill in self.fills
            if fill.symbol == params["symbol"] and fill.is_allocation == is_allocation and fill.key[1] >= first
        ]
        return [_wire(fill) for fill in own[: min(params["limit"], self.page)]]


def _wire(fill: FillRow) -> dict[str, object]:
    row: dict[str, object] = {
        "symbol": fill.symbol, "orderId": fill.order_id, "price": format_scaled(fill.price),
        "qty": format_scaled(fill.qty), "quoteQty": format_scaled(fill.quote_qty),
        "commission": format_scaled(fill.commission), "commissionAsset": fill.commission_asset,
        "time": fill.time_ms, "isBuyer": fill.is_buyer, "isMaker": False,
    }  # fmt: skip
    if fill.is_allocation:
        return row | {"allocationId": fill.allocation_id, "allocationType": "SOR", "isAllocator": False}
    return row | {"id": fill.trade_id}


def report(fill: FillRow) -> dict[str, Any]:
    """The ``executionReport`` of a fill."""
    told: dict[str, Any] = {
        "e": "executionReport", "x": "TRADE", "s": fill.symbol, "S": Side.BUY if fill.is_buyer else Side.SELL,
        "i": fill.order_id, "c": "c", "t": fill.trade_id, "l": format_scaled(fill.qty),
        "L": format_scaled(fill.price), "Y": format_scaled(fill.quote_qty), "n": format_scaled(fill.commission),
        "N": fill.commission_asset, "T": fill.time_ms,
    }  # fmt: skip
    return told | {"a": fill.allocation_id} if fill.is_allocation else told


class Instruments:
    def __init__(self) -> None:
        self._info = msgspec.convert(INFO, ExchangeInfo)
        self._by_symbol = {row.symbol: row for row in self._info.symbols}

    async def load(self) -> ExchangeInfo:
        return self._info

    async def info(self, symbol_text: str) -> SymbolInfo:
        if symbol_text not in self._by_symbol:
            raise UnknownSymbol("Invalid symbol", param="symbol")
        return self._by_symbol[symbol_text]

    def known(self, symbol: str) -> SymbolInfo | None:
        return self._by_symbol.get(symbol)


class Lease:
    def __init__(self, leases: list[Lease]) -> None:
        self._leases = leases
        leases.append(self)

    def close(self) -> None:
        if self in self._leases:
            self._leases.remove(self)


class Tickers:
    def __init__(self) -> None:
        self.topic: Topic[Ticker24h] = Topic("ticker")
        self.latest: Ticker24h | None = None
        self.is_fresh = False

    def tell(self, symbol: str, price: int, event_ms: int) -> None:
        text, none = format_scaled(price), "0"
        self.latest = Ticker24h(
            symbol, event_ms, none, none, none, none, text, none, none, none, none, none, none, none, none, none, none,
            0, 0, 0, 0, 0,
        )  # fmt: skip
        self.is_fresh = True
        self.topic.publish(self.latest)


class Trades:
    def __init__(self, symbol: str) -> None:
        self.topic: Topic[Trade] = Topic("trades")
        self.tape = TradeTape(symbol)
        self.is_fresh = True

    def tell(self, trade: Trade) -> None:
        self.tape.append(trade)
        self.topic.publish(trade)


class Market:
    """Live prices that a test tells."""

    def __init__(self) -> None:
        self.leases: list[Lease] = []
        self._tickers: dict[str, Tickers] = {}
        self._trades: dict[str, Trades] = {}

    def lease(self, symbol: str, kind: str) -> Lease:
        return Lease(self.leases)

    def ticker(self, symbol: str) -> Tickers:
        return self._tickers.setdefault(symbol, Tickers())

    def trades(self, symbol: str) -> Trades:
        return self._trades.setdefault(symbol, Trades(symbol))


class AccountEvent(msgspec.Struct):
    kind: str
    data: dict[str, Any]


class Stream:
    """The account's events."""

    def __init__(self) -> None:
        self.topic: Topic[AccountEvent] = Topic("account")
        self.is_live = True
        self.leases: list[Lease] = []

    def lease(self) -> Lease:
        return Lease(self.leases)


class Bench:
    """A keeper that can be stopped and started, on one venue and one store."""

    def __init__(self, clock: SimulatedClock, store: PositionStore | None = None, *, may_trade: bool = True) -> None:
        self.clock = clock
        self.store = store or PositionStore(":memory:")
        self.venue = Venue(clock)
        self.market = Market()
        self.stream = Stream()
        self.views: list[PositionView] = []
        self.events: list[SystemEvent] = []
        self._may_trade = may_trade

    async def start(self, *, reads: bool = True) -> None:
        """Begin anew; with ``reads`` wait until the venue's history is read."""
        numbers = itertools.count()
        self.desk = OrderDesk(self.venue, self.clock, entropy=lambda size: next(numbers).to_bytes(size))
        deps = KeeperDeps(
            venue=self.venue,
            instruments=Instruments(),
            stream=self.stream,
            market=self.market,
            store=self.store,
            desk=self.desk,
            clock=self.clock,
            may_trade=self._may_trade,
        )
        self.keeper = PositionKeeper(ACCOUNT, deps)
        self.keeper.topic.subscribe(self.views.append)
        self.keeper.protections.topic.subscribe(self.events.append)
        self.keeper.start()
        if reads:
            await self.keeper.ready()

    async def stop(self) -> None:
        await self.keeper.close()
        await self.desk.close()

    async def reconnect(self) -> None:
        """The account's stream breaks, comes back, and has lost something."""
        self.stream.is_live = False
        await asyncio.sleep(3)
        self.stream.is_live = True
        await asyncio.sleep(8)

    async def tell(self, fills: Iterable[FillRow]) -> None:
        """Live."""
        for fill in fills:
            self.stream.topic.publish(AccountEvent("executionReport", report(fill)))
        await asyncio.sleep(1)

    def tell_balance(self, free: str) -> None:
        """Live, of BTC."""
        rows = [{"a": "BTC", "f": free, "l": "0"}]
        self.stream.topic.publish(AccountEvent("outboundAccountPosition", {"B": rows}))

    def position(self, symbol: str) -> Position | None:
        book = self.keeper.books.get(symbol)
        return None if book is None else book.position
