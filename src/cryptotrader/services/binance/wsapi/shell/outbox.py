"""What leaves: after the limits allow it, signed at the last moment, registered before it is written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sized
from dataclasses import dataclass

from cryptotrader.config import get_logger
from cryptotrader.core.clock import NS_PER_MS, NS_PER_S
from cryptotrader.core.errors import NotConnected, VenueAuthError, VenueBanned, VenueError, VenueRateLimited
from cryptotrader.net.clock import WaitingClock
from cryptotrader.services.binance.clock_offset import ClockOffset
from cryptotrader.services.binance.signing import Credentials
from cryptotrader.services.binance.wsapi.correlation import Call, Kind, Pending, PendingTable
from cryptotrader.services.binance.wsapi.frames import request_frame, sign
from cryptotrader.services.binance.wsapi.ids import MessageIds
from cryptotrader.services.binance.wsapi.limits import Cost, RateLimits
from cryptotrader.services.binance.wsapi.reconcile import LostRequest
from cryptotrader.services.binance.wsapi.reconnect import ConnectionPolicy
from cryptotrader.services.binance.wsapi.replies import LimitRow, Reply
from cryptotrader.services.binance.wsapi.shell.link import Link

log = get_logger(__name__)

EXPLICIT = frozenset({"session.logon", "userDataStream.subscribe.signature"})
"""Methods that carry key and signature though the connection is logged on."""

LOST_MARGIN_MS = 1_000
"""How far a timestamp may be ahead of the venue's clock. Source: "Timing security"."""

CLOCK_MARGIN_MS = 5
"""How far two clocks may drift apart between two comparisons. Unit: milliseconds."""


@dataclass
class Stats:
    """What happened on a connection so far."""

    sent: int = 0
    """Frames written, repetitions included."""
    repeated: int = 0
    """Reads sent again."""
    healed: int = 0
    """Requests signed anew after -1021."""
    lost: int = 0
    """Requests that could trade and whose outcome is not known."""
    malformed: int = 0
    """Messages that are none."""
    reconnects: int = 0
    """Connections after the first."""


@dataclass(frozen=True)
class CourierDeps:
    """What a courier needs from outside.

    Attributes:
        clock: Time and waiting.
        policy: Limits.
        limits: The venue's limits, shared.
        ids: Ids of requests.
        credentials: What signs; None means that only public requests work.
        start: Starts a background job.
        queued: The callbacks that wait to run.
        on_event: Called with each event that a link brings, and its bytes.
    """

    clock: WaitingClock
    policy: ConnectionPolicy
    limits: RateLimits
    ids: MessageIds
    credentials: Credentials | None
    start: Callable[[str, Callable[[], Awaitable[None]]], object]
    queued: Sized
    on_event: Callable[[Link, Reply, bytes], None]


