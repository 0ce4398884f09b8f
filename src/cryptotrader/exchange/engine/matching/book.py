"""One symbol's book: what the market source shows, less what users took of it, plus users' resting orders.

Queue positions: an order waits behind the external quantity that its price showed when it came (``Resting.ahead``).
Public trades at the price and smaller external quantities shorten that queue; nothing ever lengthens it.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator

from cryptotrader.core.events import Level
from cryptotrader.core.orders import Side
from cryptotrader.exchange.engine.orders import Order

UNKNOWN_QUEUE = 1 << 62
"""Queue ahead of an order that was restored from disk, until the book at its price is seen again."""


class Resting:
    """A user's order on the book and the external quantity that is still ahead of it at its price."""

    __slots__ = ("ahead", "credit", "credit_ms", "order")

    def __init__(self, order: Order, ahead: int) -> None:
        self.order = order
        self.ahead = ahead
        self.credit = 0
        """By how much the last diff shortened the queue."""
        self.credit_ms = 0
        """Time of that diff. A trade from before it, told later, is part of the shortening and not counted twice."""

    def shorten(self, left: int, time_ms: int) -> None:
        """The source shows less than the queue."""
        self.credit = self.ahead - left if self.ahead < UNKNOWN_QUEUE else 0
        self.credit_ms = time_ms
        self.ahead = left

    def reached_by(self, volume: int, time_ms: int) -> int:
        """A public trade at the order's price eats the queue; how much of its volume comes through to the order."""
        if self.credit and time_ms < self.credit_ms:
            used = min(self.credit, volume)
            self.credit -= used
            volume -= used
        through = max(0, volume - self.ahead)
        self.ahead = max(0, self.ahead - volume)
        return min(through, self.order.remaining)


Piece = tuple[int, int, Resting | None]
"""(price, quantity, the user's order that offers it or None for external liquidity)."""


