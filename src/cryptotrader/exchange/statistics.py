"""What the exchange knows about each symbol besides its book: last trades, candles of every interval, 24 hours."""

from __future__ import annotations

from typing import Protocol

from cryptotrader.core.events import BookTicker, Candle, Ticker24h, Trade
from cryptotrader.market.candles import (
    INTERVALS,
    CandleSeries,
    as_closed,
    close_ms_of,
    flat_candle,
    open_ms_of,
    with_trade,
)
from cryptotrader.market.rolling import RollingTicker
from cryptotrader.market.trades import TradeTape

TAPE_TRADES = 1_000
"""Trades kept per symbol. Unit: trades. Reason: the most that ``trades`` can be asked for."""

SERIES_CANDLES = 1_000
"""Candles kept per symbol and interval. Unit: candles. Reason: the most that ``klines`` can be asked for."""

MINUTES_PER_DAY = 1_440

_SECOND = "1s"
_MINUTE = "1m"


class History(Protocol):
    """Candles and trades from before the start; see ``exchange.market.source``."""

    def candles(
        self, symbol: str, interval: str, *, start_ms: int | None, end_ms: int | None, limit: int
    ) -> list[Candle]:
        """Candles that opened in the range, oldest first."""
        ...


def merged(earlier: Candle, later: Candle) -> Candle:
    """``earlier`` with all of ``later`` in it; keeps the interval and the bounds of ``earlier``."""
    if later.trade_count == 0:
        return earlier
    is_first = earlier.trade_count == 0
    return Candle(
        symbol=earlier.symbol,
        interval=earlier.interval,
        open_ms=earlier.open_ms,
        close_ms=earlier.close_ms,
        open=later.open if is_first else earlier.open,
        high=later.high if is_first else max(earlier.high, later.high),
        low=later.low if is_first else min(earlier.low, later.low),
        close=later.close,
        volume=earlier.volume + later.volume,
        quote_volume=earlier.quote_volume + later.quote_volume,
        trade_count=earlier.trade_count + later.trade_count,
        taker_buy_volume=earlier.taker_buy_volume + later.taker_buy_volume,
        taker_buy_quote_volume=earlier.taker_buy_quote_volume + later.taker_buy_quote_volume,
        is_closed=earlier.is_closed,
        first_trade_id=later.first_trade_id if earlier.first_trade_id < 0 else earlier.first_trade_id,
        last_trade_id=max(earlier.last_trade_id, later.last_trade_id),
    )


