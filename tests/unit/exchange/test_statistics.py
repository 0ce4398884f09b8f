"""Candles and 24-hour numbers of the paper exchange, live and from before the start."""

from __future__ import annotations

import itertools

import pytest

from cryptotrader.core.events import Candle, Trade
from cryptotrader.core.scaled import SCALE
from cryptotrader.exchange.statistics import SymbolStatistics
from cryptotrader.market.candles import INTERVALS, CandleSeries, close_ms_of, open_ms_of

START_MS = 1_700_000_040_500
MINUTE_MS = 60_000


class Past:
    """One candle of every interval that ends in the start, and full ones before it."""

    def __init__(self) -> None:
        self.asked = 0

    def candles(
        self, symbol: str, interval: str, *, start_ms: int | None, end_ms: int | None, limit: int
    ) -> list[Candle]:
        self.asked += 1
        rows: list[Candle] = []
        at_ms = open_ms_of(interval, START_MS - 1)
        while len(rows) < limit and at_ms > START_MS - 3_000 * MINUTE_MS * 1_440:
            if (end_ms is None or at_ms <= end_ms) and (start_ms is None or at_ms >= start_ms):
                rows.append(self._candle(symbol, interval, at_ms))
            at_ms = open_ms_of(interval, at_ms - 1)
        return rows[::-1]

    def _candle(self, symbol: str, interval: str, open_ms: int) -> Candle:
        close_ms = close_ms_of(interval, open_ms)
        return Candle(
            symbol=symbol,
            interval=interval,
            open_ms=open_ms,
            close_ms=close_ms,
            open=90 * SCALE,
            high=95 * SCALE,
            low=85 * SCALE,
            close=91 * SCALE,
            volume=10 * SCALE,
            quote_volume=900 * SCALE,
            trade_count=10,
            taker_buy_volume=5 * SCALE,
            taker_buy_quote_volume=450 * SCALE,
            is_closed=close_ms < START_MS,
            first_trade_id=1,
            last_trade_id=10,
        )

    def trades(self, symbol: str, limit: int) -> list[Trade]:
        return [Trade(symbol, 10, 91 * SCALE, SCALE, START_MS - 1, False, START_MS - 1)]


def _trades(count: int = 400, step_ms: int = 7_000) -> list[Trade]:
    return [
        Trade(
            symbol="X",
            trade_id=11 + number,
            price=(100 + number % 7) * SCALE,
            qty=SCALE + number,
            time_ms=START_MS + number * step_ms,
            buyer_is_maker=number % 3 == 0,
            event_ms=START_MS + number * step_ms,
        )
        for number in range(count)
    ]


@pytest.mark.parametrize("interval", INTERVALS)
def test_candles_after_the_start_equal_those_of_a_series_that_saw_every_trade(interval: str) -> None:
    """S0-12: each interval is exact, although a trade touches only two of them."""
    statistics = SymbolStatistics("X", Past(), START_MS)
    naive = CandleSeries("X", interval, 1_000)
    for trade in _trades():
        statistics.apply_trade(trade)
        naive.apply_trade(trade)
    now_ms = START_MS + 399 * 7_000
    seen = statistics.candles(interval, now_ms=now_ms, limit=1_000)
    first_whole_ms = close_ms_of(interval, open_ms_of(interval, START_MS)) + 1
    fresh = [candle for candle in naive.latest() if candle.open_ms >= first_whole_ms]
    assert [candle for candle in seen if candle.open_ms >= first_whole_ms] == fresh


@pytest.mark.parametrize("interval", INTERVALS[1:])
@pytest.mark.parametrize("asks_first", [False, True])
def test_the_candle_of_the_start_holds_what_came_before_and_after_it(interval: str, asks_first: bool) -> None:
    statistics = SymbolStatistics("X", Past(), START_MS)
    if asks_first:
        statistics.candles(interval, now_ms=START_MS, limit=2)
    trades = [trade for trade in _trades() if trade.time_ms <= close_ms_of(interval, open_ms_of(interval, START_MS))]
    for trade in _trades():
        statistics.apply_trade(trade)
    now_ms = START_MS + 399 * 7_000
    at_start = open_ms_of(interval, START_MS)
    found = next(c for c in statistics.candles(interval, now_ms=now_ms, limit=1_000) if c.open_ms == at_start)
    assert found.trade_count == 10 + len(trades)
    assert found.volume == 10 * SCALE + sum(trade.qty for trade in trades)
    assert found.open == 90 * SCALE
    assert found.close == trades[-1].price
    assert found.is_closed == (close_ms_of(interval, at_start) < open_ms_of("1m", now_ms))


