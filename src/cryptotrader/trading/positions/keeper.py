"""The positions of one account: rebuilt from its fills, followed live, reconciled with its balances (S1-14, C-27)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from cryptotrader.bus import Mailbox, Overflow, Subscription, Topic
from cryptotrader.config import get_logger
from cryptotrader.core.errors import CryptotraderError, UnknownSymbol, VenueError, VenueTimeout
from cryptotrader.net import Supervisor
from cryptotrader.net.clock import WaitingClock
from cryptotrader.portfolio.positions import FillRow
from cryptotrader.portfolio.protections import Lot
from cryptotrader.trading.orders import OrderDesk
from cryptotrader.trading.positions.balances import Balances, discrepancies, unexplained
from cryptotrader.trading.positions.book import SymbolBook
from cryptotrader.trading.positions.fills import fill_of_report, needs_value
from cryptotrader.trading.positions.history import History
from cryptotrader.trading.positions.marks import Marks
from cryptotrader.trading.positions.ports import (
    AccountEvent,
    AccountStream,
    Change,
    Discrepancy,
    Instruments,
    Lease,
    Market,
    NoPosition,
    PositionView,
    Venue,
)
from cryptotrader.trading.positions.protections.lots import lot_of
from cryptotrader.trading.positions.protections.protector import Protector, ProtectorDeps
from cryptotrader.trading.positions.protections.sale import SaleDeps
from cryptotrader.trading.positions.reading import Reader
from cryptotrader.trading.positions.store import Store
from cryptotrader.trading.positions.values import Valuer

log = get_logger(__name__)

MAX_WAITING = 10_000
"""Fills that wait to be counted. Unit: events. Overflow: the oldest goes, and the venue's history is read again."""

VALUE_S = 2.0
"""How long a fill waits for the worth of its commission. Unit: seconds. After that it counts without, until the next
reading of the history."""

READY_S = 10.0
"""How long a client waits for the first rebuild. Unit: seconds. Source: S0-55."""


@dataclass(frozen=True)
class KeeperDeps:
    """What a keeper needs.

    Attributes:
        venue: Requests in the account's name.
        instruments: Symbols and their rules.
        stream: The account's events.
        market: Live prices.
        store: What outlives the process.
        desk: Places orders in the account's name.
        clock: Time and waiting.
        may_trade: False where orders would use real money and that was not switched on.
    """

    venue: Venue
    instruments: Instruments
    stream: AccountStream
    market: Market
    store: Store
    desk: OrderDesk
    clock: WaitingClock
    may_trade: bool = True


