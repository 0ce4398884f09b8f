"""What must hold whatever orders meet: self-trade prevention, icebergs, pegs, routing, amendments, realism.

No twin here: the book is never crossed, nothing is lost, locks are what open orders need, quantities add up, the book
shows what the orders say, and a restart changes nothing.
"""

from __future__ import annotations

from random import Random

import msgspec
import pytest

from cryptotrader.core.events import BookSnapshot, BookTicker, DepthDiff, Trade
from cryptotrader.core.orders import OrderType, PegOffsetType, PegPriceType, Realism, Side, TimeInForce
from cryptotrader.core.scaled import SCALE, mul_scaled
from cryptotrader.exchange.engine.accounts import Fees
from cryptotrader.exchange.engine.engine import Engine
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.engine.events import Event, OrderUpdate, TradePrinted
from cryptotrader.exchange.engine.orders import AmendOrder, CancelOrder, NewOrder, Peg
from cryptotrader.exchange.engine.rules import ALL_STP_MODES, SorGroup, SymbolRules

QUOTES = ("UUU", "VVV")
SYMBOLS = tuple(f"AAA{quote}" for quote in QUOTES)
ACCOUNTS = ("alice", "bob", "carol", "dora")
TICK = SCALE // 100
STEP = SCALE // 1000
START = 1000 * SCALE


def rules_of(symbol: str) -> SymbolRules:
    return SymbolRules(
        symbol=symbol,
        base="AAA",
        quote=symbol[3:],
        tick=TICK,
        min_price=0,
        max_price=0,
        step=STEP,
        min_qty=STEP,
        max_qty=0,
        max_num_orders=0,
        max_num_order_amends=0,
    )


def an_engine() -> Engine:
    return Engine([rules_of(symbol) for symbol in SYMBOLS], [SorGroup("AAA", SYMBOLS)])


