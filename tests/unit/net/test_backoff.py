from __future__ import annotations

import random

import pytest

from cryptotrader.core.clock import NS_PER_S
from cryptotrader.net.backoff import MAX_DELAY_S, Backoff, ConnectionBudget


def test_delays_grow_to_the_maximum_and_stay_there() -> None:
    backoff = Backoff(lambda: 1.0)
    assert [backoff.next_delay_s() for _ in range(9)] == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


def test_it_never_gives_up_however_long_the_outage_lasts() -> None:
    backoff = Backoff(lambda: 1.0)
    for _ in range(100_000):
        assert 0 < backoff.next_delay_s() <= MAX_DELAY_S


def test_a_success_makes_the_next_delay_short_again() -> None:
    backoff = Backoff(lambda: 1.0)
    for _ in range(5):
        backoff.next_delay_s()
    backoff.reset()
    assert backoff.next_delay_s() == 0.5


def test_jitter_is_full_from_zero_to_the_ceiling() -> None:
    draw = random.Random(7).random
    first_delays = [Backoff(draw).next_delay_s() for _ in range(500)]
    assert min(first_delays) < 0.05
    assert max(first_delays) > 0.45


@pytest.mark.parametrize(("base_s", "max_s"), [(0, 1), (2, 1), (-1, 1)])
def test_senseless_delays_are_refused(base_s: float, max_s: float) -> None:
    with pytest.raises(ValueError):
        Backoff(lambda: 0.5, base_s=base_s, max_s=max_s)


def test_the_budget_never_lets_more_than_half_of_what_binance_allows_through_in_five_minutes() -> None:
    budget = ConnectionBudget()
    now_s, made = 0.0, 0
    while now_s < 300:
        now_s += budget.reserve(int(now_s * NS_PER_S))
        made += now_s < 300
    assert made <= 150


def test_reservations_in_advance_queue_up_behind_each_other() -> None:
    budget = ConnectionBudget(rate_per_s=0.5, burst=1)
    assert [budget.reserve(0) for _ in range(3)] == [0.0, 2.0, 4.0]
    assert budget.reserve(100 * NS_PER_S) == 0.0


def test_a_clock_that_went_back_earns_nothing() -> None:
    budget = ConnectionBudget(rate_per_s=1, burst=1)
    budget.reserve(10 * NS_PER_S)
    assert budget.reserve(5 * NS_PER_S) == 1.0
