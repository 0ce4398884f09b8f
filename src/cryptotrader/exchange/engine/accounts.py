"""Accounts: balances with locks, orders and fills."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

import msgspec

from cryptotrader.core.orders import OPEN_STATUSES, OrderType, Realism, Side
from cryptotrader.core.scaled import SCALE, mul_scaled
from cryptotrader.exchange.engine.contingent.list_history import ListHistory
from cryptotrader.exchange.engine.errors import INSUFFICIENT_BALANCE_TEXT, rejected
from cryptotrader.exchange.engine.events import Balance
from cryptotrader.exchange.engine.orders import NO_TRADE, Amendment, Fill, NewOrder, Order, PreventedMatch
from cryptotrader.exchange.engine.rules import Terms
from cryptotrader.exchange.engine.rules.commission import BASIS_POINT
from cryptotrader.exchange.engine.rules.commission import Fees as Fees

TAKE_ANY_PRICE = frozenset({OrderType.MARKET, OrderType.STOP_LOSS, OrderType.TAKE_PROFIT})
"""Types that execute as MARKET orders when they work."""

BASIS_POINTS = 10_000
"""Basis points in the whole."""

NO_TRADE_GROUP = -1
"""``tradeGroupId`` of an account that is in no trade group."""

MAX_KEPT_ORDERS = 20_000
"""Orders remembered per account and symbol. Unit: orders. Reason: bounds memory to some tens of megabytes; older closed
ones are only in the store."""

MAX_KEPT_FILLS = 20_000
"""Fills remembered per account and symbol. Unit: fills. Reason: as for orders."""


def waiting_lock(order: Order | NewOrder, last_price: int) -> int:
    """What an order that waits, or a new one that will, needs locked.

    Binance's documents do not say what a buy without a price of its own holds while it waits: here it is what it costs
    at the stop price, and without one at the last price.
    """
    qty = order.remaining if isinstance(order, Order) else order.qty
    if order.side is Side.SELL:
        return qty
    price = order.price or (order.stop.price if order.stop is not None else 0) or last_price
    return mul_scaled(price, qty)


_BUY = Side.BUY


def needed_lock(order: Order) -> int:
    """What an order that works at its own price needs locked: quote for a buy, base for a sell.

    One that takes any price is done at once, so it needs nothing.
    """
    if order.type in TAKE_ANY_PRICE:
        return 0
    left = order.qty - order.executed - order.prevented_qty
    return order.price * left // SCALE if order.side is _BUY else left


class Wallet:
    """Free and locked amounts of each asset. Neither is ever negative."""

    __slots__ = ("_free", "_locked")

    def __init__(self, free: Mapping[str, int], locked: Mapping[str, int] | None = None) -> None:
        self._free = dict(free)
        self._locked = dict(locked or {})
        if any(amount < 0 for amounts in (self._free, self._locked) for amount in amounts.values()):
            raise ValueError("a balance is negative")

    def free(self, asset: str) -> int:
        """What can be used."""
        return self._free.get(asset, 0)

    def locked(self, asset: str) -> int:
        """What open orders hold."""
        return self._locked.get(asset, 0)

    def assets(self) -> list[str]:
        """Every asset that was ever held, in order of name."""
        return sorted(self._free.keys() | self._locked.keys())

    def balance(self, asset: str) -> Balance:
        """(asset, free, locked)."""
        return asset, self._free.get(asset, 0), self._locked.get(asset, 0)

    def balances_of(self, assets: tuple[str, ...]) -> tuple[Balance, ...]:
        """``balance`` of several."""
        free, locked = self._free.get, self._locked.get
        if len(assets) == 2:
            # Those of one symbol, nearly always: a comprehension takes half a microsecond more.
            base, quote = assets
            return (base, free(base, 0), locked(base, 0)), (quote, free(quote, 0), locked(quote, 0))
        return tuple([(asset, free(asset, 0), locked(asset, 0)) for asset in assets])

    def require(self, asset: str, amount: int) -> None:
        """Make sure that an amount is free.

        Raises:
            Refusal: -2010 where it is not.
        """
        if self._free.get(asset, 0) < amount:
            raise rejected(INSUFFICIENT_BALANCE_TEXT)

    def lock(self, asset: str, amount: int) -> None:
        """Move from free to locked; a negative amount moves back."""
        free = self._free.get(asset, 0) - amount
        locked = self._locked.get(asset, 0) + amount
        if free < 0 or locked < 0:
            raise ValueError(f"balance of {asset} would become negative")
        self._free[asset] = free
        self._locked[asset] = locked

    def trade(self, paid_asset: str, paid: int, released: int, got_asset: str, got: int) -> None:
        """One side of a trade: pay, of what was locked first, and receive.

        Args:
            paid_asset: What is given.
            paid: How much.
            released: How much less of it is locked from now on.
            got_asset: What is received.
            got: How much, less fees.
        """
        free, locked = self._free, self._locked
        left = free.get(paid_asset, 0) + released - paid
        kept = locked.get(paid_asset, 0) - released
        if left < 0 or kept < 0:
            raise ValueError(f"balance of {paid_asset} would become negative")
        free[paid_asset] = left
        locked[paid_asset] = kept
        free[got_asset] = free.get(got_asset, 0) + got

    def credit(self, asset: str, amount: int) -> None:
        """Add to what is free; a negative amount takes."""
        free = self._free.get(asset, 0) + amount
        if free < 0:
            raise ValueError(f"balance of {asset} would become negative")
        self._free[asset] = free


class Period(msgspec.Struct, frozen=True):
    """A span of time, both ends included, epoch ms; None leaves an end open."""

    start_ms: int | None = None
    end_ms: int | None = None

    def holds(self, time_ms: int) -> bool:
        """Whether a time lies within."""
        return (self.start_ms is None or time_ms >= self.start_ms) and (self.end_ms is None or time_ms <= self.end_ms)


ALWAYS = Period()


class FillQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which fills of a symbol are asked for (``myTrades``)."""

    order_id: int | None = None
    from_trade_id: int | None = None
    period: Period = ALWAYS
    limit: int
    """Most rows."""


