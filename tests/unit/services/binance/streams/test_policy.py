from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryptotrader.core.clock import NS_PER_S
from cryptotrader.services.binance.streams.policy import (
    Control,
    SilenceWatch,
    StalenessClock,
    StreamPolicy,
    next_control,
)


def clock() -> StalenessClock:
    return StalenessClock(0, minimum_s=60, factor=20)


def test_a_stream_of_unknown_rate_is_never_stale() -> None:
    assert clock().limit_s is None
    assert not clock().is_stale(10**18)


def test_a_busy_stream_is_stale_after_the_minimum() -> None:
    watched = clock()
    for number in range(1, 100):
        watched.on_message(number * NS_PER_S // 10)
    assert watched.limit_s == 60
    assert not watched.is_stale(69 * NS_PER_S)
    assert watched.is_stale(71 * NS_PER_S)


def test_a_slow_stream_gets_many_times_its_usual_interval() -> None:
    watched = clock()
    for number in range(1, 50):
        watched.on_message(number * 30 * NS_PER_S)
    assert watched.limit_s == pytest.approx(600)


def test_one_long_gap_is_remembered_and_fades() -> None:
    watched = clock()
    for number in range(1, 20):
        watched.on_message(number * NS_PER_S)
    watched.on_message(1_000 * NS_PER_S)
    limit_s = watched.limit_s
    assert limit_s is not None
    assert limit_s > 3_000
    for number in range(1_001, 9_000):
        watched.on_message(number * NS_PER_S)
    assert watched.limit_s == 60


def test_patience_doubles_with_each_restart_in_vain_and_a_message_ends_it() -> None:
    watched = clock()
    watched.on_message(NS_PER_S)
    for patience in (2, 4, 8, 16, 32, 64, 64):
        watched.restart(2 * NS_PER_S)
        assert watched.limit_s == 60 * patience
    watched.on_message(3 * NS_PER_S)
    assert watched.limit_s == 60


def test_a_message_held_during_an_overlap_does_not_turn_time_back() -> None:
    watched = clock()
    watched.on_message(10 * NS_PER_S)
    watched.on_message(5 * NS_PER_S)
    assert not watched.is_stale(69 * NS_PER_S)


NAMES = st.frozensets(st.sampled_from([f"s{number}@trade" for number in range(12)]))


@given(wanted=NAMES, asked=NAMES, limit=st.integers(1, 5))
def test_control_frames_lead_from_anywhere_to_what_is_wanted(
    wanted: frozenset[str], asked: frozenset[str], limit: int
) -> None:
    state = set(asked)
    seen_unsubscribe = False
    for _ in range(100):
        control = next_control(wanted, state, limit=limit)
        if control is None:
            break
        assert 1 <= len(control.streams) <= limit
        if control.method == "SUBSCRIBE":
            assert not seen_unsubscribe
            state |= set(control.streams)
        else:
            seen_unsubscribe = True
            state -= set(control.streams)
    assert state == wanted


@pytest.mark.parametrize(("mean_s", "limit_s"), [(None, 25), (0.1, 5), (0.5, 10), (1, 20), (60, 25)])
def test_the_silence_of_a_busy_connection_is_suspicious_sooner(mean_s: float | None, limit_s: float) -> None:
    watch = SilenceWatch(StreamPolicy())
    assert watch.judge(limit_s, 0, mean_s=mean_s) == "fine"
    assert watch.judge(limit_s + 1, 0, mean_s=mean_s) == "ping"
    assert watch.judge(limit_s + 2, NS_PER_S, mean_s=mean_s) == "fine"
    assert watch.judge(limit_s + 12, 11 * NS_PER_S, mean_s=mean_s) == "dead"


def test_a_connection_is_not_given_up_without_an_unanswered_ping() -> None:
    watch = SilenceWatch(StreamPolicy())
    assert watch.judge(4_000, 0) == "ping"
    assert watch.judge(0.1, NS_PER_S) == "fine"
    assert watch.judge(4_000, 99 * NS_PER_S) == "ping"


def test_nothing_to_do_sends_nothing() -> None:
    assert next_control({"a"}, {"a"}, limit=1) is None
    assert next_control({"a"}, set(), limit=9) == Control("SUBSCRIBE", ("a",))


def test_the_limits_stay_below_those_of_the_venue() -> None:
    policy = StreamPolicy()
    assert 1 / policy.control_interval_s < 5
    assert policy.streams_per_link <= 1_024
    assert policy.replace_after_s < 24 * 3_600
    assert policy.ping_after_s + policy.pong_after_s < 60
    assert policy.keepalive_s == 30 * 60
