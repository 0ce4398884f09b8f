"""The matching engine against a naive twin, and what must hold after every step whatever happens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cryptotrader.core.events import BookSnapshot, BookTicker, DepthDiff, Level, Trade
from cryptotrader.core.orders import OrderType, Side, TimeInForce
from cryptotrader.core.scaled import SCALE, from_decimal, mul_scaled, to_decimal
from cryptotrader.exchange.engine.accounts import Fees
from cryptotrader.exchange.engine.engine import Engine
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.engine.events import DepthChanged, Event, OrderUpdate, TopChanged, TradePrinted
from cryptotrader.exchange.engine.orders import CancelOrder, NewOrder
from cryptotrader.exchange.engine.rules import SymbolRules
from tests.support.engine_twin import STEP, TICK, Refused, Twin

SYMBOL = "AAABBB"
TICK_SCALED = from_decimal(TICK)
STEP_SCALED = from_decimal(STEP)
MAKER_BPS, TAKER_BPS = 7, 13
LOW, HIGH = 98, 102
"""Ticks between which everything happens, so that orders often meet."""
START = {"alice": (STEP * 60, Decimal("0.28")), "bob": (STEP * 25, Decimal("0.12"))}
"""Base and quote: some sixty and some twenty-five lots' worth, so that balances do run out."""

RULES = SymbolRules(
    symbol=SYMBOL,
    base="AAA",
    quote="BBB",
    tick=TICK_SCALED,
    min_price=0,
    max_price=0,
    step=STEP_SCALED,
    min_qty=STEP_SCALED,
    max_qty=0,
    max_num_orders=0,
)


@dataclass(frozen=True)
class Submit:
    account: str
    side: str
    kind: str
    tick: int
    lots: int


@dataclass(frozen=True)
class Cancel:
    which: int


@dataclass(frozen=True)
class Show:
    middle: int
    bids: tuple[tuple[int, int], ...]
    asks: tuple[tuple[int, int], ...]
    is_whole: bool


@dataclass(frozen=True)
class PublicTrade:
    tick: int
    lots: int
    sells: bool


@dataclass(frozen=True)
class Top:
    pass


Step = Submit | Cancel | Show | PublicTrade | Top

ticks = st.integers(LOW, HIGH)
submits = st.builds(
    Submit,
    st.sampled_from(["alice", "bob"]),
    st.sampled_from(["BUY", "SELL"]),
    st.sampled_from(["GTC", "GTC", "GTC", "IOC", "FOK", "MAKER", "MARKET", "AMOUNT"]),
    ticks,
    st.integers(1, 12),
)
some_levels = st.dictionaries(ticks, st.integers(0, 12), max_size=3).map(lambda found: tuple(sorted(found.items())))
middles = st.sampled_from([100, 100, 100, 100, 100, 100, 99, 101])
shows = st.builds(Show, middles, some_levels, some_levels, st.sampled_from([False] * 9 + [True]))
trades = st.builds(PublicTrade, ticks, st.integers(1, 12), st.booleans())
opening = Show(100, ((98, 9), (99, 6)), ((101, 6), (102, 9)), True)
one_step = st.one_of(
    submits, submits, submits, shows, trades, trades, st.builds(Cancel, st.integers(0, 40)), st.just(Top())
)
steps = st.lists(one_step, min_size=20, max_size=60).map(lambda found: [opening, *found])


