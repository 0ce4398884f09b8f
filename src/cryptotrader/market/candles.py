"""Candlesticks: where each interval begins and ends, and a series that trades or a venue's candles fill."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import date
from types import MappingProxyType

from cryptotrader.core.events import Candle, Trade
from cryptotrader.core.scaled import mul_scaled

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
WEEK_MS = 7 * DAY_MS

MONTH = "1M"
"""The one interval whose length is not fixed."""

_FIXED_MS = MappingProxyType(
    {
        "1s": SECOND_MS,
        "1m": MINUTE_MS,
        "3m": 3 * MINUTE_MS,
        "5m": 5 * MINUTE_MS,
        "15m": 15 * MINUTE_MS,
        "30m": 30 * MINUTE_MS,
        "1h": HOUR_MS,
        "2h": 2 * HOUR_MS,
        "4h": 4 * HOUR_MS,
        "6h": 6 * HOUR_MS,
        "8h": 8 * HOUR_MS,
        "12h": 12 * HOUR_MS,
        "1d": DAY_MS,
        "3d": 3 * DAY_MS,
        "1w": WEEK_MS,
    }
)

INTERVALS = (*_FIXED_MS, MONTH)
"""Every interval of Binance (``rest-api.md``, "Kline/Candlestick chart intervals"), shortest first. Case matters."""

_MONDAY_MS = 4 * DAY_MS
"""1970-01-05, the first Monday: weeks begin there, at 00:00 UTC."""

_EPOCH_DAY = date(1970, 1, 1).toordinal()

DEFAULT_CAPACITY = 1000
"""Candles kept per series. Unit: candles. Reason: Binance's ``klines`` answers at most 1000."""


