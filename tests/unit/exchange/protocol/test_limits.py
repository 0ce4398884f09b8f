"""Request weight and unfilled orders, counted as Binance counts them."""

from __future__ import annotations

import pytest

from cryptotrader.exchange.protocol.limits import (
    BAN_AFTER_REFUSALS,
    FIRST_BAN_MS,
    ConnectionMeter,
    LimitPolicy,
    LimitReached,
    OrderCounter,
    WeightMeter,
)

NOON_MS = 1_700_006_400_000
POLICY = LimitPolicy(request_weight=100, orders_10s=3, orders_1d=5)


def test_weight_is_counted_per_address_and_minute_of_the_clock() -> None:
    meter = WeightMeter(POLICY)
    assert meter.charge("a", 60, now_ms=NOON_MS) == 60
    assert meter.charge("a", 40, now_ms=NOON_MS + 59_999) == 100
    assert meter.charge("b", 1, now_ms=NOON_MS) == 1
    with pytest.raises(LimitReached) as caught:
        meter.charge("a", 1, now_ms=NOON_MS + 30_000)
    assert caught.value.status == 429
    assert caught.value.code == -1003
    assert caught.value.retry_after_ms == 30_000
    assert caught.value.message.startswith(
        "Too much request weight used; current limit is 100 request weight per 1 MINUTE."
    )
    assert meter.charge("a", 1, now_ms=NOON_MS + 60_000) == 1


def test_who_goes_on_after_429_is_banned_and_longer_each_time() -> None:
    """S0-57: 418 comes after 429."""
    meter = WeightMeter(POLICY)
    now_ms = NOON_MS
    for length_ms in (FIRST_BAN_MS, 2 * FIRST_BAN_MS):
        meter.charge("a", 100, now_ms=now_ms)
        for _ in range(BAN_AFTER_REFUSALS):
            with pytest.raises(LimitReached) as caught:
                meter.charge("a", 1, now_ms=now_ms)
            assert caught.value.status == 429
        with pytest.raises(LimitReached) as caught:
            meter.charge("a", 1, now_ms=now_ms)
        assert caught.value.status == 418
        assert caught.value.retry_after_ms == length_ms
        assert f"IP banned until {now_ms + length_ms}." in caught.value.message
        now_ms += length_ms
    assert meter.charge("a", 1, now_ms=now_ms) == 1


def test_weight_that_is_given_back_can_be_used_again() -> None:
    meter = WeightMeter(POLICY)
    meter.charge("a", 100, now_ms=NOON_MS)
    assert meter.refund("a", 100, now_ms=NOON_MS) == 0
    assert meter.refund("a", 100, now_ms=NOON_MS) == 0
    assert meter.charge("a", 100, now_ms=NOON_MS) == 100


def test_unfilled_orders_are_limited_by_ten_seconds_and_by_day() -> None:
    counter = OrderCounter(POLICY)
    for _ in range(3):
        counter.check("a", now_ms=NOON_MS)
        counter.placed("a", now_ms=NOON_MS)
    with pytest.raises(LimitReached) as caught:
        counter.check("a", now_ms=NOON_MS + 4_000)
    assert (caught.value.code, caught.value.status) == (-1015, 429)
    assert caught.value.message == "Too many new orders; current limit is 3 orders per 10 SECOND."
    assert caught.value.retry_after_ms == 6_000
    counter.check("b", now_ms=NOON_MS)
    counter.placed("a", now_ms=NOON_MS + 10_000, orders=2)
    with pytest.raises(LimitReached, match="1 DAY"):
        counter.check("a", now_ms=NOON_MS + 20_000)


