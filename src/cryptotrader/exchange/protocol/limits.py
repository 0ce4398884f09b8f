"""Requests and connections per address, unfilled orders per account.

Source: ``rest-api.md``, "LIMITS"; ``web-socket-api.md``, "Rate limits"; ``faqs/order_count_decrement.md``.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from cryptotrader.exchange.engine.errors import Refusal

MINUTE_MS: Final = 60_000
FIVE_MINUTES_MS: Final = 5 * MINUTE_MS
DAY_MS: Final = 86_400_000
TEN_SECONDS_MS: Final = 10_000

BAN_AFTER_REFUSALS = 20
"""Requests refused with 429 in one minute before the address is banned. Unit: requests. Reason: Binance gives no
number; this tells a client that ignores 429 from one that had a burst on its way."""

FIRST_BAN_MS = 2 * MINUTE_MS
LONGEST_BAN_MS = 3 * DAY_MS
"""Bans grow from two minutes to three days. Unit: milliseconds. Reason: "IP Limits" in Binance's document."""

MAX_ADDRESSES = 10_000
"""Addresses and accounts remembered. Reason: memory; the one that was not seen for longest is forgotten."""

NO_LIMIT_STREAMS = 65_536
"""Streams of a connection where nothing is limited. Reason: what one connection remembers must still be bounded."""


@dataclass(frozen=True)
class LimitPolicy:
    """How much is allowed, and how patient the exchange is. The numbers are Binance's of 2026 where it tells one."""

    request_weight: int = 6_000
    """Weight per address and minute."""
    orders_10s: int = 50
    """Unfilled orders per account and ten seconds."""
    orders_1d: int = 160_000
    """Unfilled orders per account and day."""
    raw_requests: int = 300_000
    """REST requests per address and five minutes."""
    connections: int = 300
    """Attempts to connect per address and five minutes; streams and WebSocket API are counted apart."""
    ban_after_refusals: int = BAN_AFTER_REFUSALS
    """Refusals within a minute (of connections: within five) after which an address is banned."""
    first_ban_ms: int = FIRST_BAN_MS
    longest_ban_ms: int = LONGEST_BAN_MS
    """Each ban is twice as long as the one before, up to this."""
    stream_messages: int = 5
    """Messages, pings and pongs per second and stream connection."""
    streams: int = 1_024
    """Streams of one connection."""
    connection_life_s: float = 86_400.0
    """How long a WebSocket connection lives."""
    shutdown_notice_s: float = 60.0
    """How long before its end a connection is told ``serverShutdown``. Reason: Binance gives no number; a minute is
    enough for a client that reconnects with care."""
    ping_interval_s: float = 20.0
    """Time between pings."""
    pong_timeout_s: float = 60.0
    """How long a client may leave pings unanswered."""
    is_enforced: bool = True
    """False: everything is counted and told, and nothing is refused."""

    @classmethod
    def off(cls) -> LimitPolicy:
        """Nothing is refused: for benchmarks, and for bots that should not be held up while they are written."""
        return cls(is_enforced=False, streams=NO_LIMIT_STREAMS)

    def describe(self) -> list[dict[str, object]]:
        """``rateLimits`` of ``exchangeInfo`` over REST."""
        return [*self._shared(), _limit("RAW_REQUESTS", "MINUTE", number=5, limit=self.raw_requests)]

    def describe_api(self) -> list[dict[str, object]]:
        """``rateLimits`` of ``exchangeInfo`` over the WebSocket API (``web-socket-api.md``, "Exchange information")."""
        return [*self._shared(), _limit("CONNECTIONS", "MINUTE", number=5, limit=self.connections)]

    def _shared(self) -> list[dict[str, object]]:
        return [
            _limit("REQUEST_WEIGHT", "MINUTE", number=1, limit=self.request_weight),
            _limit("ORDERS", "SECOND", number=10, limit=self.orders_10s),
            _limit("ORDERS", "DAY", number=1, limit=self.orders_1d),
        ]


def _limit(kind: str, interval: str, *, number: int, limit: int) -> dict[str, object]:
    return {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit}


class LimitReached(Refusal):
    """Too many requests or orders.

    Attributes:
        status: 429, or 418 for an address that is banned.
        retry_after_ms: How long to stay away. Unit: milliseconds.
    """

    def __init__(self, code: int, message: str, *, status: int = 429, retry_after_ms: int) -> None:
        super().__init__(code, message)
        self.status = status
        self.retry_after_ms = retry_after_ms


@dataclass
class _Window:
    start_ms: int
    used: int = 0
    refused: int = 0


@dataclass
class _Ban:
    until_ms: int
    length_ms: int


