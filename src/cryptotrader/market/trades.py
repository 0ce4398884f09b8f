"""The last public trades of one symbol, each once and in order."""

from __future__ import annotations

from collections import deque
from enum import Enum
from itertools import islice

from cryptotrader.core.events import Trade

DEFAULT_CAPACITY = 1000
"""Trades kept. Unit: trades. Reason: Binance's ``trades`` answers at most 1000."""


class Arrival(Enum):
    """How a trade fitted on the tape."""

    NEXT = "next"
    """The first one, or the one right after the last."""
    AFTER_HOLE = "after_hole"
    """Kept, but ids between the last one and this one were never seen."""
    OLD = "old"
    """Dropped: its id is not newer than the last one's."""


class TradeTape:
    """Bounded history of trades; when full, the oldest leave.

    Args:
        symbol: Upper case, ``BTCUSDT``.
        capacity: Most trades kept; at least 1.
    """

    def __init__(self, symbol: str, capacity: int = DEFAULT_CAPACITY) -> None:
        if capacity < 1:
            raise ValueError("capacity must be positive")
        self.symbol = symbol
        self._trades: deque[Trade] = deque(maxlen=capacity)

    def append(self, trade: Trade) -> Arrival:
        """Keep a trade unless its id is not newer than the last one's; the answer tells a hole."""
        last = self.last
        if last is not None and trade.trade_id <= last.trade_id:
            return Arrival.OLD
        self._trades.append(trade)
        if last is not None and trade.trade_id != last.trade_id + 1:
            return Arrival.AFTER_HOLE
        return Arrival.NEXT

    def latest(self, limit: int | None = None) -> list[Trade]:
        """Up to ``limit`` newest trades (all by default), oldest first."""
        skip = 0 if limit is None else max(0, len(self._trades) - limit)
        return list(islice(self._trades, skip, None))

    def clear(self) -> None:
        """Forget every trade, where the venue's ids start anew."""
        self._trades.clear()

    @property
    def last(self) -> Trade | None:
        """The newest trade."""
        return self._trades[-1] if self._trades else None

    def __len__(self) -> int:
        return len(self._trades)