class PositionKeeper:
    """Keeps the positions of one account, and its protections.

    Args:
        account: Whose.
        deps: What it needs.
    """

    def __init__(self, account: str, deps: KeeperDeps) -> None:
        self.account = account
        self.topic: Topic[PositionView] = Topic(f"positions of {account}")
        self._deps = deps
        self._books: dict[str, SymbolBook] = {}
        self._balances = Balances(deps.venue)
        self._marks = Marks(deps.market, deps.venue, clock=deps.clock, on_mark=self._on_mark)
        self._valuer = Valuer(deps.venue, deps.instruments)
        history = History(account, deps.venue, instruments=deps.instruments, store=deps.store, valuer=self._valuer)
        sale = SaleDeps(desk=deps.desk, holdings=self, clock=deps.clock, may_trade=deps.may_trade)
        self.protections = Protector(
            account,
            ProtectorDeps(market=deps.market, venue=deps.venue, store=deps.store, sale=sale),
            on_change=self._publish,
            on_price=self._marks.note,
        )
        self._reader = Reader(self, deps, history=history, balances=self._balances)
        self._waiting: Mailbox[dict[str, Any]] = Mailbox(MAX_WAITING, Overflow.DROP_OLDEST)
        self._jobs = Supervisor(f"positions of {account}", max_jobs=4)
        self._held: list[Lease | Subscription] = []
        self._watches = 0
        self._followed: set[str] = set()

    def start(self) -> None:
        """Begin with what is known; the rest is read in the background, as soon as the venue answers."""
        for symbol, assets in self._deps.store.symbols(self.account).items():
            self._books[symbol] = SymbolBook(self.account, symbol, assets, self._deps.store)
        self._held = [self._deps.stream.topic.subscribe(self._on_event), self._deps.stream.lease()]
        self._jobs.start("follow", self._follow, restart=True)
        self._jobs.start("read", self._reader.run, restart=True)
        self.protections.start()

    async def close(self) -> None:
        """End; nothing is lost by it."""
        for held in self._held:
            held.close()
        await self.protections.close()
        await self._jobs.close()
        self._marks.close()

    # What sessions and routes ask for

    @property
    def is_ready(self) -> bool:
        """Whether the venue's history was read once in this process."""
        return self._reader.is_ready

    async def ready(self, symbol: str | None = None) -> None:
        """Return when ``is_ready``, or as soon as one symbol's history was read.

        Raises:
            CryptotraderError: It is not in time: what the venue answered, or VenueTimeout.
        """
        try:
            async with asyncio.timeout(READY_S):
                await (self._reader.wait_ready() if symbol is None else self._reader.wait_read(symbol))
        except TimeoutError:
            raise self._reader.problem or VenueTimeout("the account's fills could not be read in time") from None

    def current(self) -> Sequence[PositionView]:
        """Positions that hold something, as known now, by symbol."""
        return [self._view(book) for _, book in sorted(self._books.items()) if book.position.amount]

    async def all(self) -> Sequence[PositionView]:
        """The same with present prices; those of which the history was read where ``is_ready`` takes too long.

        Raises:
            CryptotraderError: The venue does not tell what is needed.
        """
        try:
            await self.ready()
        except VenueTimeout:
            # Long histories of many accounts are nobody's fault.
            if self._reader.problem is not None:
                raise
        await self._marks.fetch(view.symbol for view in self._read())
        return self._read()

    def _read(self) -> list[PositionView]:
        return [view for view in self.current() if self._reader.has_read(view.symbol)]

    async def one(self, symbol: str) -> PositionView:
        """A position with its present price, also one that holds nothing any more.

        Raises:
            NoPosition: Nothing was ever bought.
            CryptotraderError: The venue does not tell what is needed.
        """
        await self.ready(symbol)
        book = self._books.get(symbol)
        if book is None or not (book.position.bought or book.position.sold):
            raise NoPosition(f"No position in {symbol}", param="symbol")
        await self._marks.fetch([symbol])
        return self._view(book)

    def reconciliation(self) -> list[Discrepancy]:
        """Assets of which the balance is not what the positions say."""
        return discrepancies((book.position for book in self._books.values()), self._balances)

    def unexplained(self) -> dict[str, int]:
        """What of each balance no known fill explains, scaled."""
        return unexplained((book.position for book in self._books.values()), self._balances)

    async def protect(self, symbol: str, change: Change) -> PositionView:
        """Set, change or take away terms.

        Raises:
            NoPosition: There is nothing to protect.
            InvalidParams: The terms cannot be kept, would fire at once, or have fired.
            CryptotraderError: The venue does not tell what is needed.
        """
        await self.ready(symbol)
        mark = await self._marks.fetch_one(symbol)
        book = self._books.get(symbol)
        if book is None or not book.position.amount:
            raise NoPosition(f"No open position in {symbol}", param="symbol")
        self.protections.change(symbol, change, price=mark.price)
        return self._view(book)

    async def unprotect(self, symbol: str) -> PositionView:
        """Take every term away; raises as ``protect`` does."""
        await self.ready(symbol)
        book = self._books.get(symbol)
        if book is None:
            raise NoPosition(f"No position in {symbol}", param="symbol")
        self.protections.clear(symbol)
        await self._marks.fetch([symbol])
        return self._view(book)

    def watch(self, symbol: str | None = None) -> None:
        """Follow the mark of a symbol, or of all positions, until ``unwatch``; calls are counted."""
        if symbol is not None:
            self._marks.watch(symbol)
            return
        self._watches += 1
        self._adjust()

    def unwatch(self, symbol: str | None = None) -> None:
        """The opposite of one ``watch`` with the same argument."""
        if symbol is not None:
            self._marks.unwatch(symbol)
            return
        self._watches -= 1
        self._adjust()

    def _adjust(self) -> None:
        """Where all positions are watched, watch exactly those that hold something."""
        held = {symbol for symbol, book in self._books.items() if book.position.amount} if self._watches else set()
        for symbol in held - self._followed:
            self._marks.watch(symbol)
        for symbol in self._followed - held:
            self._marks.unwatch(symbol)
        self._followed = held

    # What sales ask for

    async def amount(self, symbol: str) -> int:
        """What the position holds, scaled, once its fills are counted."""
        await self._reader.wait_read(symbol)
        book = self._books.get(symbol)
        return book.position.amount if book is not None else 0

    async def free(self, symbol: str) -> int:
        """What of the base asset is not locked, scaled."""
        book = self._books.get(symbol)
        return await self._balances.free(book.base) if book is not None else 0

    async def lot(self, symbol: str) -> Lot:
        """What one market order may sell."""
        return lot_of(await self._deps.instruments.info(symbol))

    # Fills

    def book(self, symbol: str, assets: tuple[str, str]) -> SymbolBook:
        """The book of a symbol, opened where it is missing; ``assets`` are its base and quote."""
        book = self._books.get(symbol)
        if book is None:
            book = self._books[symbol] = SymbolBook(self.account, symbol, assets, self._deps.store)
        return book

    @property
    def books(self) -> dict[str, SymbolBook]:
        """Every symbol that was looked at."""
        return self._books

    def changed(self, symbol: str) -> None:
        """Fills of a symbol were counted."""
        self._adjust()
        self._publish(symbol)
        self.check_closed(symbol)

    def check_closed(self, symbol: str) -> None:
        """A protection of nothing ends, once it is certain that there is nothing."""
        book = self._books.get(symbol)
        if self.is_ready and (book is None or not book.position.amount):
            self.protections.on_closed(symbol)

    def _on_event(self, event: AccountEvent) -> None:
        if event.kind == "executionReport" and event.data.get("x") == "TRADE":
            if not self._waiting.put(event.data):
                self._reader.ask_again()
        elif event.kind == "outboundAccountPosition":
            with contextlib.suppress(KeyError, TypeError, ValueError):
                self._balances.on_event(event.data)

    async def _follow(self) -> None:
        # Where this job was ended by a disk that is full, what it had not kept is kept now.
        for symbol in tuple(self._books):
            self.check_closed(symbol)
        while True:
            report = await self._waiting.get()
            try:
                fill = fill_of_report(report)
                if fill is not None:
                    await self._take(fill)
            except (ValueError, VenueError, UnknownSymbol) as error:
                # The venue's history has it too.
                log.warning(f"a fill could not be counted and is looked up: {type(error).__name__}")
                self._reader.ask_again()

    async def _take(self, fill: FillRow) -> None:
        book = self._books.get(fill.symbol)
        if book is None:
            info = await self._deps.instruments.info(fill.symbol)
            book = self.book(fill.symbol, (info.base_asset, info.quote_asset))
        if needs_value(fill, book.base, book.quote):
            with contextlib.suppress(VenueError, TimeoutError):
                async with asyncio.timeout(VALUE_S):
                    value = await self._valuer.value(fill, book.quote)
                    fill = msgspec.structs.replace(fill, commission_value=value)
        if book.add([fill]):
            self._marks.note(fill.symbol, fill.price, fill.time_ms)
            self.changed(fill.symbol)

    async def revalue(self, book: SymbolBook) -> None:
        """Look up what commissions were worth that could not be looked up before; raises VenueError."""
        for fill in book.unvalued:
            value = await self._valuer.value(fill, book.quote)
            if value is not None:
                book.value(fill, value)
                self._publish(book.symbol)

    async def fetch_marks(self) -> None:
        """Have a price of every position, so that the first look at it is not without one."""
        with contextlib.suppress(CryptotraderError):
            await self._marks.fetch(view.symbol for view in self.current())

    def lose(self) -> None:
        """The account's stream broke."""
        self._balances.lose()

    # Views

    def _on_mark(self, symbol: str) -> None:
        book = self._books.get(symbol)
        if self.topic.reader_count and book is not None and book.position.amount:
            self.topic.publish(self._view(book))

    def _publish(self, symbol: str) -> None:
        book = self._books.get(symbol)
        if book is not None:
            self.topic.publish(self._view(book))

    def _view(self, book: SymbolBook) -> PositionView:
        position, mark = book.position, self._marks.known(book.symbol)
        price = mark.price if mark is not None else 0
        return PositionView(
            symbol=book.symbol,
            base=book.base,
            quote=book.quote,
            event_ms=max(position.update_ms, mark.time_ms if mark is not None else 0),
            amount=position.amount,
            cost=position.cost,
            average_price=position.average_price,
            mark=price,
            unrealised_pnl=position.unrealised_pnl(price) if price else 0,
            unrealised_percent=position.unrealised_percent(price) if price else 0,
            realised_pnl=position.realised_pnl,
            fees=position.fees,
            untracked_sold=position.untracked_sold,
            protection=self.protections.of(book.symbol),
        )
