"""What waits for the price of a symbol: stops sorted by stop price, trailing stops grouped by the price they follow.

One trade costs a look at the nearest stop price on each side and at the nearest trigger of the trailing stops of each
side; only what it reaches is touched (``faqs/trailing-stop-faq.md``; ``rest-api.md``, "New order").
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import deque

from cryptotrader.core.orders import OrderType, Side
from cryptotrader.exchange.engine.accounts import BASIS_POINTS
from cryptotrader.exchange.engine.events import KeptEvent, OrderKept, TrailMoved
from cryptotrader.exchange.engine.orders import Order, Trail

Due = deque["Order | KeptEvent"]
"""What a command or market event still has to carry out or tell, in order."""

_STOP_LOSS = frozenset({OrderType.STOP_LOSS, OrderType.STOP_LOSS_LIMIT})


def triggers_on_rise(order_type: OrderType, side: Side) -> bool:
    """Whether the stop price lies above the market: stop-loss buys and take-profit sells."""
    return (order_type in _STOP_LOSS) == (side is Side.BUY)


class _Ladder:
    """Orders by stop price; gives out those that a price reaches."""

    def __init__(self, sign: int) -> None:
        self._sign = sign
        self._prices: list[int] = []
        self._orders: dict[int, dict[int, Order]] = {}

    def add(self, order: Order, price: int) -> None:
        key = price * self._sign
        found = self._orders.get(key)
        if found is None:
            found = self._orders[key] = {}
            insort(self._prices, key)
        found[order.order_id] = order

    def discard(self, order: Order, price: int) -> bool:
        key = price * self._sign
        found = self._orders.get(key)
        if found is None or found.pop(order.order_id, None) is None:
            return False
        if not found:
            del self._orders[key]
            del self._prices[bisect_left(self._prices, key)]
        return True

    def reached(self, price: int) -> list[Order]:
        """Take out what a trade at a price reaches."""
        prices, limit = self._prices, price * self._sign
        if not prices or prices[0] > limit:
            return []
        count = bisect_left(prices, limit + 1)
        due = [order for key in prices[:count] for order in self._orders.pop(key).values()]
        del prices[:count]
        return due


class _Group:
    """Trailing orders that have followed to the same price."""

    __slots__ = ("extreme", "members", "orders", "since")

    def __init__(self, extreme: int, since: int) -> None:
        self.extreme = extreme
        self.since = since
        """Trade id at which the first of them began."""
        self.members: list[tuple[int, int]] = []
        """(delta, order id), the smallest delta first: it triggers first."""
        self.orders: dict[int, Order] = {}

    def add(self, delta: int, order: Order) -> None:
        insort(self.members, (delta, order.order_id))
        self.orders[order.order_id] = order


class _Trail:
    """Trailing orders of one side that follow the price.

    Prices are kept with a sign, so that a good price is always a higher one: sells follow a maximum, buys a minimum.
    Whoever begins to follow begins at the last price, and nobody who began before has seen less: the groups are sorted
    by time and by price at once, the oldest and highest first, and a new high swallows groups from the end.
    """

    def __init__(self, side: Side) -> None:
        self.side = side
        self._sign = 1 if side is Side.SELL else -1
        self._groups: list[_Group] = []
        self._nearest: int | None = None
        """No order triggers before the signed price, times BASIS_POINTS, falls to this. May be too high."""

    def _trigger(self, group: _Group) -> int:
        return group.extreme * (BASIS_POINTS - self._sign * group.members[0][0])

    def add(self, order: Order, price: int, delta: int) -> None:
        """Follow from a price on. Orders must come in the order in which they began."""
        extreme = price * self._sign
        index = bisect_left(self._groups, -extreme, key=lambda group: -group.extreme)
        if index == len(self._groups) or self._groups[index].extreme != extreme:
            self._groups.insert(index, _Group(extreme, order.trailing_trade_id))
        group = self._groups[index]
        group.add(delta, order)
        self._approach(self._trigger(group))

    def discard(self, order: Order, delta: int) -> bool:
        """Follow no more; whether it did."""
        began = order.trailing_trade_id
        index = bisect_right(self._groups, began, key=lambda group: group.since) - 1
        if index < 0 or self._groups[index].orders.pop(order.order_id, None) is None:
            return False
        group = self._groups[index]
        del group.members[bisect_left(group.members, (delta, order.order_id))]
        if not group.members:
            del self._groups[index]
        return True

    def _approach(self, trigger: int) -> None:
        if self._nearest is None or trigger > self._nearest:
            self._nearest = trigger

    def follow(self, price: int) -> bool:
        """A trade at a price: whether any order follows to it."""
        signed = price * self._sign
        groups = self._groups
        if not groups or groups[-1].extreme >= signed:
            return False
        swallowed = groups.pop()
        while groups and groups[-1].extreme <= signed:
            smaller = groups.pop()
            since = smaller.since
            if len(smaller.members) > len(swallowed.members):
                smaller, swallowed = swallowed, smaller
            for delta, order_id in smaller.members:
                swallowed.add(delta, smaller.orders[order_id])
            swallowed.since = since
        swallowed.extreme = signed
        groups.append(swallowed)
        self._approach(self._trigger(swallowed))
        return True

    def reached(self, price: int) -> list[Order]:
        """Take out what a trade at a price triggers."""
        signed = price * self._sign * BASIS_POINTS
        if self._nearest is None or signed > self._nearest:
            return []
        due: list[Order] = []
        for group in self._groups:
            count = 0
            for delta, order_id in group.members:
                if group.extreme * (BASIS_POINTS - self._sign * delta) < signed:
                    break
                count += 1
                order = group.orders.pop(order_id)
                order.trailing_price = group.extreme * self._sign
                due.append(order)
            del group.members[:count]
        self._groups = [group for group in self._groups if group.members]
        self._nearest = max((self._trigger(group) for group in self._groups), default=None)
        return due

    def steps(self) -> tuple[tuple[int, int], ...]:
        """As ``Trail`` has them."""
        return tuple((group.since, group.extreme * self._sign) for group in self._groups)

    def write_back(self) -> None:
        """Put the price that each order has followed to into its record."""
        for group in self._groups:
            for order in group.orders.values():
                order.trailing_price = group.extreme * self._sign


class Triggers:
    """The waiting orders of one symbol.

    Args:
        symbol: Whose.
        due: Where orders that a trade reaches go, in order of their ids for each trade.
    """

    def __init__(self, symbol: str, due: Due) -> None:
        self._symbol = symbol
        self._due = due
        self._rise = _Ladder(1)
        self._fall = _Ladder(-1)
        self._trails = (_Trail(Side.BUY), _Trail(Side.SELL))
        self._fresh: dict[int, Order] = {}
        """Trailing orders without a stop price from before the first trade: they follow from the next one on."""
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, order: Order, last_price: int, last_trade_id: int, now_ms: int) -> None:
        """An order begins to wait, or goes on after a restart. ``last_price``: 0 before any trade."""
        stop = order.stop
        if stop is None:
            raise ValueError(f"order {order.order_id} waits for no price")
        self._count += 1
        if order.trailing_ms:
            self._trail(order.side).add(order, order.trailing_price, stop.trailing_delta)
        elif stop.price:
            self._ladder(order).add(order, stop.price)
        elif last_price:
            self._track(order, last_price, last_trade_id, now_ms)
            self._tell(order.side, now_ms)
        else:
            self._fresh[order.order_id] = order

    def discard(self, order: Order) -> None:
        """An order waits no more. One that is due already is not here any longer."""
        stop = order.stop
        if stop is None:
            return
        found = (
            self._fresh.pop(order.order_id, None) is not None
            or (stop.price and self._ladder(order).discard(order, stop.price))
            or (stop.trailing_delta and self._trail(order.side).discard(order, stop.trailing_delta))
        )
        if found:
            self._count -= 1

    def pass_price(self, price: int, trade_id: int, time_ms: int) -> None:
        """A public trade. What it triggers is due; what begins to trail or follows it is told to who keeps it."""
        told = {trail.side for trail in self._trails if trail.follow(price)}
        fired = [order for trail in self._trails for order in trail.reached(price)]
        started = list(self._fresh.values())
        self._fresh.clear()
        for ladder in (self._rise, self._fall):
            for order in ladder.reached(price):
                if order.stop is not None and order.stop.trailing_delta:
                    started.append(order)
                else:
                    fired.append(order)
        for order in started:
            self._track(order, price, trade_id, time_ms)
            self._due.append(OrderKept(order, time_ms))
            told.add(order.side)
        for side in sorted(told):
            self._tell(side, time_ms)
        self._count -= len(fired)
        fired.sort(key=lambda order: order.order_id)
        self._due.extend(fired)

    def follow(self, price: int, time_ms: int) -> None:
        """A trade before the start: trailing orders follow it, nothing triggers."""
        for trail in self._trails:
            if trail.follow(price):
                self._tell(trail.side, time_ms)

    def trails(self) -> tuple[Trail, ...]:
        """How far the trailing orders have followed; their own records are brought up to it."""
        for trail in self._trails:
            trail.write_back()
        found = (Trail(self._symbol, trail.side, trail.steps()) for trail in self._trails)
        return tuple(trail for trail in found if trail.steps)

    def _tell(self, side: Side, time_ms: int) -> None:
        self._due.append(TrailMoved(Trail(self._symbol, side, self._trail(side).steps()), time_ms))

    def _track(self, order: Order, price: int, trade_id: int, now_ms: int) -> None:
        order.trailing_ms = now_ms
        order.trailing_price = price
        order.trailing_trade_id = trade_id
        self._trail(order.side).add(order, price, order.stop.trailing_delta if order.stop else 0)

    def _ladder(self, order: Order) -> _Ladder:
        return self._rise if triggers_on_rise(order.type, order.side) else self._fall

    def _trail(self, side: Side) -> _Trail:
        return self._trails[0] if side is Side.BUY else self._trails[1]
