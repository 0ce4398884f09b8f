"""One symbol's order book: absolute quantities per price, best levels cheap to read and to change.

Each side is a dict from price to quantity beside a sorted list of its prices. The list is ordered so that the best
price is its last element: markets move at the top, so insertions and removals shift few elements.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping

from cryptotrader.core.events import BookSnapshot, Level
from cryptotrader.core.orders import Side


class _Half:
    """One side. ``keys`` holds ``price * sign`` in ascending order, best last."""

    __slots__ = ("keys", "quantities", "sign")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.quantities: dict[int, int] = {}
        self.keys: list[int] = []

    def load(self, levels: Iterable[Level]) -> None:
        self.quantities = {price: quantity for price, quantity in levels if quantity}
        sign = self.sign
        self.keys = sorted(price * sign for price in self.quantities)

    def apply(self, levels: Iterable[Level]) -> None:
        quantities, keys, sign = self.quantities, self.keys, self.sign
        for price, quantity in levels:
            if quantity:
                if price not in quantities:
                    insort(keys, price * sign)
                quantities[price] = quantity
            elif price in quantities:
                del quantities[price]
                del keys[bisect_left(keys, price * sign)]

    def best(self) -> Level | None:
        if not self.keys:
            return None
        price = self.keys[-1] * self.sign
        return price, self.quantities[price]

    def top(self, limit: int | None) -> list[Level]:
        quantities, sign = self.quantities, self.sign
        keys = self.keys[::-1] if limit is None else self.keys[: -limit - 1 : -1]
        return [(key * sign, quantities[key * sign]) for key in keys]

    def changes_to(self, target: Mapping[int, int]) -> list[Level]:
        """Levels, best first, that turn this side into ``target``; zero for those that go."""
        gone = [(price, 0) for price in self.quantities if price not in target]
        new = [(price, quantity) for price, quantity in target.items() if self.quantities.get(price) != quantity]
        return sorted(gone + new, key=lambda level: -level[0] * self.sign)

    def copy(self) -> _Half:
        twin = _Half(self.sign)
        twin.quantities = self.quantities.copy()
        twin.keys = self.keys.copy()
        return twin


class OrderBook:
    """Bids and asks of one symbol at one update id.

    Args:
        symbol: Upper case, ``BTCUSDT``.
    """

    __slots__ = ("_asks", "_bids", "last_id", "symbol")

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.last_id = 0
        """Update id of the newest change, 0 before the first."""
        self._bids = _Half(1)
        self._asks = _Half(-1)

    def load(self, snapshot: BookSnapshot) -> None:
        """Forget everything and take over the snapshot's levels and id."""
        self._bids.load(snapshot.bids)
        self._asks.load(snapshot.asks)
        self.last_id = snapshot.last_id

    def apply(self, bids: Iterable[Level], asks: Iterable[Level], last_id: int) -> None:
        """Set the given levels to absolute quantities; zero removes one, and removing an unknown one is no error.

        Continuity is the caller's business (Binance, ``web-socket-streams.md``, "How to manage a local order book
        correctly"): a book only stores what it is told.
        """
        self._bids.apply(bids)
        self._asks.apply(asks)
        self.last_id = last_id

    @property
    def best_bid(self) -> Level | None:
        """Highest bid, None where nobody buys."""
        return self._bids.best()

    @property
    def best_ask(self) -> Level | None:
        """Lowest ask, None where nobody sells."""
        return self._asks.best()

    @property
    def is_crossed(self) -> bool:
        """Whether the best bid is at or above the best ask, which no true book shows."""
        bids, asks = self._bids.keys, self._asks.keys
        return bool(bids and asks) and bids[-1] >= -asks[-1]

    @property
    def level_count(self) -> int:
        """Levels on both sides together."""
        return len(self._bids.keys) + len(self._asks.keys)

    def bids(self, limit: int | None = None) -> list[Level]:
        """Up to ``limit`` bids (all by default), highest first."""
        return self._bids.top(limit)

    def asks(self, limit: int | None = None) -> list[Level]:
        """Up to ``limit`` asks (all by default), lowest first."""
        return self._asks.top(limit)

    def levels(self, side: Side, limit: int | None = None) -> list[Level]:
        """Up to ``limit`` levels of one side, best first."""
        return (self._bids if side is Side.BUY else self._asks).top(limit)

    def worst(self, side: Side) -> Level | None:
        """The level farthest from the top of one side."""
        half = self._bids if side is Side.BUY else self._asks
        if not half.keys:
            return None
        price = half.keys[0] * half.sign
        return price, half.quantities[price]

    def quantity(self, side: Side, price: int) -> int:
        """Quantity shown at a price, 0 where there is none."""
        return (self._bids if side is Side.BUY else self._asks).quantities.get(price, 0)

    def diff_to(self, snapshot: BookSnapshot) -> tuple[list[Level], list[Level]]:
        """Changes (bids, asks; best first) that turn this book into the snapshot when applied."""
        bids = {price: quantity for price, quantity in snapshot.bids if quantity}
        asks = {price: quantity for price, quantity in snapshot.asks if quantity}
        return self._bids.changes_to(bids), self._asks.changes_to(asks)

    def snapshot(self, limit: int | None = None) -> BookSnapshot:
        """The levels, best first, as a value that no longer changes."""
        return BookSnapshot(
            symbol=self.symbol, last_id=self.last_id, bids=tuple(self.bids(limit)), asks=tuple(self.asks(limit))
        )

    def copy(self) -> OrderBook:
        """An equal book that changes on its own."""
        twin = OrderBook(self.symbol)
        twin.last_id = self.last_id
        twin._bids = self._bids.copy()
        twin._asks = self._asks.copy()
        return twin

    def __eq__(self, other: object) -> bool:
        """Equal levels on both sides; symbol and id do not count."""
        if not isinstance(other, OrderBook):
            return NotImplemented
        return self._bids.quantities == other._bids.quantities and self._asks.quantities == other._asks.quantities

    __hash__ = None  # type: ignore[assignment]  # a book changes, so it must not be a key

    def __repr__(self) -> str:
        return f"OrderBook({self.symbol!r}, last_id={self.last_id}, levels={self.level_count})"
