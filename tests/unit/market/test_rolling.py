"""RollingTicker."""

from __future__ import annotations

from cryptotrader.core.events import BookTicker, Trade
from cryptotrader.core.scaled import SCALE, format_scaled
from cryptotrader.market.candles import DAY_MS, MINUTE_MS, flat_candle, with_trade
from cryptotrader.market.rolling import RollingTicker


def trade(trade_id: int, time_ms: int, price: int, qty: int = SCALE) -> Trade:
    return Trade("BTCUSDT", trade_id, price * SCALE, qty, time_ms, False, time_ms)


def test_the_numbers_of_a_day_are_exact() -> None:
    rolling = RollingTicker("BTCUSDT")
    for row in (trade(7, 0, 100), trade(8, 1_000, 130), trade(9, 90_000, 90, 2 * SCALE), trade(10, 90_001, 110)):
        rolling.apply_trade(row)
    rolling.set_top(BookTicker("BTCUSDT", 1, 109 * SCALE, SCALE, 111 * SCALE, 3 * SCALE))
    ticker = rolling.ticker(100_000)
    assert (ticker.open_price, ticker.last_price) == ("100.00000000", "110.00000000")
    assert (ticker.high_price, ticker.low_price) == ("130.00000000", "90.00000000")
    assert (ticker.price_change, ticker.price_change_percent) == ("10.00000000", "10.000")
    assert (ticker.volume, ticker.quote_volume) == ("5.00000000", "520.00000000")
    assert ticker.weighted_avg_price == "104.00000000"
    assert (ticker.bid_price, ticker.ask_qty, ticker.last_qty) == ("109.00000000", "3.00000000", "1.00000000")
    assert (ticker.first_trade_id, ticker.last_trade_id, ticker.trade_count) == (7, 10, 4)
    assert (ticker.open_ms, ticker.close_ms) == (100_000 - DAY_MS, 100_000)


def test_a_minute_leaves_when_it_ended_a_day_ago_and_its_close_is_remembered() -> None:
    rolling = RollingTicker("BTCUSDT")
    for row in (trade(1, 0, 500), trade(2, MINUTE_MS, 100), trade(3, 2 * MINUTE_MS, 80)):
        rolling.apply_trade(row)
    ticker = rolling.ticker(DAY_MS + MINUTE_MS)
    assert (ticker.high_price, ticker.open_price) == ("100.00000000", "100.00000000")
    assert ticker.prev_close_price == "500.00000000"
    assert (ticker.trade_count, ticker.first_trade_id) == (2, 2)
    assert ticker.price_change_percent == "-20.000"


def test_after_a_day_of_silence_the_last_price_stands_and_nothing_is_counted() -> None:
    rolling = RollingTicker("BTCUSDT")
    rolling.apply_trade(trade(1, 0, 500))
    ticker = rolling.ticker(3 * DAY_MS)
    assert (ticker.last_price, ticker.volume, ticker.trade_count) == ("500.00000000", "0.00000000", 0)
    assert ticker.last_trade_id == -1


def test_an_empty_ticker_has_zeros_only() -> None:
    ticker = RollingTicker("BTCUSDT").ticker(5)
    assert ticker.last_price == ticker.volume == format_scaled(0)
    assert ticker.price_change_percent == "0.000"


def test_a_trade_counts_once() -> None:
    rolling = RollingTicker("BTCUSDT")
    rolling.apply_trade(trade(1, 0, 500))
    rolling.apply_trade(trade(1, 0, 500))
    assert rolling.ticker(1).trade_count == 1


def test_a_seed_of_past_minutes_goes_on_with_live_trades_in_the_same_minute() -> None:
    minute = flat_candle("BTCUSDT", "1m", open_ms=0, price=SCALE, is_closed=True)
    following = flat_candle("BTCUSDT", "1m", open_ms=MINUTE_MS, price=SCALE, is_closed=False)
    seed = [with_trade(minute, trade(1, 5, 100)), with_trade(following, trade(2, MINUTE_MS, 200))]
    rolling = RollingTicker("BTCUSDT")
    rolling.seed(seed, last_trade_id=2)
    rolling.apply_trade(trade(3, MINUTE_MS + 1, 300))
    rolling.apply_trade(trade(4, 2 * MINUTE_MS, 250))
    ticker = rolling.ticker(2 * MINUTE_MS + 1)
    assert (ticker.trade_count, ticker.first_trade_id, ticker.last_trade_id) == (4, 1, 4)
    assert (ticker.open_price, ticker.high_price, ticker.last_price) == ("100.00000000", "300.00000000", "250.00000000")
    assert ticker.quote_volume == "850.00000000"
