"""The paper exchange: engine, market sources, statistics, accounts and store behind one door.

Commands are synchronous and take effect at once; ``committed`` tells when they are on disk, and nothing is
acknowledged before. User events are published after the transaction that holds them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from cryptotrader.bus import Topic
from cryptotrader.core.clock import NS_PER_S, Clock, to_ms
from cryptotrader.core.errors import ConfigError
from cryptotrader.core.events import BookSnapshot, BookTicker, DepthDiff, Ticker24h, Trade
from cryptotrader.core.orders import Side
from cryptotrader.exchange.accounts import ApiKey, KeyRing, PaperAccount, sample_key
from cryptotrader.exchange.driver import MarketDriver
from cryptotrader.exchange.engine.accounts import ALWAYS, Period
from cryptotrader.exchange.engine.engine import Engine
from cryptotrader.exchange.engine.events import (
    Balance,
    BalancesChanged,
    DepthChanged,
    Event,
    ListUpdate,
    MarketEvent,
    OrderUpdate,
    TopChanged,
    TradePrinted,
    UserEvent,
)
from cryptotrader.exchange.engine.orders import CancelOrder, NewOrder, Order
from cryptotrader.exchange.engine.rules import SymbolRules
from cryptotrader.exchange.market.source import MarketEvent as SourceEvent
from cryptotrader.exchange.market.source import MarketSource
from cryptotrader.exchange.records import Records
from cryptotrader.exchange.roster import Roster
from cryptotrader.exchange.statistics import SymbolStatistics
from cryptotrader.exchange.store import GroupCommit, Row, Store, StoreBroken

MAX_ROWS = 1_000
"""Most orders or fills per answer. Unit: rows. Reason: Binance's own maximum."""

CHECKPOINT_NS = NS_PER_S // 4
"""How often the state of the market is put on disk. Unit: nanoseconds. Reason: what is lost with ``kill -9`` is this
much market, which the source makes up for when it resumes; orders, fills and balances are written at once."""


