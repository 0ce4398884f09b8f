"""When to subscribe, when to replace a connection, when a stream is stale. No I/O: times are handed in."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import Literal

from cryptotrader.core.clock import NS_PER_S
from cryptotrader.net.backoff import MAX_DELAY_S


@dataclass(frozen=True)
class StreamPolicy:
    """Every limit of the upstream connections. Source: ``web-socket-streams.md``, "General WSS information" and
    "WebSocket Limits", unless a reason is given.
    """

    streams_per_link: int = 200
    """Streams on one connection, far below the documented 1024, so that a resubscription is quick."""
    control_interval_s: float = 0.25
    """Between two control frames: four a second, so that pongs fit below the documented five messages a second."""
    streams_per_frame: int = 100
    """Streams named in one control frame, which keeps it under about 4 KB."""
    ack_timeout_s: float = 10.0
    """A control frame not acknowledged by then means that the connection does not work."""
    replace_after_s: float = 23 * 3600.0
    """A connection is valid for 24 hours; its successor is opened this long after it."""
    replace_jitter_s: float = 1800.0
    """Taken off ``replace_after_s`` at random, so that links opened together are not replaced together."""
    overlap_s: float = 3.0
    """How long old and new connection run side by side; longer than any difference of delay between two servers."""
    overlap_events: int = 20_000
    """Events of the new connection held during the overlap. Overflow: the overlap ends at once, nothing is lost."""
    tick_s: float = 1.0
    """How often the state of the connections is looked at."""
    ping_after_s: float = 25.0
    """Silence after which we ping; the venue itself pings every 20 s, so this is rare."""
    busy_ping_after_s: float = 5.0
    """The same for a connection that usually speaks many times a second: its silence is suspicious soon."""
    hearing_s: float = 3.0
    """Silence of a whole connection after which what it told last is not called the present any more, until it speaks
    again or is found dead. Asking the venue instead costs little, also where all its markets are merely quiet."""
    pong_after_s: float = 10.0
    """Silence after our ping that means that the connection is dead."""
    stale_minimum_s: float = 60.0
    """No stream is called stale before this much silence."""
    stale_factor: float = 20.0
    """Silence of this many usual intervals is suspicious; at random arrivals its chance is e**-20."""
    max_delay_s: float = MAX_DELAY_S
    """Longest pause between two attempts to connect."""
    keepalive_s: float = 30 * 60.0
    """How often a listen key is renewed (S0-45), or a subscription by signature is verified (C-23)."""


class StalenessClock:
    """Learns how often a stream speaks and tells when its silence is out of character.

    A stream whose rate is not known yet is never stale. Each time a stale stream is restarted without having spoken
    since, its patience doubles: a market that was halted must not cause a reconnect a minute.
    """

    __slots__ = ("_factor", "_last_ns", "_longest_ns", "_mean_ns", "_minimum_ns", "_patience")

    MAX_PATIENCE = 64
    """About an hour at the default minimum."""

    def __init__(self, now_ns: int, *, minimum_s: float, factor: float) -> None:
        self._minimum_ns = minimum_s * NS_PER_S
        self._factor = factor
        self._last_ns = now_ns
        self._mean_ns: float | None = None
        self._longest_ns = 0.0
        self._patience = 1

    def on_message(self, now_ns: int) -> None:
        """The stream spoke."""
        gap_ns = now_ns - self._last_ns
        if gap_ns < 0:
            return
        self._last_ns = now_ns
        self._patience = 1
        mean_ns = self._mean_ns
        self._mean_ns = gap_ns if mean_ns is None else mean_ns + (gap_ns - mean_ns) / 16
        # The longest gap fades, so that one outage does not make the clock blind for ever.
        faded_ns = self._longest_ns * 0.999
        self._longest_ns = gap_ns if gap_ns > faded_ns else faded_ns

    def resume(self, now_ns: int) -> None:
        """The connection is a new one: the silence of the old one does not count."""
        self._last_ns = now_ns

    def restart(self, now_ns: int) -> None:
        """The stream was stale and is subscribed anew."""
        self._last_ns = now_ns
        self._patience = min(self._patience * 2, self.MAX_PATIENCE)

    @property
    def mean_s(self) -> float | None:
        """Usual interval in seconds; None while it is unknown."""
        return None if self._mean_ns is None else self._mean_ns / NS_PER_S

    @property
    def limit_s(self) -> float | None:
        """Silence in seconds from which the stream is stale; None while its rate is unknown."""
        if self._mean_ns is None:
            return None
        usual_ns = max(self._minimum_ns, self._mean_ns * self._factor, self._longest_ns * 4)
        return usual_ns * self._patience / NS_PER_S

    def is_stale(self, now_ns: int) -> bool:
        """Whether the silence is out of character."""
        limit_s = self.limit_s
        return limit_s is not None and now_ns - self._last_ns > limit_s * NS_PER_S


class SilenceWatch:
    """Decides when to ping a silent connection and when to give it up.

    A connection is never given up without a ping that stayed unanswered: after a pause of our own process (a laptop
    that slept) all connections look silent.
    """

    def __init__(self, policy: StreamPolicy) -> None:
        self._policy = policy
        self._pinged_ns: int | None = None

    def judge(self, silent_s: float, now_ns: int, *, mean_s: float | None = None) -> Literal["fine", "ping", "dead"]:
        """What to do now; ``ping`` is said once per silence.

        Args:
            silent_s: Seconds since bytes last came in.
            now_ns: Monotonic time.
            mean_s: Usual interval of the busiest stream in seconds; None where it is unknown.
        """
        policy = self._policy
        limit_s = policy.ping_after_s
        if mean_s is not None:
            limit_s = min(limit_s, max(policy.busy_ping_after_s, mean_s * policy.stale_factor))
        if silent_s <= limit_s:
            self._pinged_ns = None
            return "fine"
        if self._pinged_ns is None:
            self._pinged_ns = now_ns
            return "ping"
        since_ping_s = (now_ns - self._pinged_ns) / NS_PER_S
        return "dead" if since_ping_s > policy.pong_after_s and silent_s >= since_ping_s else "fine"


@dataclass(frozen=True)
class Control:
    """One control frame to send."""

    method: str
    """``SUBSCRIBE`` or ``UNSUBSCRIBE``."""
    streams: tuple[str, ...]


def next_control(wanted: Set[str], asked: Set[str], *, limit: int) -> Control | None:
    """The next frame that brings a connection closer to what is wanted, or None where it is there.

    Subscriptions go first: a client waits for them, nobody waits for the end of a stream.

    Args:
        wanted: Streams that should be on.
        asked: Streams that have been asked for and not called off.
        limit: Most streams in one frame.
    """
    if missing := sorted(wanted - asked)[:limit]:
        return Control("SUBSCRIBE", tuple(missing))
    if surplus := sorted(asked - wanted)[:limit]:
        return Control("UNSUBSCRIBE", tuple(surplus))
    return None