class _Windows:
    """One running window of the clock per address."""

    def __init__(self, length_ms: int) -> None:
        self.length_ms = length_ms
        self._windows: OrderedDict[str, _Window] = OrderedDict()

    def of(self, address: str, now_ms: int) -> _Window:
        """The window that runs now."""
        start_ms = now_ms - now_ms % self.length_ms
        window = self._windows.get(address)
        if window is None or window.start_ms != start_ms:
            window = self._windows[address] = _Window(start_ms)
            if len(self._windows) > MAX_ADDRESSES:
                self._windows.popitem(last=False)
        self._windows.move_to_end(address)
        return window


class _Bans:
    """Addresses that are shut out, each time for longer."""

    def __init__(self, policy: LimitPolicy) -> None:
        self._policy = policy
        self._bans: OrderedDict[str, _Ban] = OrderedDict()

    def check(self, address: str, now_ms: int) -> None:
        """Whether the address may come in.

        Raises:
            LimitReached: It is banned.
        """
        ban = self._bans.get(address)
        if ban is not None and ban.until_ms > now_ms:
            raise _banned(ban, now_ms)

    def refuse(self, address: str, window: _Window, *, now_ms: int, limit: LimitReached) -> LimitReached:
        """Count a refusal: ``limit`` itself, or a ban where there have been too many."""
        window.refused += 1
        if window.refused <= self._policy.ban_after_refusals:
            return limit
        before = self._bans.get(address)
        policy = self._policy
        length_ms = min(before.length_ms * 2, policy.longest_ban_ms) if before else policy.first_ban_ms
        ban = self._bans[address] = _Ban(now_ms + length_ms, length_ms)
        window.refused = 0
        self._bans.move_to_end(address)
        if len(self._bans) > MAX_ADDRESSES:
            self._bans.popitem(last=False)
        return _banned(ban, now_ms)


def banned_text(until_ms: int) -> str:
    """What a banned address is told. Some clients read the time out of it. Unit: epoch milliseconds."""
    return (
        f"Way too much request weight used; IP banned until {until_ms}. "
        "Please use WebSocket Streams for live updates to avoid bans."
    )


def too_much_weight_text(limit: int) -> str:
    """What an address is told that used up its minute."""
    return (
        f"Too much request weight used; current limit is {limit} request weight per 1 MINUTE. "
        "Please use WebSocket Streams for live updates to avoid polling the API."
    )


def _banned(ban: _Ban, now_ms: int) -> LimitReached:
    return LimitReached(
        -1003,
        banned_text(ban.until_ms),
        status=418,
        retry_after_ms=ban.until_ms - now_ms,
    )


class WeightMeter:
    """Weight used by each address in the running minute of the clock; REST and WebSocket API share it."""

    def __init__(self, policy: LimitPolicy) -> None:
        self.policy = policy
        self._windows = _Windows(MINUTE_MS)
        self._raw = _Windows(FIVE_MINUTES_MS)
        self._bans = _Bans(policy)

    def charge(self, address: str, weight: int, *, now_ms: int) -> int:
        """Add ``weight``; returns what the address has used in this minute.

        Raises:
            LimitReached: The minute's weight is used up (429), or the address is banned for going on regardless (418).
        """
        self._bans.check(address, now_ms)
        window = self._windows.of(address, now_ms)
        if window.used + weight > self.policy.request_weight and self.policy.is_enforced:
            text = too_much_weight_text(self.policy.request_weight)
            limit = LimitReached(-1003, text, retry_after_ms=window.start_ms + MINUTE_MS - now_ms)
            raise self._bans.refuse(address, window, now_ms=now_ms, limit=limit)
        window.used += weight
        return window.used

    def count_request(self, address: str, *, now_ms: int) -> None:
        """Count a REST request, whatever it weighs (``RAW_REQUESTS``).

        Raises:
            LimitReached: There were too many within five minutes, or the address is banned.
        """
        self._bans.check(address, now_ms)
        window = self._raw.of(address, now_ms)
        if window.used >= self.policy.raw_requests and self.policy.is_enforced:
            text = (
                f"Too many requests; current limit is {self.policy.raw_requests} requests per 5 MINUTE. "
                "Please use WebSocket Streams for live updates to avoid polling the API."
            )
            limit = LimitReached(-1003, text, retry_after_ms=window.start_ms + FIVE_MINUTES_MS - now_ms)
            raise self._bans.refuse(address, window, now_ms=now_ms, limit=limit)
        window.used += 1

    def refund(self, address: str, weight: int, *, now_ms: int) -> int:
        """Take back the weight of a request that turned out to cost nothing: a successful order or cancellation."""
        window = self._windows.of(address, now_ms)
        window.used = max(0, window.used - weight)
        return window.used

    def used(self, address: str, now_ms: int) -> int:
        """Weight used in this minute."""
        return self._windows.of(address, now_ms).used

    def raw_used(self, address: str, now_ms: int) -> int:
        """REST requests in these five minutes."""
        return self._raw.of(address, now_ms).used


