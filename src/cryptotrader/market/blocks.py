"""Block trades: agreed upon outside of the book, told afterwards, no part of any statistics.

Two make them: the synthetic market, about one an hour and symbol, and whoever asks for one by the admin API.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Final

import msgspec

from cryptotrader.bus import Topic
from cryptotrader.market.candles import HOUR_MS, SECOND_MS

KEPT: Final = 1_000
"""Block trades kept per symbol. Reason: the most that ``historicalBlockTrades`` can be asked for."""

FIRST_MS: Final = 1_767_225_600_000
"""Ids count the seconds since 2026-01-01, so that they are small and grow across restarts. Unit: epoch milliseconds."""


class BlockTrade(msgspec.Struct, frozen=True, gc=False):
    """One of them. Price and quantity are scaled."""

    symbol: str
    trade_id: int
    price: int
    qty: int
    time_ms: int
    buyer_is_maker: bool


class BlockTrades:
    """Those of the symbols that there are.

    Args:
        symbols: Upper case.
    """

    def __init__(self, symbols: Iterable[str]) -> None:
        self.printed: Topic[BlockTrade] = Topic("paper-blocks")
        self._kept: Mapping[str, deque[BlockTrade]] = {symbol: deque(maxlen=KEPT) for symbol in symbols}

    def add(self, symbol: str, price: int, qty: int, *, buyer_is_maker: bool, now_ms: int) -> BlockTrade:
        """Print one.

        Raises:
            KeyError: No such symbol.
        """
        kept = self._kept[symbol]
        last_id = kept[-1].trade_id if kept else 0
        block = BlockTrade(
            symbol=symbol,
            trade_id=max(last_id + 1, (now_ms - FIRST_MS) // SECOND_MS),
            price=price,
            qty=qty,
            time_ms=now_ms,
            buyer_is_maker=buyer_is_maker,
        )
        kept.append(block)
        self.printed.publish(block)
        return block

    def since(self, symbol: str, from_id: int, limit: int) -> list[BlockTrade]:
        """Up to ``limit`` from an id on, oldest first."""
        return [block for block in self._kept[symbol] if block.trade_id >= from_id][:limit]


class BlockSchedule:
    """When the synthetic market makes block trades: once an hour and symbol, at a moment that only the seed knows.

    Args:
        symbols: Upper case.
        seed: Same seed, same moments.
    """

    def __init__(self, symbols: Iterable[str], seed: int = 1) -> None:
        self._symbols = tuple(symbols)
        self._seed = seed

    def next(self, after_ms: int) -> tuple[int, str] | None:
        """(time, symbol) of the first one after a time; None where there is no symbol."""
        hour = after_ms // HOUR_MS
        dues = [
            (due_ms, symbol)
            for symbol in self._symbols
            for due_ms in (self._due_ms(symbol, hour), self._due_ms(symbol, hour + 1))
            if due_ms > after_ms
        ]
        return min(dues) if dues else None

    def draw(self, symbol: str, at_ms: int) -> tuple[float, float, bool]:
        """(size from 0 to 1, distance of the price from -1 to 1, whether the buyer made it) of a block trade."""
        size, distance, side = (self._number(f"{symbol}/{at_ms}/{what}") for what in ("size", "price", "side"))
        return size, 2 * distance - 1, side < 0.5

    def _due_ms(self, symbol: str, hour: int) -> int:
        return hour * HOUR_MS + int(self._number(f"{symbol}/{hour}") * HOUR_MS)

    def _number(self, name: str) -> float:
        """From 0 up to 1, the same for the same name and seed."""
        digest = blake2b(f"{self._seed}/{name}".encode(), digest_size=6).digest()
        return int.from_bytes(digest, "big") / 2**48