class SymbolStatistics:
    """Statistics of one symbol.

    A trade touches only the running second and minute. A minute that ended is folded into all longer intervals, so
    keeping sixteen intervals costs little more than keeping two, and each is exact.

    Args:
        symbol: Upper case.
        history: Where candles from before the start come from.
        now_ms: The start. Unit: epoch milliseconds.
    """

    def __init__(self, symbol: str, history: History, now_ms: int) -> None:
        self.symbol = symbol
        self.tape = TradeTape(symbol, TAPE_TRADES)
        self.ticker = RollingTicker(symbol)
        self.top = BookTicker(symbol, 0, 0, 0, 0, 0)
        self._history = history
        self._started_ms = now_ms
        self._minute: Candle | None = None
        self._seconds = CandleSeries(symbol, _SECOND, SERIES_CANDLES)
        self._series = {name: CandleSeries(symbol, name, SERIES_CANDLES) for name in INTERVALS if name != _SECOND}
        for name, series in (*self._series.items(), (_SECOND, self._seconds)):
            for candle in history.candles(symbol, name, start_ms=None, end_ms=now_ms, limit=SERIES_CANDLES):
                series.put(candle)
        minutes = history.candles(symbol, _MINUTE, start_ms=None, end_ms=now_ms, limit=MINUTES_PER_DAY)
        self.ticker.seed(minutes)

    def apply_trade(self, trade: Trade) -> None:
        """Count a public trade."""
        self.tape.append(trade)
        self.ticker.apply_trade(trade)
        self._seconds.apply_trade(trade)
        minute = self._roll_minute(trade.time_ms, trade.price)
        if trade.time_ms >= minute.open_ms:
            self._minute = with_trade(minute, trade)

    def set_top(self, top: BookTicker) -> None:
        """Remember the best bid and ask."""
        self.top = top
        self.ticker.set_top(top)

    def day(self, now_ms: int) -> Ticker24h:
        """Statistics of the 24 hours up to ``now_ms``."""
        return self.ticker.ticker(now_ms)

    def candle(self, interval: str, now_ms: int) -> Candle | None:
        """The candle that is open at ``now_ms``; None where nothing was ever traded."""
        candles = self.candles(interval, now_ms=now_ms, limit=1)
        return candles[-1] if candles else None

    def candles(
        self,
        interval: str,
        *,
        now_ms: int,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 500,
    ) -> list[Candle]:
        """Candles that opened in the range, oldest first: from the start on where one is given, else the newest."""
        live = self._live(interval, now_ms)
        oldest_ms = live[0].open_ms if live else now_ms + 1
        wanted: dict[int, Candle] = {}
        if (start_ms is not None and start_ms < oldest_ms) or (end_ms is not None and end_ms < oldest_ms + limit):
            until_ms = min(oldest_ms - 1, oldest_ms - 1 if end_ms is None else end_ms)
            older = self._history.candles(self.symbol, interval, start_ms=start_ms, end_ms=until_ms, limit=limit)
            wanted.update((candle.open_ms, candle) for candle in older)
        wanted.update((candle.open_ms, candle) for candle in live)
        rows = [
            candle
            for open_ms, candle in sorted(wanted.items())
            if (start_ms is None or open_ms >= start_ms) and (end_ms is None or open_ms <= end_ms)
        ]
        return rows[:limit] if start_ms is not None else rows[max(0, len(rows) - limit) :]

    def _live(self, interval: str, now_ms: int) -> list[Candle]:
        """What is kept of an interval, with the running minute in it."""
        last_price = self.ticker.last_price
        if interval == _SECOND:
            self._seconds.roll(now_ms)
            return self._seconds.latest()
        if last_price:
            self._roll_minute(now_ms, last_price)
        rows = self._series[interval].latest()
        minute = self._minute
        if minute is None:
            return rows
        open_ms = open_ms_of(interval, minute.open_ms)
        if rows and rows[-1].open_ms == open_ms:
            rows[-1] = merged(rows[-1], minute)
        elif not rows or rows[-1].open_ms < open_ms:
            rows = _closed_last(rows)
            rows.append(_as_interval(minute, interval))
        return rows

    def _roll_minute(self, now_ms: int, price: int) -> Candle:
        """The minute that covers ``now_ms``; ends the one before it and fills minutes without trades."""
        open_ms = open_ms_of(_MINUTE, now_ms)
        minute = self._minute
        if minute is not None and minute.open_ms >= open_ms:
            return minute
        if minute is not None:
            self._fold(minute)
            price = minute.close
            # A gap longer than the series would only push out what it pushed in.
            gap_ms = max(minute.close_ms + 1, open_ms - SERIES_CANDLES * 60_000)
            while gap_ms < open_ms:
                self._fold(flat_candle(self.symbol, _MINUTE, open_ms=gap_ms, price=price, is_closed=True))
                gap_ms += 60_000
        self._minute = flat_candle(self.symbol, _MINUTE, open_ms=open_ms, price=price, is_closed=False)
        return self._minute

    def _fold(self, minute: Candle) -> None:
        """Put a minute that ended into every longer interval."""
        for interval, series in self._series.items():
            open_ms = open_ms_of(interval, minute.open_ms)
            last = series.last
            if last is not None and last.open_ms == open_ms:
                grown = merged(last, minute)
            elif last is not None and last.open_ms > open_ms:
                continue
            else:
                if last is not None:
                    series.put(as_closed(last))
                grown = _as_interval(minute, interval)
            series.put(as_closed(grown) if grown.close_ms <= minute.close_ms else grown)


def _closed_last(rows: list[Candle]) -> list[Candle]:
    return [*rows[:-1], as_closed(rows[-1])] if rows else []


def _as_interval(minute: Candle, interval: str) -> Candle:
    """The beginning of a longer candle that so far consists of this minute."""
    open_ms = open_ms_of(interval, minute.open_ms)
    fields = {name: getattr(minute, name) for name in minute.__struct_fields__}
    bounds = {"interval": interval, "open_ms": open_ms, "close_ms": close_ms_of(interval, open_ms), "is_closed": False}
    return Candle(**(fields | bounds))
