"""What can be asked of the paper exchange. Nothing here changes anything."""

from __future__ import annotations

from cryptotrader.core.clock import Clock, to_ms
from cryptotrader.core.events import BookTicker, Ticker24h
from cryptotrader.core.orders import Side
from cryptotrader.exchange.accounts import KeyRing, PaperAccount
from cryptotrader.exchange.accounts.roster import Roster
from cryptotrader.exchange.engine.accounts import ALWAYS, FillQuery, Period
from cryptotrader.exchange.engine.engine import Engine
from cryptotrader.exchange.engine.events import Balance
from cryptotrader.exchange.engine.order_lists import OrderList
from cryptotrader.exchange.engine.orders import Amendment, Fill, Order, PreventedMatch
from cryptotrader.exchange.engine.rules import SymbolRules
from cryptotrader.exchange.statistics import SymbolStatistics

MAX_ROWS = 1_000
"""Most orders or fills per answer. Unit: rows. Reason: Binance's own maximum."""


class VenueQuestions:
    """The part of the venue that only answers.

    Attributes:
        clock: The exchange's time.
        engine: Matching and balances; change it through the venue only.
        keys: Who may sign for which account; change it through the venue only.
        roster: Accounts, and the keys that were made for them.
        rules: The symbols that trade here.
        started_ms: When this process opened the venue. Unit: epoch milliseconds.
    """

    clock: Clock
    engine: Engine
    keys: KeyRing
    roster: Roster
    rules: dict[str, SymbolRules]
    started_ms: int
    _updated_ms: dict[str, int]
    _statistics: dict[str, SymbolStatistics]

    def now_ms(self) -> int:
        """The exchange's time. Unit: epoch milliseconds."""
        return to_ms(self.clock.now_ns())

    # Accounts

    def account(self, account_id: str) -> PaperAccount:
        """The account as it was opened or last changed.

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

    # Orders

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

    def fills(self, account: str, symbol: str, query: FillQuery) -> list[Fill]:
        """Fills of a symbol, oldest first (``myTrades``)."""
        return self.engine.fills(account, symbol, query)

    def order_list(self, account: str, *, list_id: int | None = None, client_list_id: str | None = None) -> OrderList:
        """One order list, open or not.

        Raises:
            Refusal: -2013, there is none.
        """
        return self.engine.order_list(account, list_id=list_id, client_list_id=client_list_id)

    def open_order_lists(self, account: str) -> list[OrderList]:
        """Order lists that are still being carried out, oldest first."""
        return self.engine.open_order_lists(account)

    def order_lists(
        self, account: str, *, from_id: int | None = None, period: Period = ALWAYS, limit: int = MAX_ROWS
    ) -> list[OrderList]:
        """Order lists, open or not, oldest first."""
        return self.engine.order_lists(account, from_id=from_id, period=period, limit=limit)

    def prevented_matches(
        self, account: str, symbol: str, *, limit: int = MAX_ROWS, **which: int | None
    ) -> list[PreventedMatch]:
        """Trades that self-trade prevention did not let happen, oldest first.

        ``which``: ``prevented_match_id``, ``order_id`` or ``from_id``, as the engine's method of this name takes them.
        """
        return self.engine.prevented_matches(account, symbol, limit=limit, **which)

    def allocations(
        self, account: str, symbol: str, *, period: Period = ALWAYS, limit: int = MAX_ROWS, **which: int | None
    ) -> list[Fill]:
        """Fills from smart order routing, oldest first.

        ``which``: ``order_id`` or ``from_id``, as the engine's method of this name takes them.
        """
        return self.engine.allocations(account, symbol, period=period, limit=limit, **which)

    def amendments(
        self, account: str, symbol: str, order_id: int, *, from_execution_id: int | None = None, limit: int = MAX_ROWS
    ) -> list[Amendment]:
        """How an order was amended, oldest first."""
        return self.engine.amendments(account, symbol, order_id, from_execution_id=from_execution_id, limit=limit)

    # The market

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
        """Best bid and ask: as new as anything that was published, and what users did since."""
        known = self._statistics[symbol].top
        last_id = self.engine.last_id(symbol)
        book = self.engine.book(symbol)
        if known.update_id >= last_id and known.update_id and not book.is_ahead_of(known.bid, known.ask):
            return known
        bid = next(iter(book.levels(Side.BUY, 1)), (0, 0))
        ask = next(iter(book.levels(Side.SELL, 1)), (0, 0))
        return BookTicker(symbol, last_id, bid[0], bid[1], ask[0], ask[1])
