"""Payloads of market streams: the recorded bytes come out again, and the documents' samples have our keys."""

from __future__ import annotations

import gzip
import json
from itertools import islice

import pytest

from cryptotrader.core.events import BookTicker, Candle, DepthDiff, Ticker24h, Trade
from cryptotrader.core.scaled import SCALE, parse_scaled
from cryptotrader.exchange.protocol.streams import payloads
from cryptotrader.market.aggregates import AggTrade
from cryptotrader.market.blocks import BlockTrade
from tests.support.recording import FILES, needs_recording


def diff_of(data: dict[str, object]) -> DepthDiff:
    def levels(key: str) -> tuple[tuple[int, int], ...]:
        rows = data[key]
        assert isinstance(rows, list)
        return tuple((parse_scaled(price), parse_scaled(qty)) for price, qty in rows)

    return DepthDiff(
        symbol=str(data["s"]),
        first_id=int(str(data["U"])),
        last_id=int(str(data["u"])),
        bids=levels("b"),
        asks=levels("a"),
        event_ms=int(str(data["E"])),
    )


def trade_of(data: dict[str, object]) -> Trade:
    return Trade(
        symbol=str(data["s"]),
        trade_id=int(str(data["t"])),
        price=parse_scaled(str(data["p"])),
        qty=parse_scaled(str(data["q"])),
        time_ms=int(str(data["T"])),
        buyer_is_maker=bool(data["m"]),
        event_ms=int(str(data["E"])),
    )


def top_of(data: dict[str, object]) -> BookTicker:
    bid, bid_qty, ask, ask_qty = (parse_scaled(str(data[key])) for key in "bBaA")
    return BookTicker(str(data["s"]), int(str(data["u"])), bid, bid_qty, ask, ask_qty)


@needs_recording
def test_recorded_messages_are_written_again_bit_for_bit() -> None:
    seen = set()
    with gzip.open(FILES[0], "rt") as lines:
        for line in islice(lines, 5_000):
            raw = line.split(" ", 1)[1].strip()
            message = json.loads(raw)
            stream = message.get("stream", "")
            match stream.rpartition("btcusdt@")[2]:
                case "depth@100ms":
                    payload = payloads.depth_update(diff_of(message["data"]))
                case "trade":
                    payload = payloads.trade(trade_of(message["data"]))
                case "bookTicker":
                    payload = payloads.book_ticker(top_of(message["data"]))
                case _:
                    continue
            seen.add(stream)
            assert payloads.combined(stream, payload).decode() == raw
    assert len(seen) == 3


TRADE = Trade("BNBBTC", 100, 100_000, 10 * SCALE, 1672515782136, True, 1672515782137)
STATS = Ticker24h(
    symbol="BNBBTC",
    event_ms=5,
    price_change="0",
    price_change_percent="1",
    weighted_avg_price="2",
    prev_close_price="3",
    last_price="4",
    last_qty="5",
    bid_price="6",
    bid_qty="7",
    ask_price="8",
    ask_qty="9",
    open_price="10",
    high_price="11",
    low_price="12",
    volume="13",
    quote_volume="14",
    open_ms=0,
    close_ms=86_400_000,
    first_trade_id=0,
    last_trade_id=18150,
    trade_count=18151,
)
CANDLE = Candle("BNBBTC", "1m", 60_000, 119_999, 1, 3, 1, 2, 9, 8, 4, 5, 6, False, 100, 103)
WINDOW = payloads.WindowTicker("4h", CANDLE, 60_000, 90_000, "100.000")
AGGREGATE = AggTrade("BNBBTC", 90, 100, 10 * SCALE, 100, 105, 7, True, 8)


@pytest.mark.parametrize(
    ("payload", "keys"),
    [
        (payloads.trade(TRADE), "e E s t p q T m M"),
        (payloads.agg_trade(AGGREGATE), "e E s a p q f l T m M"),
        (payloads.ticker(STATS), "e E s p P w x c Q b B a A o h l v q O C F L n"),
        (payloads.mini_ticker(STATS), "e E s c o h l v q"),
        (payloads.avg_price(payloads.AveragePrice("BTCUSDT", SCALE, 5, 7), 8), "e E s i w T"),
        (payloads.partial_depth(160, [(1, 2)], [(3, 4)]), "lastUpdateId bids asks"),
        (payloads.depth_update(DepthDiff("BTCUSDT", 1, 2, (), (), 3)), "e E s U u b a"),
        (payloads.window_ticker(WINDOW), "e E s p P o h l c w v q O C F L n"),
        (payloads.reference_price(payloads.ReferencePrice("BAZUSD", None, 7)), "e s r t"),
        (payloads.block_trade(BlockTrade("BNBBTC", 582, 1, 2, 3, True), 4), "e E s t p q T m"),
        (payloads.server_shutdown(3), "e E"),
    ],
)
def test_keys_are_those_of_the_documents_in_their_order(payload: bytes, keys: str) -> None:
    assert list(json.loads(payload)) == keys.split()


def test_a_kline_has_the_documented_keys() -> None:
    message = json.loads(payloads.kline(CANDLE, 61_000))
    assert list(message) == ["e", "E", "s", "k"]
    assert " ".join(message["k"]) == "t T s i f L o c h l v n x q V Q B"
    assert message["k"]["x"] is False


def test_an_aggregate_tells_which_trades_are_in_it() -> None:
    message = json.loads(payloads.agg_trade(AGGREGATE))
    assert (message["a"], message["f"], message["l"], message["q"]) == (90, 100, 105, "10.00000000")


def test_a_window_is_told_with_the_numbers_of_its_candle() -> None:
    """ "Individual Symbol Rolling Window Statistics Streams": ``O`` and ``C`` are those of the window."""
    message = json.loads(payloads.window_ticker(WINDOW, payloads.MICROS))
    assert (message["e"], message["O"], message["C"], message["n"]) == ("4hTicker", 60_000_000, 90_000_000, 4)
    assert json.loads(payloads.all_window_tickers([WINDOW, WINDOW]))[1]["s"] == "BNBBTC"


def test_a_reference_price_may_be_none() -> None:
    told = [json.loads(payloads.reference_price(payloads.ReferencePrice("BAZUSD", r, 7)))["r"] for r in (SCALE, None)]
    assert told == ["1.00000000", None]


def test_times_are_in_microseconds_where_asked_for() -> None:
    micros = json.loads(payloads.trade(TRADE, payloads.MICROS))
    assert (micros["E"], micros["T"]) == (1672515782137000, 1672515782136000)
    candle = json.loads(payloads.kline(CANDLE, 61_000, payloads.MICROS))["k"]
    assert (candle["t"], candle["T"]) == (60_000_000, 119_999_999)


def test_all_mini_tickers_are_an_array() -> None:
    assert [row["s"] for row in json.loads(payloads.all_mini_tickers([STATS, STATS]))] == ["BNBBTC", "BNBBTC"]
    assert json.loads(payloads.all_mini_tickers([])) == []
