"""What the exchange knows about each symbol besides its book: last trades, candles of every interval, 24 hours."""

from __future__ import annotations

from typing import Protocol

from cryptotrader.core.events import BookTicker, Candle, Ticker24h, Trade
from cryptotrader.market.aggregates import AggregateTape
from cryptotrader.market.candles import (
    DAY_MS,
    HOUR_MS,
    INTERVALS,
    MINUTE_MS,
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

SEED_INTERVAL = "15m"
SEED_CANDLES = 96
"""A day in quarters of an hour, from which the 24-hour numbers start. Reason: minutes would cost ten times as much at
the start and only make the far edge of the day sharper."""

_SECOND = "1s"
_MINUTE = "1m"


class History(Protocol):
    """Candles and trades from before the start; see ``exchange.market.source``."""

    def candles(
        self, symbol: str, interval: str, *, start_ms: int | None, end_ms: int | None, limit: int
    ) -> list[Candle]:
        """Candles that opened in the range and before the start, oldest first."""
        ...

    def trades(self, symbol: str, limit: int) -> list[Trade]:
        """The last trades before the start, oldest first."""
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
    keeping sixteen intervals costs little more than keeping two, and each is exact. Candles from before the start are
    asked for when somebody wants them, and then kept.

    Args:
        symbol: Upper case.
        history: Where candles and trades from before the start come from.
        now_ms: The start. Unit: epoch milliseconds.
    """

    def __init__(self, symbol: str, history: History, now_ms: int) -> None:
        self.symbol = symbol
        self.tape = TradeTape(symbol, TAPE_TRADES)
        self.aggregates = AggregateTape(symbol, TAPE_TRADES)
        self.ticker = RollingTicker(symbol)
        self.top = BookTicker(symbol, 0, 0, 0, 0, 0)
        self._history = history
        self._minute: Candle | None = None
        self._series = {name: CandleSeries(symbol, name, SERIES_CANDLES) for name in INTERVALS}
        self._loaded: dict[str, int] = {}
        for trade in history.trades(symbol, TAPE_TRADES):
            self.tape.append(trade)
            self.aggregates.load(trade)
        last = self.tape.last
        day = history.candles(symbol, SEED_INTERVAL, start_ms=None, end_ms=None, limit=SEED_CANDLES)
        self.ticker.seed(day, last_trade_id=last.trade_id if last is not None else -1)
        if self.ticker.last_price:
            self._roll_minute(now_ms, self.ticker.last_price)

    def apply_trade(self, trade: Trade, taker: int = 0) -> None:
        """Count a public trade, with the order that took where that is known."""
        self.tape.append(trade)
        self.aggregates.add(trade, taker)
        self.ticker.apply_trade(trade)
        self._apply_to_second(trade)
        minute = self._roll_minute(trade.time_ms, trade.price)
        if trade.time_ms >= minute.open_ms:
            self._minute = with_trade(minute, trade)
        else:
            # Somebody looked after the minute had ended and before its last trade came.
            open_ms = open_ms_of(_MINUTE, trade.time_ms)
            late = flat_candle(self.symbol, _MINUTE, open_ms=open_ms, price=trade.price, is_closed=True)
            self._fold(with_trade(late, trade))

    def _apply_to_second(self, trade: Trade) -> None:
        series = self._series[_SECOND]
        if series.last is None or trade.time_ms >= series.last.open_ms:
            series.apply_trade(trade)
            return
        # Somebody looked after the second had ended and before its last trade came.
        open_ms = open_ms_of(_SECOND, trade.time_ms)
        for candle in series.between(start_ms=open_ms, end_ms=open_ms):
            if trade.trade_id > candle.last_trade_id:
                series.put(with_trade(candle, trade))

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
        kept = self._kept(interval, now_ms=now_ms, rows=limit)
        oldest_ms = kept[0].open_ms if kept else now_ms + 1
        rows = [
            candle
            for candle in kept
            if (start_ms is None or candle.open_ms >= start_ms) and (end_ms is None or candle.open_ms <= end_ms)
        ]
        reaches_back = start_ms < oldest_ms if start_ms is not None else len(rows) < limit
        if reaches_back:
            until_ms = oldest_ms - 1 if end_ms is None else min(end_ms, oldest_ms - 1)
            wanted = limit if start_ms is not None else limit - len(rows)
            older = self._history.candles(self.symbol, interval, start_ms=start_ms, end_ms=until_ms, limit=wanted)
            rows = [*older, *rows]
        return rows[:limit] if start_ms is not None else rows[max(0, len(rows) - limit) :]

    def window(self, open_ms: int, now_ms: int) -> Candle | None:
        """Everything from ``open_ms`` (a whole minute) until ``now_ms`` as one candle; None before any trade.

        Put together from the longest candles that fit, so that seven days take some two hundred and not ten thousand.
        """
        whole: Candle | None = None
        at_ms = open_ms
        while at_ms <= now_ms:
            name, length_ms, count = _longest_run(at_ms, now_ms)
            for candle in self.candles(name, now_ms=now_ms, start_ms=at_ms, limit=count):
                if candle.open_ms < at_ms + count * length_ms:
                    whole = candle if whole is None else merged(whole, candle)
            at_ms += count * length_ms
        return whole

    def _kept(self, interval: str, *, now_ms: int, rows: int) -> list[Candle]:
        """What is kept of an interval, with the running minute in it."""
        if self._minute is not None:
            self._roll_minute(now_ms, self._minute.close)
        self._load(interval, rows)
        series = self._series[interval]
        if interval == _SECOND:
            series.roll(now_ms)
            return series.latest()
        candles = series.latest()
        minute = self._minute
        if minute is None:
            return candles
        open_ms = open_ms_of(interval, minute.open_ms)
        if candles and candles[-1].open_ms == open_ms:
            candles[-1] = merged(candles[-1], minute)
        elif not candles or candles[-1].open_ms < open_ms:
            candles = _closed_last(candles)
            candles.append(_as_interval(minute, interval))
        return candles

    def _load(self, interval: str, rows: int) -> None:
        """Put up to ``rows`` candles from before the start in front of what the series has seen since."""
        wanted = min(rows, SERIES_CANDLES)
        if self._loaded.get(interval, 0) >= wanted:
            return
        series = self._series[interval]
        is_first = interval not in self._loaded
        past = self._history.candles(self.symbol, interval, start_ms=None, end_ms=None, limit=wanted)
        self._loaded[interval] = wanted
        live = series.latest()
        if not is_first:
            # The candle in which the market started was put together the first time.
            for candle in reversed(past[:-1]):
                if len(series) >= SERIES_CANDLES:
                    return
                series.put(as_closed(candle))
            return
        self._series[interval] = series = CandleSeries(self.symbol, interval, SERIES_CANDLES)
        for candle in past:
            series.put(candle)
        for candle in live:
            last = series.last
            is_same = last is not None and last.open_ms == candle.open_ms
            if last is not None and not is_same:
                series.put(as_closed(last))
            series.put(_end_of(merged(last, candle), candle) if last is not None and is_same else candle)

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
            if interval == _SECOND:
                continue
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


def _longest_run(at_ms: int, now_ms: int) -> tuple[str, int, int]:
    """(interval, its length in ms, how many of it) to go on with from ``at_ms``: days, hours or minutes."""
    for name, length_ms, longer_ms in (("1d", DAY_MS, None), ("1h", HOUR_MS, DAY_MS)):
        if at_ms % length_ms == 0 and at_ms + length_ms <= now_ms:
            count = (now_ms - at_ms) // length_ms
            if longer_ms is not None and at_ms % longer_ms:
                count = min(count, (longer_ms - at_ms % longer_ms) // length_ms)
            return name, length_ms, count
    until_hour = (HOUR_MS - at_ms % HOUR_MS) // MINUTE_MS
    return _MINUTE, MINUTE_MS, min(until_hour, (now_ms - at_ms) // MINUTE_MS + 1)


def _end_of(candle: Candle, live: Candle) -> Candle:
    """Closed where the live part of it has been closed."""
    return as_closed(candle) if live.is_closed else candle


def _closed_last(rows: list[Candle]) -> list[Candle]:
    return [*rows[:-1], as_closed(rows[-1])] if rows else []


def _as_interval(minute: Candle, interval: str) -> Candle:
    """The beginning of a longer candle that so far consists of this minute."""
    open_ms = open_ms_of(interval, minute.open_ms)
    fields = {name: getattr(minute, name) for name in minute.__struct_fields__}
    bounds = {"interval": interval, "open_ms": open_ms, "close_ms": close_ms_of(interval, open_ms), "is_closed": False}
    return Candle(**(fields | bounds))
