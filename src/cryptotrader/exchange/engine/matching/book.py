"""One symbol's book: what the market source shows, less what users took of it, plus users' resting orders.

Queue positions: an order waits behind the external quantity that its price showed when it came (``Resting.ahead``).
Public trades at the price and smaller external quantities shorten that queue; nothing ever lengthens it.

Of an iceberg order the book shows one slice. A slice that is used up is followed by the next one, which joins the end
of the queue of its price. Binance's documents do not say so; it is what exchanges commonly do.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec

from cryptotrader.core.events import Level
from cryptotrader.core.orders import Side
from cryptotrader.exchange.engine.orders import Order

if TYPE_CHECKING:
    from cryptotrader.exchange.engine.matching.market import SymbolMarket

UNKNOWN_QUEUE = 1 << 62
"""Queue ahead of an order that was restored from disk, until the book at its price is seen again."""


class Resting(msgspec.Struct, eq=False):
    """A user's order on the book and the external quantity that is still ahead of it at its price."""

    order: Order
    ahead: int
    shown: int
    """What the public sees of it: all, or the slice of an iceberg."""
    credit: int = 0
    """By how much the last diff shortened the queue."""
    credit_ms: int = 0
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
        return min(through, self.shown)


Piece = tuple[int, int, Resting | None, "SymbolMarket | None"]
"""(price, quantity, the user's order that offers it or None for external liquidity, the market where it lies or None
for the taker's own)."""


