"""One life of the gateway's part that watches over positions: real code between the simulated venue and a real store.

When it dies it dies at once: nothing that it still does in the course of dying reaches the venue or the disk.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import apsw
import msgspec

from cryptotrader.bus import Topic
from cryptotrader.core.clock import NS_PER_S
from cryptotrader.core.errors import NotConnected
from cryptotrader.core.events import SystemEvent, Ticker24h, Trade
from cryptotrader.market.trades import Arrival, TradeTape
from cryptotrader.portfolio.positions import FillRow
from cryptotrader.portfolio.protections import Protection
from cryptotrader.services.binance.models.exchange_info import ExchangeInfo, SymbolInfo
from cryptotrader.services.binance.request import Params, RequestSpec
from cryptotrader.testing.simulation import SimulatedClock
from cryptotrader.trading.orders import OrderDesk
from cryptotrader.trading.positions.keeper import KeeperDeps, PositionKeeper
from cryptotrader.trading.positions.store import PositionStore
from tests.support.protection.venue import INFO, SYMBOL, Answer, PathVenue

P = TypeVar("P", bound=Params)
R = TypeVar("R")

ACCOUNT = "default"
TAPES = (15, 200)
"""How many trades a tape may hold: few, so that more is missed than it tells, or as many as usual."""

SHORT_NS = 3 * NS_PER_S
"""Length of a break that may go unnoticed. Unit: nanoseconds."""


class Requests:
    """The venue's REST client of one life."""

    def __init__(self, venue: PathVenue) -> None:
        self._venue = venue
        self.is_alive = True

    async def raw(self, spec: RequestSpec[Any, Any], params: Params) -> Answer:
        if not self.is_alive:
            raise NotConnected("dead")
        return await self._venue.serve(spec.method, params.wire(), may_trade=spec.method == "order.place")

    async def call(self, spec: RequestSpec[P, R], params: P) -> R:
        return msgspec.json.decode((await self.raw(spec, params)).body, type=spec.result)

    def venue_now_ms(self) -> int:
        return self._venue.clock.now_ms()


class Instruments:
    """One symbol."""

    def __init__(self) -> None:
        self._info = msgspec.convert(INFO, ExchangeInfo)

    async def load(self) -> ExchangeInfo:
        return self._info

    async def info(self, symbol_text: str) -> SymbolInfo:
        return self._info.symbols[0]

    def known(self, symbol: str) -> SymbolInfo | None:
        return self._info.symbols[0] if symbol == SYMBOL else None


class Lease:
    def close(self) -> None:
        """Nothing to give back."""


class TradeStream:
    """Live trades: told while connected; after a break the tape begins anew and tells what it still finds."""

    def __init__(self, venue: PathVenue, draw: random.Random) -> None:
        self.topic: Topic[Trade] = Topic("trades")
        self._size = draw.choice(TAPES)
        self.tape = TradeTape(SYMBOL, self._size)
        self.is_fresh = False
        self._venue = venue
        self._told = 0

    def come(self) -> None:
        """Connected: the newest trades are known, missed ones are told."""
        for trade in self._venue.past()[-self._size :]:
            self._tell(trade, is_news=self._told > 0)
        self.is_fresh = True

    def break_off(self) -> None:
        self.is_fresh = False

    def on_trade(self, trade: Trade) -> None:
        if self.is_fresh:
            self._tell(trade, is_news=True)

    def _tell(self, trade: Trade, *, is_news: bool) -> None:
        if self.tape.append(trade) is not Arrival.OLD:
            self._told += 1
            if is_news:
                self.topic.publish(trade)


class TickerStream:
    """Never fresh, so that prices are asked for."""

    topic: Topic[Ticker24h] = Topic("ticker")
    latest: Ticker24h | None = None
    is_fresh = False


class Market:
    def __init__(self, stream: TradeStream) -> None:
        self._stream = stream

    def lease(self, symbol: str, kind: str) -> Lease:
        return Lease()

    def ticker(self, symbol: str) -> TickerStream:
        return TickerStream()

    def trades(self, symbol: str) -> TradeStream:
        return self._stream


class AccountEvent(msgspec.Struct):
    kind: str
    data: dict[str, Any]


