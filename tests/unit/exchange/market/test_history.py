"""The made-up past: one price path, whatever the interval."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest

from cryptotrader.core.clock import NS_PER_S
from cryptotrader.core.events import Candle
from cryptotrader.exchange.market.history import LISTED_MS, SeededHistory
from cryptotrader.exchange.market.profiles import PROFILES, profile_like
from cryptotrader.exchange.market.synthetic import SyntheticSource
from cryptotrader.market.candles import DAY_MS, INTERVALS, close_ms_of, open_ms_of
from cryptotrader.market.rolling import RollingTicker

START_MS = 1_790_000_123_000


@pytest.fixture(scope="module")
def past() -> SeededHistory:
    source = SyntheticSource(seed=3)
    source.start(START_MS * NS_PER_S // 1000)
    return source.history


def check(candle: Candle) -> None:
    assert candle.low <= min(candle.open, candle.close)
    assert candle.high >= max(candle.open, candle.close)
    assert candle.low > 0
    assert candle.trade_count == (candle.last_trade_id - candle.first_trade_id + 1 if candle.trade_count else 0)
    assert 0 <= candle.taker_buy_volume <= candle.volume
    assert 0 <= candle.taker_buy_quote_volume <= candle.quote_volume
    assert candle.close_ms == close_ms_of(candle.interval, candle.open_ms)


@pytest.mark.parametrize("interval", INTERVALS)
@pytest.mark.parametrize("symbol", ["BTCUSDT", "DOGEUSDT", "ETHBTC"])
def test_every_interval_has_joined_sane_candles_up_to_the_start(
    past: SeededHistory, interval: str, symbol: str
) -> None:
    rows = past.candles(symbol, interval, limit=100)
    assert len(rows) == 100
    for row in rows:
        check(row)
    for earlier, later in pairwise(rows):
        assert later.open_ms == earlier.close_ms + 1
        assert later.open == earlier.close
        assert later.first_trade_id in (earlier.last_trade_id + 1, -1) or earlier.last_trade_id == -1
    assert rows[-1].close == PROFILES[symbol].price
    assert rows[-1].close_ms >= START_MS - 1
    assert [row.is_closed for row in rows[:-1]] == [True] * 99


@pytest.mark.parametrize(
    ("coarse", "fine"),
    [
        ("1m", "1s"),
        ("3m", "1m"),
        ("15m", "5m"),
        ("1h", "15m"),
        ("6h", "1h"),
        ("1d", "30m"),
        ("1w", "1d"),
        ("1M", "12h"),
    ],
)
def test_coarse_candles_cover_the_fine_ones_and_add_them_up(past: SeededHistory, coarse: str, fine: str) -> None:
    for whole in past.candles("SOLUSDT", coarse, limit=3):
        parts = past.candles("SOLUSDT", fine, start_ms=whole.open_ms, end_ms=whole.close_ms, limit=1000)
        assert (whole.open, whole.close) == (parts[0].open, parts[-1].close)
        assert whole.high >= max(part.high for part in parts)
        assert whole.low <= min(part.low for part in parts)
        assert whole.trade_count == sum(part.trade_count for part in parts)
        lost = sum(1 for part in parts if not part.trade_count)
        if not lost:
            assert whole.volume == sum(part.volume for part in parts)


def test_the_past_is_the_same_however_it_is_asked_for(past: SeededHistory) -> None:
    rows = past.candles("ADAUSDT", "1h", limit=200)
    past.candles("ADAUSDT", "1M", limit=200)
    again = past.candles("ADAUSDT", "1h", start_ms=rows[50].open_ms, limit=7)
    assert again == rows[50:57]
    assert past.candles("ADAUSDT", "1h", end_ms=rows[50].open_ms, limit=3) == rows[48:51]
    assert past.candles("ADAUSDT", "1h", start_ms=rows[-1].open_ms + 1) == []
    assert past.candles("ADAUSDT", "1h", end_ms=LISTED_MS - 1) == []
    assert past.candles("ADAUSDT", "1h", end_ms=-5) == []


def test_the_past_reaches_back_more_than_eight_years(past: SeededHistory) -> None:
    first = past.candles("LTCUSDT", "1d", start_ms=0, limit=1)[0]
    assert first.open_ms == LISTED_MS
    assert START_MS - first.open_ms > 8 * 365 * DAY_MS
    assert len(past.candles("LTCUSDT", "1w", limit=1000)) > 8 * 52
    assert open_ms_of("1M", LISTED_MS) == past.candles("LTCUSDT", "1M", limit=1000)[0].open_ms


@pytest.mark.parametrize("symbol", ["XRPUSDT", "ETHBTC"])
def test_a_thousand_past_trades_lie_inside_their_candles(past: SeededHistory, symbol: str) -> None:
    trades = past.trades(symbol, 1000)
    ids = [trade.trade_id for trade in trades]
    assert ids == list(range(ids[0], ids[0] + 1000))
    times = [trade.time_ms for trade in trades]
    assert times == sorted(times)
    assert times[-1] < START_MS
    candles = {row.open_ms: row for row in past.candles(symbol, "1m", limit=1000)}
    for trade in trades:
        candle = candles[open_ms_of("1m", trade.time_ms)]
        assert candle.low <= trade.price <= candle.high
        assert candle.first_trade_id <= trade.trade_id <= candle.last_trade_id
        assert trade.qty > 0
        assert trade.price % PROFILES[symbol].tick == 0


def test_24_hour_statistics_from_the_past_are_plausible(past: SeededHistory) -> None:
    rolling = RollingTicker("BNBUSDT")
    rolling.seed(past.candles("BNBUSDT", "1m", limit=1440))
    ticker = rolling.ticker(START_MS)
    assert Decimal(ticker.low_price) <= Decimal(ticker.weighted_avg_price) <= Decimal(ticker.high_price)
    assert abs(Decimal(ticker.price_change_percent)) < 15
    assert ticker.trade_count == ticker.last_trade_id - ticker.first_trade_id + 1
    assert ticker.trade_count > 100_000
    assert Decimal(ticker.last_price) * 10**8 == PROFILES["BNBUSDT"].price


def test_unknown_intervals_and_symbols_are_errors(past: SeededHistory) -> None:
    with pytest.raises(ValueError, match="no such interval"):
        past.candles("BNBUSDT", "7m")
    with pytest.raises(KeyError):
        past.candles("PEPEUSDT", "1m")


def test_a_recorded_symbol_without_a_profile_gets_one_from_its_numbers() -> None:
    profile = profile_like("PEPEUSDT", 900, prices=[900, 930, 990], quantities=[4000, 6000])
    assert (profile.tick, profile.lot, profile.price) == (30, 2000, 900)
    assert profile_like("ETHUSDT", 1, prices=[1], quantities=[1]) is PROFILES["ETHUSDT"]