class ConnectionMeter:
    """Attempts to connect of each address in the running five minutes; one meter each for streams and WebSocket API."""

    def __init__(self, policy: LimitPolicy) -> None:
        self.policy = policy
        self._windows = _Windows(FIVE_MINUTES_MS)
        self._bans = _Bans(policy)

    def count(self, address: str, *, now_ms: int) -> None:
        """Count an attempt.

        Raises:
            LimitReached: There were too many (429, -1034), or the address is banned for going on regardless (418).
        """
        self._bans.check(address, now_ms)
        window = self._windows.of(address, now_ms)
        window.used += 1
        if window.used > self.policy.connections and self.policy.is_enforced:
            text = f"Too many connection attempts from IP; current limit is {self.policy.connections} per '5 MINUTE'."
            limit = LimitReached(-1034, text, retry_after_ms=window.start_ms + FIVE_MINUTES_MS - now_ms)
            raise self._bans.refuse(address, window, now_ms=now_ms, limit=limit)

    def note_thrown_out(self, address: str, *, now_ms: int) -> None:
        """A connection broke its limit of messages: an address to which that happens again and again is banned."""
        limit = LimitReached(-1003, "", retry_after_ms=0)
        self._bans.refuse(address, self._windows.of(address, now_ms), now_ms=now_ms, limit=limit)


@dataclass(frozen=True)
class OrderCounts:
    """Unfilled orders of one account."""

    last_10s: int
    last_1d: int


MAKER_RELIEF: Final = 5
"""By how much the count falls where an order's first fill finds it on the book. Unit: orders. Reason: what the example
in faqs/order_count_decrement shows."""


class OrderCounter:
    """Unfilled orders per account and interval; an order's first fill takes it out again."""

    def __init__(self, policy: LimitPolicy) -> None:
        self.policy = policy
        self._counts: OrderedDict[str, tuple[_Window, _Window]] = OrderedDict()

    def check(self, account: str, *, now_ms: int, orders: int = 1) -> None:
        """Whether ``orders`` more may be placed.

        Raises:
            LimitReached: -1015.
        """
        if not self.policy.is_enforced:
            return
        short, long = self._windows(account, now_ms)
        if short.used + orders > self.policy.orders_10s:
            raise _too_many(
                self.policy.orders_10s, "10 SECOND", retry_after_ms=short.start_ms + TEN_SECONDS_MS - now_ms
            )
        if long.used + orders > self.policy.orders_1d:
            raise _too_many(self.policy.orders_1d, "1 DAY", retry_after_ms=long.start_ms + DAY_MS - now_ms)

    def placed(self, account: str, *, now_ms: int, orders: int = 1) -> None:
        """Count orders that were accepted."""
        for window in self._windows(account, now_ms):
            window.used += orders

    def release(self, account: str, *, now_ms: int, orders: int = 1) -> None:
        """An order of the account traded for the first time, or ``orders`` were refused after they had been counted."""
        for window in self._windows(account, now_ms):
            window.used = max(0, window.used - orders)

    def filled(self, account: str, *, now_ms: int, is_maker: bool) -> None:
        """An order of the account traded for the first time: one that waited on the book is worth several."""
        self.release(account, now_ms=now_ms, orders=MAKER_RELIEF if is_maker else 1)

    def counts(self, account: str, now_ms: int) -> OrderCounts:
        """What the headers and ``rateLimit/order`` show."""
        short, long = self._windows(account, now_ms)
        return OrderCounts(last_10s=short.used, last_1d=long.used)

    def describe(self, account: str, now_ms: int) -> list[dict[str, object]]:
        """Answer of ``GET /api/v3/rateLimit/order``."""
        counts = self.counts(account, now_ms)
        return [
            _limit("ORDERS", "SECOND", number=10, limit=self.policy.orders_10s) | {"count": counts.last_10s},
            _limit("ORDERS", "DAY", number=1, limit=self.policy.orders_1d) | {"count": counts.last_1d},
        ]

    def _windows(self, account: str, now_ms: int) -> tuple[_Window, _Window]:
        short_ms, long_ms = now_ms - now_ms % TEN_SECONDS_MS, now_ms - now_ms % DAY_MS
        short, long = self._counts.get(account) or (_Window(short_ms), _Window(long_ms))
        if short.start_ms != short_ms:
            short = _Window(short_ms)
        if long.start_ms != long_ms:
            long = _Window(long_ms)
        self._counts[account] = (short, long)
        self._counts.move_to_end(account)
        if len(self._counts) > MAX_ADDRESSES:
            self._counts.popitem(last=False)
        return short, long


def _too_many(limit: int, interval: str, *, retry_after_ms: int) -> LimitReached:
    text = f"Too many new orders; current limit is {limit} orders per {interval}."
    return LimitReached(-1015, text, retry_after_ms=retry_after_ms)