class PaperVenue:
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
        self.rules: dict[str, SymbolRules] = {rule.symbol: rule for rule in rules if rule.symbol in by_symbol}
        missing = set(by_symbol) - set(self.rules)
        if missing or not self.rules:
            raise ConfigError(f"no trading rules for {', '.join(sorted(missing)) or 'any symbol'}")
        self.keys = KeyRing([sample_key()] if keys is None else keys)
        self.engine = Engine(self.rules.values())
        store = Store(store_path) if store_path is not None else None
        self._records = Records(store)
        self._commit = GroupCommit(store)
        self.roster = Roster(self.engine, self.keys, records=self._records, commit=self._commit)
        self._updated_ms: dict[str, int] = {}
        self._wake = asyncio.Event()
        self._checkpoint_due_ns = 0
        self.started_ms = self.now_ms()
        self._start_market(self._restore(accounts))

    # Time

    def now_ms(self) -> int:
        """The exchange's time. Unit: epoch milliseconds."""
        return to_ms(self.clock.now_ns())

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
            self._emit(self.engine.on_snapshot(source.snapshot(symbol), to_ms(now_ns)))
        self._save_checkpoint()

    def open_account(self, account: PaperAccount) -> None:
        """Open an account with its first balances.

        Raises:
            ConfigError: There is one of this name.
        """
        self.roster.open(account)

    # Commands

    def submit(self, account: str, order: NewOrder) -> Order:
        """Place an order.

        Raises:
            Refusal: It was not accepted; nothing has changed.
        """
        placed, events = self.engine.submit(account, order, self.now_ms())
        self._emit(events)
        return placed

    def check(self, account: str, order: NewOrder) -> None:
        """Would the order be accepted?

        Raises:
            Refusal: It would not.
        """
        self.engine.check(account, order, self.now_ms())

    def cancel(self, account: str, which: CancelOrder) -> Order:
        """Cancel an open order.

        Raises:
            Refusal: There is no such open order.
        """
        order, events = self.engine.cancel(account, which, self.now_ms())
        self._emit(events)
        return order

    def cancel_all(self, account: str, symbol: str) -> list[Order]:
        """Cancel every open order of a symbol.

        Raises:
            Refusal: There is none.
        """
        orders, events = self.engine.cancel_all(account, symbol, self.now_ms())
        self._emit(events)
        return orders

    def require_store(self) -> None:
        """Make sure that what happens next can be kept.

        Raises:
            StoreBroken: The disk did not take an earlier transaction.
        """
        if self._commit.is_broken:
            raise StoreBroken

    def keep_listen_key(self, account: str, data: bytes) -> None:
        """Put an account's listen key on disk with the next transaction."""
        self._commit.add([self._records.listen_key(account, data)])

    async def committed(self) -> None:
        """Return when everything that has happened so far is on disk.

        Raises:
            StoreBroken: The disk does not take it.
        """
        await self._commit.wait()

    # Questions

    def account(self, account_id: str) -> PaperAccount:
        """The account as it was opened.

        Raises:
            Refusal: -2015, there is none.
        """
        return self.roster.account(account_id)

    def accounts(self) -> list[PaperAccount]:
        """All accounts."""
        return self.roster.accounts()

    def updated_ms(self, account: str) -> int:
        """When the account's balances last changed. Unit: epoch milliseconds."""
        return self._updated_ms.get(account, self.started_ms)

    def balances(self, account: str) -> tuple[Balance, ...]:
        """(asset, free, locked) of everything that the account ever held."""
        return self.engine.balances(account)

    def order(
        self, account: str, symbol: str, *, order_id: int | None = None, client_order_id: str | None = None
    ) -> Order:
        """One order, open or not.

        Raises:
            Refusal: -2013, there is none.
        """
        return self.engine.order(account, symbol, order_id=order_id, client_order_id=client_order_id)

    def open_orders(self, account: str, symbol: str | None = None) -> list[Order]:
        """Open orders of one symbol or of all, oldest first."""
        return self.engine.open_orders(account, symbol)

    def orders(
        self,
        account: str,
        symbol: str,
        *,
        from_order_id: int | None = None,
        period: Period = ALWAYS,
        limit: int = MAX_ROWS,
    ) -> list[Order]:
        """Orders of a symbol, open or not, oldest first."""
        return self.engine.orders(account, symbol, from_order_id=from_order_id, period=period, limit=limit)

    def deposit(self, account: str, asset: str, delta: int) -> None:
        """Add to what is free (scaled), or with a negative amount take from it.

        Raises:
            ValueError: More is taken than is free.
        """
        self._emit(self.engine.adjust(account, asset, delta, self.now_ms()))

    def statistics(self, symbol: str) -> SymbolStatistics:
        """Last trades, candles and 24-hour numbers of a symbol that exists."""
        return self._statistics[symbol]

    def last_price(self, symbol: str) -> int:
        """Price of the last public trade; of the time before the start where there was none since."""
        return self.engine.last_price(symbol) or self._statistics[symbol].ticker.last_price

    def average_price(self, symbol: str) -> int:
        """Average price of the last minutes."""
        return self.engine.avg_price(symbol) or self.last_price(symbol)

    def day(self, symbol: str) -> Ticker24h:
        """24-hour statistics with the best bid and ask of this moment."""
        statistics = self._statistics[symbol]
        statistics.set_top(self.top(symbol))
        return statistics.day(self.now_ms())

    def top(self, symbol: str) -> BookTicker:
        """Best bid and ask, as new as anything that was published."""
        known = self._statistics[symbol].top
        last_id = self.engine.last_id(symbol)
        if known.update_id >= last_id and known.update_id:
            return known
        book = self.engine.book(symbol)
        bid = next(iter(book.levels(Side.BUY, 1)), (0, 0))
        ask = next(iter(book.levels(Side.SELL, 1)), (0, 0))
        return BookTicker(symbol, last_id, bid[0], bid[1], ask[0], ask[1])

    # The market

    def watch(self, symbol: str) -> None:
        """Somebody looks at a symbol now: a recording that was told to hold begins to play."""
        if self._driver.release(symbol):
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
        await self._commit.close()

    def _on_market(self, event: SourceEvent, now_ms: int) -> None:
        self._emit(self._feed(event, now_ms))

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

    def _emit(self, events: Iterable[Event]) -> None:
        """Count, keep and publish what happened."""
        told: list[tuple[str, UserEvent]] = []
        rows: list[Row] = []
        for event in events:
            match event:
                case DepthChanged():
                    self.market.publish(event)
                case TradePrinted():
                    self._statistics[event.trade.symbol].apply_trade(event.trade)
                    self.market.publish(event)
                case TopChanged():
                    self._statistics[event.ticker.symbol].set_top(event.ticker)
                    self.market.publish(event)
                case OrderUpdate():
                    rows.extend(self._records.order(event))
                    told.append((event.order.account, event))
                case BalancesChanged():
                    rows.extend(self._records.balances(event.account, event.balances))
                    self._updated_ms[event.account] = event.time_ms
                    told.append((event.account, event))
                case ListUpdate():
                    told.append((event.order_list.account, event))
                case _:
                    told.append((event.account, event))
        if told and not self._commit.is_broken:
            rows.append(self._records.counters(self.engine.counters()))
            self._commit.add(rows, lambda: self._tell(told))

    def _tell(self, told: list[tuple[str, UserEvent]]) -> None:
        for item in told:
            self.user.publish(item)

    def _save_checkpoint(self) -> None:
        self._checkpoint_due_ns = self.clock.monotonic_ns() + CHECKPOINT_NS
        if self._records.store is None or self._commit.is_broken:
            return
        rows = [self._records.checkpoint(name, data) for name, data in self._driver.checkpoints()]
        rows.append(self._records.counters(self.engine.counters()))
        self._commit.add(rows)