class BookSide:
    """Bids or asks."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self._is_bid = side is Side.BUY
        self._external: dict[int, int] = {}
        self._external_prices: list[int] = []
        self._consumed: dict[int, int] = {}
        self._early: dict[int, int] = {}
        self._orders: dict[int, list[Resting]] = {}
        self._order_prices: list[int] = []
        self.unshown: set[int] = set()
        """Prices that users changed since the last public diff."""

    # What is there

    @property
    def is_plain(self) -> bool:
        """Whether users have left no mark: what is displayed is what the source says."""
        return not (self._orders or self._consumed or self.unshown)

    @property
    def has_orders(self) -> bool:
        """Whether users have orders here."""
        return bool(self._order_prices)

    def external(self, price: int) -> int:
        """External quantity that is left at a price."""
        left = self._external.get(price, 0)
        if self._consumed:
            left -= self._consumed.get(price, 0)
        return left if left > 0 else 0

    def external_prices(self) -> tuple[int, ...]:
        """Every price of the source, lowest first."""
        return tuple(self._external_prices)

    def consumed(self, price: int) -> int:
        """How much of the external quantity at a price users have taken."""
        return self._consumed.get(price, 0)

    def users_qty(self, price: int) -> int:
        """What users offer at a price."""
        return sum(resting.order.remaining for resting in self._orders.get(price, ()))

    def displayed(self, price: int) -> int:
        """What the public sees at a price."""
        quantity = self.external(price)
        if price in self._orders:
            quantity += self.users_qty(price)
        return quantity

    def prices(self) -> Iterator[int]:
        """All prices, best first; some may have nothing left."""
        external, own = self._external_prices, self._order_prices
        if not own:
            yield from reversed(external) if self._is_bid else iter(external)
            return
        last = -1
        if self._is_bid:
            merged = heapq.merge(reversed(external), reversed(own), reverse=True)
        else:
            merged = heapq.merge(external, own)
        for price in merged:
            if price != last:
                yield price
                last = price

    def levels(self, limit: int | None = None) -> list[Level]:
        """Displayed levels, best first, at most ``limit``."""
        found: list[Level] = []
        if limit is not None and limit <= 0:
            return found
        for price in self.prices():
            quantity = self.displayed(price)
            if quantity:
                found.append((price, quantity))
                if len(found) == limit:
                    break
        return found

    def best(self) -> Level | None:
        """The best displayed level."""
        return next(((price, qty) for price in self.prices() if (qty := self.displayed(price))), None)

    def is_better(self, price: int, other: int) -> bool:
        """Whether a price on this side comes strictly before another."""
        return price > other if self._is_bid else price < other

    def reaches(self, price: int, limit: int) -> bool:
        """Whether a taker from the other side who insists on ``limit`` may trade with ``price`` of this side."""
        return price >= limit if self._is_bid else price <= limit

    def walk(self) -> Iterator[Piece]:
        """What a taker meets, in order of price and time. The book must not change meanwhile."""
        for price in self.prices():
            left = self.external(price)
            passed = 0
            for resting in self._orders.get(price, ()):
                before = min(resting.ahead - passed, left)
                if before > 0:
                    yield price, before, None
                    passed += before
                    left -= before
                yield price, resting.order.remaining, resting
            if left:
                yield price, left, None

    def resting(self) -> list[Resting]:
        """Users' orders in order of price and time."""
        prices = reversed(self._order_prices) if self._is_bid else iter(self._order_prices)
        return [resting for price in prices for resting in self._orders[price]]

    def queue(self, price: int) -> tuple[Resting, ...]:
        """Users' orders at a price, oldest first."""
        return tuple(self._orders.get(price, ()))

    def best_order_price(self) -> int | None:
        """The best price at which a user has an order."""
        if not self._order_prices:
            return None
        return self._order_prices[-1 if self._is_bid else 0]

    def best_external(self, beyond: int | None = None) -> Level | None:
        """The best external level with something left; with ``beyond`` the best strictly behind that price."""
        prices = self._external_prices
        if self._is_bid:
            stop = len(prices) if beyond is None else bisect_left(prices, beyond)
            candidates: Iterable[int] = reversed(prices[:stop]) if beyond is not None else reversed(prices)
        else:
            candidates = prices if beyond is None else prices[bisect_left(prices, beyond + 1) :]
        return next(((price, qty) for price in candidates if (qty := self.external(price))), None)

    # What the source says

    def set_external(self, price: int, quantity: int, time_ms: int) -> None:
        """The source shows an absolute quantity at a price from a time on; zero takes the level away."""
        external = self._external
        if quantity:
            if price not in external:
                insort(self._external_prices, price)
            external[price] = quantity
        elif price in external:
            del external[price]
            del self._external_prices[bisect_left(self._external_prices, price)]
        if self._consumed and price in self._consumed and price not in self._early:
            self._clamp(price)
        if price in self._orders:
            self._shorten(price, time_ms)

    def replace_external(self, levels: Iterable[Level]) -> None:
        """The source shows a whole new side."""
        self._external = {price: quantity for price, quantity in levels if quantity}
        self._external_prices = sorted(self._external)
        self._early.clear()
        for price in list(self._consumed):
            self._clamp(price)
        for price in self._order_prices:
            self._shorten(price, 0)

    def settle_early(self, last_id: int) -> None:
        """Forget consumption ahead of the book that a diff up to ``last_id`` has caught up with."""
        for price, update_id in list(self._early.items()):
            if update_id <= last_id:
                del self._early[price]
                self._clamp(price)

    def _clamp(self, price: int) -> None:
        """Consumption never exceeds what the source shows."""
        consumed = min(self._consumed[price], self._external.get(price, 0))
        if consumed:
            self._consumed[price] = consumed
        else:
            del self._consumed[price]

    def _shorten(self, price: int, time_ms: int) -> None:
        left = self.external(price)
        for resting in self._orders[price]:
            if resting.ahead > left:
                resting.shorten(left, time_ms)

    # What users do

    def consume(self, price: int, quantity: int, *, early_id: int = 0) -> None:
        """A user took external liquidity from the front of the queue.

        ``early_id``: the update id of a best bid and ask that told of the liquidity before the book did.
        """
        self._consumed[price] = consumed = self._consumed.get(price, 0) + quantity
        if consumed > self._external.get(price, 0):
            self._early[price] = early_id
        self.unshown.add(price)
        for resting in self._orders.get(price, ()):
            resting.ahead = max(0, resting.ahead - quantity)

    def add(self, order: Order, ahead: int | None = None) -> None:
        """An order comes to rest at the end of the queue of its price."""
        price = order.price
        queue = self._orders.get(price)
        if queue is None:
            queue = self._orders[price] = []
            insort(self._order_prices, price)
        queue.append(Resting(order, self.external(price) if ahead is None else ahead))
        self.unshown.add(price)

    def changed(self, order: Order) -> None:
        """A resting order was filled in part or whole; one that is whole leaves."""
        self.unshown.add(order.price)
        if not order.remaining:
            self.remove(order)

    def remove(self, order: Order) -> None:
        """An order leaves the book."""
        price = order.price
        queue = self._orders[price]
        queue[:] = [resting for resting in queue if resting.order is not order]
        if not queue:
            del self._orders[price]
            del self._order_prices[bisect_left(self._order_prices, price)]
        self.unshown.add(price)

    def merged(self, levels: tuple[Level, ...]) -> tuple[Level, ...]:
        """A diff's levels as the public sees them, with what users changed since the last one; best first."""
        if self.is_plain:
            return levels
        shown = [(price, self.displayed(price)) for price, _ in levels]
        missing = self.unshown.difference([price for price, _ in levels])
        if missing:
            shown.extend((price, self.displayed(price)) for price in missing)
            shown.sort(reverse=self._is_bid)
        self.unshown.clear()
        return tuple(shown)
