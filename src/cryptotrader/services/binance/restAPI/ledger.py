"""How much request weight is left, and whether the venue told us to wait. Pure: times are arguments.

Binance counts per address and per minute of its clock and tells its count in ``X-MBX-USED-WEIGHT-1M``
(``rest-api.md``, "IP Limits"). The address is shared with everything else on it, so the venue's count wins.
"""

from __future__ import annotations

from cryptotrader.core.clock import NS_PER_S

WINDOW_NS = 60 * NS_PER_S

TRADING_RESERVE = 100
"""Weight that market data and account queries leave for orders and cancellations. Unit: weight per minute."""


HEAVY = 100
"""From this weight on a request is heavy: whole order books, open orders of all symbols."""

LIGHT_SHARE = 5
"""Heavy requests leave this part of a minute's weight (one in five) to light ones. Reason: twenty order books that
somebody looks at for the first time must not keep an account's balance from being asked for."""


class WeightLedger:
    """The weight used in this minute, and the waits that were ordered.

    Args:
        limit: Weight per minute.
        reserve: Part of it that only trading may use.
    """

    def __init__(self, limit: int, *, reserve: int = TRADING_RESERVE) -> None:
        self.limit = limit
        self._reserve = reserve
        self._window = 0
        self._used = 0
        self._pending = 0
        self._wait_until_ns = 0
        self._orders_until_ns = 0
        self._banned = False

    @property
    def used(self) -> int:
        """Weight used in the newest minute seen, as far as it is known, with that of requests under way."""
        return self._used + self._pending

    def wait_s(self, now_ns: int, *, orders: bool = False) -> float:
        """Seconds for which the venue wants to hear nothing (``orders``: no new orders) from us; 0 is go ahead."""
        until = max(self._wait_until_ns, self._orders_until_ns if orders else 0)
        return max(0, until - now_ns) / NS_PER_S

    def is_banned(self, now_ns: int) -> bool:
        """Whether the wait is a ban (418)."""
        return self._banned and now_ns < self._wait_until_ns

    def refuse_until(self, now_ns: int, wait_s: float, *, banned: bool = False, orders_only: bool = False) -> None:
        """The venue said to wait (429, 418); a shorter wait never cuts a longer one."""
        until = now_ns + int(wait_s * NS_PER_S)
        if orders_only:
            self._orders_until_ns = max(self._orders_until_ns, until)
            return
        if until >= self._wait_until_ns:
            self._wait_until_ns = until
            self._banned = banned

    def admit(self, weight: int, now_ns: int, *, trading: bool = False) -> float:
        """Take ``weight`` for a request; afterwards call ``settle``.

        Returns:
            0 where it was taken, else the seconds until the next minute begins; then nothing was taken.
        """
        self._roll(now_ns)
        limit = self.limit if trading else self.limit - self._reserve
        if weight >= HEAVY and not trading:
            limit -= self.limit // LIGHT_SHARE
        if self._used + self._pending + weight > limit:
            return ((self._window + 1) * WINDOW_NS - now_ns) / NS_PER_S
        self._pending += weight
        return 0.0

    def settle(self, weight: int, now_ns: int, *, told: int | None, was_sent: bool = True) -> None:
        """A request ended.

        Args:
            weight: As it was admitted.
            now_ns: The time now.
            told: The venue's count from its answer; without one the weight counts as used.
            was_sent: False where no connection was had, so that the venue counted nothing.
        """
        self._roll(now_ns)
        self._pending -= weight
        if told is None:
            self._used += weight if was_sent else 0
        else:
            # Answers may overtake each other, but the count only grows within a minute.
            self._used = max(self._used, told)

    def heard(self, used: int, now_ns: int) -> None:
        """The venue's count, learnt elsewhere, such as from ``rateLimits`` of the WebSocket API."""
        self._roll(now_ns)
        self._used = max(self._used, used)

    def _roll(self, now_ns: int) -> None:
        window = now_ns // WINDOW_NS
        # A step back of one window is an answer to the minute before; a longer one means that the clock was set.
        if window > self._window or window < self._window - 1:
            self._window = window
            self._used = 0
