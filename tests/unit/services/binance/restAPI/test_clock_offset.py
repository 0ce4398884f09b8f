"""The venue's clock against ours."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cryptotrader.core.clock import NS_PER_MS
from cryptotrader.services.binance.restAPI.clock_offset import ClockOffset

NOW_MS = 1_700_000_000_000


def ns(ms: int) -> int:
    return ms * NS_PER_MS


def test_the_quickest_of_the_last_answers_counts() -> None:
    clock = ClockOffset()
    clock.sample(ns(NOW_MS), ns(NOW_MS + 400), NOW_MS + 900)
    clock.sample(ns(NOW_MS), ns(NOW_MS + 20), NOW_MS + 510)
    clock.sample(ns(NOW_MS), ns(NOW_MS + 300), NOW_MS + 100)
    assert (clock.offset_ms, clock.error_ms) == (500, 10)
    assert clock.timestamp_ms(ns(NOW_MS)) == NOW_MS + 500


@given(offset=st.integers(-(10**7), 10**7), start=st.integers(0, 10**6), there=st.integers(0, 800))
def test_a_date_header_brings_the_offset_within_two_seconds(offset: int, start: int, there: int) -> None:
    clock = ClockOffset()
    sent = NOW_MS + start
    server_ms = sent + there + offset
    clock.date(ns(sent), ns(sent + 2 * there), server_ms // 1000 * 1000)
    assert abs(clock.offset_ms - offset) <= 1_000 + 2 * there


def test_the_venues_own_answer_is_not_disturbed_by_a_date_that_a_proxy_may_have_written() -> None:
    clock = ClockOffset()
    clock.sample(ns(NOW_MS), ns(NOW_MS + 2), NOW_MS + 124)
    clock.date(ns(NOW_MS), ns(NOW_MS + 2), NOW_MS - 7_000_000)
    assert clock.offset_ms == 123
    clock.forget()
    assert clock.error_ms is None
    assert clock.margin_ms == 1
