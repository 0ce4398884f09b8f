"""The paper exchange: engine, market sources, statistics, accounts and store behind one door.

Commands are synchronous and take effect at once; ``committed`` tells when they are on disk, and nothing is
acknowledged before. User events are published after the transaction that holds them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from cryptotrader.bus import Topic
from cryptotrader.config import get_logger
from cryptotrader.core.clock import NS_PER_S, Clock, to_ms
from cryptotrader.core.errors import ConfigError
from cryptotrader.core.events import BookSnapshot, BookTicker, DepthDiff, Trade
from cryptotrader.exchange.accounts import ApiKey, KeyRing, PaperAccount, sample_key
from cryptotrader.exchange.accounts.roster import Roster
from cryptotrader.exchange.commands import VenueCommands
from cryptotrader.exchange.driver import MarketDriver
from cryptotrader.exchange.engine.engine import Engine
from cryptotrader.exchange.engine.events import (
    BalancesChanged,
    DepthChanged,
    Event,
    KeptEvent,
    ListUpdate,
    MarketEvent,
    OrderKept,
    OrderUpdate,
    TopChanged,
    TradePrinted,
    TrailMoved,
    UserEvent,
)
from cryptotrader.exchange.engine.records import EngineState
from cryptotrader.exchange.engine.rules import SymbolRules, SymbolStatus
from cryptotrader.exchange.keeper import Keeper, Recovery
from cryptotrader.exchange.market.rules_data import sor_groups
from cryptotrader.exchange.market.source import FedSource, MarketSource
from cryptotrader.exchange.market.source import MarketEvent as SourceEvent
from cryptotrader.exchange.records import Records
from cryptotrader.exchange.statistics import SymbolStatistics
from cryptotrader.market.blocks import BlockTrades

log = get_logger(__name__)

CHECKPOINT_NS = NS_PER_S // 4
"""How often the state of the market is put on disk. Unit: nanoseconds. Reason: what is lost with ``kill -9`` is this
much market, which the source makes up for when it resumes; orders, fills and balances are written at once."""


class PaperVenue(VenueCommands):
    """A local Binance without its wire.

    Args:
        rules: The symbols. Each must be served by one of the sources.
        sources: Who moves the market.
        clock: The exchange's time.
        accounts: Opened unless the store has them already; their balances are those of the very first start.
        keys: API keys; by default the documented sample key, which only a loopback set-up may use.
        store_path: Where to keep orders, fills and balances; None keeps them in memory only.

    Raises:
        ConfigError: A symbol has no source, or the store cannot be used.
    """

    def __init__(
        self,
        rules: Iterable[SymbolRules],
        sources: Sequence[MarketSource],
        *,
        clock: Clock,
        accounts: Sequence[PaperAccount] = (PaperAccount(),),
        keys: Iterable[ApiKey] | None = None,
        store_path: Path | None = None,
    ) -> None:
        self.clock = clock
        self.market: Topic[MarketEvent] = Topic("paper-market")
        self.user: Topic[tuple[str, UserEvent]] = Topic("paper-user")
        self._driver = MarketDriver(sources, clock)
        by_symbol = self._driver.by_symbol
        self.rules = {rule.symbol: rule for rule in rules if rule.symbol in by_symbol}
        missing = set(by_symbol) - set(self.rules)
        if missing or not self.rules:
            raise ConfigError(f"no trading rules for {', '.join(sorted(missing)) or 'any symbol'}")
        self.keys = KeyRing([sample_key()] if keys is None else keys)
        self.engine = Engine(self.rules.values(), sor_groups(self.rules))
        self._keeper = Keeper(store_path, clock=clock)
        self._records = Records(self._keeper.store)
        self.roster = Roster(self.engine, self.keys, records=self._records, commit=self._keeper)
        self.blocks = BlockTrades(self.rules)
        self._updated_ms: dict[str, int] = {}
        self._wake = asyncio.Event()
        self._checkpoint_due_ns = 0
        self._checkpointed: dict[bytes, bytes] = {}
        self.started_ms = self.now_ms()
        for source in sources:
            if isinstance(source, FedSource):
                source.call_when_due(self._wake.set)
        self._start_market(self._restore(accounts))

    # Start

    def _restore(self, accounts: Sequence[PaperAccount]) -> dict[str, bytes]:
        """Bring back what the store has; gives the checkpoints of the market."""
        kept = self._records.load()
        try:
            self.engine.restore(kept.state)
        except ValueError as error:
            raise ConfigError(f"the store of the paper exchange contradicts itself: {error}") from None
        self.kept_listen_keys = kept.listen_keys
        self.roster.restore(kept.accounts, kept.keys)
        for account in accounts:
            if not self.roster.has(account.id):
                self.open_account(account)
        self.roster.check()
        if kept.state.accounts:
            log.info(_what_came_back(kept.state, self._keeper.recovery))
        return kept.checkpoints

    def _start_market(self, checkpoints: Mapping[str, bytes]) -> None:
        now_ns = self._driver.start(checkpoints)
        self._statistics = {
            symbol: SymbolStatistics(symbol, self._driver.by_symbol[symbol].history, to_ms(now_ns))
            for symbol in self.rules
        }
        for symbol, source in self._driver.by_symbol.items():
            last = self._statistics[symbol].tape.last
            if last is not None:
                self.engine.prime(last)
            self._emit("market", self.engine.on_snapshot(source.snapshot(symbol), to_ms(now_ns)))
        self._save_checkpoint()

    # The market

    def set_status(self, symbol: str, status: str) -> None:
        """Halt a symbol, or let it trade again from the book that its source has by now."""
        super().set_status(symbol, status)
        if status == SymbolStatus.TRADING:
            snapshot = self._driver.by_symbol[symbol].snapshot(symbol)
            self._emit("market", self.engine.on_snapshot(snapshot, self.now_ms()))

    def watch(self, symbol: str) -> None:
        """Somebody looks at a symbol now: a recording that was told to hold begins to play."""
        if self._driver.release(symbol):
            self._wake.set()

    @property
    def sources(self) -> tuple[MarketSource, ...]:
        """Who moves the market."""
        return self._driver.sources

    def market_ns(self) -> int:
        """The market's time. Unit: epoch nanoseconds."""
        return self._driver.now_ns()

    def control(self, act: Callable[[MarketSource, int], bool], sources: Sequence[MarketSource]) -> None:
        """Do something to market sources (source, epoch nanoseconds); True from ``act`` shows their books anew.

        Raises:
            ValueError: A source refuses.
        """
        try:
            self._driver.control(act, sources, feed=self._on_market)
        finally:
            self._save_checkpoint()
            self._wake.set()

    def catch_up(self) -> None:
        """Hand over everything that is due now; for those whose clock is turned by hand."""
        while self._driver.advance(self._on_market):
            pass
        self._wake.set()

    async def run(self) -> None:
        """Move the market until cancelled."""
        while True:
            busy = self._driver.advance(self._on_market)
            if self.clock.monotonic_ns() >= self._checkpoint_due_ns:
                self._save_checkpoint()
            if busy:
                await asyncio.sleep(0)
                continue
            self._wake.clear()
            try:
                async with asyncio.timeout(self._driver.idle_s()):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def close(self) -> None:
        """Put the rest on disk and close the store."""
        self._save_checkpoint()
        await self._keeper.close()

    def _on_market(self, event: SourceEvent, now_ms: int) -> None:
        if not self._has_failed():
            self._emit("market", self._feed(event, now_ms))

    def _feed(self, event: SourceEvent, now_ms: int) -> list[Event]:
        match event:
            case DepthDiff():
                return self.engine.on_depth(event, now_ms)
            case Trade():
                return self.engine.on_trade(event, now_ms)
            case BookTicker():
                return self.engine.on_book_ticker(event, now_ms)
            case BookSnapshot():
                return self.engine.on_snapshot(event, now_ms)

    def _emit(self, command: str, events: Iterable[Event]) -> None:
        """Count, keep and publish what happened."""
        told: list[tuple[str, UserEvent]] = []
        kept: list[UserEvent | KeptEvent] = []
        symbols: set[str] = set()
        for event in events:
            match event:  # The frequent ones first.
                case OrderUpdate():
                    if event.fill is not None or event.prevented is not None:
                        symbols.add(event.order.symbol)
                    told.append((event.order.account, event))
                    kept.append(event)
                case BalancesChanged():
                    self._updated_ms[event.account] = event.time_ms
                    told.append((event.account, event))
                    kept.append(event)
                case DepthChanged():
                    self.market.publish(event)
                case TopChanged():
                    self._statistics[event.ticker.symbol].set_top(event.ticker)
                    self.market.publish(event)
                case TradePrinted():
                    symbols.add(event.trade.symbol)
                    self._statistics[event.trade.symbol].apply_trade(event.trade, event.taker)
                    self.market.publish(event)
                case ListUpdate():
                    told.append((event.order_list.account, event))
                    kept.append(event)
                case OrderKept() | TrailMoved():
                    kept.append(event)  # For the records; nobody is told.
                case _:
                    told.append((event.account, event))
                    kept.append(event)
        if self._keeper.store is None:
            self._tell(told)
        elif kept and not self._keeper.is_broken:
            rows = self._records.outcome(kept)
            rows.append(self._records.ids(self.engine.ids()))
            rows.extend(self._records.symbol(self.engine.symbol_counters(symbol)) for symbol in symbols)
            self._keeper.add(rows, lambda: self._tell(told), command=command)

    def _tell(self, told: list[tuple[str, UserEvent]]) -> None:
        for item in told:
            self.user.publish(item)

    def _save_checkpoint(self) -> None:
        self._checkpoint_due_ns = self.clock.monotonic_ns() + CHECKPOINT_NS
        if self._records.store is None or self._keeper.is_broken or self.engine.is_broken:
            return
        rows = [self._records.checkpoint(name, data) for name, data in self._driver.checkpoints()]
        rows.append(self._records.ids(self.engine.ids()))
        rows.extend(self._records.symbol(self.engine.symbol_counters(symbol)) for symbol in self.rules)
        changed = [(head, data) for head, data in rows if self._checkpointed.get(head) != data]
        if changed:
            self._checkpointed.update(changed)
            self._keeper.add(changed, command="checkpoint")


def _what_came_back(state: EngineState, recovery: Recovery) -> str:
    """One line for the log."""
    open_orders = sum(order.is_open for order in state.orders)
    return (
        f"paper exchange recovered {len(state.accounts)} accounts, {len(state.orders)} orders ({open_orders} open) and "
        f"{len(state.fills)} fills; {recovery.entries} journal entries were newer than its store, "
        f"{recovery.cut_bytes} bytes of an unfinished one were cut, in {recovery.seconds:.3f} s"
    )
