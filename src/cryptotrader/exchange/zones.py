"""Candles whose days, weeks and months begin at midnight of another time zone (``klines``, ``timeZone``).

They are put together from the longest candles of UTC that fit, so that a month takes some forty and not forty thousand.
"""

from __future__ import annotations

from typing import Final

import msgspec

from cryptotrader.core.events import Candle
from cryptotrader.exchange.statistics import SymbolStatistics, merged
from cryptotrader.market.candles import DAY_MS, HOUR_MS, MINUTE_MS, close_ms_of, open_ms_of

_PIECES: Final = (
    ("1d", DAY_MS),
    ("12h", 12 * HOUR_MS),
    ("8h", 8 * HOUR_MS),
    ("6h", 6 * HOUR_MS),
    ("4h", 4 * HOUR_MS),
    ("2h", 2 * HOUR_MS),
    ("1h", HOUR_MS),
    ("30m", 30 * MINUTE_MS),
    ("15m", 15 * MINUTE_MS),
    ("1m", MINUTE_MS),
)
"""What a candle is put together from, longest first."""


class Zone:
    """The candles of one interval in one time zone.

    Args:
        interval: Of the candles.
        offset_min: Minutes east of Greenwich.
    """

    def __init__(self, interval: str, offset_min: int) -> None:
        self._interval = interval
        self._offset_ms = offset_min * MINUTE_MS

    def open_ms(self, time_ms: int) -> int:
        """When the candle that covers a time opened. Unit: epoch milliseconds."""
        return open_ms_of(self._interval, time_ms + self._offset_ms) - self._offset_ms

    def close_ms(self, open_ms: int) -> int:
        """The last millisecond of the candle that opened then."""
        return close_ms_of(self._interval, open_ms + self._offset_ms) - self._offset_ms

    def candles(
        self, statistics: SymbolStatistics, *, now_ms: int, start_ms: int | None, end_ms: int | None, limit: int
    ) -> list[Candle]:
        """Candles that opened in the range, oldest first: from the start on where one is given, else the newest."""
        if not self._differs(now_ms):
            return statistics.candles(self._interval, now_ms=now_ms, start_ms=start_ms, end_ms=end_ms, limit=limit)
        eldest = statistics.candles(_PIECES[-1][0], now_ms=now_ms, start_ms=0, limit=1)
        if not eldest:
            return []
        first_ms = self.open_ms(eldest[0].open_ms)
        last_ms = self.open_ms(now_ms if end_ms is None else min(now_ms, end_ms))
        opens: list[int] = []
        if start_ms is not None:
            at_ms = self.open_ms(max(first_ms, start_ms))
            at_ms = at_ms if at_ms >= start_ms else self.close_ms(at_ms) + 1
            while at_ms <= last_ms and len(opens) < limit:
                opens.append(at_ms)
                at_ms = self.close_ms(at_ms) + 1
        else:
            at_ms = last_ms
            while at_ms >= first_ms and len(opens) < limit:
                opens.append(at_ms)
                at_ms = self.open_ms(at_ms - 1)
            opens.reverse()
        rows = (self._candle(statistics, open_ms, now_ms) for open_ms in opens)
        return [row for row in rows if row is not None]

    def _differs(self, now_ms: int) -> bool:
        """Whether these are other candles than those of UTC; minutes are the same everywhere."""
        return self.open_ms(now_ms) != open_ms_of(self._interval, now_ms)

    def _candle(self, statistics: SymbolStatistics, open_ms: int, now_ms: int) -> Candle | None:
        close_ms = self.close_ms(open_ms)
        whole: Candle | None = None
        at_ms = open_ms
        while at_ms <= min(close_ms, now_ms):
            name, length_ms = next(piece for piece in _PIECES if _fits(piece[1], at_ms, close_ms))
            for piece in statistics.candles(name, now_ms=now_ms, start_ms=at_ms, end_ms=at_ms, limit=1):
                whole = piece if whole is None else merged(whole, piece)
            at_ms += length_ms
        if whole is None:
            return None
        return msgspec.structs.replace(
            whole, interval=self._interval, open_ms=open_ms, close_ms=close_ms, is_closed=close_ms < now_ms
        )


def _fits(length_ms: int, at_ms: int, close_ms: int) -> bool:
    return at_ms % length_ms == 0 and at_ms + length_ms - 1 <= close_ms
