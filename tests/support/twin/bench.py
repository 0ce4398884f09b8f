"""The engine beside its naive twin: every command is done to both, and everything that can be seen must be equal."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

import msgspec

from cryptotrader.core.events import BookSnapshot, BookTicker, DepthDiff, Level, Trade
from cryptotrader.core.orders import Realism
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.engine.events import Event
from cryptotrader.exchange.engine.order_lists import CancelList
from cryptotrader.exchange.engine.state import EngineState
from tests.support.twin.checks import Checks
from tests.support.twin.commands import Command
from tests.support.twin.exchange import Twin
from tests.support.twin.kept import Kept
from tests.support.twin.model import Refused
from tests.support.twin.world import ACCOUNTS, HIGH, LOW, MIDDLE, ROUTED, RULES, STEPS, SYMBOLS, TICK, an_engine

START_MS = 1_700_000_000_000
EVERY = 50
"""Commands after which state is restored and the journal replayed."""


class Bench:
    """One session."""

    def __init__(self) -> None:
        self.engine = an_engine()
        self.twin = Twin(RULES, ROUTED)
        self.accounts = {account.id: account for account in ACCOUNTS}
        for account in ACCOUNTS:
            self.engine.open_account(account.id, account.balances, account.fees)
            self.twin.open_account(account.id, dict(account.balances), account.fees)
        self.kept = Kept(ACCOUNTS)
        self.now_ms = START_MS
        self.update_id = 1
        self.source_trade_ids = dict.fromkeys(SYMBOLS, 100)
        self.source_trades: dict[str, Trade] = {}
        """The last one of each symbol: what a source tells at a start."""
        self.done: Counter[str] = Counter()
        self.checks = Checks(self.engine, self.twin)
        self.log: list[Event] = []
        for symbol, step in STEPS.items():
            self.engine.on_snapshot(BookSnapshot(symbol, 1, (), ()), self.now_ms)
            self.source_trades[symbol] = Trade(symbol, 100, TICK * MIDDLE, step, 1, True, 1)
            self.engine.prime(self.source_trades[symbol])
            self.twin.last[symbol] = TICK * MIDDLE

    def run(self, command: Command) -> None:
        """Do one command to both and compare."""
        self.now_ms += command.wait_ms
        self.twin.now_ms = self.now_ms
        if command.kind == "restart" and self.twin.still:
            return  # Places behind a book that is not shown are the engine's own memory.
        self.twin.fills.clear()
        self.twin.preventions.clear()
        self.twin.changed.clear()
        self.done[command.kind] += 1
        try:
            self.to_twin(command)
        except Refused as refused:
            self.refuse(command, refused)
            return
        try:
            events = self.to_engine(command)
        except (Refusal, ValueError) as error:
            raise AssertionError(f"the engine refuses what the twin does: {error}") from error
        self.log.extend(events)
        self.kept.follow(events, self.engine)
        self.checks.after(events)
        if not self.done.total() % EVERY:
            self.check_restarts()

    def refuse(self, command: Command, refused: Refused) -> None:
        """The twin refuses: so must the engine, and change nothing."""
        before = self.engine.state_hash()
        try:
            self.to_engine(command)
        except (Refusal, ValueError) as error:
            self.done["refused: " + str(error)] += 1
            assert self.engine.state_hash() == before, "a refusal changed something"
            self.checks.after([])
            return
        raise AssertionError(f"the engine does what the twin refuses: {refused}")

    def check_restarts(self) -> None:
        """State and journal lead to engines with the same state."""
        state, fingerprint = self.engine.state(), self.engine.state_hash()
        fresh = an_engine()
        fresh.restore(state)
        assert _without_trails(fresh.state()) == _without_trails(state), "state() after restore() is another one"
        assert fresh.state_hash() == fingerprint, "another hash after restore()"
        assert self.kept.replayed().state_hash() == fingerprint, "another hash after a replay of the journal"
        self.checks.everything()

    # Both sides

    def to_twin(self, command: Command) -> None:
        """Do it to the twin."""
        twin, what, account = self.twin, command.what, command.account
        match command.kind:
            case "check":
                order = twin.made(account, what)
                twin.check_new(order, what.quote_order_qty)
            case "cancel_list":
                twin.cancel_list(account, *what)
            case "adjust":
                twin.adjust(account, *what)
            case "status":
                twin.set_status(*what)
            case "realism":
                twin.accounts[account].realism = what
            case "group":
                twin.accounts[account].group = what
            case "fees":
                fees = dataclasses.replace(self.accounts[account], pays_in_bnb=what).fees
                twin.accounts[account].fees = fees
            case "restart":
                twin.restart(self.restart(from_state=what), keeps_places=what)
            case "snapshot":
                symbol, bids, asks = self.levels(what, is_whole=True)
                twin.show_all(symbol, bids, asks)
            case "depth":
                symbol, bids, asks = self.levels(what, is_whole=False)
                twin.show(symbol, bids, asks, self.update_id + 3)
            case "trade":
                symbol, tick, lots, sells = what
                twin.trade(symbol, tick * TICK, lots * STEPS[symbol], sells=sells)
            case "ticker":
                symbol, (bid, bid_lots), (ask, ask_lots), ahead = what
                step = STEPS[symbol]
                best = ((bid * TICK, bid_lots * step), (ask * TICK, ask_lots * step))
                twin.ticker(symbol, best, self.update_id + ahead)
            case kind:
                getattr(twin, kind)(account, what)

    def to_engine(self, command: Command) -> list[Event]:
        """Do it to the engine."""
        engine, what, account, now_ms = self.engine, command.what, command.account, self.now_ms
        match command.kind:
            case "check":
                engine.check(account, what, now_ms)
                return []
            case "cancel_list":
                symbol, client = what
                return engine.cancel_list(account, CancelList(symbol=symbol, client_list_id=client), now_ms)[-1]
            case "adjust":
                asset, delta = what
                return engine.adjust(account, asset, delta, now_ms)
            case "status":
                symbol, status = what
                events = engine.set_status(symbol, status, now_ms)
                self.kept.status(symbol, status)
                return events
            case "realism":
                engine.set_realism(account, Realism(what))
                self.change_account(account, realism=what)
            case "group":
                engine.set_trade_group(account, what)
                self.change_account(account, trade_group=what)
            case "fees":
                self.change_account(account, pays_in_bnb=what)
                engine.set_fees(account, self.accounts[account].fees)
            case "restart":
                return self.show_books()
            case "snapshot" | "depth" | "trade" | "ticker":
                return self.from_source(command.kind, what)
            case kind:
                answer: list[Event] = getattr(engine, kind)(account, what, now_ms)[-1]
                return answer
        return []

    def restart(self, *, from_state: bool) -> dict[str, list[tuple[int, int]]]:
        """Another engine goes on, from the state or from the journal; which trades the source reminds it of."""
        reminded: dict[str, list[tuple[int, int]]] = {}
        if from_state:
            engine = an_engine()
            engine.restore(self.engine.state())
        else:
            engine = self.kept.replayed()
            self.checks.are_fills_apart = True
        for symbol, trade in self.source_trades.items():
            before = engine.next_trade_id(symbol)
            engine.prime(trade)
            if engine.next_trade_id(symbol) != before:
                reminded[symbol] = [(trade.time_ms, trade.price)]
        self.engine = self.checks.engine = engine
        return reminded

    def show_books(self) -> list[Event]:
        """After a restart."""
        engine, events = self.engine, []
        for symbol in SYMBOLS:
            self.update_id += 1
            bids, asks = (self.twin.halves[symbol][side].external for side in ("BUY", "SELL"))
            low, high = (tuple(sorted((at, qty) for at, qty in each.items() if qty)) for each in (bids, asks))
            events += engine.on_snapshot(BookSnapshot(symbol, self.update_id, low[::-1], high), self.now_ms)
            self.checks.look_anew(symbol)
        return events

    def change_account(self, name: str, **changes: Any) -> None:
        """The journal hears of it as it does from the roster."""
        self.accounts[name] = dataclasses.replace(self.accounts[name], **changes)
        self.kept.account(self.accounts[name])

    def from_source(self, kind: str, what: Any) -> list[Event]:
        """A market event; here it gets its ids."""
        engine, now_ms, symbol = self.engine, self.now_ms, what[0]
        if kind == "trade":
            _, tick, lots, sells = what
            self.source_trade_ids[symbol] += 1
            number = self.source_trade_ids[symbol]
            trade = Trade(symbol, number, tick * TICK, lots * STEPS[symbol], now_ms, sells, now_ms)
            self.source_trades[symbol] = trade
            return engine.on_trade(trade, now_ms)
        if kind == "ticker":
            _, (bid, bid_lots), (ask, ask_lots), ahead = what
            step = STEPS[symbol]
            best = (bid * TICK, bid_lots * step, ask * TICK, ask_lots * step)
            return engine.on_book_ticker(BookTicker(symbol, self.update_id + ahead, *best), now_ms)
        _, bids, asks = self.levels(what, is_whole=kind == "snapshot")
        first = self.update_id + 1
        self.update_id += 3
        if kind == "snapshot":
            return engine.on_snapshot(BookSnapshot(symbol, self.update_id, bids, asks), now_ms)
        return engine.on_depth(DepthDiff(symbol, first, self.update_id, bids, asks, now_ms), now_ms)

    @staticmethod
    def levels(what: Any, *, is_whole: bool) -> tuple[str, tuple[Level, ...], tuple[Level, ...]]:
        """A source's book that is not crossed itself: bids below the middle, asks above; a diff takes the rest away."""
        symbol, middle, bids, asks = what
        step = STEPS[symbol]
        low = {tick: lots for tick, lots in bids if tick < middle}
        high = {tick: lots for tick, lots in asks if tick > middle}
        if not is_whole:
            low |= dict.fromkeys(range(middle, HIGH + 1), 0)
            high |= dict.fromkeys(range(LOW, middle + 1), 0)
        shown = [
            tuple((tick * TICK, lots * step) for tick, lots in sorted(side.items()) if lots or not is_whole)
            for side in (low, high)
        ]
        return symbol, shown[0][::-1], shown[1]


def _without_trails(state: EngineState) -> EngineState:
    """Each order says how far it has followed; a trail also says since when, where that may be anything before."""
    return msgspec.structs.replace(state, trails=())
