"""Histories of many accounts leave clients their share of the venue's limit."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from cryptotrader.services.binance.websocketAPI.account_requests import acct_trade_history, get_user_acct_info
from cryptotrader.trading.positions.pace import Allowance, PacedVenue
from cryptotrader.trading.positions.ports import Venue
from tests.support.gateway import FakeClock

LIMIT = 6_000
TRADES = acct_trade_history.MyTradesParams(symbol="BTCUSDT")


class Counting:
    """A venue that says when it was asked."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.asked_s: list[float] = []

    async def call(self, spec: Any, params: Any) -> Any:
        self.asked_s.append(self.clock.monotonic_ns() / 1e9)
        return []

    def venue_now_ms(self) -> int:
        return 7


async def test_the_first_histories_come_at_once_and_the_rest_at_a_steady_pace() -> None:
    """S0-52: in no minute more than seven tenths of the limit, and after the first one a fifth."""
    clock = FakeClock()
    counting = Counting(clock)
    allowance = Allowance(LIMIT, clock)
    venues = [PacedVenue(cast(Venue, counting), allowance) for _ in range(3)]
    started_s = clock.monotonic_ns() / 1e9
    for number in range(300):
        await venues[number % 3].call(acct_trade_history.SPEC, TRADES)
    at_s = [asked_s - started_s for asked_s in counting.asked_s]
    assert at_s[149] == 0 < at_s[150]
    for since_s in range(0, 160, 10):
        weight = 20 * sum(since_s < asked_s <= since_s + 60 for asked_s in at_s)
        assert weight <= LIMIT / 5 + 20
    assert 149 < at_s[-1] < 151
    clock.advance(3_600)
    before_s = clock.monotonic_ns() / 1e9
    for _ in range(150):
        await venues[0].call(acct_trade_history.SPEC, TRADES)
    assert clock.monotonic_ns() / 1e9 == before_s


async def test_everything_else_goes_at_once() -> None:
    """An order's fate must not wait for what happened last year."""
    clock = FakeClock()
    venue = PacedVenue(cast(Venue, Counting(clock)), Allowance(20, clock))
    waiting = asyncio.ensure_future(venue.call(acct_trade_history.SPEC, TRADES))
    before_ns = clock.monotonic_ns()
    await venue.call(get_user_acct_info.SPEC, get_user_acct_info.AccountParams())
    assert clock.monotonic_ns() == before_ns
    assert venue.venue_now_ms() == 7
    await waiting
