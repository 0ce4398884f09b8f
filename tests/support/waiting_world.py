"""Random commands full of stops and order lists, what must hold after each, and an engine rebuilt from its events."""

from __future__ import annotations

from random import Random

import msgspec

from cryptotrader.core.orders import OrderStatus, OrderType, PegPriceType, Side, TimeInForce
from cryptotrader.exchange.engine.accounts import Account
from cryptotrader.exchange.engine.engine import Engine
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.engine.events import BalancesChanged, Event, ListUpdate, OrderKept, OrderUpdate, TrailMoved
from cryptotrader.exchange.engine.order_lists import CancelList, ListKind, NewOrderList, OrderList
from cryptotrader.exchange.engine.orders import (
    Amendment,
    AmendOrder,
    CancelOrder,
    Fill,
    NewOrder,
    Order,
    Peg,
    PreventedMatch,
    Stop,
    Trail,
)
from cryptotrader.exchange.engine.state import EngineState
from tests.support.engine_kit import NOW_MS, RULES, SYMBOL, diff, levels, market_engine, p, trade

ACCOUNTS = ("alice", "bob")
STOPS = ("STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT")
UNPRICED = ("MARKET", "STOP_LOSS", "TAKE_PROFIT")
STP_MODES = ("NONE", "NONE", "NONE", "EXPIRE_MAKER", "EXPIRE_TAKER", "EXPIRE_BOTH", "DECREMENT")
LOW, HIGH = 90, 110
"""Prices between which everything happens, so that orders often meet."""


class Ledger:
    """What somebody who only reads the events knows."""

    def __init__(self, engine: Engine) -> None:
        self._start = engine.state()
        self.orders: dict[int, Order] = {}
        self.lists: dict[int, OrderList] = {}
        self.trails: dict[tuple[str, Side], Trail] = {}
        self.balances = {(each.account, asset): rest for each in self._start.accounts for asset, *rest in each.balances}
        self.fills: list[Fill] = []
        self.prevented: dict[int, PreventedMatch] = {}
        self.amendments: list[Amendment] = []

    def follow(self, events: list[Event]) -> None:
        """Keep every record that an event carries."""
        for event in events:
            match event:
                case OrderUpdate():
                    self.orders[event.order.order_id] = event.order
                    self.fills.extend([event.fill] if event.fill is not None else [])
                    self.amendments.extend([event.amendment] if event.amendment is not None else [])
                    if event.prevented is not None:
                        self.prevented[event.prevented.prevented_match_id] = event.prevented
                case OrderKept():
                    self.orders[event.order.order_id] = event.order
                case ListUpdate():
                    self.lists[event.order_list.list_id] = event.order_list
                case TrailMoved():
                    self.trails[event.trail.symbol, event.trail.side] = event.trail
                case BalancesChanged():
                    self.balances |= {(event.account, asset): rest for asset, *rest in event.balances}
                case _:
                    pass

    def rebuilt(self, engine: Engine) -> Engine:
        """A new engine from what is known, and the counters of the old one."""
        accounts = tuple(
            msgspec.structs.replace(
                each,
                balances=tuple(
                    (asset, free, locked)
                    for (owner, asset), (free, locked) in self.balances.items()
                    if owner == each.account
                ),
            )
            for each in self._start.accounts
        )
        fresh = Engine([RULES])
        fresh.restore(
            EngineState(
                counters=engine.counters(),
                accounts=accounts,
                orders=tuple(order for _, order in sorted(self.orders.items())),
                fills=tuple(self.fills),
                lists=tuple(order_list for _, order_list in sorted(self.lists.items())),
                trails=tuple(self.trails.values()),
                prevented=tuple(self.prevented.values()),
                amendments=tuple(self.amendments),
            )
        )
        return fresh


