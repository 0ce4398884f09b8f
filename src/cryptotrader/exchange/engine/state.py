"""The engine's state as plain data, for a store to keep and to bring back after the process was killed."""

from __future__ import annotations

import msgspec

from cryptotrader.exchange.engine.accounts import Fees
from cryptotrader.exchange.engine.events import Balance
from cryptotrader.exchange.engine.orders import Fill, Order


class SymbolCounters(msgspec.Struct, frozen=True):
    """What must go on where it stopped in one symbol."""

    symbol: str
    last_trade_id: int
    trade_shift: int
    """How many public trades users added: later trade ids of the source are this much higher."""
    last_price: int
    last_trade_ms: int


class Counters(msgspec.Struct, frozen=True):
    """Ids to give next. Small: a store writes it with every commit."""

    next_order_id: int = 1
    next_execution_id: int = 1
    symbols: tuple[SymbolCounters, ...] = ()


class AccountState(msgspec.Struct, frozen=True):
    """One account without its orders."""

    account: str
    fees: Fees
    balances: tuple[Balance, ...]


class EngineState(msgspec.Struct, frozen=True):
    """Everything that a restart must not lose. The external book comes back from the market source."""

    counters: Counters = Counters()
    accounts: tuple[AccountState, ...] = ()
    orders: tuple[Order, ...] = ()
    """Oldest first; ``Order.fills`` may be left empty."""
    fills: tuple[Fill, ...] = ()
    """Oldest first."""
