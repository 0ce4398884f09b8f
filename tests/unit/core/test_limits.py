"""Rate limits."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cryptotrader.core.clock import NS_PER_S
from cryptotrader.core.limits import TokenBucket, WindowLimit


def test_s0_52_the_request_after_the_limit_is_refused_and_a_minute_later_allowed() -> None:
    limit = WindowLimit(100, window_s=60)
    start = 1_000_000 * 60 * NS_PER_S
    assert all(limit.allow("a", start) for _ in range(100))
    assert not limit.allow("a", start)
    assert limit.allow("b", start)
    assert not limit.allow("a", start + 59 * NS_PER_S)
    assert limit.allow("a", start + 60 * NS_PER_S)


@given(st.lists(st.integers(min_value=0, max_value=20_000_000_000), max_size=300), st.integers(1, 20))
def test_never_more_than_the_limit_within_any_window(gaps: list[int], limit: int) -> None:
    window = WindowLimit(limit, window_s=10)
    now, allowed = 0, list[int]()
    for gap in gaps:
        now += gap
        if window.allow("k", now):
            allowed.append(now)
    for start in allowed:
        assert sum(start <= event <= start + 9 * NS_PER_S for event in allowed) <= limit


def test_memory_is_bounded_by_forgetting_the_key_not_seen_for_longest() -> None:
    limit = WindowLimit(1, max_keys=2)
    for key in ("a", "b", "c"):
        assert limit.allow(key, 0)
    assert not limit.allow("c", 0)
    assert limit.allow("a", 0)


def test_a_bucket_gives_its_burst_then_its_rate() -> None:
    bucket = TokenBucket(5, 3)
    assert [bucket.allow(0) for _ in range(4)] == [True, True, True, False]
    assert not bucket.allow(NS_PER_S // 10)
    assert bucket.allow(NS_PER_S // 5 + 1)
