"""How much of each of the venue's limits is used, and whether it told us to wait. Pure: times are arguments.

Binance: ``web-socket-api.md``, "Rate limits". Every limiter counts in intervals of the venue's clock that begin at
multiples of their length. The venue's own figures (``rateLimits`` of a reply) win over ours: the address is shared
with everything else on it.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

import msgspec

from cryptotrader.core.clock import NS_PER_S
from cryptotrader.core.errors import VenueBanned, VenueRateLimited
from cryptotrader.net.backoff import ConnectionBudget
from cryptotrader.services.binance.endpoints import VENUES
from cryptotrader.services.binance.errors import TooManyOrders
from cryptotrader.services.binance.wsapi.replies import LimitRow

MINUTE_MS = 60_000
DAY_MS = 1_440 * MINUTE_MS
WEIGHT_PER_MINUTE = 6_000
"""Unit: weight per address and minute. Source: ``exchangeInfo``; the venue's figure replaces it."""

RAW_REQUESTS_PER_5_MIN = 300_000
"""Unit: requests per address. Source: ``exchangeInfo``, ``RAW_REQUESTS``, since 2026-04-02."""

ORDERS_PER_10_S = 50
ORDERS_PER_DAY = 160_000
"""Unfilled orders per account until the venue tells its own figures. Source: ``web-socket-api.md``, samples."""

TRADING_RESERVE = 100
"""Weight that reads leave for orders and cancellations. Unit: weight per minute."""

RESERVE_PART = 10
"""The reserve is at most this part of a limit, so that a small limit still lets reads pass."""

_WHOLE_RESERVE = TRADING_RESERVE * RESERVE_PART
"""Limit from which on the reserve is whole."""

CONNECT_WEIGHT = 2
"""What opening a connection costs. Source: "IP limits"."""

MAX_ACCOUNTS = 1_000
"""Accounts whose orders are counted. Overflow: the one counted longest is forgotten, and learnt anew."""

MAX_VENUES = 64
"""Venues that a process shares limits for. Overflow: the oldest is forgotten."""

_INTERVAL_MS = {"SECOND": 1_000, "MINUTE": MINUTE_MS, "HOUR": 60 * MINUTE_MS, "DAY": DAY_MS}


class Cost(msgspec.Struct, frozen=True, gc=False):
    """What a request uses up.

    Attributes:
        weight: Request weight.
        orders: What it adds to the unfilled orders of its account.
        account: Whose orders; a key or any other name, shown nowhere.
        is_trading: Whether it may use the reserve.
    """

    weight: int = 1
    orders: int = 0
    account: str = ""
    is_trading: bool = False


