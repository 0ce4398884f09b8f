"""What the naive twin of the whole engine keeps: orders, lists, queues. Slow and obvious on purpose.

Written from Binance's documents; where they are silent, from what the engine's documentation says it has decided.
It takes the engine's commands, which are plain data, and nothing else of it. Money is whole numbers of 10**-8.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import floor

UNIT = 10**8
UNPRICED = ("MARKET", "STOP_LOSS", "TAKE_PROFIT")
STOP_LOSSES = ("STOP_LOSS", "STOP_LOSS_LIMIT")
OPEN = ("NEW", "PENDING_NEW", "PARTIALLY_FILLED")


class Refused(Exception):
    """The twin turns a command down."""


def cost(price: int, qty: int) -> int:
    """price * quantity, cut to eight places."""
    return floor(Fraction(price * qty, UNIT))


@dataclass(eq=False)
class Purse:
    """What is locked for an order, or for both orders of which one cancels the other."""

    amount: int = 0


@dataclass(eq=False)
class TwinList:
    """An order list."""

    number: int
    account: str
    symbol: str
    kind: str
    client: str
    legs: list[TwinOrder] = field(default_factory=list)

    @property
    def pair(self) -> list[TwinOrder]:
        """The two of which one cancels the other."""
        return [] if self.kind in ("OTO", "OPO") else self.legs[-2:]

    @property
    def is_open(self) -> bool:
        """Whether any of it is."""
        return any(leg.is_open for leg in self.legs)


@dataclass(eq=False)
class TwinOrder:
    """One order."""

    number: int
    account: str
    symbol: str
    side: str
    type: str
    tif: str
    price: int
    qty: int
    client: str
    stp: str
    iceberg: int
    stop_price: int
    delta: int
    has_stop: bool
    peg: tuple[str, int] | None
    sor: bool
    purse: Purse = field(default_factory=Purse)
    executed: int = 0
    spent: int = 0
    prevented: int = 0
    amends: int = 0
    status: str = "NEW"
    reason: str = ""
    """Why it expired."""
    works: bool = False
    since_ms: int = 0
    """When it came to work."""
    best: int = 0
    """The best price that a trailing order has seen; 0 while it does not trail."""
    list: TwinList | None = None

    @property
    def left(self) -> int:
        """What can still trade."""
        return self.qty - self.executed - self.prevented

    @property
    def is_open(self) -> bool:
        """Whether it can still trade."""
        return self.status in OPEN

    @property
    def rises(self) -> bool:
        """Whether its stop price lies above the market."""
        return (self.type in STOP_LOSSES) == (self.side == "BUY")

    @property
    def sibling(self) -> TwinOrder | None:
        """The open order that this one cancels."""
        if self.list is None or self not in self.list.pair:
            return None
        return next((leg for leg in self.list.pair if leg is not self and leg.is_open), None)

    def need(self, last: int) -> int:
        """What it has to have locked: base for a sell, quote for a buy."""
        if self.works and self.type in UNPRICED:
            return 0
        if self.side == "SELL":
            return self.left
        return cost(self.price if self.works else self.price or self.stop_price or last, self.left)

    def sees(self, price: int) -> bool:
        """A trade passes an order that waits: whether it triggers (``faqs/trailing-stop-faq.md``)."""
        if self.delta and self.best:
            if self.side == "SELL":
                self.best = max(self.best, price)
                return Fraction(price) <= Fraction(self.best * (10_000 - self.delta), 10_000)
            self.best = min(self.best, price)
            return Fraction(price) >= Fraction(self.best * (10_000 + self.delta), 10_000)
        is_there = not self.stop_price or (price >= self.stop_price if self.rises else price <= self.stop_price)
        if self.delta and is_there:
            self.best = price
            return False
        return is_there


Entry = tuple["TwinOrder | None", int]
"""Whose, None for external; how much the public sees."""


class Half:
    """Bids or asks: per price a list of who is there, first come first."""

    def __init__(self, side: str) -> None:
        self.side = side
        self.queues: dict[int, list[Entry]] = {}
        self.external: dict[int, int] = {}
        self.taken: dict[int, int] = {}
        self.early: dict[int, int] = {}
        """Prices at which more was taken than the book shows yet, and the update id that told of it."""

    def prices(self) -> list[int]:
        """Where anything is, best first."""
        return sorted((price for price, queue in self.queues.items() if queue), reverse=self.side == "BUY")

    def levels(self) -> list[tuple[int, int]]:
        """What the public sees, best first."""
        return [(price, sum(qty for _, qty in self.queues[price])) for price in self.prices()]

    def outside(self, price: int) -> int:
        """External quantity at a price."""
        return sum(qty for who, qty in self.queues.get(price, []) if who is None)

    def best_outside(self) -> int | None:
        """The best price with external quantity."""
        return next((price for price in self.prices() if self.outside(price)), None)

    def orders(self, price: int) -> list[TwinOrder]:
        """Users' orders at a price, first come first."""
        return [who for who, _ in self.queues.get(price, []) if who is not None]

    def order_prices(self) -> list[int]:
        """Where users have orders, best first."""
        return [price for price in self.prices() if self.orders(price)]

    def shown(self, order: TwinOrder) -> int:
        """What the public sees of an order."""
        return next(qty for who, qty in self.queues[order.price] if who is order)

    def join(self, order: TwinOrder) -> None:
        """Come to rest, or show the next slice: at the end."""
        self.queues.setdefault(order.price, []).append((order, min(order.iceberg or order.left, order.left)))

    def leave(self, order: TwinOrder) -> None:
        """Rest no more."""
        self.queues[order.price] = [each for each in self.queues[order.price] if each[0] is not order]

    def traded(self, order: TwinOrder, qty: int) -> None:
        """An order that rests was filled; it knows already."""
        shown = self.shown(order) - qty
        if not order.left or shown <= 0:
            self.leave(order)
            if order.left:
                self.join(order)
        else:
            self.show(order, shown)

    def show(self, order: TwinOrder, qty: int) -> None:
        """Show so much of an order from now on, in its place."""
        self.queues[order.price] = [
            (who, qty) if who is order else (who, shown) for who, shown in self.queues[order.price]
        ]

    def shrink(self, order: TwinOrder) -> None:
        """An order became smaller in its place."""
        if order.left:
            self.show(order, min(self.shown(order), order.left))
        else:
            self.leave(order)

    def consume(self, price: int, qty: int, early: int = 0) -> None:
        """External quantity is taken from the front."""
        self.taken[price] = self.taken.get(price, 0) + qty
        if self.taken[price] > self.external.get(price, 0):
            self.early[price] = early
        kept: list[Entry] = []
        for who, shown in self.queues.get(price, []):
            gone = min(qty, shown) if who is None else 0
            qty -= gone
            if shown - gone:
                kept.append((who, shown - gone))
        self.queues[price] = kept

    def tell(self, price: int, qty: int) -> None:
        """The source shows a quantity."""
        self.external[price] = qty
        self.adjust(price)

    def catch_up(self, update_id: int) -> None:
        """The source's book has come to an update id."""
        for price in [price for price, early in self.early.items() if early <= update_id]:
            del self.early[price]
            self.adjust(price)

    def adjust(self, price: int) -> None:
        """As much external quantity as the source shows and nobody took: less leaves at the end, more joins there."""
        there = self.external.get(price, 0)
        if price not in self.early:
            self.taken[price] = min(self.taken.get(price, 0), there)
        surplus = self.outside(price) - max(0, there - self.taken.get(price, 0))
        queue = self.queues.setdefault(price, [])
        if surplus < 0:
            queue.append((None, -surplus))
        for at in reversed(range(len(queue))):
            who, qty = queue[at]
            if who is None and surplus > 0:
                gone = min(qty, surplus)
                surplus -= gone
                queue[at] = (None, qty - gone)
        self.queues[price] = [each for each in queue if each[1]]

    def pass_volume(self, price: int, volume: int, skipped: set[int]) -> dict[int, int]:
        """A public trade eats the queue from the front; whom it reaches, and by how much.

        External quantity that it eats comes again at the end: the source will tell how much is left. Orders in
        ``skipped`` take nothing of it.
        """
        eaten = 0
        reached: dict[int, int] = {}
        kept: list[Entry] = []
        for who, qty in self.queues.get(price, []):
            part = 0 if who is not None and who.number in skipped else min(qty, volume)
            volume -= part
            if who is not None:
                kept.append((who, qty))
                if part:
                    reached[who.number] = part
            else:
                eaten += part
                if qty - part:
                    kept.append((who, qty - part))
        self.queues[price] = [*kept, *([(None, eaten)] if eaten else [])]
        return reached

    def pieces(self, price: int) -> list[tuple[TwinOrder | None, int]]:
        """Who trades with a taker that eats all of a price: slices of icebergs that are used up join the end."""
        waiting = list(self.queues[price])
        hidden = {who.number: who.left - qty for who, qty in waiting if who is not None}
        found: list[tuple[TwinOrder | None, int]] = []
        while waiting:
            who, qty = waiting.pop(0)
            if found and who is None and found[-1][0] is None:
                found[-1] = (None, found[-1][1] + qty)
            else:
                found.append((who, qty))
            if who is not None and hidden[who.number]:
                more = min(who.iceberg, hidden[who.number])
                hidden[who.number] -= more
                waiting.append((who, more))
        return found
