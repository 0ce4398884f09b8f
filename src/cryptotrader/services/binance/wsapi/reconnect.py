"""When to connect, to replace, to ping, to give up waiting. Pure: times and randomness are handed in."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from cryptotrader.core.clock import NS_PER_S
from cryptotrader.core.errors import ConfigError, CryptotraderError, VenueAuthError, VenueRejected
from cryptotrader.net.backoff import MAX_DELAY_S, Backoff

AUTH_RETRY_S = 60.0
"""Pause after the upgrade was refused for good (403, 404). Unit: seconds. Reason: asking often changes nothing."""


@dataclass(frozen=True)
class ConnectionPolicy:
    """Every limit of a connection. Source: ``web-socket-api.md``, unless a reason is given."""

    connect_timeout_s: float = 10.0
    """How long ``connect`` tries before it raises; afterwards a connection never gives up."""
    reply_timeout_s: float = 10.0
    """Longest wait for a reply to one transmission. Source: S0-55; Binance itself stops working after ten seconds."""
    read_timeout_s: float = 30.0
    """Longest wait for a read, its repetitions included."""
    max_repeats: int = 2
    """How often a read is sent again."""
    max_pending: int = 5_000
    """Requests without an answer, callbacks not yet run included. Overflow: the next one is refused."""
    max_outbound_bytes: int = 1024 * 1024
    """Bytes that the network has not taken. Overflow: the next request is refused."""
    max_wait_s: float = 10.0
    """Longest wait for a rate limit before sending; what would wait longer is refused at once and says how long."""
    replace_after_s: float = 23 * 3600.0
    """A connection is valid for 24 hours; its successor is opened this long after it."""
    replace_jitter_s: float = 1800.0
    """Taken off ``replace_after_s`` at random, so that connections opened together are not replaced together."""
    overlap_s: float = 1.0
    """How long user data of old and new connection run side by side before the new one takes over."""
    drain_s: float = 12.0
    """How long the old connection may wait for its last replies; above ``reply_timeout_s``."""
    close_wait_s: float = 5.0
    """How long ``close`` waits for replies to what was sent. What could trade and is not answered then is unknown."""
    max_delay_s: float = MAX_DELAY_S
    """Longest pause between two attempts to connect."""
    stable_s: float = 10.0
    """A connection that lived this long ends the backoff."""
    tick_s: float = 0.25
    """How often deadlines and silence are looked at."""
    ping_after_s: float = 25.0
    """Silence after which we ping; the venue itself pings every 20 s."""
    busy_ping_after_s: float = 3.0
    """The same while replies are awaited."""
    pong_after_s: float = 10.0
    """Silence after our ping that means that the connection is dead."""
    clock_every_s: float = 300.0
    """How often the venue is asked for its time."""
    event_capacity: int = 10_000
    """Events held for ``on_message``. Overflow: the newest is dropped, counted and logged."""
    callback_timeout_s: float = 30.0
    """Longest run of a callback; it is cancelled then, and counted."""
    recv_window_ms: float = 5_000.0
    """How long a signed request stays valid where it does not say."""
    engine_timeout_s: float = 10.0
    """How long the venue may work on an order it has accepted, as its own timeout (-1007) says."""
    reconcile_timeout_s: float = 60.0
    """Longest search for the truth about one order."""


class Attempts:
    """How long to wait before the next attempt to connect. It never says to give up.

    Args:
        draw: Random numbers of [0, 1).
        policy: Limits.
    """

    def __init__(self, draw: Callable[[], float], policy: ConnectionPolicy) -> None:
        self._backoff = Backoff(draw, max_s=policy.max_delay_s)
        self._stable_ns = int(policy.stable_s * NS_PER_S)

    def after_failure(self, error: CryptotraderError) -> float:
        """Seconds to wait after an attempt failed; what the venue ordered is honoured."""
        delay_s = max(self._backoff.next_delay_s(), error.retry_after_s or 0.0)
        return max(delay_s, AUTH_RETRY_S) if is_permanent(error) else delay_s

    def after_loss(self, lived_ns: int) -> float:
        """Seconds to wait after a connection was lost; 0 after one that had lived for a while."""
        if lived_ns >= self._stable_ns:
            self._backoff.reset()
            return 0.0
        return self._backoff.next_delay_s()


def is_permanent(error: CryptotraderError) -> bool:
    """Whether trying again soon cannot help."""
    if isinstance(error, VenueRejected):
        return 400 <= error.http_status < 500 and error.http_status != 408
    return isinstance(error, (ConfigError, VenueAuthError))


def lifetime_ns(policy: ConnectionPolicy, draw: Callable[[], float]) -> int:
    """How long a connection is used before its successor is opened. Unit: nanoseconds."""
    return int((policy.replace_after_s - draw() * policy.replace_jitter_s) * NS_PER_S)


class Silence:
    """Decides when to ping a silent connection and when to give it up: never without an unanswered ping."""

    def __init__(self, policy: ConnectionPolicy) -> None:
        self._policy = policy
        self._pinged_ns: int | None = None

    def judge(self, silent_s: float, now_ns: int, *, is_busy: bool) -> Literal["fine", "ping", "dead"]:
        """What to do now; ``ping`` is said once per silence.

        Args:
            silent_s: Seconds since bytes last came in.
            now_ns: Monotonic time.
            is_busy: Whether replies are awaited.
        """
        limit_s = self._policy.busy_ping_after_s if is_busy else self._policy.ping_after_s
        if self._pinged_ns is not None:
            since_ping_s = (now_ns - self._pinged_ns) / NS_PER_S
            if silent_s <= since_ping_s:
                self._pinged_ns = None
            elif since_ping_s > self._policy.pong_after_s:
                return "dead"
            else:
                return "fine"
        if silent_s <= limit_s:
            return "fine"
        self._pinged_ns = now_ns
        return "ping"


class OverlapFilter:
    """Lets each event of an overlap through once, though two connections bring it.

    An event's bytes are the same on both; the first copy passes, and one copy of the other connection is dropped.

    Args:
        capacity: Events remembered. Overflow: the oldest is forgotten, so that its second copy would pass.
    """

    def __init__(self, capacity: int = 10_000) -> None:
        self._capacity = capacity
        self._seen: OrderedDict[bytes, dict[int, int]] = OrderedDict()
        self.dropped = 0

    def admit(self, link: int, payload: bytes) -> bool:
        """Whether the event is new.

        Args:
            link: Number of the connection that brought it.
            payload: The bare event.
        """
        counts = self._seen.setdefault(payload, {})
        mine = counts[link] = counts.get(link, 0) + 1
        if len(self._seen) > self._capacity:
            self._seen.popitem(last=False)
        if mine <= max((count for other, count in counts.items() if other != link), default=0):
            self.dropped += 1
            return False
        return True
