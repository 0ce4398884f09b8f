"""The order path: an order is named before it is sent, sent once, and never forgotten (DESIGN 4.7).

A timeout is a state, not an answer: the venue is asked what became of the order, and the client is told that. Nothing
in here ever sends an order a second time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from cryptotrader.config import get_logger
from cryptotrader.core.clock import NS_PER_S, to_ms
from cryptotrader.core.errors import (
    CryptotraderError,
    InvalidParams,
    MessageRateExceeded,
    UnknownOutcome,
    VenueError,
    VenueRejected,
    VenueTimeout,
)
from cryptotrader.core.orders import OrderStatus
from cryptotrader.net import Supervisor
from cryptotrader.net.clock import WaitingClock
from cryptotrader.services.binance.validate import parse_params
from cryptotrader.services.binance.websocketAPI.trading_requests.cancel_order import SPEC as CANCEL_ORDER
from cryptotrader.services.binance.websocketAPI.trading_requests.place_new_order import SPEC as PLACE_ORDER
from cryptotrader.services.binance.websocketAPI.trading_requests.test_new_order import SPEC as TEST_ORDER
from cryptotrader.telemetry.metrics import ORDERS
from cryptotrader.trading.ids import ClientOrderIds, id_for_key
from cryptotrader.trading.memory import Entry, OrderMemory
from cryptotrader.trading.outcome import (
    OrderState,
    ResolvePolicy,
    Verdict,
    cancelled_from_report,
    is_same_order,
    leaves_open,
)
from cryptotrader.trading.ports import Upstream
from cryptotrader.trading.request import OrderRequest
from cryptotrader.trading.resolver import Finding, Resolver

log = get_logger(__name__)

MAX_IN_FLIGHT = 500
"""Most orders on their way at a time. Reason: far above any venue's limit (50 in ten seconds); more means a fault."""

KEY_MEMORY_S = 24 * 3600
"""How long an ``Idempotency-Key`` is remembered. Unit: seconds. Reason: what payment interfaces promise."""

OWN_ID_MEMORY_S = 600
"""How long a client's own order id is. Unit: seconds. Reason: covers retries; Binance lets an id be used again once its
order is done, and bots do so."""

OLDER_MS = 10_000
"""An order that was placed this long before ours was sent is not ours, though it bears the client's own name. Unit: ms.
Reason: far above the error of the venue's clock as we know it, far below the time in which names are used again."""

OTHER_ORDER = "Idempotency-Key was used with a different order"

UNKNOWN_ORDER = "Unknown order sent."
"""``errors.md``, message of -2011."""


@dataclass(frozen=True)
class Placed:
    """An order that exists.

    Attributes:
        body: The venue's answer, or the same shape made from the order's state.
        client_order_id: Its name.
        is_replay: Whether this request had been answered before; nothing was sent for it now.
        is_resolved: Whether the state was found out by asking, because the venue had not answered.
    """

    body: bytes
    client_order_id: str
    is_replay: bool = False
    is_resolved: bool = False


Outcome = Placed | CryptotraderError


class NotPlaced(VenueTimeout):
    """The venue did not answer an order, and the order surely does not exist."""


