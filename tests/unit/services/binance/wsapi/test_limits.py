"""One ledger per limiter, fed by the venue's own figures."""

from __future__ import annotations

from cryptotrader.core.clock import NS_PER_MS, NS_PER_S
from cryptotrader.core.errors import VenueBanned, VenueRateLimited
from cryptotrader.net.backoff import ConnectionBudget
from cryptotrader.services.binance.endpoints import VENUES
from cryptotrader.services.binance.errors import TooManyOrders
from cryptotrader.services.binance.restAPI.ledger import WeightLedger
from cryptotrader.services.binance.wsapi.limits import Cost, Limiter, RateLimits, shared_limits
from cryptotrader.services.binance.wsapi.replies import LimitRow

MINUTE = 1_790_000_040_000 // 60_000 * 60_000
ORDER = Cost(weight=1, orders=1, account="secret-key", is_trading=True)


def weight(count: int, limit: int = 6_000) -> LimitRow:
    return LimitRow("REQUEST_WEIGHT", "MINUTE", 1, limit, count)


def orders(count: int, limit: int = 50) -> LimitRow:
    return LimitRow("ORDERS", "SECOND", 10, limit, count)


def take(limits: RateLimits, cost: Cost, ms: int = MINUTE, now_ns: int = 0) -> float:
    return limits.take(cost, now_ns=now_ns, venue_ms=ms)


def test_s4_12_what_does_not_fit_the_minute_waits_for_the_next_one() -> None:
    limits = RateLimits(weight_per_minute=100)
    assert take(limits, Cost(80, is_trading=True)) == 0
    assert take(limits, Cost(21, is_trading=True), MINUTE + 15_000) == 45.0
    limits.settle(Cost(80), venue_ms=MINUTE + 20_000)
    assert take(limits, Cost(21, is_trading=True), MINUTE + 60_000) == 0


def test_s4_12_the_venues_own_figure_counts_what_others_on_the_address_used() -> None:
    limits = RateLimits()
    assert take(limits, Cost(5)) == 0
    limits.settle(Cost(5), venue_ms=MINUTE, rows=[weight(5_950)])
    assert limits.weight.used == 5_950
    assert take(limits, Cost(20), MINUTE + 1_000) == 59.0


def test_requests_under_way_count_before_the_venue_counts_them() -> None:
    limits = RateLimits(weight_per_minute=10)
    assert [take(limits, Cost(4, is_trading=True)) for _ in range(3)] == [0, 0, 60.0]


def test_a_request_that_was_never_sent_uses_nothing_up() -> None:
    limits = RateLimits(weight_per_minute=10)
    take(limits, Cost(8))
    limits.settle(Cost(8), venue_ms=MINUTE, was_sent=False)
    assert (limits.weight.used, limits.weight.pending) == (0, 0)


def test_answers_that_overtake_each_other_do_not_lower_the_weight() -> None:
    limits = RateLimits()
    limits.heard([weight(300)], venue_ms=MINUTE)
    limits.heard([weight(200)], venue_ms=MINUTE)
    assert limits.weight.used == 300


def test_reads_leave_a_reserve_for_orders_but_a_small_limit_still_lets_them_pass() -> None:
    limits = RateLimits()
    limits.heard([weight(5_900)], venue_ms=MINUTE)
    assert take(limits, Cost(5)) > 0
    assert take(limits, Cost(5, is_trading=True)) == 0
    small = RateLimits(weight_per_minute=30)
    assert take(small, Cost(20)) == 0


def test_s4_12_unfilled_orders_are_counted_per_account_and_fall_when_they_fill() -> None:
    """``faqs/order_count_decrement.md``: filled orders free their place within the interval."""
    limits = RateLimits()
    take(limits, ORDER)
    limits.settle(ORDER, venue_ms=MINUTE, rows=[orders(50), LimitRow("ORDERS", "DAY", 1, 160_000, 50)])
    assert take(limits, ORDER, MINUTE + 4_000) == 6.0
    assert take(limits, Cost(1, 1, "another", True), MINUTE + 4_000) == 0
    limits.heard([orders(12)], venue_ms=MINUTE + 5_000, account="secret-key")
    assert take(limits, ORDER, MINUTE + 5_000) == 0


def test_the_venue_may_have_order_limits_of_its_own_lengths() -> None:
    limits = RateLimits()
    limits.heard([LimitRow("ORDERS", "MINUTE", 1, 3, 3)], venue_ms=MINUTE, account="secret-key")
    assert take(limits, ORDER, MINUTE + 1_000) == 59.0
    assert sorted(limiter.interval_ms for limiter in limits.orders_of("secret-key")) == [10_000, 60_000, 86_400_000]


def test_raw_requests_are_counted_when_they_are_sent() -> None:
    limits = RateLimits()
    limits.raw_requests.limit = 2
    assert [take(limits, Cost(0)) > 0 for _ in range(3)] == [False, False, True]


def test_figures_of_limits_we_do_not_know_are_passed_over() -> None:
    limits = RateLimits()
    limits.heard([LimitRow("NEW", "MINUTE", 1, 1, 9), LimitRow("ORDERS", "WEEK", 1, 1, 9)], venue_ms=MINUTE)
    assert take(limits, Cost(1)) == 0


