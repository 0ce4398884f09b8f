"""Intervals and candle series."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cryptotrader.core.events import Candle, Trade
from cryptotrader.core.scaled import SCALE
from cryptotrader.market.candles import INTERVALS, CandleSeries, close_ms_of, flat_candle, open_ms_of


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


def trade(trade_id: int, time_ms: int, price: int, *, qty: int = SCALE, sold: bool = False) -> Trade:
    return Trade("BTCUSDT", trade_id, price * SCALE, qty, time_ms, sold, time_ms)


def test_there_are_the_sixteen_intervals_of_binance() -> None:
    assert " ".join(INTERVALS) == "1s 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w 1M"


@pytest.mark.parametrize(
    ("interval", "opens", "closes"),
    [
        ("1s", "2024-08-08T23:54:13", "2024-08-08T23:54:14"),
        ("15m", "2024-08-08T23:45:00", "2024-08-09T00:00:00"),
        ("12h", "2024-08-08T12:00:00", "2024-08-09T00:00:00"),
        ("1w", "2024-08-05T00:00:00", "2024-08-12T00:00:00"),
        ("1M", "2024-08-01T00:00:00", "2024-09-01T00:00:00"),
    ],
)
def test_a_candle_opens_and_closes_in_utc_with_weeks_from_monday(interval: str, opens: str, closes: str) -> None:
    open_ms = open_ms_of(interval, at("2024-08-08T23:54:13") + 937)
    assert open_ms == at(opens)
    assert close_ms_of(interval, open_ms) == at(closes) - 1


@pytest.mark.parametrize("interval", INTERVALS)
def test_candles_of_an_interval_join_without_gap_or_overlap(interval: str) -> None:
    open_ms = open_ms_of(interval, at("2023-12-31T23:59:59"))
    for _ in range(20):
        close_ms = close_ms_of(interval, open_ms)
        assert open_ms_of(interval, open_ms) == open_ms_of(interval, close_ms) == open_ms
        assert open_ms_of(interval, close_ms + 1) == close_ms + 1
        open_ms = close_ms + 1


def test_an_unknown_interval_is_refused() -> None:
    for call in (lambda: open_ms_of("1y", 0), lambda: close_ms_of("1mo", 0), lambda: CandleSeries("X", "2s")):
        with pytest.raises(ValueError, match="no such interval"):
            call()


def test_trades_make_a_candle() -> None:
    series = CandleSeries("BTCUSDT", "1m")
    for row in (trade(1, 60_000, 10), trade(2, 60_001, 12, sold=True), trade(3, 119_999, 9)):
        series.apply_trade(row)
    (candle,) = series.latest()
    assert (candle.open, candle.high, candle.low, candle.close) == (10 * SCALE, 12 * SCALE, 9 * SCALE, 9 * SCALE)
    assert (candle.volume, candle.taker_buy_volume) == (3 * SCALE, 2 * SCALE)
    assert (candle.quote_volume, candle.taker_buy_quote_volume) == (31 * SCALE, 19 * SCALE)
    assert (candle.first_trade_id, candle.last_trade_id, candle.trade_count) == (1, 3, 3)
    assert not candle.is_closed


def test_a_trade_counts_once_and_late_trades_change_nothing() -> None:
    series = CandleSeries("BTCUSDT", "1m")
    series.apply_trade(trade(5, 60_000, 10))
    before = series.latest()
    assert series.apply_trade(trade(5, 60_000, 10)) == before[-1]
    assert series.apply_trade(trade(6, 59_999, 99)) == before[-1]
    assert series.latest() == before


def test_silence_is_filled_with_flat_candles_at_the_last_price() -> None:
    series = CandleSeries("BTCUSDT", "1m")
    series.apply_trade(trade(1, 0, 10))
    series.apply_trade(trade(2, 3 * 60_000, 14))
    assert [(row.open_ms, row.close // SCALE, row.trade_count, row.is_closed) for row in series.latest()] == [
        (0, 10, 1, True),
        (60_000, 10, 0, True),
        (120_000, 10, 0, True),
        (180_000, 14, 1, False),
    ]
    assert series.latest()[-1].open == 14 * SCALE


def test_time_alone_closes_a_candle() -> None:
    series = CandleSeries("BTCUSDT", "1s")
    assert series.roll(5) is None
    series.apply_trade(trade(1, 0, 10))
    assert series.roll(999) == series.last
    newest = series.roll(1_000)
    assert newest == flat_candle("BTCUSDT", "1s", open_ms=1_000, price=10 * SCALE, is_closed=False)
    assert series.latest()[0].is_closed


def test_a_series_is_bounded_even_over_a_long_silence() -> None:
    series = CandleSeries("BTCUSDT", "1s", capacity=5)
    series.apply_trade(trade(1, 0, 10))
    series.apply_trade(trade(2, 10**12, 11))
    assert [row.open_ms for row in series.latest()] == [10**12 - 1000 * n for n in (4, 3, 2, 1, 0)]
    assert len(series) == 5


def test_whole_candles_are_inserted_in_order_and_replaced() -> None:
    def candle(open_ms: int, price: int) -> Candle:
        return flat_candle("BTCUSDT", "1m", open_ms=open_ms, price=price, is_closed=True)

    series = CandleSeries("BTCUSDT", "1m", capacity=3)
    for open_ms in (120_000, 0, 60_000):
        series.put(candle(open_ms, 1))
    series.put(candle(60_000, 7))
    assert [(row.open_ms, row.close) for row in series.latest()] == [(0, 1), (60_000, 7), (120_000, 1)]
    series.put(candle(180_000, 1))
    assert [row.open_ms for row in series.between(limit=2)] == [120_000, 180_000]
    assert [row.open_ms for row in series.between(start_ms=1, limit=2)] == [60_000, 120_000]
    assert [row.open_ms for row in series.between(start_ms=60_000, end_ms=120_000)] == [60_000, 120_000]
    assert [row.open_ms for row in series.between(end_ms=119_999)] == [60_000]
    assert series.latest(1) == [candle(180_000, 1)]
