"""The sorted triggers of a symbol beside stops that each look at every price (``faqs/trailing-stop-faq.md``)."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from cryptotrader.core.orders import OrderType, Side, TimeInForce
from cryptotrader.exchange.engine.contingent.triggers import Due, Triggers
from cryptotrader.exchange.engine.orders import Order, Stop

KINDS = (OrderType.STOP_LOSS, OrderType.TAKE_PROFIT)
BASIS_POINTS = 10_000


class NaiveStop:
    """One stop that remembers what it has seen."""

    def __init__(self, order: Order, stop: Stop, last: int) -> None:
        self.order = order
        self.stop = stop
        self.rises = (order.type is OrderType.STOP_LOSS) == (order.side is Side.BUY)
        self.best = 0
        if not stop.price:
            self.best = last

    def sees(self, price: int) -> bool:
        """Whether a trade at this price triggers it."""
        stop = self.stop
        if stop.trailing_delta and self.best:
            if self.order.side is Side.SELL:
                self.best = max(self.best, price)
                return price * BASIS_POINTS <= self.best * (BASIS_POINTS - stop.trailing_delta)
            self.best = min(self.best, price)
            return price * BASIS_POINTS >= self.best * (BASIS_POINTS + stop.trailing_delta)
        is_there = not stop.price or (price >= stop.price if self.rises else price <= stop.price)
        if stop.trailing_delta and is_there:
            self.best = price
            return False
        return is_there


class Wait(NamedTuple):
    """A stop begins to wait."""

    side: Side
    kind: OrderType
    stop: Stop


class Cancel(NamedTuple):
    """A stop waits no more."""

    order_id: int


prices = st.integers(900, 1100)
deltas = st.integers(10, 800)
stops = st.one_of(
    st.builds(Stop, price=prices),
    st.builds(Stop, trailing_delta=deltas),
    st.builds(Stop, price=prices, trailing_delta=deltas),
)
waits = st.builds(Wait, st.sampled_from(Side), st.sampled_from(KINDS), stops)
cancels = st.builds(Cancel, st.integers(1, 30))


@settings(max_examples=300)
@given(st.lists(st.one_of(prices, waits, cancels), max_size=60))
def test_the_same_stops_are_triggered_by_the_same_trades_in_the_same_order(plan: list[int | Wait | Cancel]) -> None:
    due: Due = deque()
    triggers = Triggers("BTCUSDT", due)
    naive: dict[int, NaiveStop] = {}
    last = trade_id = order_id = 0
    for step in plan:
        if isinstance(step, int):
            last, trade_id = step, trade_id + 1
            triggers.pass_price(step, trade_id, trade_id)
            fired = [each.order_id for each in due if isinstance(each, Order)]
            due.clear()
            assert fired == sorted(number for number, stop in naive.items() if stop.sees(step))
            for number in fired:
                del naive[number]
        elif isinstance(step, Cancel):
            found = naive.pop(step.order_id, None)
            if found is not None:
                triggers.discard(found.order)
        else:
            order_id += 1
            order = _order(order_id, step)
            triggers.add(order, last, trade_id, trade_id)
            naive[order_id] = NaiveStop(order, step.stop, last)
        assert len(triggers) == len(naive)
        triggers.trails()
        assert all(stop.order.trailing_price == stop.best for stop in naive.values() if stop.stop.trailing_delta)


def _order(order_id: int, wait: Wait) -> Order:
    return Order(
        order_id=order_id,
        client_order_id=str(order_id),
        account="alice",
        symbol="BTCUSDT",
        side=wait.side,
        type=wait.kind,
        time_in_force=TimeInForce.GTC,
        price=0,
        qty=1,
        time_ms=1,
        update_ms=1,
        working_ms=-1,
        is_working=False,
        stop=wait.stop,
    )
