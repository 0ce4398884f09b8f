"""Reads histories slowly enough that clients' own requests still get through.

The trades of one symbol cost 20 of 6,000 weight a minute (``rest-api.md``, "Account trade list"), and an account may
hold a hundred assets. Read at once, the histories of two or three accounts would use up the minute of everybody.
"""

from __future__ import annotations

from typing import Any

from cryptotrader.core.clock import NS_PER_S
from cryptotrader.net.clock import WaitingClock
from cryptotrader.services.binance.request import RequestSpec
from cryptotrader.services.binance.websocketAPI.account_requests import acct_trade_history, my_allocations
from cryptotrader.trading.positions.ports import P, R, Venue

HISTORIES: frozenset[str] = frozenset({acct_trade_history.SPEC.name, my_allocations.SPEC.name})
"""Requests that wait for their turn; all others are few and go at once."""

AT_ONCE = 1 / 2
"""Part of a minute's weight that may be spent in one go. Reason: the first account is complete at the start."""

STEADY = 1 / 5
"""Part of every minute's weight that may be spent after that. Reason: with ``AT_ONCE`` in the same minute, a quarter is
left for clients even then."""

MINUTE_S = 60


class Allowance:
    """Weight that the histories of all accounts at a venue may cost.

    Args:
        weight_per_minute: What the venue allows an address.
        clock: Time and waiting.
    """

    def __init__(self, weight_per_minute: int, clock: WaitingClock) -> None:
        self._clock = clock
        self._most = weight_per_minute * AT_ONCE
        self._per_s = weight_per_minute * STEADY / MINUTE_S
        self._left = self._most
        self._seen_ns = clock.monotonic_ns()

    async def spend(self, weight: int) -> None:
        """Return when this much may be spent; whoever asks first is served first."""
        now_ns = self._clock.monotonic_ns()
        self._left = min(self._most, self._left + (now_ns - self._seen_ns) / NS_PER_S * self._per_s)
        self._seen_ns = now_ns
        self._left -= weight
        if self._left < 0:
            await self._clock.sleep(-self._left / self._per_s)


class PacedVenue:
    """A venue whose histories are read within an allowance.

    Args:
        venue: Requests in the account's name.
        allowance: Shared with the other accounts.
    """

    def __init__(self, venue: Venue, allowance: Allowance) -> None:
        self._venue = venue
        self._allowance = allowance

    async def call(self, spec: RequestSpec[P, R], params: P) -> R:
        """Send a request, a history when it is its turn; raises VenueError."""
        if spec.name in HISTORIES:
            wire: dict[str, Any] = params.wire()
            await self._allowance.spend(spec.weight(wire))
        return await self._venue.call(spec, params)

    def venue_now_ms(self) -> int:
        """The venue's time as far as it is known. Unit: epoch milliseconds."""
        return self._venue.venue_now_ms()
