"""Request weight and ordered waits."""

from __future__ import annotations

from cryptotrader.core.clock import NS_PER_S
from cryptotrader.services.binance.restAPI.ledger import WINDOW_NS, WeightLedger

NOON = 1_000_000 * WINDOW_NS


def test_what_would_exceed_the_limit_waits_for_the_next_minute() -> None:
    ledger = WeightLedger(1_000, reserve=0)
    assert all(ledger.admit(50, NOON) == 0 for _ in range(20))
    assert ledger.admit(1, NOON + 15 * NS_PER_S) == 45.0
    for _ in range(20):
        ledger.settle(50, NOON + 20 * NS_PER_S, told=None)
    assert ledger.used == 1_000
    assert ledger.admit(1, NOON + WINDOW_NS) == 0


def test_the_venues_count_wins_since_others_share_the_address() -> None:
    ledger = WeightLedger(6_000, reserve=0)
    assert ledger.admit(5, NOON) == 0
    ledger.settle(5, NOON, told=5_990)
    assert ledger.used == 5_990
    assert ledger.admit(25, NOON) > 0
    assert ledger.admit(10, NOON) == 0


def test_answers_that_overtake_each_other_do_not_lower_the_count() -> None:
    ledger = WeightLedger(6_000)
    ledger.admit(5, NOON)
    ledger.admit(5, NOON)
    ledger.settle(5, NOON, told=10)
    ledger.settle(5, NOON, told=5)
    assert ledger.used == 10


def test_the_count_may_be_learnt_elsewhere() -> None:
    ledger = WeightLedger(6_000, reserve=0)
    ledger.heard(5_999, NOON)
    assert ledger.admit(2, NOON) > 0
    assert ledger.admit(1, NOON) == 0


def test_trading_keeps_a_reserve() -> None:
    ledger = WeightLedger(6_000, reserve=100)
    assert all(ledger.admit(50, NOON) == 0 for _ in range(118))
    assert ledger.admit(1, NOON) > 0
    assert ledger.admit(1, NOON, trading=True) == 0


def test_a_request_that_never_left_costs_nothing() -> None:
    ledger = WeightLedger(6_000)
    ledger.admit(250, NOON)
    ledger.settle(250, NOON, told=None, was_sent=False)
    assert ledger.used == 0


def test_a_late_answer_of_the_minute_before_does_not_open_a_new_window() -> None:
    ledger = WeightLedger(6_000, reserve=0)
    ledger.admit(6_000, NOON, trading=True)
    ledger.settle(6_000, NOON - 1, told=None)
    assert ledger.admit(1, NOON) > 0


def test_a_wait_is_kept_until_its_end_and_never_cut_short() -> None:
    ledger = WeightLedger(6_000)
    assert ledger.wait_s(NOON) == 0
    ledger.refuse_until(NOON, 120, banned=True)
    ledger.refuse_until(NOON, 5)
    assert ledger.wait_s(NOON + 20 * NS_PER_S) == 100
    assert ledger.is_banned(NOON + 20 * NS_PER_S)
    assert ledger.wait_s(NOON + 120 * NS_PER_S) == 0
    assert not ledger.is_banned(NOON + 120 * NS_PER_S)


def test_too_many_orders_hold_back_orders_only() -> None:
    ledger = WeightLedger(6_000)
    ledger.refuse_until(NOON, 10, orders_only=True)
    assert ledger.wait_s(NOON) == 0
    assert ledger.wait_s(NOON, orders=True) == 10


def test_order_books_leave_room_for_light_questions() -> None:
    """S0-29: looking at many books for the first time must not end in 429 for who asks for their balance."""
    ledger = WeightLedger(6_000)
    books = 0
    while ledger.admit(250, 0) == 0:
        books += 1
    assert books == 18
    assert all(ledger.admit(20, 0) == 0 for _ in range(50))
    assert ledger.admit(1, 0, trading=True) == 0