def test_the_first_fill_takes_an_order_out_of_the_count() -> None:
    """``faqs/order_count_decrement.md``."""
    counter = OrderCounter(POLICY)
    counter.placed("a", now_ms=NOON_MS, orders=3)
    counter.release("a", now_ms=NOON_MS)
    assert counter.counts("a", NOON_MS).last_10s == 2
    assert counter.counts("a", NOON_MS).last_1d == 2
    assert counter.describe("a", NOON_MS) == [
        {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 3, "count": 2},
        {"rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1, "limit": 5, "count": 2},
    ]


def test_requests_are_counted_whatever_they_weigh() -> None:
    """``RAW_REQUESTS``: per address and five minutes of the clock."""
    meter = WeightMeter(LimitPolicy(raw_requests=2, ban_after_refusals=1))
    for _ in range(2):
        meter.count_request("a", now_ms=NOON_MS)
    assert meter.raw_used("a", NOON_MS) == 2
    with pytest.raises(LimitReached, match="current limit is 2 requests per 5 MINUTE") as caught:
        meter.count_request("a", now_ms=NOON_MS + 60_000)
    assert (caught.value.status, caught.value.retry_after_ms) == (429, 240_000)
    meter.count_request("b", now_ms=NOON_MS)
    with pytest.raises(LimitReached) as caught:
        meter.count_request("a", now_ms=NOON_MS + 60_000)
    assert caught.value.status == 418
    with pytest.raises(LimitReached, match="IP banned until"):
        meter.charge("a", 1, now_ms=NOON_MS + 60_000)
    meter.count_request("a", now_ms=NOON_MS + 300_000)


def test_connections_are_counted_per_address_and_five_minutes() -> None:
    """``web-socket-streams.md``, "WebSocket Limits"; the text is that of ``errors.md``, -1034."""
    meter = ConnectionMeter(LimitPolicy(connections=2, ban_after_refusals=1, first_ban_ms=1_000))
    for _ in range(2):
        meter.count("a", now_ms=NOON_MS)
    with pytest.raises(LimitReached) as caught:
        meter.count("a", now_ms=NOON_MS)
    assert (caught.value.code, caught.value.status, caught.value.retry_after_ms) == (-1034, 429, 300_000)
    assert caught.value.message == "Too many connection attempts from IP; current limit is 2 per '5 MINUTE'."
    meter.count("b", now_ms=NOON_MS)
    with pytest.raises(LimitReached) as caught:
        meter.count("a", now_ms=NOON_MS)
    assert (caught.value.status, caught.value.retry_after_ms) == (418, 1_000)
    meter.count("a", now_ms=NOON_MS + 300_000)


def test_an_address_that_is_thrown_out_again_and_again_is_banned() -> None:
    meter = ConnectionMeter(LimitPolicy(ban_after_refusals=2))
    for allowed in (True, True, False):
        meter.note_thrown_out("a", now_ms=NOON_MS)
        if allowed:
            meter.count("a", now_ms=NOON_MS)
    with pytest.raises(LimitReached) as caught:
        meter.count("a", now_ms=NOON_MS)
    assert caught.value.status == 418


def test_without_limits_everything_is_counted_and_nothing_refused() -> None:
    policy = LimitPolicy.off()
    weights, orders, connections = WeightMeter(policy), OrderCounter(policy), ConnectionMeter(policy)
    assert weights.charge("a", 1_000_000, now_ms=NOON_MS) == 1_000_000
    for _ in range(400):
        connections.count("a", now_ms=NOON_MS)
    orders.placed("a", now_ms=NOON_MS, orders=1_000)
    orders.check("a", now_ms=NOON_MS)
    assert orders.counts("a", NOON_MS).last_10s == 1_000


def test_both_ways_tell_their_own_limits() -> None:
    """``exchangeInfo``: raw requests over REST, connections over the WebSocket API."""
    rest, api = POLICY.describe(), POLICY.describe_api()
    assert rest[:3] == api[:3]
    assert (rest[3]["rateLimitType"], rest[3]["limit"]) == ("RAW_REQUESTS", 300_000)
    assert (api[3]["rateLimitType"], api[3]["limit"]) == ("CONNECTIONS", 300)


def test_the_documents_example_of_makers_is_counted_as_it_says() -> None:
    """faqs/order_count_decrement.md, example 2: five orders, then the first fill of one that waited."""
    counter = OrderCounter(LimitPolicy())
    counter.placed("a", now_ms=NOON_MS, orders=5)
    counter.filled("a", now_ms=NOON_MS, is_maker=True)
    assert counter.counts("a", NOON_MS).last_10s == 0
    counter.placed("a", now_ms=NOON_MS, orders=2)
    counter.filled("a", now_ms=NOON_MS, is_maker=True)
    assert counter.counts("a", NOON_MS).last_10s == 0
    counter.placed("a", now_ms=NOON_MS)
    counter.filled("a", now_ms=NOON_MS, is_maker=False)
    assert counter.counts("a", NOON_MS).last_10s == 0


def test_the_documents_example_of_another_day_is_counted_as_it_says() -> None:
    """faqs/order_count_decrement.md: fills count on the day on which they happen."""
    counter = OrderCounter(LimitPolicy())
    counter.placed("a", now_ms=NOON_MS, orders=5)
    tomorrow_ms = NOON_MS + 86_400_000
    assert counter.counts("a", tomorrow_ms).last_1d == 0
    counter.placed("a", now_ms=tomorrow_ms, orders=10)
    for _ in range(5):
        counter.filled("a", now_ms=tomorrow_ms, is_maker=False)
    assert counter.counts("a", tomorrow_ms).last_1d == 5
