"""The fills of one symbol and the position that they make, however and how often they are told."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from cryptotrader.portfolio.positions import FillRow, Position, count
from cryptotrader.trading.positions.fills import needs_value
from cryptotrader.trading.positions.store import Store


class SymbolBook:
    """A position that always equals its stored fills, folded in the order in which they happened.

    Each fill counts once, known by its ids. One that is told late, after younger ones, makes the position anew.

    Args:
        account: Whose.
        symbol: ``BTCUSDT``.
        assets: Base and quote.
        store: Where fills are kept.
    """

    def __init__(self, account: str, symbol: str, assets: tuple[str, str], store: Store) -> None:
        self.account = account
        self.symbol = symbol
        self.base, self.quote = assets
        self._store = store
        self._rebuild()

    def _rebuild(self) -> None:
        self._newest = (0, False, -1, -1)
        self._unvalued: dict[tuple[bool, int, int], FillRow] = {}
        self.position = Position(symbol=self.symbol, base=self.base, quote=self.quote)
        for fill in self._store.fills(self.account, self.symbol):
            self._count(fill)

    def _count(self, fill: FillRow) -> None:
        self.position = count(self.position, fill)
        self._newest = fill.place
        if needs_value(fill, self.base, self.quote):
            self._unvalued[fill.key] = fill

    @property
    def unvalued(self) -> list[FillRow]:
        """Fills whose commission is in a third asset and has no value yet."""
        return list(self._unvalued.values())

    def add(self, fills: Iterable[FillRow]) -> list[FillRow]:
        """Keep and count what is not known yet; returns that."""
        new = sorted(self._store.add(self.account, (self.base, self.quote), fills), key=lambda fill: fill.place)
        if new and new[0].place < self._newest:
            self._rebuild()
        else:
            for fill in new:
                self._count(fill)
        return new

    def value(self, fill: FillRow, commission_value: int) -> None:
        """Say what the commission of a known fill was worth in the quote asset, scaled."""
        if self._unvalued.pop(fill.key, None) is not None:
            self._store.replace(self.account, msgspec.structs.replace(fill, commission_value=commission_value))
            self._rebuild()

    def forget(self) -> None:
        """The venue was wiped: none of it happened."""
        self._store.forget(self.account, self.symbol)
        self._rebuild()
