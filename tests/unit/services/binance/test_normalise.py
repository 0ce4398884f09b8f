"""Wire messages to events: the documents' own examples, and a real recording."""

from __future__ import annotations

from itertools import islice

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryptotrader.core.events import BookSnapshot, BookTicker, Candle, DepthDiff, Ticker24h, Trade
from cryptotrader.core.scaled import format_scaled, parse_scaled
from cryptotrader.services.binance import normalise
from cryptotrader.services.binance.models import AggTrade, DayTicker, Kline, OrderBook, PublicTrade
from tests.support.fixtures import message
from tests.support.recording import lines

E8 = 10**8


def test_depth_update_of_the_documents() -> None:
    """``web-socket-streams.md``, "Diff. Depth Stream"."""
    wire = (
        b'{"e":"depthUpdate","E":1672515782136,"s":"BNBBTC","U":157,"u":160,"b":[["0.0024","10"]],"a":[["0.0026","0"]]}'
    )
    assert normalise.depth_diff(wire) == DepthDiff(
        symbol="BNBBTC",
        first_id=157,
        last_id=160,
        bids=((240_000, 10 * E8),),
        asks=((260_000, 0),),
        event_ms=1672515782136,
    )


def test_unknown_fields_are_ignored_and_missing_ones_are_an_error() -> None:
    wire = b'{"e":"depthUpdate","E":1,"s":"X","U":1,"u":1,"b":[],"a":[],"new":{"deep":[1]}}'
    assert normalise.depth_diff(wire).bids == ()
    for broken in (b"{}", b"[]", b"", b'{"E":1,"s":"X","U":1,"u":1,"b":[["x","1"]],"a":[]}'):
        with pytest.raises(ValueError):
            normalise.depth_diff(broken)


@pytest.mark.parametrize(
    ("fixture", "expected"),
    [
        (
            "binance_py/ws_spot_trade.json",
            Trade(
                symbol="ETHUSDT",
                trade_id=705291099,
                price=4149_74000000,
                qty=43870000,
                time_ms=1639351062243,
                buyer_is_maker=True,
                event_ms=1639351062244,
            ),
        ),
        (
            "binance_py/ws_spot_agg_trade.json",
            Trade(
                symbol="ETHUSDT",
                trade_id=228423,
                price=1632_46000000,
                qty=34305000,
                time_ms=1675759520847,
                buyer_is_maker=False,
                event_ms=1675759520848,
            ),
        ),
        (
            "binance_py/ws_spot_ticker_book.json",
            BookTicker(
                symbol="ETHUSDT",
                update_id=12711621188,
                bid=4507_24000000,
                bid_qty=2_35950000,
                ask=4507_25000000,
                ask_qty=2_84570000,
            ),
        ),
    ],
)
def test_combined_messages_are_unwrapped_and_read(fixture: str, expected: Trade | BookTicker) -> None:
    stream, data = normalise.open_envelope(message(fixture))
    assert normalise.market_event(stream, data) == expected


def test_day_ticker_keeps_the_venues_text() -> None:
    ticker = normalise.market_event("bnbbtc@ticker", message("binance_py/ws_spot_ticker_24hr.json"))
    assert isinstance(ticker, Ticker24h)
    assert (ticker.last_price, ticker.price_change_percent, ticker.last_qty) == ("0.0025", "250.00", "10")
    assert (ticker.open_ms, ticker.close_ms, ticker.trade_count) == (0, 86400000, 18151)


def test_kline_of_the_documents() -> None:
    """``web-socket-streams.md``, "Kline/Candlestick Streams for UTC"."""
    wire = (
        b'{"e":"kline","E":1672515782136,"s":"BNBBTC","k":{"t":1672515780000,"T":1672515839999,"s":"BNBBTC","i":"1m",'
        b'"f":100,"L":200,"o":"0.0010","c":"0.0020","h":"0.0025","l":"0.0015","v":"1000","n":100,"x":false,'
        b'"q":"1.0000","V":"500","Q":"0.500","B":"123456"}}'
    )
    candle = normalise.market_event("bnbbtc@kline_1m", wire)
    assert isinstance(candle, Candle)
    assert (candle.interval, candle.open, candle.close, candle.is_closed) == ("1m", 100_000, 200_000, False)
    assert (candle.volume, candle.taker_buy_quote_volume, candle.last_trade_id) == (1000 * E8, 50_000_000, 200)


def test_streams_of_no_interest_and_bare_messages_are_told_apart() -> None:
    assert normalise.market_event("!miniTicker@arr", b"[]") is None
    assert normalise.open_envelope(b'{"result":null,"id":1}') == ("", msgspec.Raw(b""))


def test_rest_answers_become_the_same_events() -> None:
    book = msgspec.json.decode(message("binance/spot__http_json__depth_response.json"), type=OrderBook)
    snapshot = normalise.snapshot_of("BNBBTC", book)
    assert snapshot == BookSnapshot(
        symbol="BNBBTC", last_id=1027024, bids=((4 * E8, 431 * E8),), asks=((4_00000200, 12 * E8),)
    )
    trades = msgspec.json.decode(message("binance/spot__http_json__trades_response.json"), type=list[PublicTrade])
    assert normalise.trades_of("BNBBTC", trades)[0].price == 4_00000100
    rows = msgspec.json.decode(message("binance_py/http_spot_market_klines.json"), type=list[Kline])
    candles = normalise.candles_of("BTCUSDT", "1m", rows, now_ms=rows[1].close_time + 1)
    assert [candle.is_closed for candle in candles[:3]] == [True, True, False]
    assert format_scaled(candles[0].open) == rows[0].open
    day = msgspec.json.decode(message("binance/spot__http_json__ticker_24hr_response.json"), type=DayTicker)
    assert normalise.ticker_of(day, now_ms=7).price_change_percent == "-95.960"
    aggregates = msgspec.json.decode(message("binance_py/http_spot_market_agg_trades.json"), type=list[AggTrade])
    assert normalise.agg_trades_of("X", aggregates)[0].trade_id == aggregates[0].last_id


@given(st.integers(0, 10**18), st.text("0123456789.-+e_ １", max_size=45))
def test_the_short_cut_reads_exactly_what_the_careful_parser_reads(value: int, rubbish: str) -> None:
    assert normalise.scaled(format_scaled(value)) == value
    try:
        expected: int | None = parse_scaled(rubbish)
    except ValueError:
        expected = None
    try:
        got: int | None = normalise.scaled(rubbish)
    except ValueError:
        got = None
    assert got == expected


def test_the_real_recording_is_read_without_loss() -> None:
    streamed = (line for line in lines() if "stream" in line)
    for line in islice(streamed, 2_000):
        data = msgspec.json.encode(line["data"])
        event = normalise.market_event(line["stream"], data)
        if isinstance(event, DepthDiff):
            assert [[format_scaled(price), format_scaled(qty)] for price, qty in event.bids] == line["data"]["b"]
            assert (event.first_id, event.last_id) == (line["data"]["U"], line["data"]["u"])
