"""What the engine keeps: markets, accounts, counters; the questions about them; saving and restoring."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

import msgspec

from cryptotrader.core.orders import OrderStatus, Side
from cryptotrader.exchange.engine.accounts import ALWAYS, Account, Fees, FillQuery, Period, Wallet, needed_lock
from cryptotrader.exchange.engine.contingent.triggers import Due
from cryptotrader.exchange.engine.errors import invalid_symbol, no_such_order
from cryptotrader.exchange.engine.events import Balance
from cryptotrader.exchange.engine.fingerprint import fingerprint
from cryptotrader.exchange.engine.matching.book import UNKNOWN_QUEUE
from cryptotrader.exchange.engine.matching.market import SymbolMarket
from cryptotrader.exchange.engine.order_lists import OrderList
from cryptotrader.exchange.engine.orders import NO_ORDER_LIST, Fill, Order
from cryptotrader.exchange.engine.rules import SymbolRules, Terms
from cryptotrader.exchange.engine.state import (
    AccountState as AccountState,
)
from cryptotrader.exchange.engine.state import (
    Counters as Counters,
)
from cryptotrader.exchange.engine.state import (
    EngineState as EngineState,
)
from cryptotrader.exchange.engine.state import (
    QueuePlace as QueuePlace,
)
from cryptotrader.exchange.engine.state import (
    SymbolCounters as SymbolCounters,
)

DEFAULT_LIMIT = 500
"""Rows of a query without a limit. Unit: rows. Reason: Binance's default."""

EVERY_FILL = FillQuery(limit=DEFAULT_LIMIT)


def _order_of_fill(fill: Fill) -> tuple[str, int, int, int, bool]:
    return fill.symbol, fill.time_ms, fill.trade_id, fill.allocation_id, fill.is_maker


