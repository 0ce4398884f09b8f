"""What the journal would hold after the events of an engine, and the engine that comes of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import cast

from cryptotrader.exchange.accounts import PaperAccount
from cryptotrader.exchange.engine.engine import Engine
from cryptotrader.exchange.engine.events import (
    BalanceAdjusted,
    BalancesChanged,
    Event,
    ListUpdate,
    OrderKept,
    OrderUpdate,
    TradePrinted,
    TrailMoved,
)
from cryptotrader.exchange.records import Records
from cryptotrader.exchange.store import Row, Store
from cryptotrader.ledger.entries import apply_entry, pack_entry
from tests.support.twin.world import an_engine

_KEPT = (OrderUpdate, ListUpdate, BalancesChanged, BalanceAdjusted, OrderKept, TrailMoved)


class Kept:
    """A journal in memory that follows the events as the venue's does."""

    def __init__(self, accounts: Iterable[PaperAccount]) -> None:
        self.entries: list[bytes] = []
        self._records = Records(None)
        for account in accounts:
            balances = [(asset, amount, 0) for asset, amount in account.balances.items()]
            self._write("open", [self._records.account(account), *self._records.balances(account.id, balances)])

    def _write(self, command: str, rows: list[Row]) -> None:
        self.entries.append(pack_entry(command, 0, dict(rows)))

    def account(self, account: PaperAccount) -> None:
        """An account changed."""
        self._write("account", [self._records.account(account)])

    def status(self, symbol: str, status: str) -> None:
        """A symbol was halted, or trades again."""
        self._write("status", [self._records.status(symbol, status)])

    def follow(self, events: list[Event], engine: Engine) -> None:
        """A command or market event happened."""
        kept = [event for event in events if isinstance(event, _KEPT)]
        symbols = {event.trade.symbol for event in events if isinstance(event, TradePrinted)}
        symbols |= {event.order.symbol for event in events if isinstance(event, OrderUpdate)}
        if kept:
            rows = self._records.outcome(kept)
            rows.append(self._records.ids(engine.ids()))
            rows.extend(self._records.symbol(engine.symbol_counters(symbol)) for symbol in sorted(symbols))
            self._write("command", rows)

    def replayed(self) -> Engine:
        """An engine from the journal alone."""
        rows: dict[bytes, bytes] = {}
        for entry in self.entries:
            apply_entry(entry, rows)
        engine = an_engine()
        engine.restore(Records(cast(Store, _Rows(rows))).load().state)
        return engine


class _Rows:
    """Rows, asked as a store is."""

    path = Path("journal")

    def __init__(self, rows: dict[bytes, bytes]) -> None:
        self._rows = rows

    def read(self, kind: str) -> list[tuple[str, bytes]]:
        """As ``Store.read``."""
        found = []
        for head, data in self._rows.items():
            name, key, _ = head.decode().split("\0")
            if name == kind:
                found.append((key, data))
        return sorted(found)

    def each(self, kind: str) -> Iterator[bytes]:
        """As ``Store.each``."""
        return (data for _, data in self.read(kind))