def test_a_hundred_hourly_candles_are_there_on_a_fresh_exchange() -> None:
    """S0-12."""
    statistics = SymbolStatistics("X", Past(), START_MS)
    rows = statistics.candles("1h", now_ms=START_MS + 1_000, limit=100)
    assert len(rows) == 100
    assert all(later.open_ms == earlier.close_ms + 1 for earlier, later in itertools.pairwise(rows))
    assert [row.is_closed for row in rows[:-1]] == [True] * 99
    assert not rows[-1].is_closed


def test_the_past_is_asked_for_once_and_then_kept() -> None:
    past = Past()
    statistics = SymbolStatistics("X", past, START_MS)
    statistics.candles("1m", now_ms=START_MS, limit=200)
    asked = past.asked
    statistics.candles("1m", now_ms=START_MS + 500, limit=200)
    statistics.candles("1m", now_ms=START_MS + 500, limit=10)
    assert past.asked == asked


def test_a_start_time_gives_the_oldest_rows_from_there_and_an_end_time_the_newest_up_to_it() -> None:
    """``rest-api.md``, "General API Information"."""
    statistics = SymbolStatistics("X", Past(), START_MS)
    for trade in _trades():
        statistics.apply_trade(trade)
    now_ms = START_MS + 399 * 7_000
    everything = statistics.candles("1m", now_ms=now_ms, limit=1_000)
    start_ms = START_MS - 30 * MINUTE_MS
    forward = statistics.candles("1m", now_ms=now_ms, start_ms=start_ms, limit=40)
    assert forward == [candle for candle in everything if candle.open_ms >= start_ms][:40]
    backward = statistics.candles("1m", now_ms=now_ms, end_ms=START_MS, limit=5)
    assert backward == [candle for candle in everything if candle.open_ms <= START_MS][-5:]


def test_a_minute_without_trades_stands_at_the_price_before_it() -> None:
    statistics = SymbolStatistics("X", Past(), START_MS)
    statistics.apply_trade(_trades(1)[0])
    rows = statistics.candles("1m", now_ms=START_MS + 5 * MINUTE_MS, limit=3)
    assert [(row.open, row.volume, row.is_closed) for row in rows] == [
        (100 * SCALE, 0, True),
        (100 * SCALE, 0, True),
        (100 * SCALE, 0, False),
    ]


def test_a_trade_that_comes_after_its_minute_was_looked_at_still_counts() -> None:
    statistics = SymbolStatistics("X", Past(), START_MS)
    end_ms = close_ms_of("1m", open_ms_of("1m", START_MS))
    statistics.candles("1m", now_ms=end_ms + 5, limit=1)
    statistics.apply_trade(Trade("X", 11, 100 * SCALE, SCALE, end_ms, False, end_ms))
    rows = statistics.candles("1m", now_ms=end_ms + 10, limit=2)
    assert rows[0].trade_count == 11
    assert rows[0].is_closed
    assert rows[1].trade_count == 0


def test_a_trade_that_comes_after_its_second_was_looked_at_still_counts() -> None:
    """S0-12: candles of one second as well."""
    statistics = SymbolStatistics("X", Past(), START_MS)
    end_ms = close_ms_of("1s", open_ms_of("1s", START_MS))
    statistics.apply_trade(Trade("X", 11, 100 * SCALE, SCALE, end_ms - 1, False, end_ms))
    before = statistics.candles("1s", now_ms=end_ms + 5, limit=2)[0]
    for _ in range(2):
        statistics.apply_trade(Trade("X", 12, 100 * SCALE, SCALE, end_ms, False, end_ms))
    rows = statistics.candles("1s", now_ms=end_ms + 10, limit=2)
    assert rows[0].trade_count == before.trade_count + 1
    assert rows[0].is_closed
    assert rows[1].trade_count == 0


@pytest.mark.parametrize("minutes", [1, 7, 59, 60, 61, 150, 1_440, 1_441, 10_080])
def test_a_window_holds_what_its_minutes_hold(minutes: int) -> None:
    """``rest-api.md``, "Rolling window price change statistics"."""
    statistics = SymbolStatistics("X", Past(), START_MS)
    for trade in _trades():
        statistics.apply_trade(trade)
    now_ms = START_MS + 399 * 7_000
    open_ms = open_ms_of("1m", now_ms - minutes * MINUTE_MS)
    whole = statistics.window(open_ms, now_ms)
    assert whole is not None
    lived = [trade for trade in _trades() if trade.time_ms >= open_ms]
    assert whole.close == 100 * SCALE + 399 % 7 * SCALE
    assert whole.last_trade_id == 410
    if open_ms > START_MS:
        assert (whole.volume, whole.trade_count) == (sum(trade.qty for trade in lived), len(lived))
    elif open_ms > open_ms_of("1h", START_MS):
        ones = statistics.candles("1m", now_ms=now_ms, start_ms=open_ms, limit=1_000)
        assert whole.volume == sum(candle.volume for candle in ones)