class Records:
    """Markets, accounts, orders and fills.

    Args:
        rules: The symbols that trade here.
    """

    def __init__(self, rules: Iterable[SymbolRules]) -> None:
        self._accounts: dict[str, Account] = {}
        self._markets = {each.symbol: SymbolMarket(each) for each in rules}
        for market in self._markets.values():
            market.prices = self._last_price_of
            market.accounts = self._accounts
        self._next_order_id = 1
        self._next_execution_id = 1
        self._next_list_id = 1
        self._now_ms = 0
        self._due: Due = deque()
        """What a command made due and ``settle`` carries out: empty between commands."""

    # Accounts

    def open_account(self, account_id: str, balances: Mapping[str, int], fees: Fees | None = None) -> None:
        """Open an account with free balances (scaled) and fees (10 basis points where not given).

        Raises:
            ValueError: There is one already, or a balance is negative.
        """
        if account_id in self._accounts:
            raise ValueError(f"account {account_id} exists")
        self._accounts[account_id] = Account(account_id, Wallet(balances), fees or Fees())

    def has_account(self, account_id: str) -> bool:
        """Whether an account is open."""
        return account_id in self._accounts

    def fees(self, account: str) -> Fees:
        """What an account pays."""
        return self._accounts[account].fees

    def set_fees(self, account: str, fees: Fees) -> None:
        """Change what an account pays from the next fill on."""
        self._accounts[account].set_fees(fees)

    def terms(self, account: str) -> Terms:
        """What an account may do."""
        return self._accounts[account].terms

    def set_terms(self, account: str, terms: Terms) -> None:
        """Change what an account may do from the next command on."""
        self._accounts[account].terms = terms

    # Questions

    def symbols(self) -> tuple[str, ...]:
        """Every symbol that trades here."""
        return tuple(self._markets)

    def rules(self, symbol: str) -> SymbolRules:
        """A symbol's rules."""
        return self._market(symbol).rules

    def book(self, symbol: str) -> SymbolMarket:
        """A symbol's market; ``levels(side, limit)`` is the displayed book, best first."""
        return self._market(symbol)

    def last_id(self, symbol: str) -> int:
        """Update id of the displayed book."""
        return self._market(symbol).last_id

    def last_price(self, symbol: str) -> int | None:
        """Price of the last public trade, None before any."""
        return self._market(symbol).last_price or None

    def avg_price(self, symbol: str, now_ms: int | None = None) -> int | None:
        """Volume-weighted average of the window that the filters use; None where nothing is known.

        ``now_ms``: the end of the window; the time of the last command or market event where not given.
        """
        return self._market(symbol).average_price(self._now_ms if now_ms is None else now_ms)

    def _last_price_of(self, symbol: str) -> int | None:
        """As ``last_price``; None also where there is no such symbol."""
        market = self._markets.get(symbol)
        return (market.last_price or None) if market is not None else None

    def next_trade_id(self, symbol: str) -> int:
        """Public id of a trade that users would do now."""
        return self._market(symbol).last_trade_id + 1

    def order(
        self, account: str, symbol: str, *, order_id: int | None = None, client_order_id: str | None = None
    ) -> Order:
        """One order, open or not.

        Raises:
            Refusal: -2013 where the account has none such.
        """
        self._market(symbol)
        order = self._accounts[account].history(symbol).find(order_id, client_order_id)
        if order is None:
            raise no_such_order()
        return order.snapshot()

    def open_orders(self, account: str, symbol: str | None = None) -> list[Order]:
        """Open orders of one symbol or of all, oldest first."""
        if symbol is not None:
            self._market(symbol)
        histories = self._accounts[account].histories()
        found = [
            order.snapshot() for each, history in histories if symbol in (None, each) for order in history.open.values()
        ]
        return sorted(found, key=lambda order: order.order_id)

    def orders(
        self,
        account: str,
        symbol: str,
        *,
        from_order_id: int | None = None,
        period: Period = ALWAYS,
        limit: int = DEFAULT_LIMIT,
    ) -> list[Order]:
        """Orders of a symbol, open or not, oldest first (``allOrders``)."""
        self._market(symbol)
        history = self._accounts[account].history(symbol)
        return history.select_orders(from_id=from_order_id, period=period, limit=limit)

    def fills(self, account: str, symbol: str, query: FillQuery = EVERY_FILL) -> list[Fill]:
        """Fills of a symbol, oldest first (``myTrades``)."""
        self._market(symbol)
        return self._accounts[account].history(symbol).select_fills(query)

    def order_list(self, account: str, *, list_id: int | None = None, client_list_id: str | None = None) -> OrderList:
        """One order list, open or not.

        Raises:
            Refusal: -2013 where the account has none such.
        """
        found = self._accounts[account].lists.find(list_id, client_list_id)
        if found is None:
            raise no_such_order()
        return found.snapshot()

    def open_order_lists(self, account: str) -> list[OrderList]:
        """Open order lists of every symbol, oldest first."""
        return [order_list.snapshot() for order_list in self._accounts[account].lists.open.values()]

    def order_lists(
        self, account: str, *, from_id: int | None = None, period: Period = ALWAYS, limit: int = DEFAULT_LIMIT
    ) -> list[OrderList]:
        """Order lists, open or not (``allOrderList``): oldest first with ``from_id`` or the start of a period given,
        else the newest first."""
        return self._accounts[account].lists.select(from_id=from_id, period=period, limit=limit)

    def balances(self, account: str) -> tuple[Balance, ...]:
        """(asset, free, locked) in order of the assets' names."""
        return self._accounts[account].balances()

    def _market(self, symbol: str) -> SymbolMarket:
        market = self._markets.get(symbol)
        if market is None:
            raise invalid_symbol()
        return market

    # State

    def counters(self) -> Counters:
        """Ids that must go on where they stopped, of every symbol."""
        return msgspec.structs.replace(self.ids(), symbols=tuple(map(self.symbol_counters, self._markets)))

    def ids(self) -> Counters:
        """The counters that belong to no symbol; small and cheap, since a store writes them with every command."""
        return Counters(self._next_order_id, self._next_execution_id, self._next_list_id)

    def symbol_counters(self, symbol: str) -> SymbolCounters:
        """The counters of one symbol that trades here; a store writes those that a command may have moved."""
        market = self._markets[symbol]
        return SymbolCounters(
            symbol,
            market.last_trade_id,
            market.trade_shift,
            market.last_price,
            market.last_trade_ms,
            market.next_prevented_id,
            market.next_allocation_id,
            market.missed,
        )

    def state(self) -> EngineState:
        """Everything that a restart must not lose."""
        for market in self._markets.values():
            market.trails()
        histories = [history for account in self._accounts.values() for _, history in account.histories()]
        orders = [order.snapshot() for history in histories for order in history.orders.values()]
        fills = [fill for history in histories for fill in history.fills]
        lists = [kept.snapshot() for account in self._accounts.values() for kept in account.lists.lists.values()]
        # Both accounts of a prevented match keep it.
        prevented = {
            (each.symbol, each.prevented_match_id): each for history in histories for each in history.prevented
        }
        amendments = [each for history in histories for each in history.amendments]
        return EngineState(
            counters=self.counters(),
            statuses=tuple((name, each.rules.status) for name, each in self._markets.items() if not each.is_trading),
            accounts=tuple(
                AccountState(
                    account.account_id,
                    account.fees,
                    account.balances(),
                    account.terms,
                    account.trade_group_id,
                    account.realism,
                )
                for account in self._accounts.values()
            ),
            orders=tuple(sorted(orders, key=lambda order: order.order_id)),
            lists=tuple(sorted(lists, key=lambda order_list: order_list.list_id)),
            trails=tuple(trail for market in self._markets.values() for trail in market.trails()),
            fills=tuple(sorted(fills, key=_order_of_fill)),
            prevented=tuple(sorted(prevented.values(), key=lambda each: (each.symbol, each.prevented_match_id))),
            amendments=tuple(sorted(amendments, key=lambda each: each.execution_id)),
            queues=tuple(
                QueuePlace(resting.order.order_id, resting.ahead, resting.shown)
                for market in self._markets.values()
                for resting in market.resting()
            ),
        )

    def state_hash(self) -> str:
        """A fingerprint of the state, as hexadecimal text: see ``fingerprint``."""
        return fingerprint(self.state())

    def restore(self, state: EngineState) -> None:
        """Bring back what ``state`` (or a store that followed the events) kept. The engine must be fresh.

        Open orders return to the book behind everything that the source's book will show at their prices. Orders and
        counters of symbols that no longer trade here are kept with the account but not put on any book.

        Raises:
            ValueError: The engine already has accounts, or an account's locks are not what its open orders need.
        """
        if self._accounts:
            raise ValueError("only a fresh engine can be restored")
        for kept in state.accounts:
            free = {asset: amount for asset, amount, _ in kept.balances}
            locked = {asset: amount for asset, _, amount in kept.balances}
            self._accounts[kept.account] = account = Account(kept.account, Wallet(free, locked), kept.fees, kept.terms)
            account.trade_group_id = kept.trade_group_id
            account.realism = kept.realism
        self._restore_counters(state.counters)
        for symbol, status in state.statuses:
            if symbol in self._markets:
                self._markets[symbol].set_status(status)
        self._restore_orders(state)
        for order_list in state.lists:
            self._accounts[order_list.account].lists.add(order_list.snapshot())
            self._next_list_id = max(self._next_list_id, order_list.list_id + 1)
        self._restore_queues(state.queues)
        for prevented in state.prevented:
            for account_id in {prevented.account, prevented.maker_account}:
                self._accounts[account_id].history(prevented.symbol).prevented.append(prevented)
        for amendment in state.amendments:
            self._accounts[amendment.account].history(amendment.symbol).amendments.append(amendment)
        for fill in state.fills:
            self._accounts[fill.account].history(fill.symbol).fills.append(fill)
            self._next_order_id = max(self._next_order_id, fill.order_id + 1)
        self._check_locks()

    def _restore_counters(self, counters: Counters) -> None:
        self._next_order_id = counters.next_order_id
        self._next_execution_id = counters.next_execution_id
        self._next_list_id = counters.next_list_id
        for kept in counters.symbols:
            market = self._markets.get(kept.symbol)
            if market is not None:
                market.last_trade_id = kept.last_trade_id
                market.trade_shift = kept.trade_shift
                market.last_price = kept.last_price
                market.last_trade_ms = kept.last_trade_ms
                market.next_prevented_id = kept.next_prevented_id
                market.next_allocation_id = kept.next_allocation_id
                market.missed = kept.missed

    def _restore_orders(self, state: EngineState) -> None:
        at_work: list[Order] = []
        waiting: list[Order] = []
        for kept in state.orders:
            order = kept.snapshot()
            self._next_order_id = max(self._next_order_id, order.order_id + 1)
            self._accounts[order.account].history(order.symbol).add(order)
            if order.is_open and order.is_working and not order.held and order.order_list_id == NO_ORDER_LIST:
                order.held = needed_lock(order)  # From before orders said what they hold.
            if order.is_open and order.symbol in self._markets and order.status is not OrderStatus.PENDING_NEW:
                (at_work if order.is_working else waiting).append(order)
        for order in sorted(at_work, key=lambda each: (each.working_ms, each.order_id)):
            self._markets[order.symbol].side(order.side).add(order, ahead=UNKNOWN_QUEUE)
        trails = {(trail.symbol, trail.side): trail for trail in state.trails}
        for order in sorted(waiting, key=lambda each: (each.trailing_trade_id, each.order_id)):
            trail = trails.get((order.symbol, order.side))
            if trail is not None and order.trailing_ms:
                best = max if order.side is Side.SELL else min
                order.trailing_price = best(order.trailing_price, trail.followed(order))
            self._markets[order.symbol].wait(order, self._due, self._now_ms)

    def _restore_queues(self, places: tuple[QueuePlace, ...]) -> None:
        on_book = {
            resting.order.order_id: (market, resting)
            for market in self._markets.values()
            for resting in market.resting()
        }
        for place in places:
            found = on_book.get(place.order_id)
            if found is not None:
                market, resting = found
                market.side(resting.order.side).put_back(resting, place.ahead, place.shown)

    def _check_locks(self) -> None:
        for account in self._accounts.values():
            needs = dict.fromkeys(account.wallet.assets(), 0)
            open_orders = [order for _, history in account.histories() for order in history.open.values()]
            if any(order.symbol not in self._markets for order in open_orders):
                continue  # The assets of a symbol that is gone are not known.
            for order in open_orders:
                rules = self._markets[order.symbol].rules
                asset = rules.quote if order.side is Side.BUY else rules.base
                needs[asset] = needs.get(asset, 0) + order.held
            for asset, need in needs.items():
                if account.wallet.locked(asset) != need:
                    raise ValueError(f"account {account.account_id}: {asset} locked is not what its open orders need")
