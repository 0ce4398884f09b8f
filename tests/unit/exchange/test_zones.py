"""Candles in other time zones than UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from functools import reduce
from itertools import pairwise

import pytest

from cryptotrader.core.clock import NS_PER_MS
from cryptotrader.exchange.market.spec import open_market
from cryptotrader.exchange.statistics import SymbolStatistics, merged
from cryptotrader.exchange.zones import Zone
from cryptotrader.market.candles import DAY_MS, HOUR_MS, MINUTE_MS

NOW_MS = 1_784_000_040_500
SYMBOL = "ETHUSDT"


@pytest.fixture(scope="module")
def statistics() -> SymbolStatistics:
    [source] = open_market("synthetic?seed=3")
    source.start(NOW_MS * NS_PER_MS)
    return SymbolStatistics(SYMBOL, source.history, NOW_MS)


def local(time_ms: int, offset_min: int) -> datetime:
    """A time as a clock on the wall of that zone shows it."""
    zone = timezone(timedelta(minutes=offset_min))
    return datetime.fromtimestamp(time_ms / 1_000, UTC).astimezone(zone)


@pytest.mark.parametrize("offset_min", [480, 330, 345, -210, -720, 840, 7])
@pytest.mark.parametrize("interval", ["1d", "1w", "1M"])
def test_candles_follow_each_other_from_local_midnight(
    statistics: SymbolStatistics, interval: str, offset_min: int
) -> None:
    rows = Zone(interval, offset_min).candles(statistics, now_ms=NOW_MS, start_ms=None, end_ms=None, limit=5)
    assert len(rows) == 5
    for row in rows:
        opened = local(row.open_ms, offset_min)
        assert (opened.hour, opened.minute, opened.second) == (0, 0, 0)
        assert interval != "1w" or opened.weekday() == 0
        assert interval != "1M" or opened.day == 1
        assert row.interval == interval
    assert all(earlier.close_ms + 1 == later.open_ms for earlier, later in pairwise(rows))
    assert [row.is_closed for row in rows] == [True] * 4 + [False]
    assert rows[-1].open_ms <= NOW_MS <= rows[-1].close_ms


def test_a_day_is_its_hours(statistics: SymbolStatistics) -> None:
    """With +08:00 a day begins at 16:00 UTC of the day before."""
    day = Zone("1d", 480).candles(statistics, now_ms=NOW_MS, start_ms=None, end_ms=None, limit=3)[0]
    hours = statistics.candles("1h", now_ms=NOW_MS, start_ms=day.open_ms, limit=24)
    whole = reduce(merged, hours)
    assert (whole.open_ms, hours[-1].close_ms) == (day.open_ms, day.close_ms)
    assert (whole.open, whole.close) == (day.open, day.close)
    assert (whole.volume, whole.trade_count) == (day.volume, day.trade_count)
    assert day.low <= min(day.open, day.close) <= max(day.open, day.close) <= day.high


def test_candles_that_are_the_same_everywhere_are_those_of_utc(statistics: SymbolStatistics) -> None:
    plain = statistics.candles("4h", now_ms=NOW_MS, limit=10)
    assert Zone("4h", 480).candles(statistics, now_ms=NOW_MS, start_ms=None, end_ms=None, limit=10) == plain
    shifted = Zone("4h", 120).candles(statistics, now_ms=NOW_MS, start_ms=None, end_ms=None, limit=10)
    assert {row.open_ms % (4 * HOUR_MS) for row in shifted} == {2 * HOUR_MS}


def test_a_period_bounds_the_opening_times(statistics: SymbolStatistics) -> None:
    zone = Zone("1d", 330)
    newest = zone.open_ms(NOW_MS)
    start_ms = newest - 3 * DAY_MS
    rows = zone.candles(statistics, now_ms=NOW_MS, start_ms=start_ms, end_ms=newest - 1, limit=500)
    assert [row.open_ms for row in rows] == [start_ms, start_ms + DAY_MS, start_ms + 2 * DAY_MS]
    rows = zone.candles(statistics, now_ms=NOW_MS, start_ms=start_ms + MINUTE_MS, end_ms=None, limit=1)
    assert [row.open_ms for row in rows] == [start_ms + DAY_MS]
    assert zone.candles(statistics, now_ms=NOW_MS, start_ms=NOW_MS + DAY_MS, end_ms=None, limit=5) == []
    eldest = zone.candles(statistics, now_ms=NOW_MS, start_ms=0, end_ms=None, limit=2)
    assert [row.trade_count > 0 for row in eldest] == [True, True]


def test_nothing_is_asked_of_times_before_the_market_was_listed(statistics: SymbolStatistics) -> None:
    assert Zone("1d", 60).candles(statistics, now_ms=NOW_MS, start_ms=None, end_ms=1_000, limit=5) == []
