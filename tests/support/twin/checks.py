"""What must hold after every command: twin and engine agree, and nothing is lost."""

from __future__ import annotations

from collections import Counter

from cryptotrader.core.events import DepthDiff
from cryptotrader.core.orders import ListOrderStatus, ListStatusType, OrderStatus, Side
from cryptotrader.exchange.engine.accounts import FillQuery
from cryptotrader.exchange.engine.engine import Engine
from cryptotrader.exchange.engine.events import (
    BalanceAdjusted,
    BalancesChanged,
    DepthChanged,
    Event,
    ListUpdate,
    OrderKept,
    OrderUpdate,
    TopChanged,
    TradePrinted,
)
from cryptotrader.exchange.engine.orders import NO_TRADE, NOT_WORKING_MS, Fill, Order, PreventedMatch
from tests.support.twin.exchange import Twin
from tests.support.twin.model import TwinList, cost
from tests.support.twin.money import TwinFill, TwinPrevention
from tests.support.twin.world import ASSETS, NAMES, RULES, STEPS, SYMBOLS

MANY = 100_000


class Checks:
    """Follows one session."""

    def __init__(self, engine: Engine, twin: Twin) -> None:
        self.engine = engine
        self.twin = twin
        self.seen: Counter[str] = Counter()
        """What happened, so that a run can say what it covered."""
        self._balances = {(name, asset): (free, held) for name in NAMES for asset, free, held in engine.balances(name)}
        self._sum = {asset: self._held(asset) for asset in ASSETS}
        """What all accounts together must have."""
        self._books: dict[str, dict[Side, dict[int, int]]] = {each: {side: {} for side in Side} for each in SYMBOLS}
        self._trade_ids: dict[str, int] = {}
        self._resumed: set[str] = set()
        """Symbols whose source has not traded since the engine was restarted."""
        self._orders: dict[int, Order] = {}
        self._execution_id = 0
        self.are_fills_apart = False
        """The engine came back from the journal, which keeps fills beside their orders."""

    def after(self, events: list[Event]) -> None:
        """One command or market event was carried out."""
        updates = [event for event in events if isinstance(event, OrderUpdate)]
        self.follow(events)
        self.compare_fills(updates)
        self.compare_orders({update.order.order_id for update in updates} | self.twin.changed)
        self.compare_books()
        self.compare_balances()
        self.records(updates)
        self.lists(events)

    def everything(self) -> None:
        """What is too slow for after every command."""
        self.compare_orders(set(self.twin.orders))
        for number, order in self._orders.items():
            mine = self.engine.order(order.account, order.symbol, order_id=number)
            assert self.still(mine) == self.still(order), f"order {number} changed untold: {_apart(mine, order)}"
        for its in self.twin.lists.values():
            self.compare_list(its)

    def look_anew(self, symbol: str) -> None:
        """The public takes a whole book."""
        self._resumed.add(symbol)
        for side in Side:
            self._books[symbol][side] = dict(self.engine.book(symbol).levels(side))

    # Events

    def follow(self, events: list[Event]) -> None:
        """What somebody knows who hears nothing but the events."""
        for event in events:
            match event:
                case OrderUpdate():
                    assert event.execution_id == self._execution_id + 1, "execution ids have a hole"
                    self._execution_id += 1
                    self._orders[event.order.order_id] = event.order
                    self.seen[f"{event.execution.value} {event.order.type.value}"] += 1
                case OrderKept():
                    self._orders[event.order.order_id] = event.order
                case BalancesChanged():
                    self._balances |= {(event.account, asset): (free, held) for asset, free, held in event.balances}
                case BalanceAdjusted():
                    self._sum[event.asset] += event.delta
                case TradePrinted():
                    trade = event.trade
                    before = self._trade_ids.get(trade.symbol, trade.trade_id - 1)
                    if trade.trade_id > before + 1 and trade.symbol in self._resumed:
                        self._resumed.discard(trade.symbol)  # What was missed in a standstill is forgotten.
                    else:
                        assert trade.trade_id == before + 1, "public trade ids have a hole"
                    assert trade.qty > 0
                    self._trade_ids[trade.symbol] = trade.trade_id
                case DepthChanged():
                    self.show(event.diff)
                case TopChanged():
                    top = event.ticker
                    assert not (top.bid and top.ask) or top.bid < top.ask, "the best prices told are crossed"
                case _:
                    pass

    def show(self, diff: DepthDiff) -> None:
        """The public's book, made of nothing but diffs."""
        book = self._books[diff.symbol]
        for side, levels in ((Side.BUY, diff.bids), (Side.SELL, diff.asks)):
            for price, qty in levels:
                book[side][price] = qty
                if not qty:
                    del book[side][price]
            mine = self.engine.book(diff.symbol)
            shown = dict(mine.levels(side))
            # What became due by the event itself is in the next diff.
            differing = {price for price in {*shown, *book[side]} if shown.get(price) != book[side].get(price)}
            assert differing <= mine.side(side).unshown, "diffs lead to another book"

    # Twin and engine

    def compare_fills(self, updates: list[OrderUpdate]) -> None:
        """The same trades in the same order: price-time priority, amounts, commissions."""
        fills = [update.fill for update in updates if update.fill is not None]
        found = [_as_twin(fill) for fill in fills]
        assert found == self.twin.fills, f"fills: {found} instead of {self.twin.fills}"
        matches: dict[tuple[str, int], PreventedMatch] = {}
        for update in updates:
            if update.prevented is not None:
                matches[update.prevented.symbol, update.prevented.prevented_match_id] = update.prevented
        prevented = [
            TwinPrevention(
                each.taker_order_id,
                each.maker_order_id,
                each.mode,
                each.price,
                each.taker_prevented_qty,
                each.maker_prevented_qty,
            )
            for each in matches.values()
        ]
        assert prevented == self.twin.preventions, f"prevented: {prevented} instead of {self.twin.preventions}"
        self.count(fills, list(matches.values()))

    def count(self, fills: list[Fill], prevented: list[PreventedMatch]) -> None:
        """What went to or came from outside: fees, the source's market, the other end of routed trades."""
        sides: dict[tuple[str, int], list[Fill]] = {}
        for fill in fills:
            self.seen["fill " + fill.why] += 1
            self.seen["fee " + ("BNB" if fill.commission_asset == "BNB" else "received")] += 1
            sides.setdefault((fill.symbol, fill.trade_id), []).append(fill)
            sign = 1 if fill.is_buyer else -1
            self._sum[fill.symbol[:3]] += sign * fill.qty
            self._sum[fill.symbol[3:]] -= sign * fill.quote_qty
            self._sum[fill.commission_asset] -= fill.commission
        for (_, trade_id), both in sides.items():
            if trade_id != NO_TRADE and len(both) > 1:
                one, other = both
                assert (one.price, one.qty, one.quote_qty) == (other.price, other.qty, other.quote_qty)
                assert (one.is_buyer, one.is_maker) == (not other.is_buyer, not other.is_maker)
        for match in prevented:
            self.seen["prevented " + match.mode] += 1
            if match.mode == "TRANSFER" and match.account != match.maker_account:
                # Each pays in the quote asset of its own order; where that is the same one, nothing comes or goes.
                is_buy = self.twin.orders[match.taker_order_id].side == "BUY"
                moved = cost(match.price, match.taker_prevented_qty) * (1 if is_buy else -1)
                self._sum[match.symbol[3:]] -= moved
                self._sum[match.maker_symbol[3:]] += moved

    def compare_orders(self, numbers: set[int]) -> None:
        """The same orders."""
        for number in sorted(numbers):
            order = self.twin.orders[number]
            mine = self.engine.order(order.account, order.symbol, order_id=number)
            found = (mine.status, mine.qty, mine.executed, mine.quote_executed, mine.prevented_qty, mine.amends)
            expected = (order.status, order.qty, order.executed, order.spent, order.prevented, order.amends)
            assert found == expected, f"order {number}: {found} instead of {expected}"
            assert mine.client_order_id == order.client
            assert mine.expiry_reason == order.reason, f"order {number}: {mine.expiry_reason} for {order.reason}"
            assert mine.working_ms == (order.since_ms if order.works else NOT_WORKING_MS), f"order {number}"
            assert mine.qty == mine.executed + mine.prevented_qty + mine.remaining
            assert mine.executed == self.filled(mine)
            if mine.is_open:
                assert (mine.price, mine.is_working) == (order.price, order.works), f"order {number}"
                assert mine.remaining > 0 or order.status == "PENDING_NEW", f"order {number} is open without rest"
            else:
                assert not mine.held, f"order {number} is closed and holds something"

    def filled(self, order: Order) -> int:
        """What the fills of an order come to."""
        fills = list(order.fills)
        if self.are_fills_apart:
            query = FillQuery(order_id=order.order_id, limit=MANY)
            fills = self.engine.fills(order.account, order.symbol, query)
            fills += self.engine.allocations(order.account, order.symbol, order_id=order.order_id, limit=MANY)
        return sum(fill.qty for fill in fills)

    def compare_books(self) -> None:
        """The same displayed books, and none is crossed."""
        for symbol in SYMBOLS:
            book = self.engine.book(symbol)
            for side in Side:
                found, expected = book.levels(side), self.twin.halves[symbol][side.value].levels()
                assert found == expected, f"{symbol} {side.value}: {found} instead of {expected}"
                assert not any(qty % STEPS[symbol] for _, qty in found), f"{symbol} shows quantities that are no lots"
            bid, ask = book.displayed_top()
            assert bid is None or ask is None or bid[0] < ask[0], f"{symbol} is crossed"

    def compare_balances(self) -> None:
        """The same balances; nothing lost, nothing locked that no order needs, and all of it told."""
        total = dict.fromkeys(ASSETS, 0)
        for name in NAMES:
            holds = dict.fromkeys(ASSETS, 0)
            for order in self.engine.open_orders(name):
                holds[_paying(order)] += order.held
            for asset, free, held in self.engine.balances(name):
                locked = self.twin.locked(name, asset)
                expected = (self.twin.accounts[name].totals[asset] - locked, locked)
                assert (free, held) == expected, f"{name} {asset}: {(free, held)} instead of {expected}"
                assert free >= 0
                assert held == holds[asset], f"{name} {asset}: {held} locked, orders hold {holds[asset]}"
                assert self._balances[name, asset] == (free, held), f"balances of {name} changed and no event told"
                total[asset] += free + held
        assert total == self._sum, "something was lost or made"

    def _held(self, asset: str) -> int:
        return sum(free + held for name in NAMES for each, free, held in self.engine.balances(name) if each == asset)

    # Records

    def still(self, order: Order) -> Order:
        """Without what moves between two reports, and what is kept beside it."""
        bare = order.snapshot()
        bare.trailing_price = 0
        bare.prevented_matches = ()
        if self.are_fills_apart:
            bare.fills = ()
        return bare

    def records(self, updates: list[OrderUpdate]) -> None:
        """What the events tell is what the questions answer."""
        engine = self.engine
        latest = {update.order.order_id: update.order for update in updates}
        for number in latest:
            order = self._orders[number]
            mine = engine.order(order.account, order.symbol, order_id=number)
            assert self.still(mine) == self.still(order), (
                f"order {number} is not as its last event tells: {_apart(mine, order)}"
            )
        for update in updates:
            order = update.order
            if update.fill is not None:
                number = order.order_id
                if update.fill.allocation_id == NO_TRADE:
                    rows = engine.fills(order.account, order.symbol, FillQuery(order_id=number, limit=MANY))
                else:
                    rows = engine.allocations(order.account, order.symbol, order_id=number, limit=MANY)
                assert update.fill in rows
            if update.prevented is not None:
                match = update.prevented
                for owner in {match.account, match.maker_account}:
                    number = match.prevented_match_id
                    assert engine.prevented_matches(owner, match.symbol, prevented_match_id=number) == [match]
            if update.amendment is not None:
                rows_of = engine.amendments(order.account, order.symbol, order.order_id, limit=MANY)
                assert update.amendment in rows_of

    def lists(self, events: list[Event]) -> None:
        """Every list that something happened to is in a legal state and as its last event tells."""
        told = {event.order_list.list_id: event.order_list for event in events if isinstance(event, ListUpdate)}
        for number, order_list in told.items():
            assert self.engine.order_list(order_list.account, list_id=number) == order_list
        touched = {order.list.number for each in self.twin.changed if (order := self.twin.orders[each]).list}
        for number in touched | told.keys():
            self.compare_list(self.twin.lists[number])

    def compare_list(self, its: TwinList) -> None:
        """A list's state against those of its orders."""
        mine = self.engine.order_list(its.account, list_id=its.number)
        assert [leg.order_id for leg in mine.legs] == [leg.number for leg in its.legs]
        assert [leg.client_order_id for leg in mine.legs] == [leg.client for leg in its.legs]
        legs = [self.engine.order(its.account, its.symbol, order_id=leg.order_id) for leg in mine.legs]
        alive = [leg for leg in legs if leg.is_open]
        is_done = not alive
        assert (mine.order_status is ListOrderStatus.ALL_DONE) == is_done
        assert (mine.status_type is ListStatusType.ALL_DONE) == is_done
        assert (its.number in [each.list_id for each in self.engine.open_order_lists(its.account)]) == (not is_done)
        assert all(leg.order_list_id == its.number for leg in legs)
        pending = [leg for leg in legs if leg.status is OrderStatus.PENDING_NEW]
        if pending:
            assert its.kind != "OCO"
            assert legs[0].is_open, "its working order is done, so nothing may pend any more"
            assert pending == legs[1:], "all pend or none"
        if its.kind not in ("OTO", "OPO"):
            one, other = legs[-2:]
            assert not (one.executed and other.executed), "one cancels the other"
            assert not (one.is_open and other.is_open and (one.executed or other.executed)), "one cancels the other"
            assert not (one.is_open and other.is_open and one.is_working and other.is_working)


def _as_twin(fill: Fill) -> TwinFill:
    money = (fill.price, fill.qty, fill.quote_qty, fill.commission, fill.commission_asset)
    return TwinFill(fill.order_id, *money, fill.is_maker, fill.why)


_BASES = {rules.symbol: (rules.base, rules.quote) for rules in RULES}


def _paying(order: Order) -> str:
    return _BASES[order.symbol][order.side is Side.BUY]


def _apart(one: Order, other: Order) -> dict[str, tuple[object, object]]:
    """Where two differ."""
    pairs = ((name, getattr(one, name), getattr(other, name)) for name in Order.__struct_fields__)
    return {name: (left, right) for name, left, right in pairs if left != right}