class OrderDesk:
    """Places and cancels orders.

    Args:
        upstream: The venue's REST client.
        clock: Time, and waiting.
        entropy: Random bytes for order ids, such as ``secrets.token_bytes``.
        policy: How the fate of an unanswered order is found out.
        has_predecessor: Whether a process before this one may have sent an order a moment ago that the venue still has
            in its queue. Until that cannot be any more, the absence of an order under a key is not believed at once.
    """

    def __init__(
        self,
        upstream: Upstream,
        clock: WaitingClock,
        *,
        entropy: Callable[[int], bytes],
        policy: ResolvePolicy | None = None,
        has_predecessor: bool = False,
    ) -> None:
        self._upstream = upstream
        self._clock = clock
        self._ids = ClientOrderIds(entropy)
        policy = policy or ResolvePolicy()
        self._resolver = Resolver(upstream, clock, policy)
        self._started_ns = clock.monotonic_ns()
        self._alone_ns = self._started_ns + int(has_predecessor * policy.processing_window_s * NS_PER_S)
        self._memory: OrderMemory[Outcome] = OrderMemory()
        self._jobs = Supervisor("orders", max_jobs=MAX_IN_FLIGHT)

    @property
    def in_flight(self) -> int:
        """Orders sent and not answered yet."""
        return self._jobs.job_count

    async def close(self) -> None:
        """Give up what is still on its way."""
        await self._jobs.close()

    async def test(self, order: OrderRequest) -> bytes:
        """Have the venue check an order without placing it (``POST /api/v3/order/test``)."""
        fields = {name: value for name, value in order.fields if name != "newOrderRespType"}
        fields["newClientOrderId"] = order.client_order_id or self._new_id()
        return (await self._upstream.raw(TEST_ORDER, parse_params(TEST_ORDER, fields))).body

    async def place(self, account: str, order: OrderRequest, *, idempotency_key: str | None = None) -> Placed:
        """Place an order once.

        Args:
            account: Whose order it is; keys of different accounts never meet.
            order: What to place.
            idempotency_key: The same key with the same order gives the same order's answer.

        Raises:
            InvalidParams: The key was used with a different order.
            UnknownOutcome: The venue did not answer and the order surely does not exist, or nobody knows; its
                ``client_order_id`` can be asked for.
            CryptotraderError: The venue refused, or could not be reached.
        """
        slot, age_s = self._slot(account, order, idempotency_key)
        entry = self._memory.find(slot, self._clock.monotonic_ns()) if slot else None
        while slot is not None and entry is not None:
            if entry.fingerprint != order.fingerprint:
                if idempotency_key is not None:
                    raise InvalidParams(OTHER_ORDER, param="Idempotency-Key")
                # The venue decides about an id that is used again.
                slot = None
            elif idempotency_key is not None or not await self._frees_name(entry, order):
                return await self._replay(slot, entry, order)
            else:
                self._memory.forget(slot, entry)
                entry = self._memory.find(slot, self._clock.monotonic_ns())
        if self._jobs.job_count >= MAX_IN_FLIGHT:
            raise MessageRateExceeded("Too many orders on their way", retry_after_s=1)
        client_order_id = order.client_order_id or (
            id_for_key(account, idempotency_key) if idempotency_key is not None else self._new_id()
        )
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        since_ms = 0 if order.client_order_id is None else self._upstream.venue_now_ms() - OLDER_MS
        if slot is not None:
            self._memory.add(slot, Entry(order.fingerprint, outcome, self._clock.monotonic_ns(), age_s, since_ms))
        # A name that follows from the key may have been placed before a restart. A client's own name may rightly be
        # that of an older order, which must not be taken for this one.
        ask_first = idempotency_key is not None and order.client_order_id is None

        async def job() -> None:
            # What stands where the job ends otherwise: cancelled at shutdown, or by a fault in here.
            result: Outcome = _unknown(order.symbol, client_order_id)
            try:
                result = await self._attempt(order, client_order_id, since_ms=since_ms, ask_first=ask_first)
            except CryptotraderError as error:
                result = error
            finally:
                if slot is not None and not isinstance(result, (Placed, UnknownOutcome)):
                    self._memory.forget(slot)  # no order came to be; the same key may place it
                outcome.set_result(result)

        # In a job of its own: a client that hangs up must not leave its order half handled.
        self._jobs.start("order", job)
        return _value(await asyncio.shield(outcome))

    async def place_once(self, order: OrderRequest, *, since_ns: int | None) -> Placed:
        """Place an order with a name that no other order ever bears, however often this is called.

        Args:
            order: What to place; it has a client order id.
            since_ns: The last monotonic time at which it may have been sent, by this process or one before it: then it
                is looked for first. None where it never was.

        Raises:
            NotPlaced: It surely does not exist.
            VenueTimeout: Nobody knows; neither do they after ``UnknownOutcome``. It may have been sent until now.
            CryptotraderError: The venue refused, or could not be reached: it was not sent now.
        """
        name = order.client_order_id
        if name is None:
            raise InvalidParams("an order that is placed once needs a name", param="newClientOrderId")
        if since_ns is not None:
            which = {"symbol": order.symbol, "origClientOrderId": name}
            finding = await self._resolver.resolve(which, sent_ns=since_ns)
            if finding.verdict is Verdict.UNKNOWN:
                raise VenueTimeout("no answer to a question about an order")
            if finding.verdict is Verdict.LANDED:
                return replace(await self._landed(order, name, finding), is_replay=True)
        return await self._attempt(order, name, since_ms=0, ask_first=False)

    async def state(self, symbol: str, client_order_id: str) -> OrderState | None:
        """Where an order stands now; None where the venue knows none of this name.

        Raises:
            CryptotraderError: The venue did not say.
        """
        report = await self._resolver.look({"symbol": symbol, "origClientOrderId": client_order_id})
        return None if report is None else Finding(Verdict.LANDED, report).state

    async def cancel(self, which: Mapping[str, str]) -> bytes:
        """Cancel an order; a silent venue is asked for the order's state instead of being told again.

        Args:
            which: Wire parameters of ``DELETE /api/v3/order``.

        Raises:
            VenueTimeout: The venue did not answer, and the order still stands or nothing is known.
            CryptotraderError: The venue refused, or could not be reached.
        """
        sent_ns = self._clock.monotonic_ns()
        try:
            return (await self._upstream.raw(CANCEL_ORDER, parse_params(CANCEL_ORDER, which))).body
        except CryptotraderError as error:
            if not leaves_open(error):
                raise
            log.warning(f"no answer to the cancellation of an order of {which['symbol']}: asking for its state")
            names = ("symbol", "orderId", "origClientOrderId")
            finding = await self._resolver.resolve(
                {name: which[name] for name in names if name in which}, sent_ns=sent_ns, wait_for_end=True
            )
            if finding.verdict is not Verdict.LANDED:
                raise VenueTimeout("no answer to a cancellation") from error
        if finding.state.status == OrderStatus.CANCELED:
            return cancelled_from_report(finding.report)
        if finding.state.is_open:
            raise VenueTimeout("no answer to a cancellation")
        raise VenueRejected(UNKNOWN_ORDER, venue_code=-2011)

    def _new_id(self) -> str:
        return self._ids.make(to_ms(self._clock.now_ns()))

    @staticmethod
    def _slot(account: str, order: OrderRequest, key: str | None) -> tuple[str | None, int]:
        """Under which name the outcome is remembered, and for how long."""
        if key is not None:
            return f"key {account} {key}", KEY_MEMORY_S
        if order.client_order_id is not None:
            return f"id {account} {order.symbol} {order.client_order_id}", OWN_ID_MEMORY_S
        return None, 0

    async def _frees_name(self, entry: Entry[Outcome], order: OrderRequest) -> bool:
        """Whether the order that bears the client's own name is over, so that an equal one is a new wish, no repeat."""
        result = await asyncio.shield(entry.outcome)
        if not isinstance(result, Placed):
            return False
        try:
            report = await self._resolver.look({"symbol": order.symbol, "origClientOrderId": result.client_order_id})
        except CryptotraderError:
            return False
        return report is not None and Finding(Verdict.LANDED, report).state.frees_name

    async def _replay(self, slot: str, entry: Entry[Outcome], order: OrderRequest) -> Placed:
        """The answer of an earlier, equal request; where that one never learnt it, ask the venue again."""
        result = await asyncio.shield(entry.outcome)
        if isinstance(result, UnknownOutcome):
            which = {"symbol": order.symbol, "origClientOrderId": result.client_order_id}
            finding = await self._resolver.resolve(which, sent_ns=entry.started_ns, since_ms=entry.since_ms)
            if finding.verdict is Verdict.ABSENT:
                self._memory.forget(slot)
                raise VenueTimeout("the order was not placed")
            if finding.verdict is Verdict.LANDED:
                result = await self._landed(order, result.client_order_id, finding)
                entry.outcome = asyncio.get_running_loop().create_future()
                entry.outcome.set_result(result)
        return replace(_value(result), is_replay=True)

    async def _look_first(self, which: Mapping[str, str]) -> bytes | None:
        """What the venue knows of a name that a process before this one may have used."""
        if self._clock.monotonic_ns() >= self._alone_ns:
            return await self._resolver.look(which)
        finding = await self._resolver.resolve(which, sent_ns=self._started_ns)
        if finding.verdict is Verdict.UNKNOWN:
            raise VenueTimeout("no answer to a question about an order")
        return finding.report or None

    async def _attempt(self, order: OrderRequest, client_order_id: str, *, since_ms: int, ask_first: bool) -> Placed:
        """Send the order once and find out what became of it."""
        which = {"symbol": order.symbol, "origClientOrderId": client_order_id}
        if ask_first and (report := await self._look_first(which)) is not None:
            # Placed before this process was started.
            if not is_same_order(report, order.fields):
                raise InvalidParams(OTHER_ORDER, param="Idempotency-Key")
            placed = await self._landed(order, client_order_id, Finding(Verdict.LANDED, report))
            return replace(placed, is_replay=True)
        params = parse_params(PLACE_ORDER, {**dict(order.fields), "newClientOrderId": client_order_id})
        sent_ns = self._clock.monotonic_ns()
        try:
            answer = await self._upstream.raw(PLACE_ORDER, params)
        except CryptotraderError as error:
            if not leaves_open(error):
                ORDERS.labels("refused").inc()
                raise
            log.warning(f"no answer to order {client_order_id} of {order.symbol}: asking for its state")
            # It may have waited before it left; only from then on does the venue's window count.
            sent_ns = max(sent_ns, (error.sent_ns if isinstance(error, VenueError) else None) or 0)
        else:
            ORDERS.labels("answered").inc()
            return Placed(answer.body, client_order_id)
        finding = await self._resolver.resolve(which, sent_ns=sent_ns, since_ms=since_ms)
        ORDERS.labels(f"resolved_{finding.verdict.value}").inc()
        log.warning(f"order {client_order_id} of {order.symbol}: {finding.verdict.value}")
        match finding.verdict:
            case Verdict.LANDED:
                return await self._landed(order, client_order_id, finding)
            case Verdict.ABSENT:
                raise NotPlaced("the order was not placed")
            case Verdict.UNKNOWN:
                raise _unknown(order.symbol, client_order_id)

    async def _landed(self, order: OrderRequest, client_order_id: str, finding: Finding) -> Placed:
        body = await self._resolver.as_placed(order.symbol, finding)
        return Placed(body, client_order_id, is_resolved=True)


def _unknown(symbol: str, client_order_id: str) -> UnknownOutcome:
    return UnknownOutcome("the venue did not answer", symbol=symbol, client_order_id=client_order_id)


def _value(outcome: Outcome) -> Placed:
    """What was placed, or the error raised."""
    if isinstance(outcome, Placed):
        return outcome
    raise outcome