class BookSide:
    """Bids or asks."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self._is_bid = side is Side.BUY
        self._external: dict[int, int] = {}
        self._external_prices: list[int] = []
        self._consumed: dict[int, int] = {}
        self._early: dict[int, int] = {}
        self._orders: dict[int, dict[int, Resting]] = {}
        """By price, then by order id; oldest first."""
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
        queue = self._orders.get(price)
        return sum([resting.shown for resting in queue.values()]) if queue else 0

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
        if not external:
            yield from reversed(own) if self._is_bid else iter(own)
            return
        # The two lists' best ends are walked side by side.
        is_bid = self._is_bid
        at, left = (len(external) - 1, len(own) - 1) if is_bid else (0, 0)
        step = -1 if is_bid else 1
        ends = (-1, -1) if is_bid else (len(external), len(own))
        while at != ends[0] and left != ends[1]:
            theirs, ours = external[at], own[left]
            if theirs == ours:
                yield theirs
                at += step
                left += step
            elif (theirs > ours) is is_bid:
                yield theirs
                at += step
            else:
                yield ours
                left += step
        for index in range(at, ends[0], step):
            yield external[index]
        for index in range(left, ends[1], step):
            yield own[index]

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

    def may_reach(self, limit: int) -> bool:
        """Whether anything might be there for a taker who insists on ``limit``. Cheap; a yes may be wrong."""
        at = -1 if self._is_bid else 0
        own, external = self._order_prices, self._external_prices
        if self._is_bid:
            return bool((own and own[at] >= limit) or (external and external[at] >= limit))
        return bool((own and own[at] <= limit) or (external and external[at] <= limit))

    def walk(self, limit: int | None = None, market: SymbolMarket | None = None) -> Iterator[Piece]:
        """What a taker meets, in order of price and time, at ``limit`` or better. The book must not change meanwhile.

        ``market``: what the pieces say about where they lie.
        """
        is_bid = self._is_bid
        shown, consumed, orders = self._external.get, self._consumed.get, self._orders.get
        for price in self.prices():
            if limit is not None and (price < limit if is_bid else price > limit):
                return
            # As ``external`` says: a call for each level that is used up takes a third of the walk.
            left = max(shown(price, 0) - consumed(price, 0), 0)
            if (queue := orders(price)) is not None:
                yield from _walk_queue(price, queue, left, market)
            elif left:
                yield price, left, None, market

    def order_prices(self, reach: int) -> list[int]:
        """Prices at which users have orders, down to one (included), best first."""
        prices = self._order_prices
        if self._is_bid:
            return prices[bisect_left(prices, reach) :][::-1]
        return prices[: bisect_right(prices, reach)]

    def all_order_prices(self) -> list[int]:
        """All prices at which users have orders, best first."""
        return self._order_prices[::-1] if self._is_bid else self._order_prices.copy()

    def queue(self, price: int) -> tuple[Resting, ...]:
        """Users' orders at a price, oldest first."""
        queue = self._orders.get(price)
        return tuple(queue.values()) if queue else ()

    def place_of(self, order: Order) -> Resting | None:
        """Where an order rests; None where it does not."""
        queue = self._orders.get(order.price)
        return queue.get(order.order_id) if queue else None

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
        for resting in self._orders[price].values():
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
        queue = self._orders.get(price)
        if queue:
            for resting in queue.values():
                resting.ahead = max(0, resting.ahead - quantity)

    def add(self, order: Order, ahead: int | None = None) -> Resting:
        """An order comes to rest at the end of the queue of its price."""
        price = order.price
        queue = self._orders.get(price)
        if queue is None:
            queue = self._orders[price] = {}
            insort(self._order_prices, price)
        if ahead is None:
            ahead = self.external(price) if self._external else 0
        left = order.remaining
        queue[order.order_id] = resting = Resting(order, ahead, min(order.iceberg_qty or left, left))
        self.unshown.add(price)
        return resting

    def traded(self, resting: Resting, qty: int) -> None:
        """A resting order was filled: one that is whole leaves, a slice that is used up is followed by the next."""
        order = resting.order
        left = order.remaining
        if not left:
            self.remove(order)
            return
        price = order.price
        self.unshown.add(price)
        resting.shown -= qty
        if resting.shown <= 0:
            resting.shown = min(order.iceberg_qty or left, left)
            resting.ahead = self.external(price)
            resting.credit = 0
            queue = self._orders[price]
            queue[order.order_id] = queue.pop(order.order_id)

    def shrunk(self, order: Order) -> None:
        """A resting order became smaller without a trade. It keeps its place; one with nothing left leaves.

        The slice that an iceberg shows shrinks only where less than it is left.
        """
        left = order.remaining
        if not left:
            self.remove(order)
            return
        resting = self._orders[order.price][order.order_id]
        resting.shown = min(resting.shown, left)
        self.unshown.add(order.price)

    def put_back(self, resting: Resting, ahead: int, shown: int) -> None:
        """After a restart: an order takes the place behind those put back before it, with what it knew of the queue."""
        resting.ahead = ahead
        resting.shown = shown
        queue = self._orders[resting.order.price]
        queue[resting.order.order_id] = queue.pop(resting.order.order_id)

    def remove(self, order: Order) -> None:
        """An order leaves the book."""
        price = order.price
        queue = self._orders[price]
        del queue[order.order_id]
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


def _walk_queue(price: int, queue: dict[int, Resting], left: int, market: SymbolMarket | None) -> Iterator[Piece]:
    """One price: users' orders and the external quantity ahead of each; then icebergs, slice by slice in turn."""
    passed = 0
    icebergs: list[tuple[Resting, int]] = []
    for resting in queue.values():
        before = min(resting.ahead - passed, left)
        if before > 0:
            yield price, before, None, market
            passed += before
            left -= before
        shown = resting.shown
        yield price, shown, resting, market
        if resting.order.iceberg_qty:
            hidden = resting.order.remaining - shown
            if hidden:
                icebergs.append((resting, hidden))
    if left:
        yield price, left, None, market
    while icebergs:
        deeper = []
        for resting, hidden in icebergs:
            part = min(resting.order.iceberg_qty, hidden)
            yield price, part, resting, market
            if hidden > part:
                deeper.append((resting, hidden - part))
        icebergs = deeper
