"""Stream names and URLs of ``web-socket-streams.md``."""

from __future__ import annotations

import pytest

from cryptotrader.exchange.protocol.stream_names import (
    StreamKind,
    StreamName,
    parse_stream_name,
    parse_stream_url,
    window_open_ms,
)


@pytest.mark.parametrize(
    ("text", "kind", "pace_ms", "levels", "interval"),
    [
        ("btcusdt@trade", StreamKind.TRADE, 0, 0, ""),
        ("btcusdt@aggTrade", StreamKind.AGG_TRADE, 0, 0, ""),
        ("btcusdt@bookTicker", StreamKind.BOOK_TICKER, 0, 0, ""),
        ("btcusdt@depth", StreamKind.DEPTH, 1000, 0, ""),
        ("btcusdt@depth@1000ms", StreamKind.DEPTH, 1000, 0, ""),
        ("btcusdt@depth@100ms", StreamKind.DEPTH, 100, 0, ""),
        ("btcusdt@depth5", StreamKind.PARTIAL_DEPTH, 1000, 5, ""),
        ("btcusdt@depth10@100ms", StreamKind.PARTIAL_DEPTH, 100, 10, ""),
        ("btcusdt@depth20@1000ms", StreamKind.PARTIAL_DEPTH, 1000, 20, ""),
        ("btcusdt@ticker", StreamKind.TICKER, 1000, 0, ""),
        ("btcusdt@miniTicker", StreamKind.MINI_TICKER, 1000, 0, ""),
        ("btcusdt@avgPrice", StreamKind.AVG_PRICE, 1000, 0, ""),
        ("btcusdt@kline_1s", StreamKind.KLINE, 1000, 0, "1s"),
        ("btcusdt@kline_1m", StreamKind.KLINE, 2000, 0, "1m"),
        ("btcusdt@kline_1M", StreamKind.KLINE, 2000, 0, "1M"),
        ("btcusdt@ticker_1h", StreamKind.WINDOW_TICKER, 1000, 0, "1h"),
        ("btcusdt@ticker_4h", StreamKind.WINDOW_TICKER, 1000, 0, "4h"),
        ("btcusdt@ticker_1d", StreamKind.WINDOW_TICKER, 1000, 0, "1d"),
        ("btcusdt@referencePrice", StreamKind.REFERENCE_PRICE, 1000, 0, ""),
        ("btcusdt@blockTrade", StreamKind.BLOCK_TRADE, 0, 0, ""),
    ],
)
def test_a_documented_name_is_understood(text: str, kind: StreamKind, pace_ms: int, levels: int, interval: str) -> None:
    assert parse_stream_name(text) == StreamName(text, kind, "BTCUSDT", pace_ms, levels, interval)


@pytest.mark.parametrize(("suffix", "pace_ms"), [("", 1000), ("@1000ms", 1000), ("@3000ms", 3000)])
def test_the_stream_of_all_mini_tickers_has_no_symbol_and_maybe_a_pace(suffix: str, pace_ms: int) -> None:
    """python-binance asks with a pace."""
    name = parse_stream_name(f"!miniTicker@arr{suffix}")
    assert name is not None
    assert (name.kind, name.symbol, name.pace_ms) == (StreamKind.ALL_MINI_TICKERS, "", pace_ms)


@pytest.mark.parametrize("window", ["1h", "4h", "1d"])
def test_the_streams_of_all_windows_have_no_symbol(window: str) -> None:
    name = parse_stream_name(f"!ticker_{window}@arr")
    assert name is not None
    assert (name.kind, name.symbol, name.interval) == (StreamKind.ALL_WINDOW_TICKERS, "", window)


def test_candles_can_be_had_for_one_other_time_zone() -> None:
    """ "Kline/Candlestick Streams with timezone offset"."""
    name = parse_stream_name("btcusdt@kline_1d@+08:00")
    assert name is not None
    assert (name.kind, name.interval, name.offset_min) == (StreamKind.KLINE, "1d", 480)


def test_a_window_begins_on_a_whole_minute() -> None:
    assert window_open_ms("1h", 3_600_000 + 119_999) == 60_000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "!ticker@arr",
        "!ticker_2h@arr",
        "btcusdt@ticker_2h",
        "btcusdt@kline_1d@+09:00",
        "btcusdt@kline_1d@",
        "0",
        "btcusdt",
        "BTCUSDT@trade",
        "btcusdt@Trade",
        "btcusdt@depth7",
        "btcusdt@depth@250ms",
        "btcusdt@kline_2m",
        "btcusdt@kline_",
        "btcusdt@trade@100ms",
        "@trade",
        "btc/usdt@trade",
        "x" * 65,
        "btcusdt@trade\n",
    ],
)
def test_a_name_that_means_nothing_is_no_error(text: str) -> None:
    assert parse_stream_name(text) is None


def test_a_raw_url_names_any_number_of_streams_and_repeats_count_once() -> None:
    url = parse_stream_url("/ws/a@trade/b@trade/a@trade", "")
    assert url is not None
    assert (url.names, url.combined, url.micros) == (("a@trade", "b@trade"), False, False)


@pytest.mark.parametrize(("path", "combined"), [("/ws", False), ("/ws/", False), ("/stream", True), ("/stream/", True)])
def test_a_bare_url_starts_without_streams(path: str, combined: bool) -> None:
    url = parse_stream_url(path, "")
    assert url is not None
    assert (url.names, url.combined) == ((), combined)


def test_a_number_after_ws_is_a_name_that_yields_nothing() -> None:
    url = parse_stream_url("/ws/0", "")
    assert url is not None
    assert url.names == ("0",)


def test_a_combined_url_lists_streams_in_its_query_encoded_or_not() -> None:
    plain = parse_stream_url("/stream", "streams=btcusdt@trade/ethusdt@depth&timeUnit=MICROSECOND")
    encoded = parse_stream_url("/stream", "streams=btcusdt%40trade%2Fethusdt%40depth&timeUnit=microsecond")
    assert plain == encoded
    assert plain is not None
    assert (plain.names, plain.combined, plain.micros) == (("btcusdt@trade", "ethusdt@depth"), True, True)


@pytest.mark.parametrize("path", ["/", "/api/v3/time", "/wsx", "/streams", "/ws-api/v3"])
def test_other_paths_are_not_for_streams(path: str) -> None:
    assert parse_stream_url(path, "streams=btcusdt@trade") is None