class History:
    """One account's orders and fills in one symbol, oldest first, bounded."""

    def __init__(self) -> None:
        self.orders: dict[int, Order] = {}
        self.open: dict[int, Order] = {}
        self.fills: deque[Fill] = deque(maxlen=MAX_KEPT_FILLS)
        self.prevented: deque[PreventedMatch] = deque(maxlen=MAX_KEPT_FILLS)
        """Those in which it was on either side, oldest first."""
        self.amendments: deque[Amendment] = deque(maxlen=MAX_KEPT_FILLS)
        self._by_client_id: dict[str, int] = {}
        self._closed: deque[int] = deque()
        """Ids of the closed orders that are remembered, in the order in which they closed."""

    def add(self, order: Order) -> None:
        """Remember a new order; forgets the one that closed first when full."""
        self.orders[order.order_id] = order
        self._by_client_id[order.client_order_id] = order.order_id
        if order.status in OPEN_STATUSES:
            self.open[order.order_id] = order
        else:
            self._closed.append(order.order_id)
        if len(self.orders) > MAX_KEPT_ORDERS and self._closed:
            oldest = self.orders.pop(self._closed.popleft())
            if self._by_client_id.get(oldest.client_order_id) == oldest.order_id:
                del self._by_client_id[oldest.client_order_id]

    def close(self, order: Order) -> None:
        """An order is no longer open."""
        if self.open.pop(order.order_id, None) is not None:
            self._closed.append(order.order_id)

    def rename(self, order: Order, client_order_id: str) -> None:
        """An order gets another client order id; the old one finds it no more."""
        if self._by_client_id.get(order.client_order_id) == order.order_id:
            del self._by_client_id[order.client_order_id]
        order.client_order_id = client_order_id
        self._by_client_id[client_order_id] = order.order_id

    def by_client_id(self, client_order_id: str) -> Order | None:
        """The newest order that bears a client order id."""
        order_id = self._by_client_id.get(client_order_id)
        return None if order_id is None else self.orders.get(order_id)

    def bears_open(self, client_order_id: str) -> bool:
        """Whether an open order bears a client order id."""
        order = self.by_client_id(client_order_id)
        return order is not None and order.is_open

    def find(self, order_id: int | None, client_order_id: str | None) -> Order | None:
        """The order that bears the ids given; where both are given, both must fit."""
        if order_id is None:
            return None if client_order_id is None else self.by_client_id(client_order_id)
        order = self.orders.get(order_id)
        if order is not None and client_order_id is not None and order.client_order_id != client_order_id:
            return None
        return order

    def select_orders(self, *, from_id: int | None, period: Period, limit: int) -> list[Order]:
        """Copies, oldest first: from an order id on, else the newest ``limit`` accepted within the period."""
        found = [order for order in self.orders.values() if period.holds(order.time_ms)]
        if from_id is not None:
            found = [order for order in found if order.order_id >= from_id]
        chosen = found[:limit] if from_id is not None or period.start_ms is not None else found[-limit:]
        return [order.snapshot() for order in chosen]

    def select_fills(self, query: FillQuery) -> list[Fill]:
        """Trades, oldest first: from a trade id on, else the newest ``limit`` within the period. No allocations."""
        found = [fill for fill in self.fills if fill.allocation_id == NO_TRADE and query.period.holds(fill.time_ms)]
        if query.order_id is not None:
            found = [fill for fill in found if fill.order_id == query.order_id]
        if query.from_trade_id is not None:
            found = [fill for fill in found if fill.trade_id >= query.from_trade_id]
        from_the_start = query.from_trade_id is not None or query.period.start_ms is not None
        return found[: query.limit] if from_the_start else found[-query.limit :]


class Account:
    """Balances, fees, terms, orders and fills of one account."""

    def __init__(self, account_id: str, wallet: Wallet, fees: Fees, terms: Terms | None = None) -> None:
        self.account_id = account_id
        self.wallet = wallet
        self.set_fees(fees)
        self.terms = terms or Terms()
        self.lists = ListHistory()
        self.trade_group_id = NO_TRADE_GROUP
        """Accounts of one group are prevented from trading with each other as an account is with itself."""
        self.realism = Realism.REALISTIC
        self._histories: dict[str, History] = {}

    def set_fees(self, fees: Fees) -> None:
        """What it pays from the next fill on."""
        self.fees = fees
        self.plain_rates = (
            (min(fees.taker_bps * BASIS_POINT, SCALE), min(fees.maker_bps * BASIS_POINT, SCALE))
            if fees.is_plain
            else None
        )
        """Scaled rates of a taker and of a maker, where there is nothing but the standard commission."""

    def history(self, symbol: str) -> History:
        """Orders and fills in a symbol."""
        found = self._histories.get(symbol)
        if found is None:
            found = self._histories[symbol] = History()
        return found

    def histories(self) -> Iterable[tuple[str, History]]:
        """Every symbol that this account has traded."""
        return self._histories.items()

    def balances(self) -> tuple[Balance, ...]:
        """All balances in order of name."""
        return tuple(self.wallet.balance(asset) for asset in self.wallet.assets())