class World:
    """An engine, the random commands that it gets, and a reader of its events."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.engine = market_engine()
        self.ledger = Ledger(self.engine)
        self._now_ms = NOW_MS
        self._trade_id = 1
        self._update_id = 100

    def step(self) -> list[Event] | None:
        """One command or market event; None where it was refused or there was nothing to do."""
        self._now_ms += self.random.randint(0, 5)
        try:
            events = self._events(self.random.random(), self.random.choice(ACCOUNTS))
        except Refusal:
            return None
        self.ledger.follow(events)
        return events

    def _events(self, dice: float, account: str) -> list[Event]:
        engine, now_ms = self.engine, self._now_ms
        if dice < 0.3:
            return engine.submit(account, self._order(), now_ms)[-1]
        if dice < 0.55:
            return engine.submit_list(account, self._list(), now_ms)[-1]
        if dice < 0.57:
            return engine.cancel_all(account, SYMBOL, now_ms)[-1]
        if dice < 0.7:
            return self._change(dice, account)
        if dice < 0.9:
            self._trade_id += 1
            price, qty = str(self.random.randint(LOW, HIGH)), str(self.random.randint(1, 30) / 10)
            sells = self.random.random() < 0.5
            return engine.on_trade(trade(self._trade_id, price, qty, sells=sells, time_ms=now_ms), now_ms)
        self._update_id += 1
        middle = self.random.randint(LOW + 2, HIGH - 2)
        bid, ask = (str(middle - 1), str(self.random.randint(0, 3))), (str(middle + 1), str(self.random.randint(0, 3)))
        return engine.on_depth(diff(self._update_id, levels(bid), levels(ask), event_ms=now_ms), now_ms)

    def _change(self, dice: float, account: str) -> list[Event]:
        """Cancel or amend something that is open."""
        engine, now_ms = self.engine, self._now_ms
        lists = engine.open_order_lists(account)
        if dice < 0.6 and lists:
            which = CancelList(symbol=SYMBOL, list_id=self.random.choice(lists).list_id)
            return engine.cancel_list(account, which, now_ms)[-1]
        orders = engine.open_orders(account)
        if not orders:
            return []
        order_id = self.random.choice(orders).order_id
        if dice < 0.65:
            return engine.amend(account, AmendOrder(symbol=SYMBOL, order_id=order_id, qty=p("0.1")), now_ms)[-1]
        return engine.cancel(account, CancelOrder(SYMBOL, order_id=order_id), now_ms)[-1]

    def _order(self, types: tuple[str, ...] = (), side: Side | None = None, qty: int | None = None) -> NewOrder:
        random = self.random
        kind = random.choice(types or tuple(OrderType))
        stop = None
        if kind in STOPS:
            has = random.choice(("price", "price", "delta", "both"))
            price = p(str(random.randint(LOW, HIGH))) if has != "delta" else 0
            stop = Stop(price=price, trailing_delta=random.randint(10, 600) if has != "price" else 0)
        is_pegged = kind not in UNPRICED and random.random() < 0.15
        return NewOrder(
            symbol=SYMBOL,
            side=side or random.choice(tuple(Side)),
            type=OrderType(kind),
            time_in_force=random.choice((TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK)),
            price=0 if kind in UNPRICED or is_pegged else p(str(random.randint(LOW, HIGH))),
            qty=p(str(random.randint(1, 20) / 10)) if qty is None else qty,
            stop=stop,
            peg=Peg(random.choice(tuple(PegPriceType))) if is_pegged else None,
            self_trade_prevention_mode=random.choice(STP_MODES),
            client_order_id=random.choice(("", "", "", "a", "b")),
        )

    def _list(self) -> NewOrderList:
        kind = self.random.choice(tuple(ListKind))
        side = self.random.choice(tuple(Side))
        qty = p(str(self.random.randint(1, 20) / 10))
        if kind is ListKind.OCO:
            return NewOrderList(symbol=SYMBOL, kind=kind, legs=self._pair(side, qty))
        pending_qty = qty
        if kind.is_proportional:
            side, pending_qty = Side.BUY, 0
        pending_side = Side.SELL if kind.is_proportional else self.random.choice(tuple(Side))
        working = self._order(("LIMIT", "LIMIT", "LIMIT_MAKER"), side, qty)
        if kind in (ListKind.OTO, ListKind.OPO):
            return NewOrderList(symbol=SYMBOL, kind=kind, legs=(working, self._order((), pending_side, pending_qty)))
        return NewOrderList(symbol=SYMBOL, kind=kind, legs=(working, *self._pair(pending_side, pending_qty)))

    def _pair(self, side: Side, qty: int) -> tuple[NewOrder, NewOrder]:
        loss = self._order(("STOP_LOSS", "STOP_LOSS_LIMIT"), side, qty)
        profit = self._order(("LIMIT_MAKER", "LIMIT_MAKER", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"), side, qty)
        return (loss, profit) if side is Side.BUY else (profit, loss)

    # What must hold

    def check(self) -> None:
        """Locks, places of orders and states of lists."""
        waiting = self.engine.book(SYMBOL).waiting
        alive = 0
        for name in ACCOUNTS:
            account = self.engine._accounts[name]
            orders = account.history(SYMBOL).orders
            held = {"BTC": 0, "USDT": 0}
            for order in orders.values():
                assert order.executed + order.prevented_qty <= order.qty
                if order.is_open:
                    held["USDT" if order.side is Side.BUY else "BTC"] += order.held
                    alive += not order.is_working and order.status is not OrderStatus.PENDING_NEW
                    self._check_place(order)
                else:
                    assert order.held == 0
            for asset, amount in held.items():
                assert account.wallet.locked(asset) == amount
                assert account.wallet.free(asset) >= 0
            self._check_lists(account, orders)
        assert alive == (len(waiting) if waiting is not None else 0)

    def _check_place(self, order: Order) -> None:
        queue = self.engine.book(SYMBOL).side(order.side).queue(order.price)
        on_book = any(resting.order is order for resting in queue)
        assert on_book == order.is_working

    @staticmethod
    def _check_lists(account: Account, orders: dict[int, Order]) -> None:
        for order_list in account.lists.lists.values():
            legs = [orders[leg.order_id] for leg in order_list.legs]
            assert order_list.is_open == any(leg.is_open for leg in legs)
            assert order_list.is_open == (order_list.list_id in account.lists.open)
            pending = [leg for leg in legs if leg.status is OrderStatus.PENDING_NEW]
            if pending:
                assert order_list.kind is not ListKind.OCO
                assert legs[0].is_open
                assert len(pending) == len(legs) - 1, "all pend or none"
            if order_list.kind not in (ListKind.OTO, ListKind.OPO):
                one, other = legs[-2:]
                assert not (one.executed and other.executed), "one cancels the other"
                if one.is_open and other.is_open:
                    assert one.executed == other.executed == 0
                    assert not (one.is_working and other.is_working)
