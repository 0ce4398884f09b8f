"""A truthful venue behind ``/ws-api/v3`` for simulations: real matching, real counting, faults by request.

It executes what reaches it exactly once, remembers what it did, and answers, stays silent or lies about its own health
as its faults say; but it never says of an order what is not so. Sources: ``web-socket-api.md``, ``errors.md``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptotrader.core.clock import NS_PER_MS
from cryptotrader.core.errors import VenueBanned, VenueError
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.engine.events import OrderUpdate
from cryptotrader.exchange.protocol.limits import LimitPolicy, LimitReached, OrderCounter, WeightMeter
from cryptotrader.exchange.protocol.operations.refusals import DetailedRefusal
from cryptotrader.exchange.protocol.user_data import enveloped, render_user_event
from cryptotrader.exchange.protocol.ws_api.envelope import (
    ApiRequest,
    BadRequest,
    Failure,
    failure,
    parse_request,
    success,
)
from cryptotrader.services.binance.registry import AnySpec, by_method
from cryptotrader.services.binance.signing import signing_payload_ws, verify
from cryptotrader.testing.network import FaultyWire
from cryptotrader.testing.order_desk import ACCOUNT, OrderDesk
from cryptotrader.testing.simulation import Execution, Fault, Overrun, Pause, Receipt, SimulatedClock

__all__ = [
    "API_KEY",
    "MANGLED",
    "PLACING",
    "SECRET",
    "Execution",
    "Fault",
    "Overrun",
    "Pause",
    "Receipt",
    "SimulatedVenue",
]

PLACING = frozenset({"order.place", "order.cancelReplace", "orderList.place.oco"})
"""What is counted as new orders."""

API_KEY = "an-api-key-of-a-simulation"
SECRET = "a-secret-of-a-simulation"

CONNECT_WEIGHT = 2
"""Source: "IP limits"."""

MAX_AHEAD_MS = 1_000
DEFAULT_WINDOW_MS = 5_000
"""Source: "Timing security"."""

TIMESTAMP_TEXT = "Timestamp for this request is outside of the recvWindow."

MANGLED: dict[str, object] = {"mangled": True}
"""A result that fits no request."""

ADDRESS = "client"
"""All connections come from one address."""


@dataclass
class _Session:
    wire: FaultyWire
    limits_shown: bool
    logged_on: bool = False
    subscriptions: set[int] = field(default_factory=set)
    next_subscription: int = 0


class SimulatedVenue:
    """``network.Server`` that speaks Binance's WebSocket API.

    Args:
        clock: The venue's own clock.
        policy: What it allows.
        fault: Chooses what happens to each request.
    """

    def __init__(
        self, clock: SimulatedClock, *, policy: LimitPolicy | None = None, fault: Callable[[Receipt], Fault]
    ) -> None:
        self.clock = clock
        self.fault = fault
        self.key = ("hmac", SECRET)
        """Kind of the account's key, and what checks its signatures."""
        self.policy = policy or LimitPolicy()
        self.weights = WeightMeter(self.policy)
        self.counts = OrderCounter(self.policy)
        self.desk = OrderDesk(self._tell)
        self.receipts: list[Receipt] = []
        self.executed: list[Receipt] = []
        self.overruns: list[Overrun] = []
        self.pauses: list[Pause] = []
        self.history: list[Execution] = []
        self.banned_until_ns = 0
        """Unit: monotonic nanoseconds."""
        self._sessions: dict[int, _Session] = {}

    # network.Server

    def admit(self) -> VenueError | None:
        """Whoever is banned is refused with 418; connecting costs weight."""
        now_ns = self.clock.monotonic_ns()
        if now_ns < self.banned_until_ns:
            wait_s = -(-(self.banned_until_ns - now_ns) // (1_000 * NS_PER_MS))
            return VenueBanned("the upgrade was refused with 418", retry_after_s=float(wait_s))
        try:
            self.weights.charge(ADDRESS, CONNECT_WEIGHT, now_ms=self.clock.now_ms())
        except LimitReached as refusal:
            self.overruns.append(Overrun(now_ns, refusal.status, "connect"))
        return None

    def opened(self, wire: FaultyWire) -> None:
        """A connection."""
        self._sessions[wire.number] = _Session(wire, "returnRateLimits=false" not in wire.url)

    def closed(self, wire: FaultyWire) -> None:
        """A connection is gone."""
        self._sessions.pop(wire.number, None)

    def received(self, wire: FaultyWire, data: bytes, sent_ns: int) -> None:
        """A request."""
        try:
            request = parse_request(data.decode())
        except BadRequest as bad:
            wire.push(failure(bad.request_id, Failure(400, bad.refusal.code, bad.refusal.message), None))
            return
        now_ns = self.clock.monotonic_ns()
        receipt = Receipt(wire.number, request.id, request.method, request.params, now_ns, sent_ns)
        self.receipts.append(receipt)
        call = _Call(self, wire, request, receipt)
        try:
            self._admit(call)
        except Refusal as refusal:
            call.answer(self.refused(call, refusal))
            return
        call.begin(self.fault(receipt))

    # What a simulation may do

    def shut_down(self, grace_s: float) -> None:
        """Announce that every connection will be closed, and do so after ``grace_s``."""
        notice = enveloped(b'{"e":"serverShutdown","E":%d}' % self.clock.now_ms(), None)
        for session in list(self._sessions.values()):
            session.wire.push(notice)
            asyncio.get_running_loop().call_later(grace_s, session.wire.hang_up)

    def ban(self, wait_s: float) -> None:
        """Refuse everything for a while and close what is open."""
        self.banned_until_ns = max(self.banned_until_ns, self.clock.monotonic_ns() + int(wait_s * 1e9))
        for session in list(self._sessions.values()):
            asyncio.get_running_loop().call_later(0.05, session.wire.hang_up)

    # Requests

    def _admit(self, call: _Call) -> None:
        """Whether it may be carried out at all; raises Refusal."""
        now_ns = call.receipt.arrived_ns
        if now_ns < self.banned_until_ns:
            wait_ms = (self.banned_until_ns - now_ns) // NS_PER_MS
            raise LimitReached(-1003, _ban_text(self.clock.now_ms() + wait_ms), status=418, retry_after_ms=wait_ms)
        if call.spec is None:
            raise Refusal(-1000, "Unknown method")
        self.weights.charge(ADDRESS, call.weight, now_ms=self.clock.now_ms())
        if call.spec.order_count:
            self.counts.check(ACCOUNT, now_ms=self.clock.now_ms(), orders=call.spec.order_count)
        self._check_signed(call)

    def _check_signed(self, call: _Call) -> None:
        """Key, time and signature; raises Refusal."""
        spec, params = call.spec, call.request.params
        if spec is None or not spec.needs_key:
            return
        session = self._sessions.get(call.receipt.wire)
        # Whoever is logged on needs neither key nor signature, but the time all the same ("Authentication").
        is_known = session is not None and session.logged_on and "signature" not in params
        if params.get("apiKey", API_KEY if is_known else "") != API_KEY:
            raise Refusal(-2015, "Invalid API-key, IP, or permissions for action.")
        if not spec.is_signed:
            return
        now_ms, stamp_ms = self.clock.now_ms(), int(params.get("timestamp", "0"))
        window_ms = float(params.get("recvWindow", DEFAULT_WINDOW_MS))
        if stamp_ms >= now_ms + MAX_AHEAD_MS:
            raise Refusal(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
        # The true age bounds what a step of the venue's own clock could make valid again.
        age_ms = (self.clock.monotonic_ns() - call.receipt.sent_ns) / NS_PER_MS
        if now_ms - stamp_ms > window_ms or age_ms > window_ms + MAX_AHEAD_MS:
            raise Refusal(-1021, TIMESTAMP_TEXT)
        kind, secret = self.key
        if not is_known and not verify(kind, secret, signing_payload_ws(params), signature=params.get("signature", "")):
            raise Refusal(-1022, "Signature for this request is not valid.")

    def perform(self, call: _Call) -> object:
        """Carry a request out; raises Refusal."""
        params, now_ms = call.request.params, self.clock.now_ms()
        if call.spec is not None and call.spec.order_count:
            # Again, since others may have been on their way at the same time.
            self.counts.check(ACCOUNT, now_ms=now_ms, orders=call.spec.order_count)
        self.executed.append(call.receipt)
        if call.request.method in PLACING:
            return self._place(call, now_ms)
        if call.request.method.startswith(("session.", "userDataStream.")):
            return self._about_connection(call, now_ms)
        match call.request.method:
            case "order.cancel":
                return self.desk.cancel(params, now_ms)
            case "order.amend.keepPriority":
                return self.desk.amend(params, now_ms)
            case "orderList.cancel":
                return self.desk.cancel_list(params, now_ms)
            case "openOrders.cancelAll":
                return self.desk.cancel_all(params, now_ms)
            case "order.status":
                return self.desk.status(params)
            case "orderList.status":
                return self.desk.list_status(params)
            case "openOrders.status":
                return self.desk.open_orders()
            case "account.status":
                return {"balances": self.desk.balances()}
            case "ticker.price":
                return {"symbol": params["symbol"], "price": "100.00000000"}
            case "time":
                return {"serverTime": now_ms}
            case _:
                return {}

    def _place(self, call: _Call, now_ms: int) -> object:
        """New orders, which are counted where they are taken."""
        orders = call.spec.order_count if call.spec is not None else 0
        act = {"order.place": self.desk.place, "order.cancelReplace": self.desk.replace}.get(call.request.method)
        self.counts.placed(ACCOUNT, now_ms=now_ms, orders=orders)
        try:
            return (act or self.desk.place_oco)(call.request.params, now_ms)
        except Refusal as refusal:
            if not (isinstance(refusal, DetailedRefusal) and refusal.data.get("newOrderResult") == "SUCCESS"):
                self.counts.release(ACCOUNT, now_ms=now_ms, orders=orders)
            raise

    def _about_connection(self, call: _Call, now_ms: int) -> object:
        """Who is logged on, and who hears of the account."""
        session = self._sessions[call.receipt.wire]
        match call.request.method:
            case "session.logon" | "session.logout":
                session.logged_on = call.request.method == "session.logon"
                return {
                    "apiKey": API_KEY if session.logged_on else None,
                    "authorizedSince": now_ms if session.logged_on else None,
                    "connectedSince": now_ms,
                    "returnRateLimits": session.limits_shown,
                    "serverTime": now_ms,
                }
            case "userDataStream.subscribe" | "userDataStream.subscribe.signature":
                if session.subscriptions:
                    raise Refusal(-2035, "User Data Stream subscription already active.")
                number, session.next_subscription = session.next_subscription, session.next_subscription + 1
                session.subscriptions.add(number)
                return {"subscriptionId": number}
            case "userDataStream.unsubscribe":
                session.subscriptions.clear()
        return {}

    def shown_limits(self, wire: FaultyWire, request: ApiRequest) -> list[dict[str, object]] | None:
        """``rateLimits``; None where they are not wanted."""
        session = self._sessions.get(wire.number)
        wanted = request.return_rate_limits
        if session is None or not (session.limits_shown if wanted is None else wanted):
            return None
        now_ms = self.clock.now_ms()
        used = {"limit": self.policy.request_weight, "count": self.weights.used(ADDRESS, now_ms)}
        row: dict[str, object] = {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, **used}
        spec = by_method(request.method)
        # Only what the request affects ("How to interpret rate limits").
        return [*self.counts.describe(ACCOUNT, now_ms), row] if spec is not None and spec.order_count else [row]

    def is_open(self, wire: FaultyWire) -> bool:
        """Whether the venue still has the connection."""
        return wire.number in self._sessions

    def refused(self, call: _Call, refusal: Refusal) -> Failure:
        """The answer to a request that the venue itself turns down."""
        if isinstance(refusal, DetailedRefusal):
            return Failure(refusal.status, refusal.code, refusal.message, refusal.data)
        if not isinstance(refusal, LimitReached):
            return Failure(401 if refusal.code == -2015 else 400, refusal.code, refusal.message)
        if call.receipt.arrived_ns >= self.banned_until_ns:
            self.overruns.append(Overrun(self.clock.monotonic_ns(), refusal.status, call.request.method))
        return self.limited(call, refusal, refusal.retry_after_ms)

    def limited(self, call: _Call, refusal: LimitReached, wait_ms: int) -> Failure:
        """An answer that asks for a pause."""
        now_ms, now_ns = self.clock.now_ms(), self.clock.monotonic_ns()
        self.pauses.append(Pause(call.receipt, refusal.status, refusal.code, now_ns, now_ns + wait_ms * NS_PER_MS))
        data: dict[str, object] = {"serverTime": now_ms, "retryAfter": now_ms + wait_ms}
        return Failure(refusal.status, refusal.code, refusal.message, data)

    def _tell(self, update: OrderUpdate) -> None:
        self.history.append(Execution(self.clock.monotonic_ns(), update.execution_id, update.order))
        payload = render_user_event(update, event_ms=self.clock.now_ms())
        for session in self._sessions.values():
            for number in session.subscriptions:
                session.wire.push(enveloped(payload, number))


class _Call:
    """One request on its way through the venue."""

    def __init__(self, venue: SimulatedVenue, wire: FaultyWire, request: ApiRequest, receipt: Receipt) -> None:
        self.venue = venue
        self.wire = wire
        self.request = request
        self.receipt = receipt
        self.spec: AnySpec | None = by_method(request.method)
        self.weight = self.spec.weight(request.params) if self.spec is not None else 1
        self._loop = asyncio.get_running_loop()

    def begin(self, fault: Fault) -> None:
        """Follow the fault."""
        if fault.stray:
            self.wire.push(fault.stray)
        if fault.bans:
            self.venue.ban(fault.retry_after_s or 0)
            self._refuse(fault)
        elif fault.executes:
            self._loop.call_later(fault.work_s, self._execute, fault)
        elif fault.is_answered:
            self._loop.call_later(fault.reply_s, self._refuse, fault)

    def _execute(self, fault: Fault) -> None:
        is_about_connection = self.request.method.startswith(("session.", "userDataStream."))
        if is_about_connection and not self.venue.is_open(self.wire):
            return
        outcome: object
        try:
            outcome = self.venue.perform(self)
        except Refusal as refusal:
            outcome = self.venue.refused(self, refusal)
        if fault.mangles and not isinstance(outcome, Failure):
            outcome = MANGLED
        if fault.status != 200:
            outcome = Failure(fault.status, fault.code, fault.text)
        if fault.is_answered:
            for copy in range(fault.copies):
                self._loop.call_later(fault.reply_s + 0.05 * copy, self.answer, outcome)

    def _refuse(self, fault: Fault) -> None:
        if fault.retry_after_s is not None:
            wait_ms = int(fault.retry_after_s * 1_000)
            refusal = LimitReached(fault.code, fault.text, status=fault.status, retry_after_ms=wait_ms)
            self.answer(self.venue.limited(self, refusal, wait_ms))
        else:
            self.answer(Failure(fault.status, fault.code, fault.text))

    def answer(self, outcome: object) -> None:
        """Send a result or a failure."""
        limits = self.venue.shown_limits(self.wire, self.request)
        if isinstance(outcome, Failure):
            self.wire.push(failure(self.request.id, outcome, limits))
        else:
            self.wire.push(success(self.request.id, outcome, limits))


def _ban_text(until_ms: int) -> str:
    return f"Way too much request weight used; IP banned until {until_ms}. Please use WebSocket Streams."
