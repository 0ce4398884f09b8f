"""When to connect anew, to ping, and to drop the second copy of an event."""

from __future__ import annotations

import itertools

import pytest

from cryptotrader.core.clock import NS_PER_S
from cryptotrader.core.errors import (
    ConfigError,
    CryptotraderError,
    VenueBanned,
    VenueRejected,
    VenueUnreachable,
)
from cryptotrader.services.binance.wsapi.reconnect import (
    Attempts,
    ConnectionPolicy,
    OverlapFilter,
    Silence,
    is_permanent,
    lifetime_ns,
)

POLICY = ConnectionPolicy()
LOST = VenueUnreachable("no")


def test_s4_13_delays_grow_to_a_maximum_and_never_end() -> None:
    attempts = Attempts(lambda: 1.0, POLICY)
    delays = [attempts.after_failure(LOST) for _ in range(200)]
    assert delays[:7] == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0]
    assert set(delays[6:]) == {30.0}


def test_s4_13_delays_are_drawn_from_zero_so_that_clients_do_not_return_in_step() -> None:
    draws = itertools.cycle([0.0, 0.25, 0.75])
    attempts = Attempts(lambda: next(draws), POLICY)
    assert [attempts.after_failure(LOST) for _ in range(3)] == [0.0, 0.25, 1.5]


def test_s4_12_a_ban_is_waited_for_however_long() -> None:
    attempts = Attempts(lambda: 0.0, POLICY)
    assert attempts.after_failure(VenueBanned("", retry_after_s=7_200.0)) == 7_200.0


def test_a_connection_that_lived_ends_the_backoff_and_one_that_did_not_does_not() -> None:
    attempts = Attempts(lambda: 1.0, POLICY)
    assert [attempts.after_loss(NS_PER_S) for _ in range(3)] == [0.5, 1.0, 2.0]
    assert attempts.after_loss(60 * NS_PER_S) == 0.0
    assert attempts.after_loss(NS_PER_S) == 0.5


@pytest.mark.parametrize(
    ("error", "permanent"),
    [
        (LOST, False),
        (VenueRejected("", venue_code=0, http_status=404), True),
        (VenueRejected("", venue_code=0, http_status=503), False),
        (ConfigError(""), True),
    ],
)
def test_what_cannot_get_better_is_tried_seldom(error: CryptotraderError, permanent: bool) -> None:
    assert is_permanent(error) is permanent
    assert (Attempts(lambda: 0.0, POLICY).after_failure(error) >= 60.0) is permanent


@pytest.mark.parametrize("draw", [0.0, 0.5, 0.999])
def test_a_successor_is_opened_well_before_24_hours(draw: float) -> None:
    assert 22 * 3600 <= lifetime_ns(POLICY, lambda: draw) / NS_PER_S <= 23 * 3600


def test_a_silent_connection_is_pinged_first_and_given_up_only_without_an_answer() -> None:
    silence = Silence(POLICY)
    assert silence.judge(24.0, 0, is_busy=False) == "fine"
    assert silence.judge(26.0, 2 * NS_PER_S, is_busy=False) == "ping"
    assert silence.judge(30.0, 6 * NS_PER_S, is_busy=False) == "fine"
    assert silence.judge(37.0, 13 * NS_PER_S, is_busy=False) == "dead"


def test_any_sign_of_life_after_a_ping_is_enough() -> None:
    silence = Silence(POLICY)
    assert silence.judge(26.0, 0, is_busy=False) == "ping"
    assert silence.judge(1.0, 11 * NS_PER_S, is_busy=False) == "fine"
    assert silence.judge(26.0, 40 * NS_PER_S, is_busy=False) == "ping"


def test_a_connection_that_owes_replies_is_suspected_sooner() -> None:
    assert Silence(POLICY).judge(4.0, 0, is_busy=True) == "ping"
    assert Silence(POLICY).judge(4.0, 0, is_busy=False) == "fine"


def test_each_event_of_an_overlap_passes_once() -> None:
    both = OverlapFilter()
    passed = [both.admit(link, event) for link, event in [(1, b"a"), (2, b"a"), (2, b"b"), (1, b"b"), (1, b"c")]]
    assert passed == [True, False, True, False, True]
    assert both.dropped == 2


def test_two_equal_events_of_one_connection_are_two_events() -> None:
    both = OverlapFilter()
    assert [both.admit(1, b"a"), both.admit(1, b"a"), both.admit(2, b"a"), both.admit(2, b"a")] == [
        True,
        True,
        False,
        False,
    ]


def test_an_overlap_remembers_a_bounded_number_of_events() -> None:
    both = OverlapFilter(capacity=10)
    for number in range(1_000):
        both.admit(1, b"%d" % number)
    assert len(both._seen) == 10
