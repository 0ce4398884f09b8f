"""Statistics over the last 24 hours, from one bucket per minute."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from cryptotrader.core.events import BookTicker, Candle, Ticker24h, Trade
from cryptotrader.core.scaled import SCALE, format_scaled
from cryptotrader.market.candles import DAY_MS, MINUTE_MS, as_closed, flat_candle, with_trade

_PERCENT_DIGITS = 3
"""Decimal places of ``priceChangePercent``. Unit: digits. Reason: as in Binance's examples (``-95.960``)."""


class RollingTicker:
    """The 24 hours up to now, to the minute: a bucket leaves when it ended 24 hours ago.

    Memory is bounded by one bucket per minute that traded, 1440 in all.

    Args:
        symbol: Upper case, ``BTCUSDT``.
    """

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self._closed: deque[Candle] = deque()
        self._current: Candle | None = None
        self._volume = 0
        self._quote = 0
        self._count = 0
        self._high_low: tuple[int, int] | None = None
        self._previous_close = 0
        self._last_qty = 0
        self._last_id = -1
        self._top = BookTicker(symbol, 0, 0, 0, 0, 0)

    def seed(self, candles: Iterable[Candle], *, last_trade_id: int = -1) -> None:
        """Start from one-minute candles of the past, oldest first; forgets what was there.

        Args:
            candles: One-minute candles; the last may still be open.
            last_trade_id: Id of the last trade in them, where the candles do not say it.
        """
        self._closed = deque(as_closed(candle) for candle in candles)
        self._current = None
        self._volume = sum(candle.volume for candle in self._closed)
        self._quote = sum(candle.quote_volume for candle in self._closed)
        self._count = sum(candle.trade_count for candle in self._closed)
        self._high_low = None
        self._previous_close = self._closed[0].open if self._closed else 0
        self._last_id = (
            last_trade_id if last_trade_id >= 0 else max((c.last_trade_id for c in self._closed), default=-1)
        )

    def apply_trade(self, trade: Trade) -> None:
        """Count a trade once; trades must come in the order of their ids."""
        if trade.trade_id <= self._last_id:
            return
        open_ms = trade.time_ms // MINUTE_MS * MINUTE_MS
        current = self._current
        if current is None or open_ms > current.open_ms:
            if current is None and self._closed and self._closed[-1].open_ms >= open_ms:
                # The seed ended inside the minute of the first trade.
                current = self._closed.pop()
            else:
                self._close_current()
                current = flat_candle(self.symbol, "1m", open_ms=open_ms, price=trade.price, is_closed=False)
            self._high_low = None
        before = current.quote_volume
        self._current = with_trade(current, trade)
        self._volume += trade.qty
        self._quote += self._current.quote_volume - before
        self._count += 1
        self._last_qty = trade.qty
        self._last_id = trade.trade_id

    def set_top(self, top: BookTicker) -> None:
        """Remember the best bid and ask for the next ``ticker``."""
        self._top = top

    @property
    def last_price(self) -> int:
        """Price of the newest trade, 0 before the first."""
        if self._current is not None:
            return self._current.close
        return self._closed[-1].close if self._closed else 0

    @property
    def last_trade_id(self) -> int:
        """Id of the newest trade, -1 before the first."""
        return self._last_id

    def ticker(self, now_ms: int) -> Ticker24h:
        """Statistics of the 24 hours that end at ``now_ms`` (epoch milliseconds).

        Without a trade in them the prices stand at the last one known, and volume and count are zero.
        """
        self._drop_before(now_ms - DAY_MS)
        first = self._closed[0] if self._closed else self._current
        last = self.last_price or self._previous_close
        opening = first.open if first is not None else last
        high, low = self._range(last)
        change = last - opening
        return Ticker24h(
            symbol=self.symbol,
            event_ms=now_ms,
            price_change=format_scaled(change),
            price_change_percent=_percent(change, opening),
            weighted_avg_price=format_scaled(self._quote * SCALE // self._volume if self._volume else last),
            prev_close_price=format_scaled(self._previous_close or opening),
            last_price=format_scaled(last),
            last_qty=format_scaled(self._last_qty),
            bid_price=format_scaled(self._top.bid),
            bid_qty=format_scaled(self._top.bid_qty),
            ask_price=format_scaled(self._top.ask),
            ask_qty=format_scaled(self._top.ask_qty),
            open_price=format_scaled(opening),
            high_price=format_scaled(high),
            low_price=format_scaled(low),
            volume=format_scaled(self._volume),
            quote_volume=format_scaled(self._quote),
            open_ms=now_ms - DAY_MS,
            close_ms=now_ms,
            first_trade_id=max(0, self._last_id - self._count + 1) if self._count else -1,
            last_trade_id=self._last_id if self._count else -1,
            trade_count=self._count,
        )

    def _close_current(self) -> None:
        if self._current is not None:
            self._closed.append(as_closed(self._current))
            self._current = None

    def _drop_before(self, start_ms: int) -> None:
        if self._current is not None and self._current.close_ms < start_ms:
            self._close_current()
        while self._closed and self._closed[0].close_ms < start_ms:
            gone = self._closed.popleft()
            self._volume -= gone.volume
            self._quote -= gone.quote_volume
            self._count -= gone.trade_count
            self._previous_close = gone.close
            self._high_low = None

    def _range(self, last: int) -> tuple[int, int]:
        """Highest and lowest price; the scan over closed minutes is repeated only when one of them came or went."""
        if self._high_low is None and self._closed:
            self._high_low = (
                max(candle.high for candle in self._closed),
                min(candle.low for candle in self._closed),
            )
        current = self._current
        ranges = [self._high_low] if self._high_low is not None else []
        if current is not None:
            ranges.append((current.high, current.low))
        if not ranges:
            return last, last
        return max(high for high, _ in ranges), min(low for _, low in ranges)


def _percent(change: int, opening: int) -> str:
    """``change / opening`` in percent, rounded half away from zero."""
    if not opening:
        return f"{0:.{_PERCENT_DIGITS}f}"
    unit = 10**_PERCENT_DIGITS
    scaled = (abs(change) * 200 * unit + opening) // (2 * opening)
    sign = "-" if change < 0 and scaled else ""
    return f"{sign}{scaled // unit}.{scaled % unit:0{_PERCENT_DIGITS}d}"
