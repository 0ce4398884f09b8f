"""A truthful venue behind ``/ws-api/v3`` for simulations: real matching, real counting, faults by request.

It executes what reaches it exactly once, remembers what it did, and answers, stays silent or lies about its own health
as its faults say; but it never says of an order what is not so. Sources: ``web-socket-api.md``, ``errors.md``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cryptotrader.core.clock import NS_PER_MS
from cryptotrader.core.errors import VenueBanned, VenueError
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.engine.events import OrderUpdate
from cryptotrader.exchange.engine.orders import Order
from cryptotrader.exchange.protocol.limits import LimitPolicy, LimitReached, OrderCounter, WeightMeter
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
from cryptotrader.testing.simulation import SimulatedClock

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


@dataclass(frozen=True)
class Fault:
    """What happens to one request. The default is: it is carried out and answered."""

    executes: bool = True
    """Whether it is carried out; where it is not, ``status`` and ``code`` are the answer."""
    is_answered: bool = True
    status: int = 200
    """Anything else than 200 is answered instead of the result."""
    code: int = 0
    text: str = ""
    retry_after_s: float | None = None
    bans: bool = False
    """Everything is refused with 418 for ``retry_after_s``, and the connection is closed."""
    work_s: float = 0.001
    """From its arrival to its execution; below the ten seconds after which the venue stops working on it."""
    reply_s: float = 0.0
    """From its execution to its answer."""
    mangles: bool = False
    """Whether the answer is ``MANGLED`` instead of the result."""
    copies: int = 1
    """How often the answer is sent."""
    stray: bytes = b""
    """Something that nobody asked for, sent before the answer."""


@dataclass(frozen=True)
class Receipt:
    """One request as it reached the venue."""

    wire: int
    id: bytes
    method: str
    params: Mapping[str, str]
    arrived_ns: int
    sent_ns: int
    """When it left the client. Unit: monotonic nanoseconds, true time."""


@dataclass(frozen=True)
class Overrun:
    """A request, or a connection, that broke a limit of the venue."""

    at_ns: int
    status: int
    method: str


@dataclass(frozen=True)
class Pause:
    """A pause that the venue asked for."""

    receipt: Receipt
    """Of the request that was refused."""
    status: int
    code: int
    said_ns: int
    until_ns: int
    """Unit of both: monotonic nanoseconds, true time."""


@dataclass(frozen=True)
class Execution:
    """Something that happened to an order."""

    at_ns: int
    """Unit: monotonic nanoseconds, true time."""
    execution_id: int
    order: Order
    """As it was from then on."""


@dataclass
class _Session:
    wire: FaultyWire
    limits_shown: bool
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
        if params.get("apiKey") != API_KEY:
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
        if not verify("hmac", SECRET, signing_payload_ws(params), signature=params.get("signature", "")):
            raise Refusal(-1022, "Signature for this request is not valid.")

    def perform(self, call: _Call) -> object:
        """Carry a request out; raises Refusal."""
        params, now_ms = call.request.params, self.clock.now_ms()
        if call.spec is not None and call.spec.order_count:
            # Again, since others may have been on their way at the same time.
            self.counts.check(ACCOUNT, now_ms=now_ms, orders=call.spec.order_count)
        self.executed.append(call.receipt)
        match call.request.method:
            case "order.place":
                self.counts.placed(ACCOUNT, now_ms=now_ms)
                try:
                    return self.desk.place(params, now_ms)
                except Refusal:
                    self.counts.release(ACCOUNT, now_ms=now_ms)
                    raise
            case "order.cancel":
                return self.desk.cancel(params, now_ms)
            case "openOrders.cancelAll":
                return self.desk.cancel_all(params, now_ms)
            case "order.status":
                return self.desk.status(params)
            case "openOrders.status":
                return self.desk.open_orders()
            case "account.status":
                return {"balances": self.desk.balances()}
            case "ticker.price":
                return {"symbol": params["symbol"], "price": "100.00000000"}
            case "time":
                return {"serverTime": now_ms}
            case "userDataStream.subscribe.signature":
                session = self._sessions[call.receipt.wire]
                if session.subscriptions:
                    raise Refusal(-2035, "User Data Stream subscription already active.")
                number, session.next_subscription = session.next_subscription, session.next_subscription + 1
                session.subscriptions.add(number)
                return {"subscriptionId": number}
            case "userDataStream.unsubscribe":
                self._sessions[call.receipt.wire].subscriptions.clear()
                return {}
            case _:
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
        if (
            self.spec is not None
            and self.spec.method.startswith("userDataStream")
            and not self.venue.is_open(self.wire)
        ):
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
