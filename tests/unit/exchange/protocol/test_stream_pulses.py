"""Paced streams speak when something changed, at their pace (``web-socket-streams.md``, "Update Speed")."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cryptotrader.core.events import Candle, DepthDiff
from cryptotrader.exchange.protocol.stream_names import parse_stream_name
from cryptotrader.exchange.protocol.streams.paced import Pulse
from cryptotrader.exchange.protocol.streams.pulses import DepthPulse, make_pulse
from tests.support.exchange_streams import HandView


def pulse_of(text: str, view: HandView) -> Pulse:
    name = parse_stream_name(text)
    assert name is not None
    pulse = make_pulse(name, view)
    assert pulse is not None
    return pulse


def said(pulse: Pulse, now_ms: int) -> list[Any]:
    return [json.loads(render(1)) for render in pulse.poll(now_ms)]


@pytest.mark.parametrize("text", ["btcusdt@trade", "btcusdt@aggTrade", "btcusdt@bookTicker", "btcusdt@depth@100ms"])
def test_real_time_streams_have_no_pulse(text: str) -> None:
    name = parse_stream_name(text)
    assert name is not None
    assert make_pulse(name, HandView()) is None


@pytest.mark.parametrize(
    ("text", "due_ms"), [("btcusdt@depth5@100ms", 1_300), ("btcusdt@ticker", 2_000), ("btcusdt@kline_1m", 2_000)]
)
def test_pulses_beat_at_full_multiples_of_their_pace(text: str, due_ms: int) -> None:
    assert pulse_of(text, HandView()).due_ms(1_234) == due_ms


def test_partial_depth_speaks_when_the_book_moved() -> None:
    view = HandView()
    pulse = pulse_of("btcusdt@depth5", view)
    assert said(pulse, 0)[0] == {
        "lastUpdateId": 1,
        "bids": [["0.00000010", "0.00000001"], ["0.00000009", "0.00000001"]],
        "asks": [["0.00000011", "0.00000001"], ["0.00000012", "0.00000001"]],
    }
    assert said(pulse, 1_000) == []
    view.id = 2
    assert said(pulse, 2_000)[0]["lastUpdateId"] == 2


def test_a_newcomer_is_told_the_state_even_if_nothing_changed() -> None:
    pulse = pulse_of("btcusdt@ticker", HandView())
    assert len(said(pulse, 0)) == 1
    assert said(pulse, 1_000) == []
    pulse.refresh()
    assert len(said(pulse, 2_000)) == 1


def test_a_ticker_follows_trades_and_the_best_prices_and_a_mini_ticker_only_trades() -> None:
    view = HandView()
    full, mini = pulse_of("btcusdt@ticker", view), pulse_of("btcusdt@miniTicker", view)
    said(full, 0), said(mini, 0)
    view.bid_price = "9"
    assert (len(said(full, 1_000)), len(said(mini, 1_000))) == (1, 0)
    view.trade_count = 1
    assert (len(said(full, 2_000)), len(said(mini, 2_000))) == (1, 1)


def test_all_mini_tickers_hold_only_what_changed() -> None:
    view = HandView()
    view.symbols = ["BTCUSDT", "ETHUSDT"]
    pulse = pulse_of("!miniTicker@arr", view)
    assert [row["s"] for row in said(pulse, 0)[0]] == ["BTCUSDT", "ETHUSDT"]
    assert said(pulse, 1_000) == []
    view.trade_count = 1
    assert len(said(pulse, 2_000)[0]) == 2


def test_the_average_price_is_told_when_it_changes() -> None:
    view = HandView()
    pulse = pulse_of("btcusdt@avgPrice", view)
    assert said(pulse, 5)[0]["w"] == "0.00000100"
    assert said(pulse, 1_000) == []
    view.price = 101
    assert said(pulse, 2_000)[0]["w"] == "0.00000101"


def candle(open_ms: int, trades: int, *, is_closed: bool = False) -> Candle:
    return Candle("BTCUSDT", "1m", open_ms, open_ms + 59_999, 1, 1, 1, 1, 1, 1, trades, 1, 1, is_closed)


def test_every_candle_is_told_once_more_as_closed() -> None:
    view = HandView()
    pulse = pulse_of("btcusdt@kline_1m", view)
    view.rows = [candle(0, 1)]
    assert [message["k"]["x"] for message in said(pulse, 2_000)] == [False]
    assert said(pulse, 4_000) == []
    view.rows = [candle(0, 2)]
    assert [message["k"]["n"] for message in said(pulse, 6_000)] == [2]
    assert pulse.due_ms(59_000) == 60_000
    assert pulse.due_ms(60_000) == 60_200
    view.rows = [candle(0, 2, is_closed=True), candle(60_000, 0)]
    assert said(pulse, 60_000) == []
    view.rows = [candle(0, 3, is_closed=True), candle(60_000, 0)]
    ended, begun = said(pulse, 60_200)
    assert (ended["k"]["t"], ended["k"]["x"], ended["k"]["n"]) == (0, True, 3)
    assert (begun["k"]["t"], begun["k"]["x"], begun["k"]["n"]) == (60_000, False, 0)
    assert said(pulse, 62_000) == []


def test_a_candle_that_ends_is_told_as_soon_as_its_last_trade_must_have_come() -> None:
    """S0-12: what was told as closed stays as it is."""
    pulse = pulse_of("btcusdt@kline_1s", HandView())
    assert pulse.due_ms(58_500) == 59_000
    assert pulse.due_ms(59_000) == 59_200
    assert pulse.due_ms(59_200) == 60_000
    assert pulse_of("btcusdt@kline_3m", HandView()).due_ms(180_000) == 180_200


def test_the_candle_that_was_open_when_the_first_client_came_is_told_at_its_end() -> None:
    view = HandView()
    view.rows = [candle(0, 1)]
    pulse = pulse_of("btcusdt@kline_1m", view)
    assert pulse.due_ms(59_500) == 60_000
    view.rows = [candle(0, 2, is_closed=True), candle(60_000, 0)]
    assert [(message["k"]["t"], message["k"]["x"]) for message in said(pulse, 60_200)] == [(0, True), (60_000, False)]


def diff(first: int, last: int, bids: dict[int, int], at_ms: int = 0) -> DepthDiff:
    return DepthDiff("BTCUSDT", first, last, tuple(bids.items()), (), at_ms)


def test_a_second_of_depth_is_one_event_whose_ids_join_without_a_hole() -> None:
    pulse = pulse_of("btcusdt@depth", HandView())
    assert isinstance(pulse, DepthPulse)
    pulse.absorb(diff(5, 6, {100: 1, 90: 2}, 10))
    pulse.absorb(diff(7, 9, {100: 0, 110: 3}, 20))
    (message,) = said(pulse, 1_000)
    assert (message["U"], message["u"], message["E"]) == (5, 9, 20)
    assert [price for price, _ in message["b"]] == ["0.00000110", "0.00000100", "0.00000090"]
    assert message["b"][1][1] == "0.00000000"
    assert said(pulse, 2_000) == []
    pulse.absorb(diff(10, 10, {}))
    assert said(pulse, 3_000)[0]["U"] == 10


def test_ids_that_do_not_follow_are_never_joined() -> None:
    pulse = pulse_of("btcusdt@depth", HandView())
    assert isinstance(pulse, DepthPulse)
    pulse.absorb(diff(5, 6, {}))
    pulse.absorb(diff(1, 2, {}))
    assert [(message["U"], message["u"]) for message in said(pulse, 1_000)] == [(5, 6), (1, 2)]


def candle_of(count: int) -> Candle:
    return Candle("BTCUSDT", "1m", 0, 59_999, 10, 13, 9, 12, 5, 55, count, 1, 1, False, 1, count)


def test_a_window_speaks_when_a_trade_came_into_it_or_left_it() -> None:
    view = HandView()
    pulse = pulse_of("btcusdt@ticker_1h", view)
    assert said(pulse, 3_600_000) == []
    view.rows = [candle_of(3)]
    (event,) = said(pulse, 3_661_000)
    assert (event["e"], event["O"], event["C"], event["n"]) == ("1hTicker", 60_000, 3_661_000, 3)
    assert said(pulse, 3_662_000) == []
    view.rows = [candle_of(2)]
    assert said(pulse, 3_663_000)[0]["n"] == 2
    assert view.windows[-1] == (60_000, 3_663_000)


def test_windows_of_all_symbols_are_looked_at_only_where_something_can_have_changed() -> None:
    view = HandView()
    view.symbols = ["BTCUSDT", "ETHUSDT"]
    view.rows = [candle_of(3)]
    pulse = pulse_of("!ticker_4h@arr", view)
    assert len(said(pulse, 20_000_000)[0]) == 2
    looked = len(view.windows)
    assert said(pulse, 20_001_000) == []
    assert len(view.windows) == looked
    view.rows, view.trade_count = [candle_of(4)], 4
    assert len(said(pulse, 20_002_000)[0]) == 2
    pulse.refresh()
    assert len(said(pulse, 20_003_000)[0]) == 2


def test_a_reference_price_is_told_when_it_changes_even_to_none() -> None:
    view = HandView()
    pulse = pulse_of("btcusdt@referencePrice", view)
    assert [event["r"] for event in said(pulse, 1_000)] == [None]
    assert said(pulse, 2_000) == []
    view.reference = 100_000_000
    assert [event["r"] for event in said(pulse, 3_000)] == ["1.00000000"]


def test_candles_of_another_zone_end_at_its_midnight() -> None:
    """A day of UTC+8 ends at 16:00 UTC."""
    pulse = pulse_of("btcusdt@kline_1d@+08:00", HandView())
    assert pulse.due_ms(16 * 3_600_000 - 1_000) == 16 * 3_600_000
    assert pulse.due_ms(16 * 3_600_000) == 16 * 3_600_000 + 200
