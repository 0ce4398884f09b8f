"""Whatever a venue says, the reader of the WebSocket API client goes on, and no callback is called twice."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from cryptotrader.services.binance.wsapi.limits import Cost, RateLimits
from cryptotrader.services.binance.wsapi.replies import LimitRow
from cryptotrader.testing import run_simulated, settle
from tests.support.ws_api_venue import Told, desk

SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text()
NAMES = st.sampled_from(
    ["id", "status", "result", "error", "rateLimits", "event", "subscriptionId", "code", "data", "e"]
)
THINGS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5), max_leaves=12
)
MESSAGES = st.lists(st.binary(max_size=30) | THINGS.map(msgspec.json.encode), max_size=8)


@settings(max_examples=150, deadline=None)
@given(MESSAGES)
def test_s4_11_no_message_stops_the_reader_or_calls_anyone_twice(messages: list[bytes]) -> None:
    async def run() -> None:
        async with desk() as on:
            told = Told()
            message_id = await on.client.send(method="ping", callback=told)
            for message in messages:
                on.wire.push(message)
            await settle()
            assert len(told.replies) == 0
            on.wire.push({"id": message_id, "status": 200, "result": {}})
            on.wire.push({"id": message_id, "status": 200, "result": {}})
            await settle()
            assert told.statuses == [200]
            assert not on.wire.closed

    run_simulated(run)


ROWS = st.builds(
    LimitRow,
    rate_limit_type=st.sampled_from(["REQUEST_WEIGHT", "ORDERS", "RAW_REQUESTS", "OTHER"]),
    interval=st.sampled_from(["SECOND", "MINUTE", "HOUR", "DAY", "WEEK"]),
    interval_num=st.integers(1, 10),
    limit=st.integers(1, 10_000),
    count=st.integers(0, 10_000),
)


STEPS = st.tuples(st.integers(1, 50), st.integers(0, 5_000), st.booleans(), st.none() | st.lists(ROWS, max_size=3))


@given(st.lists(STEPS))
def test_s4_12_what_is_taken_is_always_given_back(steps: list[tuple[int, int, bool, list[LimitRow] | None]]) -> None:
    """However requests end, nothing stays counted as under way."""
    limits, venue_ms, taken = RateLimits(), 1_790_000_000_000, list[Cost]()
    for weight, later_ms, is_order, rows in steps:
        venue_ms += later_ms
        cost = Cost(weight, int(is_order), "key", is_order)
        wait_s = limits.take(cost, now_ns=0, venue_ms=venue_ms)
        assert 0 <= wait_s <= 86_400 * 10
        if wait_s == 0:
            taken.append(cost)
        if rows is not None and taken:
            limits.settle(taken.pop(), venue_ms=venue_ms, rows=rows)
    for cost in taken:
        limits.settle(cost, venue_ms=venue_ms)
    assert limits.weight.pending == 0
    assert limits.orders_under_way("key") == 0