class Limiter:
    """One limit over one interval.

    Args:
        limit: Most that fits an interval.
        interval_ms: Length of the interval.
        falls: Whether the count can fall within an interval, as that of unfilled orders does when they fill.
    """

    __slots__ = (
        "_falls",
        "_is_carried",
        "_told",
        "_told_until_ms",
        "from_ms",
        "interval_ms",
        "limit",
        "pending",
        "until_ms",
        "used",
    )

    def __init__(self, limit: int, interval_ms: int, *, falls: bool = False) -> None:
        self.limit = limit
        self.interval_ms = interval_ms
        self.used = 0
        """Counted in the newest interval seen, without what is under way."""
        self.pending = 0
        self.from_ms = 0
        """Where the newest interval seen begins."""
        self.until_ms = interval_ms
        self._falls = falls
        self._told = self._told_until_ms = 0
        self._is_carried = False

    def wait_ms(self, amount: int, venue_ms: int, *, reserve: int = 0) -> int:
        """Milliseconds until the next interval, or 0 where ``amount`` still fits this one."""
        if not self.from_ms <= venue_ms < self.until_ms:
            self.roll(venue_ms)
        taken = self.used + self.pending
        limit = self.limit
        if reserve:
            limit -= min(reserve, limit // RESERVE_PART)
        # What is larger than the whole limit is the venue's to refuse.
        if taken + amount <= limit or not taken:
            return 0
        return self.until_ms - venue_ms

    def count(self, amount: int, venue_ms: int) -> None:
        """The venue counted something of which it does not tell its figure."""
        if not self.from_ms <= venue_ms < self.until_ms:
            self.roll(venue_ms)
        self.used += amount

    def told(self, row: LimitRow, venue_ms: int, spread_ms: int = 0) -> None:
        """The venue's own figure; ``spread_ms``: how much later than ``venue_ms`` it may be there."""
        if not self.from_ms <= venue_ms < self.until_ms:
            self.roll(venue_ms)
        self.limit = row.limit
        self._told = count = row.count
        self._told_until_ms = venue_ms + spread_ms
        if self._falls or count > self.used or self._is_carried:
            self.used = count
            self._is_carried = False

    def roll(self, venue_ms: int) -> None:
        """Begin the interval of a time outside the present one."""
        from_ms = venue_ms // self.interval_ms * self.interval_ms
        before_ms = self.from_ms - self.interval_ms
        # One interval back is a reply to the one before; more means that the clock was set.
        if from_ms >= self.until_ms or from_ms < before_ms:
            # A figure told just before may have been of the new interval already.
            self._is_carried = self._told_until_ms >= from_ms > 0 and from_ms == self.until_ms
            self.from_ms, self.until_ms = from_ms, from_ms + self.interval_ms
            self.used = self._told if self._is_carried else 0


class _Orders:
    """The order limits of one account, by their lengths."""

    __slots__ = ("limiters", "pending", "until_ns")

    def __init__(self) -> None:
        self.limiters: dict[int, Limiter] = {
            10_000: Limiter(ORDERS_PER_10_S, 10_000, falls=True),
            DAY_MS: Limiter(ORDERS_PER_DAY, DAY_MS, falls=True),
        }
        self.pending = 0
        """Under way, which is the same for every length; what the limiters themselves say of it stays 0."""
        self.until_ns = 0

    def limiter(self, row: LimitRow, interval_ms: int) -> Limiter:
        """The one of a length; the venue may have lengths of its own."""
        found = self.limiters.get(interval_ms)
        if found is None:
            found = self.limiters[interval_ms] = Limiter(row.limit, interval_ms, falls=True)
        return found

    def fit(self, count: int, now_ns: int, venue_ms: int) -> bool:
        """Whether so many may be sent now."""
        taken = self.pending + count
        for limiter in self.limiters.values():
            if not limiter.from_ms <= venue_ms < limiter.until_ms:
                limiter.roll(venue_ms)
            if limiter.used + taken > limiter.limit:
                return False
        return self.until_ns <= now_ns

    def wait_ms(self, count: int, venue_ms: int) -> int:
        """Milliseconds until they fit."""
        return max(
            0
            # What is larger than the whole limit is the venue's to refuse.
            if limiter.used + self.pending + count <= limiter.limit or not limiter.used + self.pending
            else limiter.until_ms - venue_ms
            for limiter in self.limiters.values()
        )


class RateLimits:
    """Every limit of one venue, shared by all connections of the process. Shows no key in its repr.

    Args:
        weight_per_minute: Until the venue tells its own figure.
        budget: How often connections may be opened; a cautious half of Binance's 300 in five minutes by default.
    """

    def __init__(self, *, weight_per_minute: int = WEIGHT_PER_MINUTE, budget: ConnectionBudget | None = None) -> None:
        self.weight = Limiter(weight_per_minute, MINUTE_MS)
        self.raw_requests = Limiter(RAW_REQUESTS_PER_5_MIN, 5 * MINUTE_MS)
        self.budget = budget or ConnectionBudget()
        self._orders: dict[str, _Orders] = {}
        self._until_ns = 0
        self._is_ban = False

    def __repr__(self) -> str:
        return f"RateLimits(weight={self.weight.used}/{self.weight.limit})"

    def is_banned(self, now_ns: int) -> bool:
        """Whether the venue wants to hear nothing at all from this address (418)."""
        return self._is_ban and now_ns < self._until_ns

    def silence_s(self, now_ns: int) -> float:
        """Seconds for which the venue told us to be quiet."""
        return max(0, self._until_ns - now_ns) / NS_PER_S

    def orders_silence_s(self, account: str, now_ns: int) -> float:
        """Seconds for which the venue wants no new orders of an account."""
        return max(0, self._account(account).until_ns - now_ns) / NS_PER_S

    def orders_of(self, account: str) -> list[Limiter]:
        """The order limits of an account, shortest interval first."""
        return list(self._account(account).limiters.values())

    def orders_under_way(self, account: str) -> int:
        """New orders of an account that were sent and have not ended."""
        return self._account(account).pending

    def take(self, cost: Cost, *, now_ns: int, venue_ms: int) -> float:
        """Take what a request needs; afterwards call ``settle``.

        Args:
            cost: What it needs.
            now_ns: Monotonic time.
            venue_ms: The venue's wall clock.

        Returns:
            0 where it was taken, else the seconds to wait before asking again; then nothing was taken.
        """
        weight, raw, amount = self.weight, self.raw_requests, cost.weight
        orders = self._account(cost.account) if cost.orders else None
        if not weight.from_ms <= venue_ms < weight.until_ms:
            weight.roll(venue_ms)
        if not raw.from_ms <= venue_ms < raw.until_ms:
            raw.roll(venue_ms)
        limit = weight.limit
        if not cost.is_trading:
            limit -= TRADING_RESERVE if limit >= _WHOLE_RESERVE else limit // RESERVE_PART
        # One look at all limits; only where one is in the way is the wait worked out.
        if (
            self._until_ns > now_ns
            or weight.used + weight.pending + amount > limit
            or raw.used >= raw.limit
            or (orders is not None and not orders.fit(cost.orders, now_ns, venue_ms))
        ):
            wait_s = self._wait_s(cost, orders, now_ns=now_ns, venue_ms=venue_ms)
            if wait_s > 0:
                return wait_s
        weight.pending += amount
        # Never told and never given back: a request counts when it is sent.
        raw.used += 1
        if orders is not None:
            orders.pending += cost.orders
        return 0.0

    def _wait_s(self, cost: Cost, orders: _Orders | None, *, now_ns: int, venue_ms: int) -> float:
        until_ns = self._until_ns
        wait_ms = self.weight.wait_ms(cost.weight, venue_ms, reserve=0 if cost.is_trading else TRADING_RESERVE)
        wait_ms = max(wait_ms, self.raw_requests.wait_ms(1, venue_ms))
        if orders is not None:
            until_ns = max(until_ns, orders.until_ns)
            wait_ms = max(wait_ms, orders.wait_ms(cost.orders, venue_ms))
        return max((until_ns - now_ns) / NS_PER_S, wait_ms / 1000, 0.0)

    def settle(
        self,
        cost: Cost,
        *,
        venue_ms: int,
        rows: Iterable[LimitRow] | None = None,
        was_sent: bool = True,
        spread_ms: int = 0,
    ) -> None:
        """A request ended.

        Args:
            cost: As it was taken.
            venue_ms: The venue's wall clock.
            rows: ``rateLimits`` of the reply; None where there are none.
            was_sent: False where it never left, so that nothing was counted.
            spread_ms: How much later than ``venue_ms`` it may be at the venue.
        """
        self.weight.pending -= cost.weight
        if cost.orders:
            self._account(cost.account).pending -= cost.orders
        if rows is not None:
            self.heard(rows, venue_ms=venue_ms, account=cost.account, spread_ms=spread_ms)
        elif was_sent:
            self.weight.count(cost.weight, venue_ms)
            if cost.orders:
                for limiter in self._account(cost.account).limiters.values():
                    limiter.count(cost.orders, venue_ms)

    def settle_lost(self, cost: Cost, *, venue_ms: int) -> None:
        """What could trade has ended without an answer: its orders may still land, so that they stay under way until
        ``forget_lost``, whatever figures the venue tells meanwhile.
        """
        self.weight.pending -= cost.weight
        self.weight.count(cost.weight, venue_ms)

    def forget_lost(self, cost: Cost) -> None:
        """It cannot land any more; where it did, the venue's own figure has it."""
        if cost.orders:
            self._account(cost.account).pending -= cost.orders

    def heard(self, rows: Iterable[LimitRow], *, venue_ms: int, account: str = "", spread_ms: int = 0) -> None:
        """The venue's own figures."""
        orders = self._orders.get(account)
        for row in rows:
            interval_ms = _INTERVAL_MS.get(row.interval, 0) * row.interval_num
            kind = row.rate_limit_type
            if kind == "ORDERS":
                limiter = orders.limiters.get(interval_ms) if orders is not None else None
                if limiter is not None:
                    limiter.told(row, venue_ms, spread_ms)
                elif interval_ms > 0:
                    orders = self._account(account)
                    orders.limiter(row, interval_ms).told(row, venue_ms, spread_ms)
            elif kind == "REQUEST_WEIGHT":
                if interval_ms == MINUTE_MS:
                    self.weight.told(row, venue_ms, spread_ms)
            elif kind == "RAW_REQUESTS" and interval_ms == self.raw_requests.interval_ms:
                self.raw_requests.told(row, venue_ms, spread_ms)

    def obey(self, error: VenueRateLimited, *, now_ns: int, account: str = "") -> None:
        """The venue said to wait (429, 418); a shorter wait never cuts a longer one."""
        until_ns = now_ns + int((error.retry_after_s or 0.0) * NS_PER_S)
        if isinstance(error, TooManyOrders):
            orders = self._account(account)
            orders.until_ns = max(orders.until_ns, until_ns)
        elif until_ns >= self._until_ns:
            self._until_ns = until_ns
            self._is_ban = isinstance(error, VenueBanned)

    def connecting(self) -> None:
        """A connection is about to be opened, which has a weight as well; ``connected`` has to follow."""
        self.weight.pending += CONNECT_WEIGHT

    def connected(self, *, venue_ms: int, is_open: bool) -> None:
        """It was opened, or could not be."""
        self.weight.pending -= CONNECT_WEIGHT
        if is_open:
            self.weight.count(CONNECT_WEIGHT, venue_ms)

    def connect_wait_s(self, now_ns: int) -> float:
        """Take one attempt to connect; seconds to wait before making it."""
        return max(self.budget.reserve(now_ns), self.silence_s(now_ns))

    def connect_hold_s(self, now_ns: int, *, venue_ms: int) -> float:
        """Seconds for which nobody may connect, asked at the last moment: a pause, or no weight left for it."""
        return max(self.silence_s(now_ns), self.weight.wait_ms(CONNECT_WEIGHT, venue_ms) / 1000)

    def _account(self, account: str) -> _Orders:
        found = self._orders.get(account)
        if found is None:
            while len(self._orders) >= MAX_ACCOUNTS:
                del self._orders[next(iter(self._orders))]
            found = self._orders[account] = _Orders()
        return found


_SHARED: dict[str, RateLimits] = {}

_HOSTS = {
    urlsplit(address).netloc: venue.name
    for venue in VENUES.values()
    if venue.name != "paper"
    for address in (venue.rest_url, venue.ws_api_url)
}
"""The venue behind a host: it counts an address once, whichever of its hosts is asked."""


def shared_limits(url: str, *, weight_per_minute: int = WEIGHT_PER_MINUTE) -> RateLimits:
    """The limits of the venue at ``url``, REST or WebSocket API: the same object for the whole process.

    Args:
        url: Address of the venue.
        weight_per_minute: Until the venue tells its own figure, where nobody has asked for these limits before.
    """
    host = urlsplit(url).netloc.rpartition("@")[2].lower()
    venue = _HOSTS.get(host, host)
    if venue not in _SHARED:
        while len(_SHARED) >= MAX_VENUES:
            del _SHARED[next(iter(_SHARED))]
        _SHARED[venue] = RateLimits(weight_per_minute=weight_per_minute)
    return _SHARED[venue]
