"""Times in the unit that the client speaks."""

from __future__ import annotations

import pytest

from cryptotrader.exchange.protocol.time_unit import answer_in_micros, params_in_millis, wants_micros

NOW_MS = 1_700_000_000_123


@pytest.mark.parametrize(
    ("unit", "wanted"),
    [("MICROSECOND", True), ("microsecond", True), ("MILLISECOND", False), ("", False), (None, False)],
)
def test_only_the_two_documented_spellings_mean_microseconds(unit: str | None, *, wanted: bool) -> None:
    assert wants_micros(unit) is wanted


def test_periods_may_be_given_in_either_unit_and_never_grow() -> None:
    plain = {"symbol": "BTCUSDT", "startTime": str(NOW_MS), "endTime": str(NOW_MS)}
    assert params_in_millis(plain) is plain
    micros = {"symbol": "BTCUSDT", "startTime": str(NOW_MS * 1_000 + 1), "endTime": NOW_MS * 1_000 + 999}
    assert params_in_millis(micros) == {"symbol": "BTCUSDT", "startTime": str(NOW_MS + 1), "endTime": str(NOW_MS)}


@pytest.mark.parametrize("text", ["", "-1", "now", "1e15", "²²²²²²²²²²²²²²²", "9" * 20, "9" * 5_000])
def test_what_is_no_time_is_left_to_those_who_check(text: str) -> None:
    given = {"startTime": text}
    assert params_in_millis(given) is given


def test_times_are_scaled_wherever_they_stand_and_nothing_else() -> None:
    order = {"orderId": NOW_MS, "transactTime": NOW_MS, "workingTime": -1, "fills": [{"tradeId": 7, "price": "1.00"}]}
    assert answer_in_micros("order.place", order) == {**order, "transactTime": NOW_MS * 1_000}
    assert answer_in_micros("trades.recent", [{"id": 1, "time": NOW_MS}]) == [{"id": 1, "time": NOW_MS * 1_000}]
    assert answer_in_micros("session.status", {"authorizedSince": None}) == {"authorizedSince": None}


def test_candles_have_two_times_without_names() -> None:
    row = [NOW_MS, "1", "1", "1", "1", "2", NOW_MS + 59_999, "3", 4, "5", "6", "0"]
    scaled = [NOW_MS * 1_000, *row[1:6], (NOW_MS + 59_999) * 1_000, *row[7:]]
    assert answer_in_micros("klines", [row]) == [scaled]
