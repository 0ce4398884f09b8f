"""A naive twin of the matching engine: every lot at a price is one entry of a plain list, money is Decimal.

It knows nothing of the engine's structures. Slow and obvious on purpose. Prices count in ticks, quantities in lots.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal

TICK = Decimal("0.12345")
STEP = Decimal("0.000371")
"""Odd on purpose: a tick times a step has more than eight places, so that rounding matters."""
EIGHT_PLACES = Decimal("0.00000001")
BASIS_POINT = Decimal("0.0001")


def cut(value: Decimal) -> Decimal:
    """Eight places, towards zero."""
    return value.quantize(EIGHT_PLACES, rounding=ROUND_DOWN)


def cost(tick: int, lots: int) -> Decimal:
    """price * quantity."""
    return cut(TICK * tick * STEP * lots)


class Refused(Exception):
    """The twin turns an order down."""


@dataclass
class TwinOrder:
    """One order."""

    number: int
    account: str
    side: str
    tick: int
    """0 for MARKET."""
    lots: int
    rests: bool
    done: int = 0
    status: str = "NEW"
    fills: list[tuple[int, int, bool]] = field(default_factory=list)
    """(tick, lots, is maker)."""

    @property
    def left(self) -> int:
        return self.lots - self.done


def other(side: str) -> str:
    """The opposite side."""
    return "SELL" if side == "BUY" else "BUY"


class Twin:
    """Balances, one book, orders."""

    def __init__(self, accounts: dict[str, tuple[Decimal, Decimal]], maker_bps: int, taker_bps: int) -> None:
        self.totals = {name: list(amounts) for name, amounts in accounts.items()}
        self.bps = {True: maker_bps, False: taker_bps}
        self.orders: dict[int, TwinOrder] = {}
        self.external: dict[str, dict[int, int]] = {"BUY": {}, "SELL": {}}
        self.taken: dict[str, dict[int, int]] = {"BUY": {}, "SELL": {}}
        self.queues: dict[str, dict[int, list[int | None]]] = {"BUY": {}, "SELL": {}}
        """Per price one entry per lot in order of time: None is external, a number is an order's."""

    # Looking

    def ticks(self, side: str) -> list[int]:
        """Prices with something on them, best first."""
        return sorted((tick for tick, queue in self.queues[side].items() if queue), reverse=side == "BUY")

    def levels(self, side: str) -> list[tuple[int, int]]:
        """Displayed levels, best first."""
        return [(tick, len(self.queues[side][tick])) for tick in self.ticks(side)]

    def balances(self, account: str) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        """Base free and locked, quote free and locked."""
        mine = [order for order in self.orders.values() if order.account == account and order.rests]
        base = sum((STEP * order.left for order in mine if order.side == "SELL"), Decimal())
        quote = sum((cost(order.tick, order.left) for order in mine if order.side == "BUY"), Decimal())
        base_total, quote_total = self.totals[account]
        return base_total - base, base, quote_total - quote, quote

    def offers(self, side: str) -> list[tuple[int, int | None, int]]:
        """(tick, whose, lots) in order of price and time, neighbours of one owner joined."""
        found: list[tuple[int, int | None, int]] = []
        for tick in self.ticks(side):
            for entry in self.queues[side][tick]:
                if found and found[-1][:2] == (tick, entry):
                    found[-1] = (tick, entry, found[-1][2] + 1)
                else:
                    found.append((tick, entry, 1))
        return found

    # Commands

    def submit(self, account: str, side: str, kind: str, tick: int, lots: int, *, amount: Decimal) -> TwinOrder:
        """``kind``: GTC, IOC, FOK, MAKER, MARKET or AMOUNT."""
        reach = [
            offer
            for offer in self.offers(other(side))
            if kind in ("MARKET", "AMOUNT") or (offer[0] <= tick if side == "BUY" else offer[0] >= tick)
        ]
        if kind == "MAKER" and reach:
            raise Refused("Order would immediately match and take.")
        matches, wanted = self.by_amount(reach, amount) if kind == "AMOUNT" else (self.by_lots(reach, lots), lots)
        if kind == "FOK" and sum(match[2] for match in matches) < lots:
            matches = []
        self.require(account, side, kind, tick, wanted, matches=matches, amount=amount)
        rests = kind in ("GTC", "MAKER")
        tick = 0 if kind in ("MARKET", "AMOUNT") else tick
        order = TwinOrder(len(self.orders) + 1, account, side, tick, wanted, False)
        self.orders[order.number] = order
        for match in matches:
            self.take(order, match)
        if order.left and rests:
            order.rests = True
            self.queues[side].setdefault(tick, []).extend([order.number] * order.left)
        elif order.left:
            order.status = "EXPIRED"
        return order

    @staticmethod
    def by_lots(reach: list[tuple[int, int | None, int]], lots: int) -> list[tuple[int, int | None, int]]:
        """What a quantity takes."""
        matches = []
        for tick, whose, available in reach:
            taken = min(available, lots)
            if taken:
                matches.append((tick, whose, taken))
            lots -= taken
        return matches

    @staticmethod
    def by_amount(
        reach: list[tuple[int, int | None, int]], amount: Decimal
    ) -> tuple[list[tuple[int, int | None, int]], int]:
        """What an amount of quote takes, and how much it wants in all."""
        if not reach:
            raise Refused("Order book liquidity is less than symbol minimum quantity.")
        matches = []
        spare = 0
        for tick, whose, available in reach:
            affordable = int(amount / (TICK * tick) / STEP)
            taken = min(affordable, available)
            if taken:
                matches.append((tick, whose, taken))
                amount -= cost(tick, taken)
            spare = affordable - taken
            if affordable <= available:
                break
        bought = sum(match[2] for match in matches)
        if not bought:
            raise Refused("Filter failure: LOT_SIZE")
        return matches, bought + spare

    def require(
        self,
        account: str,
        side: str,
        kind: str,
        tick: int,
        lots: int,
        *,
        matches: list[tuple[int, int | None, int]],
        amount: Decimal,
    ) -> None:
        """Enough must be free."""
        base, _, quote, _ = self.balances(account)
        if side == "SELL":
            bought = sum(match[2] for match in matches)
            is_enough = base >= STEP * (bought if kind == "AMOUNT" else lots)
        elif kind == "AMOUNT":
            is_enough = quote >= amount
        elif kind == "MARKET":
            is_enough = quote >= sum((cost(at, taken) for at, _, taken in matches), Decimal())
        else:
            is_enough = quote >= cost(tick, lots)
        if not is_enough:
            raise Refused("Account has insufficient balance for requested action.")

    def cancel(self, number: int) -> None:
        """End an open order."""
        order = self.orders[number]
        order.status = "CANCELED"
        order.rests = False
        queue = self.queues[order.side][order.tick]
        queue[:] = [entry for entry in queue if entry != number]

    def take(self, order: TwinOrder, match: tuple[int, int | None, int]) -> None:
        """An incoming order trades."""
        tick, whose, lots = match
        side = other(order.side)
        self.fill(order, tick, lots, is_maker=False)
        if whose is None:
            self.consume(side, tick, lots)
        else:
            self.fill_maker(whose, lots)

    def consume(self, side: str, tick: int, lots: int) -> None:
        """External lots at the front are taken."""
        for _ in range(lots):
            self.queues[side][tick].remove(None)
        self.taken[side][tick] = self.taken[side].get(tick, 0) + lots

    def fill_maker(self, number: int, lots: int) -> None:
        """A resting order trades at its price."""
        order = self.orders[number]
        for _ in range(lots):
            self.queues[order.side][order.tick].remove(number)
        self.fill(order, order.tick, lots, is_maker=True)

    def fill(self, order: TwinOrder, tick: int, lots: int, *, is_maker: bool) -> None:
        """Money changes hands."""
        order.fills.append((tick, lots, is_maker))
        order.done += lots
        order.status = "PARTIALLY_FILLED" if order.left else "FILLED"
        if not order.left:
            order.rests = False
        totals = self.totals[order.account]
        base, quote = STEP * lots, cost(tick, lots)
        fee = BASIS_POINT * self.bps[is_maker]
        if order.side == "BUY":
            totals[0] += base - cut(base * fee)
            totals[1] -= quote
        else:
            totals[0] -= base
            totals[1] += quote - cut(quote * fee)

    # The source

    def show(self, changes: dict[tuple[str, int], int]) -> None:
        """Absolute external lots per (side, tick)."""
        for (side, tick), lots in changes.items():
            self.external[side][tick] = lots
            taken = self.taken[side][tick] = min(self.taken[side].get(tick, 0), lots)
            queue = self.queues[side].setdefault(tick, [])
            surplus = queue.count(None) - (lots - taken)
            for _ in range(surplus):
                del queue[max(at for at, entry in enumerate(queue) if entry is None)]
            queue.extend([None] * -surplus)
        self.cross()

    def cross(self) -> None:
        """External lots that cross users' orders fill them."""
        for side in ("BUY", "SELL"):
            for tick, whose, _ in self.offers(side):
                while whose is not None and self.orders[whose].rests:
                    crossing = [
                        at
                        for at in self.ticks(other(side))
                        if None in self.queues[other(side)][at] and (at <= tick if side == "BUY" else at >= tick)
                    ]
                    if not crossing:
                        break
                    lots = min(self.orders[whose].left, self.queues[other(side)][crossing[0]].count(None))
                    self.consume(other(side), crossing[0], lots)
                    self.fill_maker(whose, lots)

    def trade(self, tick: int, lots: int, *, sells: bool) -> None:
        """A public trade of the source."""
        for side in ("BUY", "SELL"):
            for at, whose, offered in self.offers(side):
                if whose is not None and (at > tick if side == "BUY" else at < tick):
                    taken = min(lots, offered)
                    lots -= taken
                    if taken:
                        self.fill_maker(whose, taken)
        queue = self.queues["BUY" if sells else "SELL"].get(tick, [])
        reached: dict[int, int] = {}
        for entry in queue[:lots]:
            if entry is None:
                queue.remove(None)
                queue.append(None)
            else:
                reached[entry] = reached.get(entry, 0) + 1
        for number, taken in reached.items():
            self.fill_maker(number, taken)
