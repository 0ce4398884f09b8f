"""The prices of a time in which nobody watched, as exact as the question needs them.

Candles of a minute tell whether anything could have happened; only a minute in which it could is read trade by trade.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from cryptotrader.config import get_logger
from cryptotrader.core.scaled import parse_scaled
from cryptotrader.services.binance.models.market import Kline
from cryptotrader.services.binance.normalise import agg_trades_of
from cryptotrader.services.binance.websocketAPI.market_data_requests import aggregate_trades, klines
from cryptotrader.trading.positions.ports import Venue

log = get_logger(__name__)

MINUTE_MS = 60_000

PAGE = 1_000
"""Rows per request, the most that Binance gives."""

MAX_PAGES = 200
"""Most requests for candles, or for the trades of one minute. Reason: 200,000 minutes are 138 days."""


class Watcher(Protocol):
    """Something that waits for prices."""

    @property
    def seen_ms(self) -> int:
        """Time of the newest price that it was shown; it ignores older ones."""
        ...

    @property
    def is_armed(self) -> bool:
        """Whether it waits for more."""
        ...

    def can_fire(self, high: int, low: int) -> bool:
        """Whether prices between these, in any order, can end its waiting."""
        ...

    def see(self, price: int, *, time_ms: int, trade_id: int = -1) -> None:
        """A price, in order of time; one that it has seen changes nothing."""
        ...


class LookBack:
    """Shows a watcher what it missed.

    Args:
        venue: Its candles and trades.
    """

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    async def show(self, symbol: str, watcher: Watcher, *, until_ms: int) -> None:
        """Every price after ``watcher.seen_ms`` and before ``until_ms`` that can matter, in order.

        What was shown stays seen where a later request fails.

        Raises:
            VenueError: The venue did not answer.
        """
        start_ms = watcher.seen_ms
        edge_ms = start_ms - start_ms % MINUTE_MS + MINUTE_MS
        await self._exactly(symbol, watcher, start_ms=start_ms, until_ms=min(edge_ms, until_ms))
        for _ in range(MAX_PAGES):
            if not watcher.is_armed or edge_ms >= until_ms:
                return
            params = klines.KlinesParams(
                symbol=symbol, interval="1m", start_time=edge_ms, end_time=until_ms - 1, limit=PAGE
            )
            rows = [row for row in await self._venue.call(klines.SPEC, params) if row.open_time >= edge_ms]
            await self._candles(symbol, watcher, rows=rows, until_ms=until_ms)
            if len(rows) < PAGE:
                return
            edge_ms = rows[-1].open_time + MINUTE_MS
        log.warning(f"{symbol}: more was missed than is looked at")

    async def _candles(self, symbol: str, watcher: Watcher, *, rows: Iterable[Kline], until_ms: int) -> None:
        for row in rows:
            if not watcher.is_armed or row.open_time >= until_ms:
                return
            end_ms = min(row.open_time + MINUTE_MS, until_ms)
            opened, high, low, close = (parse_scaled(text) for text in (row.open, row.high, row.low, row.close))
            if end_ms < row.open_time + MINUTE_MS or watcher.can_fire(high, low):
                if await self._exactly(symbol, watcher, start_ms=row.open_time, until_ms=end_ms):
                    continue
                if end_ms < row.open_time + MINUTE_MS:
                    continue  # The candle tells of later prices too, which will be shown as they came.
                # Nobody knows their order: assume the worst.
                prices = [opened, high, low, close]
            else:
                prices = [high, close]
            for number, price in enumerate(prices):
                watcher.see(price, time_ms=end_ms - len(prices) + number)

    async def _exactly(self, symbol: str, watcher: Watcher, *, start_ms: int, until_ms: int) -> bool:
        """Every trade of at most a minute; whether there was any."""
        if until_ms <= start_ms:
            return False
        params = aggregate_trades.AggregateTradesParams(
            symbol=symbol, start_time=start_ms, end_time=until_ms - 1, limit=PAGE
        )
        has_any = False
        for _ in range(MAX_PAGES):
            rows = await self._venue.call(aggregate_trades.SPEC, params)
            for trade in agg_trades_of(symbol, rows):
                if start_ms <= trade.time_ms < until_ms:
                    has_any = True
                    watcher.see(trade.price, time_ms=trade.time_ms, trade_id=trade.trade_id)
            if len(rows) < PAGE or rows[-1].time >= until_ms or not watcher.is_armed:
                return has_any
            params = aggregate_trades.AggregateTradesParams(symbol=symbol, from_id=rows[-1].agg_id + 1, limit=PAGE)
        return has_any