class Session:
    """One long random session."""

    def __init__(self, seed: int, realism: tuple[Realism, ...]) -> None:
        self.rng = Random(seed)
        self.engine = an_engine()
        self.now_ms = 1_000
        self.update_id = 10
        self.source_trade_ids = dict.fromkeys(SYMBOLS, 100)
        self.log: list[Event] = []
        for number, account in enumerate(ACCOUNTS):
            self.engine.open_account(account, dict.fromkeys(("AAA", *QUOTES), START), Fees(7, 13))
            self.engine.set_realism(account, realism[number % len(realism)])
            self.engine.set_trade_group(account, number // 2 if seed % 2 else -1)
        for symbol in SYMBOLS:
            self.engine.on_snapshot(BookSnapshot(symbol, 10, ((98 * TICK, 90 * STEP),), ((102 * TICK, 90 * STEP),)), 1)
            self.engine.prime(Trade(symbol, 100, 100 * TICK, STEP, 1, True, 1))

    def order(self) -> NewOrder:
        rng = self.rng
        kind = rng.choices([OrderType.LIMIT, OrderType.MARKET, OrderType.LIMIT_MAKER], [6, 2, 2])[0]
        tif = rng.choice([TimeInForce.GTC] * 4 + [TimeInForce.IOC, TimeInForce.FOK])
        qty = rng.randint(1, 40) * STEP
        is_at_market = kind is OrderType.MARKET
        by_amount = is_at_market and rng.random() < 0.4
        is_pegged = not is_at_market and rng.random() < 0.15
        peg = Peg(rng.choice(list(PegPriceType)), PegOffsetType.PRICE_LEVEL, rng.randint(0, 2)) if is_pegged else None
        return NewOrder(
            symbol=rng.choice(SYMBOLS),
            side=rng.choice(list(Side)),
            type=kind,
            time_in_force=tif,
            price=0 if is_at_market or peg is not None else rng.randint(96, 104) * TICK,
            qty=0 if by_amount else qty,
            quote_order_qty=mul_scaled(qty, 100 * TICK) if by_amount else 0,
            self_trade_prevention_mode=rng.choice(ALL_STP_MODES),
            iceberg_qty=rng.choice([0, 0, max(STEP, qty // 3 // STEP * STEP)]) if tif is TimeInForce.GTC else 0,
            peg=peg,
            use_sor=rng.random() < 0.15,
        )

    def step(self) -> None:
        rng = self.rng
        self.now_ms += 1
        account = rng.choice(ACCOUNTS)
        try:
            match rng.choices(["place", "cancel", "amend", "depth", "trade", "top"], [50, 8, 8, 12, 12, 6])[0]:
                case "place":
                    self.log += self.engine.submit(account, self.order(), self.now_ms)[1]
                case "cancel":
                    order = rng.choice(self.engine.open_orders(account) or [None])
                    if order is not None:
                        which = CancelOrder(order.symbol, order.order_id)
                        self.log += self.engine.cancel(account, which, self.now_ms)[1]
                case "amend":
                    order = rng.choice(self.engine.open_orders(account) or [None])
                    if order is not None:
                        qty = rng.randint(1, max(1, order.qty // STEP)) * STEP
                        amend = AmendOrder(symbol=order.symbol, order_id=order.order_id, qty=qty)
                        self.log += self.engine.amend(account, amend, self.now_ms)[3]
                case "depth":
                    self.depth(rng.choice(SYMBOLS))
                case "trade":
                    symbol = rng.choice(SYMBOLS)
                    self.source_trade_ids[symbol] += 1
                    price, qty = rng.randint(97, 103) * TICK, rng.randint(1, 60) * STEP
                    trade = Trade(
                        symbol,
                        self.source_trade_ids[symbol],
                        price,
                        qty,
                        self.now_ms,
                        rng.random() < 0.5,
                        self.now_ms,
                    )
                    self.log += self.engine.on_trade(trade, self.now_ms)
                case "top":
                    symbol = rng.choice(SYMBOLS)
                    bid = rng.randint(97, 101)
                    ticker = BookTicker(symbol, self.update_id + 1, bid * TICK, STEP, (bid + 2) * TICK, 30 * STEP)
                    self.log += self.engine.on_book_ticker(ticker, self.now_ms)
                    self.depth(symbol, bid)
        except Refusal:
            pass

    def depth(self, symbol: str, bid: int = 0) -> None:
        """An external book that is not crossed itself."""
        rng = self.rng
        bid = bid or rng.randint(97, 101)
        bids = [(price * TICK, 0) for price in range(bid + 1, 106)] + [(bid * TICK, rng.randint(0, 50) * STEP)]
        asks = [(price * TICK, 0) for price in range(94, bid + 2)] + [((bid + 2) * TICK, rng.randint(0, 50) * STEP)]
        self.update_id += 2
        diff = DepthDiff(symbol, self.update_id - 1, self.update_id, tuple(bids), tuple(asks), self.now_ms)
        self.log += self.engine.on_depth(diff, self.now_ms)

    def check(self) -> None:
        """What must hold after every step."""
        engine = self.engine
        for symbol in SYMBOLS:
            bid, ask = engine.book(symbol).displayed_top()
            assert bid is None or ask is None or bid[0] < ask[0], symbol
        for account in ACCOUNTS:
            needs = dict.fromkeys(("AAA", *QUOTES), 0)
            for order in engine.open_orders(account):
                assert order.remaining > 0
                assert order.qty == order.executed + order.prevented_qty + order.remaining
                assert order.executed == sum(fill.qty for fill in order.fills)
                asset, need = (
                    (order.symbol[3:], mul_scaled(order.price, order.remaining))
                    if order.side is Side.BUY
                    else ("AAA", order.remaining)
                )
                needs[asset] += need
                place = engine.book(symbol=order.symbol).side(order.side).place_of(order)
                assert place is not None
                assert 0 < place.shown <= min(order.iceberg_qty or order.remaining, order.remaining)
                if not order.iceberg_qty:
                    assert place.shown == order.remaining
            for asset, free, held in engine.balances(account):
                assert free >= 0
                assert held == needs[asset], (account, asset)

    def check_conservation(self) -> None:
        """Accounts, fees and what went outside add up; transfers and prevented trades lose nothing."""
        outside = dict.fromkeys(("AAA", *QUOTES), 0)
        for event in self.log:
            if isinstance(event, OrderUpdate) and event.fill is not None:
                fill = event.fill
                sign = 1 if fill.is_buyer else -1
                outside["AAA"] -= sign * fill.qty
                outside[fill.symbol[3:]] += sign * fill.quote_qty
                outside[fill.commission_asset] += fill.commission
            elif isinstance(event, OrderUpdate) and event.prevented is not None:
                # A routed transfer is taken in one quote asset and given in another. Both orders lose, so count one.
                match = event.prevented
                is_taker = event.order.order_id == match.taker_order_id
                if match.mode == "TRANSFER" and is_taker and match.account != match.maker_account:
                    moved = mul_scaled(match.price, match.taker_prevented_qty)
                    sign = 1 if event.order.side is Side.BUY else -1
                    outside[match.symbol[3:]] += sign * moved
                    outside[match.maker_symbol[3:]] -= sign * moved
        held = dict.fromkeys(outside, 0)
        for account in ACCOUNTS:
            for asset, free, locked in self.engine.balances(account):
                held[asset] += free + locked
        assert {asset: held[asset] + outside[asset] for asset in held} == dict.fromkeys(held, START * len(ACCOUNTS))

    def check_public_ids(self) -> None:
        """Trade ids of each symbol go up one by one."""
        last: dict[str, int] = {}
        for event in self.log:
            if isinstance(event, TradePrinted):
                trade = event.trade
                assert trade.trade_id == last.get(trade.symbol, trade.trade_id - 1) + 1
                last[trade.symbol] = trade.trade_id


MIXES = [(Realism.REALISTIC,), (Realism.OPTIMISTIC, Realism.REALISTIC), (Realism.PESSIMISTIC, Realism.REALISTIC)]


@pytest.mark.parametrize("realism", MIXES, ids=["realistic", "with optimists", "with pessimists"])
@pytest.mark.parametrize("seed", range(8))
def test_nothing_is_lost_and_the_book_is_never_crossed(seed: int, realism: tuple[Realism, ...]) -> None:
    session = Session(seed, realism)
    for _ in range(400):
        session.step()
        session.check()
    session.check_conservation()
    session.check_public_ids()
    twin = an_engine()
    twin.restore(session.engine.state())
    assert twin.state() == session.engine.state()


def test_the_same_session_tells_the_same_events_twice() -> None:
    first, second = Session(3, tuple(Realism)), Session(3, tuple(Realism))
    for session in (first, second):
        for _ in range(300):
            session.step()
    assert first.log == second.log
    assert msgspec.msgpack.encode(first.engine.state()) == msgspec.msgpack.encode(second.engine.state())
    kinds = {event.execution for event in first.log if isinstance(event, OrderUpdate)}
    assert len(kinds) >= 5
