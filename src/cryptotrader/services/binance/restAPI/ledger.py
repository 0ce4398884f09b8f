"""How much request weight is left, and whether the venue told us to wait. Pure: times are arguments.

Binance counts per address and per minute of its clock and tells its count in ``X-MBX-USED-WEIGHT-1M``
(``rest-api.md``, "IP Limits"). The address is shared with everything else on it, so the venue's count wins; and with
the connections to the WebSocket API of this process, so both are counted in the same ``RateLimits``.
"""

from __future__ import annotations

from cryptotrader.core.clock import NS_PER_MS, NS_PER_S
from cryptotrader.core.errors import VenueBanned, VenueRateLimited
from cryptotrader.services.binance.errors import TooManyOrders
from cryptotrader.services.binance.wsapi.limits import TRADING_RESERVE, RateLimits
from cryptotrader.services.binance.wsapi.replies import LimitRow

WINDOW_NS = 60 * NS_PER_S

HEAVY = 100
"""From this weight on a request is heavy: whole order books, open orders of all symbols."""

LIGHT_SHARE = 5
"""Heavy requests leave this part of a minute's weight (one in five) to light ones. Reason: twenty order books that
somebody looks at for the first time must not keep an account's balance from being asked for."""


class WeightLedger:
    """The weight used in this minute, and the waits that were ordered.

    Args:
        limit: Weight per minute, where ``limits`` are not shared.
        reserve: Part of it that only trading may use.
        limits: The venue's limits, shared with others behind the same address.
        account: Whose orders "too many orders" is about; shown nowhere.
    """

    def __init__(
        self, limit: int, *, reserve: int = TRADING_RESERVE, limits: RateLimits | None = None, account: str = ""
    ) -> None:
        self._limits = limits or RateLimits(weight_per_minute=limit)
        self._weight = self._limits.weight
        self._reserve = reserve
        self._account = account

    @property
    def limit(self) -> int:
        """Weight per minute."""
        return self._weight.limit

    @limit.setter
    def limit(self, limit: int) -> None:
        self._weight.limit = limit

    @property
    def used(self) -> int:
        """Weight used in the newest minute seen, as far as it is known, with that of requests under way."""
        return self._weight.used + self._weight.pending

    def wait_s(self, now_ns: int, *, orders: bool = False) -> float:
        """Seconds for which the venue wants to hear nothing (``orders``: no new orders) from us; 0 is go ahead.

        Args:
            now_ns: Monotonic time.
            orders: Whether new orders are meant.
        """
        wait_s = self._limits.silence_s(now_ns)
        return max(wait_s, self._limits.orders_silence_s(self._account, now_ns)) if orders else wait_s

    def is_banned(self, now_ns: int) -> bool:
        """Whether the wait is a ban (418); ``now_ns`` is monotonic."""
        return self._limits.is_banned(now_ns)

    def refuse_until(self, now_ns: int, wait_s: float, *, banned: bool = False, orders_only: bool = False) -> None:
        """The venue said to wait (429, 418); a shorter wait never cuts a longer one. ``now_ns`` is monotonic."""
        kind = TooManyOrders if orders_only else VenueBanned if banned else VenueRateLimited
        self._limits.obey(kind("", retry_after_s=wait_s), now_ns=now_ns, account=self._account)

    def admit(self, weight: int, venue_ns: int, *, trading: bool = False) -> float:
        """Take ``weight`` for a request; afterwards call ``settle``.

        Args:
            weight: What it costs.
            venue_ns: The venue's wall clock.
            trading: Whether it may use the reserve.

        Returns:
            0 where it was taken, else the seconds until the next minute begins; then nothing was taken.
        """
        limiter = self._weight
        limiter.count(0, venue_ns // NS_PER_MS)
        limit = limiter.limit if trading else limiter.limit - self._reserve
        if weight >= HEAVY and not trading:
            limit -= limiter.limit // LIGHT_SHARE
        if limiter.used + limiter.pending + weight > limit:
            return (limiter.until_ms * NS_PER_MS - venue_ns) / NS_PER_S
        limiter.pending += weight
        return 0.0

    def settle(self, weight: int, venue_ns: int, *, told: int | None, was_sent: bool = True) -> None:
        """A request ended.

        Args:
            weight: As it was admitted.
            venue_ns: The venue's wall clock.
            told: The venue's count from its answer; without one the weight counts as used.
            was_sent: False where no connection was had, so that the venue counted nothing.
        """
        self._weight.pending -= weight
        if was_sent:
            self._limits.raw_requests.count(1, venue_ns // NS_PER_MS)
        if told is not None:
            self.heard(told, venue_ns)
        elif was_sent:
            self._weight.count(weight, venue_ns // NS_PER_MS)

    def heard(self, used: int, venue_ns: int) -> None:
        """The venue's count; answers may overtake each other, but it only grows within a minute."""
        row = LimitRow("REQUEST_WEIGHT", "MINUTE", 1, self._weight.limit, used)
        self._weight.told(row, venue_ns // NS_PER_MS)