class Bench:
    """Engine and twin side by side, and a public book that is built from nothing but the engine's diffs."""

    def __init__(self) -> None:
        self.engine = Engine([RULES])
        for account, (base, quote) in START.items():
            self.engine.open_account(
                account, {"AAA": from_decimal(base), "BBB": from_decimal(quote)}, Fees(MAKER_BPS, TAKER_BPS)
            )
        self.twin = Twin(START, MAKER_BPS, TAKER_BPS)
        self.now_ms = 1_000_000
        self.update_id = 1
        self.source_trade_id = 100
        self.public_trade_id = 100
        self.public: dict[str, dict[int, int]] = {"BUY": {}, "SELL": {}}
        self.log: list[Event] = []
        self.engine.on_snapshot(BookSnapshot(SYMBOL, 1, (), ()), self.now_ms)
        self.engine.prime(Trade(SYMBOL, 100, TICK_SCALED * 100, STEP_SCALED, 1, True, 1))

    def run(self, step: Step) -> None:
        """Do one step on both and compare."""
        self.now_ms += 1
        match step:
            case Submit():
                self.submit(step)
            case Cancel():
                self.cancel(step)
            case Show():
                self.show(step)
            case PublicTrade():
                self.source_trade_id += 1
                price, qty = step.tick * TICK_SCALED, step.lots * STEP_SCALED
                public = Trade(SYMBOL, self.source_trade_id, price, qty, self.now_ms, step.sells, self.now_ms)
                self.note(self.engine.on_trade(public, self.now_ms))
                self.twin.trade(step.tick, step.lots, sells=step.sells)
            case Top():
                self.top()
        self.compare()

    def submit(self, step: Submit) -> None:
        amount = (TICK * step.tick * STEP * step.lots).quantize(Decimal("0.00000001"))
        is_market = step.kind in ("MARKET", "AMOUNT")
        kind = OrderType.MARKET if is_market else OrderType.LIMIT_MAKER if step.kind == "MAKER" else OrderType.LIMIT
        new = NewOrder(
            symbol=SYMBOL,
            side=Side(step.side),
            type=kind,
            time_in_force=TimeInForce(step.kind) if step.kind in ("IOC", "FOK") else TimeInForce.GTC,
            price=0 if is_market else step.tick * TICK_SCALED,
            qty=0 if step.kind == "AMOUNT" else step.lots * STEP_SCALED,
            quote_order_qty=from_decimal(amount) if step.kind == "AMOUNT" else 0,
        )
        try:
            expected = self.twin.submit(step.account, step.side, step.kind, step.tick, step.lots, amount=amount)
        except Refused as refused:
            before = self.engine.state()
            with pytest.raises(Refusal, match=re.escape(str(refused))):
                self.engine.submit(step.account, new, self.now_ms)
            assert self.engine.state() == before
            return
        order, events = self.engine.submit(step.account, new, self.now_ms)
        self.note(events)
        assert order.order_id == expected.number
        assert order.status == expected.status

    def cancel(self, step: Cancel) -> None:
        open_orders = [order for order in self.twin.orders.values() if order.rests]
        if open_orders:
            chosen = open_orders[step.which % len(open_orders)]
            _, events = self.engine.cancel(chosen.account, CancelOrder(SYMBOL, order_id=chosen.number), self.now_ms)
            self.note(events)
            self.twin.cancel(chosen.number)

    def show(self, step: Show) -> None:
        """An external book that is never crossed itself: all bids below the middle, all asks above."""
        changes = {("BUY", tick): lots for tick, lots in step.bids if tick < step.middle}
        changes |= {("SELL", tick): lots for tick, lots in step.asks if tick > step.middle}
        for side, gone in (("BUY", range(step.middle, HIGH + 1)), ("SELL", range(LOW, step.middle + 1))):
            changes |= {(side, tick): 0 for tick in gone}
        first_id = self.update_id + 1
        self.update_id += 3
        if step.is_whole:
            changes = {
                (side, tick): changes.get((side, tick), 0) for side in ("BUY", "SELL") for tick in range(LOW, HIGH + 1)
            }
            whole = {key: lots for key, lots in changes.items() if lots}
            events = self.engine.on_snapshot(
                BookSnapshot(SYMBOL, self.update_id, self.side_of(whole, "BUY"), self.side_of(whole, "SELL")),
                self.now_ms,
            )
        else:
            bids, asks = self.side_of(changes, "BUY"), self.side_of(changes, "SELL")
            events = self.engine.on_depth(
                DepthDiff(SYMBOL, first_id, self.update_id, bids, asks, self.now_ms), self.now_ms
            )
        self.twin.show(changes)
        self.note(events)
        for event in events:
            if isinstance(event, DepthChanged):
                assert (event.diff.first_id, event.diff.last_id) == (first_id, self.update_id)
            elif isinstance(event, TopChanged):
                bid, ask = self.engine.book(SYMBOL).displayed_top()
                shown = event.ticker
                assert ((shown.bid, shown.bid_qty), (shown.ask, shown.ask_qty)) == (bid or (0, 0), ask or (0, 0))
        for side in ("BUY", "SELL"):
            assert self.public[side] == dict(self.engine.book(SYMBOL).levels(Side(side)))

    @staticmethod
    def side_of(changes: dict[tuple[str, int], int], side: str) -> tuple[Level, ...]:
        found = [(tick * TICK_SCALED, lots * STEP_SCALED) for (at, tick), lots in changes.items() if at == side]
        return tuple(sorted(found, reverse=side == "BUY"))

    def top(self) -> None:
        """A best bid and ask of the source that agrees with its book."""
        bids = [(tick, lots) for tick, lots in self.twin.external["BUY"].items() if lots]
        asks = [(tick, lots) for tick, lots in self.twin.external["SELL"].items() if lots]
        if not bids or not asks:
            return
        (bid, bid_lots), (ask, ask_lots) = max(bids), min(asks)
        source = BookTicker(
            SYMBOL, self.update_id, bid * TICK_SCALED, bid_lots * STEP_SCALED, ask * TICK_SCALED, ask_lots * STEP_SCALED
        )
        was_told = self.engine.book(SYMBOL).top
        events = self.engine.on_book_ticker(source, self.now_ms)
        if not events:  # The diff of this id told it already.
            assert self.engine.book(SYMBOL).displayed_top() == was_told
            return
        (event,) = events
        assert isinstance(event, TopChanged)
        book = self.engine.book(SYMBOL)
        best_bid, best_ask = (book.levels(side, 1) or [(0, 0)] for side in (Side.BUY, Side.SELL))
        shown = event.ticker
        assert [(shown.bid, shown.bid_qty), (shown.ask, shown.ask_qty)] == [best_bid[0], best_ask[0]]

    def note(self, events: list[Event]) -> None:
        """Follow the public stream: trade ids without a hole, a book from diffs."""
        self.log.extend(events)
        for event in events:
            if isinstance(event, TradePrinted):
                assert event.trade.trade_id == self.public_trade_id + 1
                self.public_trade_id += 1
            elif isinstance(event, DepthChanged):
                for side, levels in (("BUY", event.diff.bids), ("SELL", event.diff.asks)):
                    for price, qty in levels:
                        self.public[side][price] = qty
                        if not qty:
                            del self.public[side][price]

    def compare(self) -> None:
        """Everything that can be seen must be equal; nothing may be lost."""
        book = self.engine.book(SYMBOL)
        for side in ("BUY", "SELL"):
            expected = [(tick * TICK_SCALED, lots * STEP_SCALED) for tick, lots in self.twin.levels(side)]
            assert book.levels(Side(side)) == expected
        bid, ask = book.displayed_top()
        assert bid is None or ask is None or bid[0] < ask[0]
        for number, order in self.twin.orders.items():
            mine = self.engine.order(order.account, SYMBOL, order_id=number)
            assert (mine.status, mine.executed) == (order.status, order.done * STEP_SCALED)
            fills = [(fill.price // TICK_SCALED, fill.qty // STEP_SCALED, fill.is_maker) for fill in mine.fills]
            assert fills == order.fills
        for account in START:
            (_, base, base_locked), (_, quote, quote_locked) = self.engine.balances(account)
            found = tuple(map(to_decimal, (base, base_locked, quote, quote_locked)))
            assert found == self.twin.balances(account)
            self.check_locks(account, base_locked, quote_locked)

    def check_locks(self, account: str, base_locked: int, quote_locked: int) -> None:
        """Locks are exactly what open orders need."""
        open_orders = self.engine.open_orders(account, SYMBOL)
        assert base_locked == sum(order.remaining for order in open_orders if order.side is Side.SELL)
        buys = [mul_scaled(order.price, order.remaining) for order in open_orders if order.side is Side.BUY]
        assert quote_locked == sum(buys)

    def check_conservation(self) -> None:
        """What accounts hold, what they paid in fees and what external liquidity took adds up to what there was."""
        fills = [event.fill for event in self.log if isinstance(event, OrderUpdate) and event.fill is not None]
        between_users: dict[int, int] = {}
        outside = {"AAA": 0, "BBB": 0}
        fees = {"AAA": 0, "BBB": 0}
        for fill in fills:
            between_users[fill.trade_id] = between_users.get(fill.trade_id, 0) + 1
            fees[fill.commission_asset] += fill.commission
            sign = 1 if fill.is_buyer else -1
            outside["AAA"] -= sign * fill.qty
            outside["BBB"] += sign * fill.quote_qty
        assert all(count in (1, 2) for count in between_users.values())
        for at, asset in enumerate(("AAA", "BBB")):
            held = sum(
                free + locked
                for account in START
                for name, free, locked in self.engine.balances(account)
                if name == asset
            )
            start = sum(from_decimal(amounts[at]) for amounts in START.values())
            assert held + fees[asset] + outside[asset] == start
            paired = [fill for fill in fills if between_users[fill.trade_id] == 2]
            assert sum((1 if fill.is_buyer else -1) * fill.quote_qty for fill in paired) == 0


@settings(max_examples=300, deadline=None)
@given(steps)
def test_the_engine_does_what_the_naive_twin_does_and_loses_nothing(script: list[Step]) -> None:
    """Conservation with fees, no crossed displayed book, price-time priority, exact locks, contiguous public ids."""
    bench = Bench()
    for step in script:
        bench.run(step)
    bench.check_conservation()


def walk(seed: int, length: int) -> list[Step]:
    """A long plausible session: resting orders, a source that moves little, trades at the best prices."""
    rng = Random(seed)

    def levels(side: str) -> tuple[tuple[int, int], ...]:
        chosen = rng.sample(range(98, 100) if side == "BUY" else range(101, 103), rng.randint(0, 2))
        return tuple((tick, rng.randint(0, 12)) for tick in chosen)

    script: list[Step] = [opening]
    for _ in range(length):
        account, side = rng.choice(["alice", "bob"]), rng.choice(["BUY", "SELL"])
        kind = rng.choices(["rest", "take", "show", "trade", "cancel", "top"], [30, 8, 25, 25, 6, 6])[0]
        if kind == "rest":
            tick = rng.choice([98, 99, 99, 100]) if side == "BUY" else rng.choice([100, 101, 101, 102])
            script.append(Submit(account, side, rng.choice(["GTC", "GTC", "MAKER"]), tick, rng.randint(1, 5)))
        elif kind == "take":
            how = rng.choice(["GTC", "IOC", "FOK", "MARKET", "AMOUNT"])
            script.append(Submit(account, side, how, rng.randint(LOW, HIGH), rng.randint(1, 9)))
        elif kind == "show":
            middle = rng.choices([99, 100, 101], [1, 12, 1])[0]
            script.append(Show(middle, levels("BUY"), levels("SELL"), rng.random() < 0.03))
        elif kind == "trade":
            script.append(PublicTrade(rng.choice([99, 99, 100, 101, 101]), rng.randint(1, 7), rng.random() < 0.5))
        else:
            script.append(Cancel(rng.randint(0, 40)) if kind == "cancel" else Top())
    return script


@pytest.mark.parametrize("seed", range(20))
def test_long_seeded_sessions_agree_with_the_twin(seed: int) -> None:
    bench = Bench()
    for step in walk(seed, 300):
        bench.run(step)
    bench.check_conservation()


@settings(max_examples=50, deadline=None)
@given(steps)
def test_the_same_inputs_give_the_same_events_and_state(script: list[Step]) -> None:
    first, second = Bench(), Bench()
    for step in script:
        first.run(step)
        second.run(step)
    assert first.log == second.log
    assert first.engine.state() == second.engine.state()


@settings(max_examples=100, deadline=None)
@given(steps)
def test_a_restored_engine_has_the_same_state(script: list[Step]) -> None:
    bench = Bench()
    for step in script:
        bench.run(step)
    twin = Engine([RULES])
    twin.restore(bench.engine.state())
    assert twin.state() == bench.engine.state()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(shows.filter(lambda step: not step.is_whole), trades, st.just(Top())), max_size=40))
def test_without_users_the_source_is_passed_on_unchanged(script: list[Step]) -> None:
    """The very events that came in go out: ids, quantities, order of levels."""
    bench = Bench()
    for step in script:
        before = len(bench.log)
        bench.run(step)
        for event in bench.log[before:]:
            assert isinstance(event, TradePrinted | DepthChanged)
            if isinstance(event, TradePrinted):
                assert event.trade.trade_id == bench.source_trade_id
                assert isinstance(step, PublicTrade)
                assert (event.trade.price, event.trade.qty) == (step.tick * TICK_SCALED, step.lots * STEP_SCALED)
    assert bench.engine.book(SYMBOL).is_plain
    assert SCALE == 10**8