def test_s4_12_a_429_is_waited_for_exactly_and_a_shorter_wait_never_cuts_a_longer_one() -> None:
    limits = RateLimits()
    limits.obey(VenueRateLimited("", retry_after_s=12.5), now_ns=0)
    limits.obey(VenueRateLimited("", retry_after_s=3.0), now_ns=0)
    assert take(limits, Cost(1)) == 12.5
    assert take(limits, Cost(1), now_ns=int(12.4 * NS_PER_S)) > 0
    assert take(limits, Cost(1), now_ns=int(12.5 * NS_PER_S)) == 0


def test_s4_12_a_ban_silences_connecting_as_well() -> None:
    limits = RateLimits()
    limits.obey(VenueBanned("", retry_after_s=120.0), now_ns=0)
    assert limits.is_banned(0)
    assert limits.connect_wait_s(0) == 120.0
    assert not limits.is_banned(120 * NS_PER_S)


def test_s4_13_connecting_waits_for_silence_and_for_weight() -> None:
    limits = RateLimits(weight_per_minute=10)
    assert limits.connect_hold_s(0, venue_ms=MINUTE) == 0
    limits.heard([weight(9, 10)], venue_ms=MINUTE)
    assert limits.connect_hold_s(0, venue_ms=MINUTE + 20_000) == 40.0
    limits.obey(VenueBanned("", retry_after_s=90.0), now_ns=0)
    assert limits.connect_hold_s(0, venue_ms=MINUTE + 20_000) == 90.0


def test_s4_12_too_many_orders_lets_everything_else_go_on() -> None:
    limits = RateLimits()
    limits.obey(TooManyOrders("", retry_after_s=8.0), now_ns=0, account="secret-key")
    assert take(limits, ORDER) == 8.0
    assert take(limits, Cost(1)) == 0
    assert take(limits, Cost(1, 1, "another", True)) == 0


def test_s4_13_connections_of_all_clients_stay_within_300_in_five_minutes() -> None:
    limits = RateLimits(budget=ConnectionBudget())
    times, now_ns = [], 0
    for _ in range(2_000):
        now_ns += int(limits.connect_wait_s(now_ns) * NS_PER_S) + 1
        times.append(now_ns)
    assert all(later - first > 300 * NS_PER_S for first, later in zip(times, times[300:], strict=False))


def test_a_step_of_the_clock_begins_a_new_interval() -> None:
    limiter = Limiter(10, 60_000)
    limiter.told(weight(10, 10), MINUTE)
    assert limiter.wait_ms(1, MINUTE - 10_000) > 0
    assert limiter.wait_ms(1, MINUTE - 600_000) == 0


def test_all_connections_of_the_process_to_one_venue_share_their_limits() -> None:
    one = shared_limits("wss://venue.example:443/ws-api/v3?returnRateLimits=false")
    assert shared_limits("wss://VENUE.example:443/ws-api/v3") is one
    assert shared_limits("wss://other.example/ws-api/v3") is not one


def test_rest_and_websocket_api_of_a_venue_count_together() -> None:
    """The venue counts an address, not a protocol ("IP limits")."""
    for venue in VENUES.values():
        assert shared_limits(venue.rest_url) is shared_limits(venue.ws_api_url)
    limits = RateLimits(weight_per_minute=1_000)
    ledger = WeightLedger(1_000, limits=limits, account="secret-key")
    assert ledger.admit(150, MINUTE * NS_PER_MS) == 0
    assert take(limits, Cost(800, is_trading=True)) == 0
    assert ledger.admit(60, MINUTE * NS_PER_MS, trading=True) == 60.0
    limits.heard([weight(995, 1_000)], venue_ms=MINUTE)
    ledger.settle(150, MINUTE * NS_PER_MS, told=900)
    assert ledger.used == 995 + 800
    ledger.refuse_until(0, 30, banned=True)
    assert limits.is_banned(29 * NS_PER_S)
    limits.obey(TooManyOrders("", retry_after_s=60.0), now_ns=0, account="secret-key")
    assert (ledger.wait_s(0), ledger.wait_s(0, orders=True)) == (30.0, 60.0)


def test_no_key_shows_in_a_repr() -> None:
    limits = RateLimits()
    take(limits, ORDER)
    assert "secret" not in repr(limits)


def test_an_order_that_may_still_land_keeps_its_place_whatever_the_venue_counts_meanwhile() -> None:
    limits = RateLimits()
    for limiter in limits.orders_of("secret-key"):
        limiter.limit = 1
    assert take(limits, ORDER) == 0
    limits.settle_lost(ORDER, venue_ms=MINUTE)
    limits.heard([orders(0, 1)], venue_ms=MINUTE, account="secret-key")
    assert take(limits, ORDER) > 0
    limits.forget_lost(ORDER)
    assert limits.weight.pending == 0


def test_connecting_holds_its_weight_until_it_is_over() -> None:
    limits = RateLimits(weight_per_minute=3)
    limits.connecting()
    assert take(limits, Cost(2, is_trading=True)) > 0
    limits.connected(venue_ms=MINUTE, is_open=False)
    assert take(limits, Cost(2, is_trading=True)) == 0
