"""Aggregate trades of one symbol: what one taker order traded at one price at one time, as one.

Binance: ``rest-api.md``, "Compressed/Aggregate trades list", and ``web-socket-streams.md``, "Aggregate Trade Streams".
"""

from __future__ import annotations

from collections import deque
from itertools import islice

import msgspec

from cryptotrader.core.events import Trade

DEFAULT_CAPACITY = 1000
"""Aggregates kept. Unit: aggregates. Reason: Binance's ``aggTrades`` answers at most 1000."""


class AggTrade(msgspec.Struct, frozen=True, gc=False):
    """One or more trades of one taker order at one price."""

    symbol: str
    agg_id: int
    price: int
    qty: int
    first_id: int
    """Id of the first trade in it."""
    last_id: int
    """Id of the last one."""
    time_ms: int
    buyer_is_maker: bool
    event_ms: int


class AggregateTape:
    """Bounded history of aggregates; when full, the oldest leave.

    The newest aggregate stays open until a trade comes that does not belong to it, or until somebody looks. Ids are
    dense, and begin where those of the trades of the past ended, so that they grow across restarts as well.

    Args:
        symbol: Upper case.
        capacity: Most aggregates kept; at least 1.
    """

    def __init__(self, symbol: str, capacity: int = DEFAULT_CAPACITY) -> None:
        if capacity < 1:
            raise ValueError("capacity must be positive")
        self.symbol = symbol
        self._done: deque[AggTrade] = deque(maxlen=capacity)
        self._open: AggTrade | None = None
        self._taker = 0
        self._next_id = 0

    def load(self, trade: Trade) -> None:
        """Take in a trade of the past, which is an aggregate of its own and has the trade's id."""
        self._next_id = trade.trade_id
        self.add(trade, taker=0)
        self.finish()

    def add(self, trade: Trade, taker: int) -> None:
        """Take in a new trade.

        Args:
            trade: Newer than the one before.
            taker: Id of the order that took; 0 where nobody knows, as in a recording: then trades of one time, side
                and price that follow each other count as one order's.
        """
        now = self._open
        if (
            now is not None
            and taker == self._taker
            and trade.price == now.price
            and trade.time_ms == now.time_ms
            and trade.buyer_is_maker == now.buyer_is_maker
            and trade.trade_id == now.last_id + 1
        ):
            first_id, qty, agg_id = now.first_id, now.qty + trade.qty, now.agg_id
        else:
            self.finish()
            first_id, qty, agg_id = trade.trade_id, trade.qty, self._next_id
            self._next_id += 1
            self._taker = taker
        self._open = AggTrade(
            symbol=trade.symbol,
            agg_id=agg_id,
            price=trade.price,
            qty=qty,
            first_id=first_id,
            last_id=trade.trade_id,
            time_ms=trade.time_ms,
            buyer_is_maker=trade.buyer_is_maker,
            event_ms=trade.event_ms,
        )

    def finish(self) -> None:
        """Nothing is added to the newest aggregate any more."""
        if self._open is not None:
            self._done.append(self._open)
            self._open = None

    @property
    def last_id(self) -> int:
        """Id of the newest finished aggregate; -1 where there is none."""
        return self._done[-1].agg_id if self._done else -1

    def latest(self, limit: int | None = None) -> list[AggTrade]:
        """Up to ``limit`` newest aggregates (all by default), oldest first; what is told no longer changes."""
        self.finish()
        skip = 0 if limit is None else max(0, len(self._done) - limit)
        return list(islice(self._done, skip, None))

    def since(self, agg_id: int) -> list[AggTrade]:
        """Aggregates newer than ``agg_id``, oldest first."""
        self.finish()
        found: list[AggTrade] = []
        for each in reversed(self._done):
            if each.agg_id <= agg_id:
                break
            found.append(each)
        found.reverse()
        return found
