"""What a restart must not lose."""

from __future__ import annotations

import msgspec

from cryptotrader.core.orders import Realism
from cryptotrader.exchange.engine.accounts import NO_TRADE_GROUP, Fees
from cryptotrader.exchange.engine.events import Balance
from cryptotrader.exchange.engine.order_lists import OrderList
from cryptotrader.exchange.engine.orders import Amendment, Fill, Order, PreventedMatch, Trail
from cryptotrader.exchange.engine.rules import Terms


class SymbolCounters(msgspec.Struct, frozen=True):
    """What must go on where it stopped in one symbol."""

    symbol: str
    last_trade_id: int
    trade_shift: int
    """How many public trades users added: later trade ids of the source are this much higher."""
    last_price: int
    last_trade_ms: int
    next_prevented_id: int = 0
    next_allocation_id: int = 0
    missed: int = 0
    """How many trades of the source were not listened to: later trade ids of the source are this much lower."""


class Counters(msgspec.Struct, frozen=True):
    """Ids to give next. Small: a store writes it with every commit."""

    next_order_id: int = 1
    next_execution_id: int = 1
    next_list_id: int = 1
    symbols: tuple[SymbolCounters, ...] = ()


class AccountState(msgspec.Struct, frozen=True):
    """One account without its orders."""

    account: str
    fees: Fees
    balances: tuple[Balance, ...]
    terms: Terms = Terms()
    trade_group_id: int = NO_TRADE_GROUP
    realism: Realism = Realism.REALISTIC


class QueuePlace(msgspec.Struct, frozen=True):
    """Where an order on the book stands. Without it a restored order waits behind all that the source shows."""

    order_id: int
    ahead: int
    """External quantity ahead of it, scaled."""
    shown: int
    """What the public sees of it, scaled: the slice of an iceberg."""


class EngineState(msgspec.Struct, frozen=True):
    """Everything that a restart must not lose. The external book comes back from the market source."""

    counters: Counters = Counters()
    accounts: tuple[AccountState, ...] = ()
    statuses: tuple[tuple[str, str], ...] = ()
    """(symbol, status) of those that do not trade."""
    orders: tuple[Order, ...] = ()
    """Oldest first; ``Order.fills`` may be left empty."""
    fills: tuple[Fill, ...] = ()
    """Oldest first."""
    lists: tuple[OrderList, ...] = ()
    """Oldest first."""
    trails: tuple[Trail, ...] = ()
    """How far trailing orders have followed the price."""
    prevented: tuple[PreventedMatch, ...] = ()
    """Oldest first."""
    amendments: tuple[Amendment, ...] = ()
    """Oldest first."""
    queues: tuple[QueuePlace, ...] = ()
    """Orders on the books in the order of their queues. Events do not tell of changes."""