class Outbox:
    """Sends requests within the venue's limits and knows which of them wait for a reply."""

    def __init__(self, deps: CourierDeps) -> None:
        self._deps = deps
        self._clock = deps.clock
        self._policy = deps.policy
        self._limits = deps.limits
        self.link: Link | None = None
        """The current connection; None while there is none."""
        self.is_open = False
        """Whether requests are taken at all."""
        self.account = deps.credentials.api_key if deps.credentials is not None else ""
        """Whose orders the venue counts on this connection; shown nowhere."""
        self._reply_timeout_ns = int(deps.policy.reply_timeout_s * NS_PER_S)
        self.table = PendingTable()
        self.stats = Stats()
        self.offset = ClockOffset()
        # Measured against the monotonic clock, so that a step of our wall clock changes nothing.
        self.offset.offset_ms = (deps.clock.now_ns() - deps.clock.monotonic_ns()) // NS_PER_MS
        self._turns = 0
        self._lost_costs: list[tuple[int, Cost]] = []
        """Until when something may still land, and its cost; no more than the limits let out in that time."""
        self.now_ns = self._now_ns = deps.clock.monotonic_ns

    def venue_ms(self) -> int:
        """The venue's time as far as it is known."""
        # As ``offset.timestamp_ms`` says; a request asks several times.
        return self._now_ns() // NS_PER_MS + self.offset.offset_ms

    def window_ms(self) -> int:
        """The venue's time at the earliest: a new interval of a limit must have begun there, not only here."""
        return self.venue_ms() - self._error_ms()

    def _error_ms(self) -> int:
        return self.offset.margin_ms + CLOCK_MARGIN_MS

    def _take(self, entry: Pending) -> float:
        wait_s = self._limits.take(entry.call.cost, now_ns=self._clock.monotonic_ns(), venue_ms=self.window_ms())
        entry.has_cost = wait_s <= 0
        return wait_s

    async def _turn(self, entry: Pending, wait_s: float) -> None:
        """Wait until the limits allow it."""
        self._turns += 1
        try:
            while wait_s > 0:
                now_ns = self._clock.monotonic_ns()
                if wait_s > self._policy.max_wait_s or now_ns + wait_s * NS_PER_S >= entry.final_ns:
                    raise self._held_back(wait_s)
                await self._clock.sleep(wait_s)
                if not self.is_open:
                    raise NotConnected("not connected")
                wait_s = self._take(entry)
        finally:
            self._turns -= 1

    def _held_back(self, wait_s: float) -> VenueRateLimited:
        kind = VenueBanned if self._limits.is_banned(self._clock.monotonic_ns()) else VenueRateLimited
        return kind("Rate limit exceeded", retry_after_s=wait_s)

    def _prepare(self, entry: Pending, link: Link, now_ns: int) -> bytes:
        """Sign and register, in this order; what is returned is to be written without waiting in between."""
        call = entry.call
        is_ready = False
        try:
            if entry.sends:
                entry.wire_id = self._deps.ids.next()
            params = self._authorised(entry, link, now_ns) if call.needs_key else call.params
            frame = request_frame(entry.wire_id, call.method, params)
            is_ready = True
        finally:
            if not is_ready:
                self._settle(entry, was_sent=False)
        entry.link = link.number
        entry.sent_ns = now_ns
        entry.sends += 1
        deadline_ns = now_ns + self._reply_timeout_ns
        entry.deadline_ns = deadline_ns if deadline_ns < entry.final_ns else entry.final_ns
        self.table.add(entry)
        self.stats.sent += 1
        return frame

    def _authorised(self, entry: Pending, link: Link, now_ns: int) -> dict[str, object]:
        call = entry.call
        if call.signed:
            entry.timestamp_ms = now_ns // NS_PER_MS + self.offset.offset_ms
        params = dict(call.params)
        if link.logged_on and call.credentials is None and call.method not in EXPLICIT:
            if call.signed:
                params["timestamp"] = entry.timestamp_ms
            return params
        credentials = call.credentials or self._deps.credentials
        assert credentials is not None
        if call.signed:
            sign(params, credentials, entry.timestamp_ms, call.shape)
        else:
            params["apiKey"] = credentials.api_key
        return params

    def _settle_lost(self, entry: Pending) -> None:
        """No answer will come; new orders that were sent may land for a while all the same."""
        call = entry.call
        if not (entry.has_cost and entry.link and call.kind is Kind.TRADE):
            self._settle(entry)
            return
        entry.has_cost = False
        self._limits.settle_lost(call.cost, venue_ms=self.window_ms())
        valid_ns = int((self._window_of(call) + LOST_MARGIN_MS) * NS_PER_MS + self._policy.engine_timeout_s * NS_PER_S)
        self._lost_costs.append((entry.sent_ns + valid_ns, call.cost))

    def _forget_lost(self, now_ns: int) -> None:
        for due in [due for due in self._lost_costs if due[0] <= now_ns]:
            self._lost_costs.remove(due)
            self._limits.forget_lost(due[1])

    def _window_of(self, call: Call) -> float:
        """How long a request stays valid. Unit: milliseconds."""
        given = call.params.get("recvWindow")
        try:
            return float(str(given)) if given is not None else self._policy.recv_window_ms
        except ValueError:
            # Sent as it was by ``send``; the venue refuses it.
            return self._policy.recv_window_ms

    def _settle(self, entry: Pending, *, rows: list[LimitRow] | None = None, was_sent: bool = True) -> None:
        if entry.has_cost:
            entry.has_cost = False
            # As ``window_ms``; every answer passes here.
            offset = self.offset
            error_ms = offset.margin_ms + CLOCK_MARGIN_MS
            self._limits.settle(
                entry.call.cost,
                venue_ms=self._now_ns() // NS_PER_MS + offset.offset_ms - error_ms,
                rows=rows,
                was_sent=was_sent,
                spread_ms=2 * error_ms,
            )

    def _heed(self, error: VenueError, account: str) -> None:
        if isinstance(error, VenueRateLimited):
            now_ns = self._clock.monotonic_ns()
            is_news = self._limits.silence_s(now_ns) <= 0
            self._limits.obey(error, now_ns=now_ns, account=account)
            if is_news:
                # Once, not for every request that was under way.
                what = "banned" if isinstance(error, VenueBanned) else "rate limit exceeded"
                log.error(f"Binance API error: {what} - retrying in {error.retry_after_s or 0.0:.0f}s")
        elif isinstance(error, VenueAuthError):
            log.error("Binance does not accept the credentials")

    def lost(self, entry: Pending) -> LostRequest:
        """What a caller needs to find the truth about a request that could trade."""
        self.stats.lost += 1
        params = entry.call.params
        window_ms = self._window_of(entry.call)
        timestamp_ms = entry.timestamp_ms or self.venue_ms()
        sent_ns = entry.sent_ns or self._clock.monotonic_ns()
        return LostRequest(
            entry.call.method, params, timestamp_ms=timestamp_ms, recv_window_ms=window_ms, sent_ns=sent_ns
        )