def open_ms_of(interval: str, time_ms: int) -> int:
    """When the candle that covers ``time_ms`` (epoch milliseconds) opened, in UTC.

    Raises:
        ValueError: No such interval.
    """
    if interval == MONTH:
        day = date.fromordinal(_EPOCH_DAY + time_ms // DAY_MS)
        return _day_ms(day.year, day.month)
    length_ms = _length_ms(interval)
    offset_ms = _MONDAY_MS if interval == "1w" else 0
    return (time_ms - offset_ms) // length_ms * length_ms + offset_ms


def close_ms_of(interval: str, open_ms: int) -> int:
    """The last millisecond of the candle that opened at ``open_ms``; the next one opens a millisecond later.

    Raises:
        ValueError: No such interval.
    """
    if interval == MONTH:
        day = date.fromordinal(_EPOCH_DAY + open_ms // DAY_MS)
        following = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
        return _day_ms(*following) - 1
    return open_ms + _length_ms(interval) - 1


def _day_ms(year: int, month: int) -> int:
    return (date(year, month, 1).toordinal() - _EPOCH_DAY) * DAY_MS


def _length_ms(interval: str) -> int:
    try:
        return _FIXED_MS[interval]
    except KeyError:
        raise ValueError(f"no such interval: {interval!r}") from None


def flat_candle(symbol: str, interval: str, *, open_ms: int, price: int, is_closed: bool) -> Candle:
    """A candle without trades: it stands at the price before it, as Binance shows such candles."""
    return Candle(
        symbol=symbol,
        interval=interval,
        open_ms=open_ms,
        close_ms=close_ms_of(interval, open_ms),
        open=price,
        high=price,
        low=price,
        close=price,
        volume=0,
        quote_volume=0,
        trade_count=0,
        taker_buy_volume=0,
        taker_buy_quote_volume=0,
        is_closed=is_closed,
    )


def with_trade(candle: Candle, trade: Trade) -> Candle:
    """The candle after one more trade; the first trade in it sets the opening price."""
    is_first = candle.trade_count == 0
    quote = mul_scaled(trade.price, trade.qty)
    bought = 0 if trade.buyer_is_maker else 1
    return Candle(
        symbol=candle.symbol,
        interval=candle.interval,
        open_ms=candle.open_ms,
        close_ms=candle.close_ms,
        open=trade.price if is_first else candle.open,
        high=trade.price if is_first else max(candle.high, trade.price),
        low=trade.price if is_first else min(candle.low, trade.price),
        close=trade.price,
        volume=candle.volume + trade.qty,
        quote_volume=candle.quote_volume + quote,
        trade_count=candle.trade_count + 1,
        taker_buy_volume=candle.taker_buy_volume + bought * trade.qty,
        taker_buy_quote_volume=candle.taker_buy_quote_volume + bought * quote,
        is_closed=candle.is_closed,
        first_trade_id=trade.trade_id if candle.first_trade_id < 0 else candle.first_trade_id,
        last_trade_id=trade.trade_id,
    )


def as_closed(candle: Candle) -> Candle:
    """The same candle, marked final."""
    if candle.is_closed:
        return candle
    fields = {name: getattr(candle, name) for name in candle.__struct_fields__}
    return Candle(**(fields | {"is_closed": True}))


class CandleSeries:
    """The newest candles of one symbol and interval, oldest first; when full, the oldest leave.

    Args:
        symbol: Upper case, ``BTCUSDT``.
        interval: One of ``INTERVALS``.
        capacity: Most candles kept; at least 1.

    Raises:
        ValueError: No such interval, or no room.
    """

    def __init__(self, symbol: str, interval: str, capacity: int = DEFAULT_CAPACITY) -> None:
        if interval not in INTERVALS:
            raise ValueError(f"no such interval: {interval!r}")
        if capacity < 1:
            raise ValueError("capacity must be positive")
        self.symbol = symbol
        self.interval = interval
        self._capacity = capacity
        self._opens: list[int] = []
        self._candles: list[Candle] = []

    def apply_trade(self, trade: Trade) -> Candle:
        """Fold a trade into the newest candle, closing it and opening the next where the trade is past its end.

        A trade that is older than the newest candle, or already in it, changes nothing. Candles without trades are
        filled in between.

        Returns:
            The newest candle.
        """
        newest = self.roll(trade.time_ms)
        if newest is None:
            open_ms = open_ms_of(self.interval, trade.time_ms)
            newest = flat_candle(self.symbol, self.interval, open_ms=open_ms, price=trade.price, is_closed=False)
            self._push(newest)
        if trade.time_ms < newest.open_ms or trade.trade_id <= newest.last_trade_id:
            return newest
        self._candles[-1] = with_trade(newest, trade)
        return self._candles[-1]

    def roll(self, now_ms: int) -> Candle | None:
        """Close candles that ended before ``now_ms`` and open flat ones up to it. Returns the newest candle, if any."""
        if not self._candles:
            return None
        newest = self._candles[-1]
        if now_ms <= newest.close_ms:
            return newest
        self._candles[-1] = as_closed(newest)
        goal_ms = open_ms_of(self.interval, now_ms)
        open_ms = newest.close_ms + 1
        if self.interval != MONTH:
            # Longer silences than the series holds would only push out what they pushed in.
            length_ms = _length_ms(self.interval)
            open_ms = max(open_ms, goal_ms - (self._capacity - 1) * length_ms)
        while open_ms <= goal_ms:
            is_closed = open_ms < goal_ms
            candle = flat_candle(self.symbol, self.interval, open_ms=open_ms, price=newest.close, is_closed=is_closed)
            self._push(candle)
            open_ms = candle.close_ms + 1
        return self._candles[-1]

    def put(self, candle: Candle) -> None:
        """Insert a whole candle, or replace the one that opened at the same time."""
        at = bisect_left(self._opens, candle.open_ms)
        if at < len(self._opens) and self._opens[at] == candle.open_ms:
            self._candles[at] = candle
            return
        self._opens.insert(at, candle.open_ms)
        self._candles.insert(at, candle)
        self._trim()

    def latest(self, limit: int | None = None) -> list[Candle]:
        """Up to ``limit`` newest candles (all by default), oldest first."""
        if limit is None:
            return list(self._candles)
        return self._candles[max(0, len(self._candles) - limit) :]

    def between(self, *, start_ms: int | None = None, end_ms: int | None = None, limit: int = 500) -> list[Candle]:
        """Candles that opened in ``[start_ms, end_ms]``, oldest first.

        Binance, ``rest-api.md``, "Kline/Candlestick data": with a start the first ``limit`` from there, otherwise
        the last ``limit``.
        """
        first = 0 if start_ms is None else bisect_left(self._opens, start_ms)
        stop = len(self._opens) if end_ms is None else bisect_right(self._opens, end_ms)
        if start_ms is None:
            first = max(first, stop - limit)
        return self._candles[first : min(stop, first + limit)]

    @property
    def last(self) -> Candle | None:
        """The newest candle."""
        return self._candles[-1] if self._candles else None

    def __len__(self) -> int:
        return len(self._candles)

    def _push(self, candle: Candle) -> None:
        self._opens.append(candle.open_ms)
        self._candles.append(candle)
        self._trim()

    def _trim(self) -> None:
        if len(self._candles) > self._capacity:
            del self._opens[0]
            del self._candles[0]
