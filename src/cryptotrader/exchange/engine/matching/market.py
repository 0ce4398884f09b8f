"""One symbol's market: both sides of the book, public ids, last and average price."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

import msgspec

from cryptotrader.core.events import BookSnapshot, BookTicker, DepthDiff, Level, Trade
from cryptotrader.core.orders import Side
from cryptotrader.exchange.engine.contingent.triggers import Due, Triggers
from cryptotrader.exchange.engine.matching.book import BookSide, Resting
from cryptotrader.exchange.engine.matching.grouped import Grouped
from cryptotrader.exchange.engine.matching.reference import ReferencePrice
from cryptotrader.exchange.engine.orders import Order, Trail
from cryptotrader.exchange.engine.rules import SymbolRules, SymbolStatus
from cryptotrader.exchange.engine.rules.commission import Prices, no_prices

AVERAGE_BUCKET_MS = 10_000
"""Grain of the average price's window. Unit: ms. Reason: thirty buckets cover five minutes well enough."""

MS_PER_MINUTE = 60_000

_BUY = Side.BUY


class AveragePrice:
    """Volume-weighted average of the public trades of the last minutes."""

    def __init__(self, minutes: int) -> None:
        self._window_ms = minutes * MS_PER_MINUTE
        self._buckets: deque[list[int]] = deque()
        """[number of the bucket, quantity, notional]."""
        self._qty = 0
        self._notional = 0

    def add(self, price: int, qty: int, time_ms: int) -> None:
        """Count one trade."""
        notional = price * qty
        self._qty += qty
        self._notional += notional
        if self._buckets:
            newest = self._buckets[-1]
            if newest[0] * AVERAGE_BUCKET_MS > time_ms - AVERAGE_BUCKET_MS:
                newest[1] += qty
                newest[2] += notional
                return
        self._buckets.append([time_ms // AVERAGE_BUCKET_MS, qty, notional])
        self._forget(time_ms)

    def value(self, now_ms: int) -> int | None:
        """The average, or None where nothing traded within the window."""
        buckets = self._buckets
        if buckets and buckets[0][0] < (now_ms - self._window_ms) // AVERAGE_BUCKET_MS:
            self._forget(now_ms)
        return self._notional // self._qty if self._qty else None

    def _forget(self, now_ms: int) -> None:
        buckets = self._buckets
        if not buckets:
            return
        oldest = (now_ms - self._window_ms) // AVERAGE_BUCKET_MS
        while buckets and buckets[0][0] < oldest:
            _, qty, notional = self._buckets.popleft()
            self._qty -= qty
            self._notional -= notional


class SymbolMarket:
    """Book, public trade ids and prices of one symbol.

    Public ids: update ids are the source's own. A trade of users takes the next public trade id, so later trades of the
    source are shifted by one each (``trade_shift``); a source's trade that users filled completely is shown as theirs
    and gives its id away.
    """

    def __init__(self, rules: SymbolRules) -> None:
        self.rules = rules
        self.assets = (rules.base, rules.quote)
        self.bids = BookSide(Side.BUY)
        self.asks = BookSide(Side.SELL)
        self.last_id = 0
        self.has_book = False
        self.last_price = 0
        self.last_trade_id = 0
        self.last_trade_ms = 0
        self.trade_shift = 0
        self.top_id = 0
        self.top: tuple[Level | None, Level | None] = (None, None)
        self.is_still = False
        """The symbol does not trade, or has not yet seen its source's book since it does again."""
        self.is_behind = False
        """The source may have traded while nobody listened: its next trade gets the next public id all the same."""
        self.missed = 0
        """How many trades of the source were not listened to."""
        self.fresh_from = 0
        """Changes up to this update id are in the book already that ended a standstill."""
        self.prices: Prices = no_prices
        """Last prices of every symbol, for commission that is paid in another asset."""
        self.waiting: Triggers | None = None
        """Orders that wait for a price; None while there are none."""
        self.accounts: Mapping[str, Grouped] = {}
        """Every account of the exchange by id, for what two of them have in common."""
        self.next_prevented_id = 0
        """``preventedMatchId`` of the next trade that self-trade prevention prevents."""
        self.next_allocation_id = 0
        """``allocId`` of the next fill by smart order routing."""
        self._average = AveragePrice(rules.avg_price_mins)
        self._has_window = rules.avg_price_mins > 0
        self._reference = ReferencePrice(rules.reference) if rules.reference is not None else None

    @property
    def is_trading(self) -> bool:
        """Whether new orders are accepted and anything may trade."""
        return self.rules.status == SymbolStatus.TRADING

    def set_status(self, status: str) -> None:
        """Let the symbol trade or stop it.

        Raises:
            ValueError: There is no such status.
        """
        self.rules = msgspec.structs.replace(self.rules, status=SymbolStatus(status).value)
        self.is_still = self.is_still or not self.is_trading
        self.is_behind = self.is_behind or self.is_still

    @property
    def is_plain(self) -> bool:
        """Whether the displayed book is the source's."""
        return self.bids.is_plain and self.asks.is_plain

    @property
    def has_orders(self) -> bool:
        """Whether users have orders on the book."""
        return self.bids.has_orders or self.asks.has_orders

    def is_ahead_of(self, bid: int, ask: int) -> bool:
        """Whether users changed something at or before these best prices that no diff has told of yet; 0 for none."""
        return any(price >= bid for price in self.bids.unshown) or any(
            not ask or price <= ask for price in self.asks.unshown
        )

    def side(self, side: Side) -> BookSide:
        """Bids for BUY, asks for SELL."""
        return self.bids if side is _BUY else self.asks

    def levels(self, side: Side, limit: int | None = None) -> list[Level]:
        """Displayed levels, best first."""
        return self.side(side).levels(limit)

    def resting(self) -> list[Resting]:
        """Users' orders on both sides, each side in order of price and time."""
        return [
            resting
            for book in (self.bids, self.asks)
            for price in book.all_order_prices()
            for resting in book.queue(price)
        ]

    # Depth

    def apply(self, diff: DepthDiff) -> None:
        """Take over the source's absolute quantities."""
        for book, levels in ((self.bids, diff.bids), (self.asks, diff.asks)):
            set_external = book.set_external
            for price, quantity in levels:
                set_external(price, quantity, diff.event_ms)
            book.settle_early(diff.last_id)
        self.last_id = diff.last_id
        self.has_book = True

    def show(self, diff: DepthDiff) -> DepthDiff:
        """The diff that the public sees for a source's diff."""
        return DepthDiff(
            symbol=diff.symbol,
            first_id=diff.first_id,
            last_id=diff.last_id,
            bids=self.bids.merged(diff.bids),
            asks=self.asks.merged(diff.asks),
            event_ms=diff.event_ms,
        )

    def replace(self, snapshot: BookSnapshot) -> None:
        """Take over a whole book of the source; what differs from before becomes unshown."""
        for book, levels in ((self.bids, snapshot.bids), (self.asks, snapshot.asks)):
            prices = {*book.external_prices(), *(price for price, _ in levels)}
            before = {price: book.displayed(price) for price in prices}
            book.replace_external(levels)
            if self.has_book:
                book.unshown.update(price for price in prices if book.displayed(price) != before[price])
        self.has_book = True

    def displayed_top(self) -> tuple[Level | None, Level | None]:
        """Best displayed bid and ask."""
        return self.bids.best(), self.asks.best()

    def ticker(self, update_id: int, top: tuple[Level | None, Level | None]) -> BookTicker:
        """A book ticker; an empty side shows zeros."""
        bid, ask = top
        self.top_id = update_id
        self.top = top
        return BookTicker(
            symbol=self.rules.symbol,
            update_id=update_id,
            bid=bid[0] if bid else 0,
            bid_qty=bid[1] if bid else 0,
            ask=ask[0] if ask else 0,
            ask_qty=ask[1] if ask else 0,
        )

    # Trades

    def public_id(self, trade: Trade) -> int:
        """The id that a source's trade has for the public."""
        return trade.trade_id + self.trade_shift - self.missed

    def print_external(self, trade: Trade, qty: int) -> Trade | None:
        """What the public sees of a source's trade of which users left ``qty``."""
        if self.is_behind:
            self.is_behind = self.is_still
            self.missed = trade.trade_id + self.trade_shift - self.last_trade_id - 1 if self.last_trade_id else 0
        if not qty:
            self.trade_shift -= 1
            return None
        trade_id = self.public_id(trade)
        self._note(trade_id, trade.price, qty, trade.time_ms)
        if trade_id == trade.trade_id and qty == trade.qty:
            return trade
        return Trade(
            symbol=trade.symbol,
            trade_id=trade_id,
            price=trade.price,
            qty=qty,
            time_ms=trade.time_ms,
            buyer_is_maker=trade.buyer_is_maker,
            event_ms=trade.event_ms,
        )

    def print_user(self, price: int, qty: int, *, buyer_is_maker: bool, now_ms: int) -> Trade:
        """A trade in which a user took part: the next public trade id."""
        self.trade_shift += 1
        trade = Trade(self.rules.symbol, self.last_trade_id + 1, price, qty, now_ms, buyer_is_maker, now_ms)
        self._note(trade.trade_id, price, qty, now_ms)
        return trade

    def _note(self, trade_id: int, price: int, qty: int, time_ms: int) -> None:
        self.last_trade_id = trade_id
        self.last_price = price
        self.last_trade_ms = time_ms
        self._average.add(price, qty, time_ms)
        if self._reference is not None:
            self._reference.add(price, time_ms)
        if self.waiting is not None:
            self.waiting.pass_price(price, trade_id, time_ms)

    def reference_price(self, now_ms: int) -> int | None:
        """The reference price; None where the symbol has none, or nothing traded within its window."""
        return None if self._reference is None else self._reference.value(now_ms)

    def price_bounds(self, side: Side, now_ms: int) -> tuple[int, int]:
        """Between which prices an order that enters now may trade, both allowed; 0 for no bound."""
        price_range = self.rules.price_range
        if price_range is None or self._reference is None:
            return 0, 0
        reference = self._reference.value(now_ms)
        return (0, 0) if reference is None else price_range.bounds(side, reference)

    # Waiting orders

    def wait(self, order: Order, due: Due, now_ms: int) -> None:
        """An order begins to wait for a price. What a trade triggers is put to what is due."""
        if self.waiting is None:
            self.waiting = Triggers(self.rules.symbol, due)
        self.waiting.add(order, self.last_price, self.last_trade_id, now_ms)

    def trails(self) -> tuple[Trail, ...]:
        """How far trailing orders have followed the price; their own records are brought up to it."""
        return () if self.waiting is None else self.waiting.trails()

    def stop_waiting(self, order: Order) -> None:
        """An order waits no more."""
        if self.waiting is not None:
            self.waiting.discard(order)
            if not self.waiting:
                self.waiting = None

    def filter_price(self, now_ms: int) -> int | None:
        """What filters measure an order's price and value by: the reference price where there is one, else the average.

        Source: ``filters.md``, PERCENT_PRICE and its kind.
        """
        if self._reference is not None:
            reference = self._reference.value(now_ms)
            if reference is not None:
                return reference
        elif self._has_window:
            average = self._average.value(now_ms)
            if average is not None:
                return average
        return self.average_price(now_ms)

    def average_price(self, now_ms: int) -> int | None:
        """Average of the window; the last price where nothing traded in it; the middle of the book before any trade.

        None where not even a book is known. Filters that need it then let the order pass.
        """
        if self._has_window:
            average = self._average.value(now_ms)
            if average is not None:
                return average
        if self.last_price:
            return self.last_price
        bid, ask = self.displayed_top()
        if bid and ask:
            return (bid[0] + ask[0]) // 2
        return None