class AccountStream:
    """Fills and balances: told while connected; what was missed is told after a short break, and mostly after others.

    Args:
        clock: The simulation's.
        draw: Its randomness.
    """

    def __init__(self, clock: SimulatedClock, draw: random.Random) -> None:
        self.topic: Topic[AccountEvent] = Topic("account")
        self.is_live = False
        self._clock = clock
        self._draw = draw
        self._lost_ns = clock.monotonic_ns()
        self._missed: list[AccountEvent] = []

    def lease(self) -> Lease:
        return Lease()

    def break_off(self) -> None:
        if self.is_live:
            self.is_live, self._lost_ns = False, self._clock.monotonic_ns()

    def come(self) -> None:
        is_short = self._clock.monotonic_ns() - self._lost_ns < SHORT_NS
        self.is_live = True
        if is_short or self._draw.random() < 0.7:
            for event in self._missed:
                self.topic.publish(event)
        self._missed.clear()

    def tell(self, report: dict[str, Any], balances: list[dict[str, str]]) -> None:
        rows = [{"a": row["asset"], "f": row["free"], "l": row["locked"]} for row in balances]
        events = [
            AccountEvent("executionReport", report),
            AccountEvent("outboundAccountPosition", {"B": rows}),
        ]
        if not self.is_live:
            self._missed += events
            return
        for event in events:
            self.topic.publish(event)


class Disk:
    """The store as one life sees it: it may fail to write, and does nothing for the dead."""

    def __init__(self, store: PositionStore, draw: random.Random, *, failures: float) -> None:
        self._store = store
        self._draw = draw
        self._failures = failures
        self.is_alive = True
        self.on_keep: Callable[[Protection], object] = lambda protection: None

    def symbols(self, account: str) -> dict[str, tuple[str, str]]:
        return self._store.symbols(account)

    def fills(self, account: str, symbol: str) -> list[FillRow]:
        return self._store.fills(account, symbol)

    def add(self, account: str, assets: tuple[str, str], fills: Iterable[FillRow]) -> list[FillRow]:
        return self._store.add(account, assets, fills) if self.is_alive else []

    def replace(self, account: str, fill: FillRow) -> None:
        if self.is_alive:
            self._store.replace(account, fill)

    def forget(self, account: str, symbol: str) -> None:
        if self.is_alive:
            self._store.forget(account, symbol)

    def protections(self, account: str) -> list[Protection]:
        return self._store.protections(account)

    def keep(self, protection: Protection) -> None:
        if self.is_alive:
            if self._draw.random() < self._failures:
                raise apsw.FullError("the disk is full")
            self._store.keep(protection)
            self.on_keep(protection)

    def saw(self, protection: Protection) -> None:
        if self.is_alive:
            self._store.saw(protection)

    def notes(self, account: str) -> dict[str, str]:
        return self._store.notes(account)

    def note(self, account: str, name: str, value: str) -> None:
        if self.is_alive:
            self._store.note(account, name, value)


class Life:
    """From a start to a death."""

    def __init__(self, venue: PathVenue, store: PositionStore, clock: SimulatedClock, *, disk_failures: float) -> None:
        self.venue = venue
        self.requests = Requests(venue)
        self.trades = TradeStream(venue, venue.draw)
        self.stream = AccountStream(clock, venue.draw)
        self.disk = Disk(store, venue.draw, failures=disk_failures)
        numbers = itertools.count()
        self.desk = OrderDesk(self.requests, clock, entropy=lambda size: next(numbers).to_bytes(size))
        deps = KeeperDeps(
            venue=self.requests,
            instruments=Instruments(),
            stream=self.stream,
            market=Market(self.trades),
            store=self.disk,
            desk=self.desk,
            clock=clock,
        )
        self.keeper = PositionKeeper(ACCOUNT, deps)
        self.events: list[SystemEvent] = []
        self.keeper.protections.topic.subscribe(self._on_event)

    def _on_event(self, event: SystemEvent) -> None:
        if self.disk.is_alive:
            self.events.append(event)

    def start(self) -> None:
        """Begin."""
        self.keeper.start()

    def connect(self) -> None:
        """Both streams work."""
        self.trades.come()
        self.stream.come()

    def break_off(self) -> None:
        """Both streams are gone."""
        self.trades.break_off()
        self.stream.break_off()

    async def die(self) -> None:
        """At once."""
        self.requests.is_alive = self.disk.is_alive = False
        self.break_off()
        await self.desk.close()
        await self.keeper.close()

    @property
    def protection(self) -> Protection | None:
        """As it is now."""
        return self.keeper.protections.of(SYMBOL)


async def turns(count: int) -> None:
    """So many turns of the event loop."""
    for _ in range(count):
        await asyncio.sleep(0)
