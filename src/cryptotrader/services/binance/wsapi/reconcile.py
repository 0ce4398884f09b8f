"""The truth about a request that could trade and whose answer is lost. Pure.

The wait rule. A signed request is taken only while the venue's clock is at most ``recvWindow`` past its timestamp
(``web-socket-api.md``, "Timing security"), and the venue works on what it took for at most ten seconds more ("General
API information"). So "no such order" is final only when it was said after

    timestamp + recvWindow + ten seconds

of the venue's clock, and after as long a time by our own, should the venue's clock have been set meanwhile. Before that
the order may still arrive; whoever asks waits and asks again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, TypeVar

import msgspec

from cryptotrader.core.clock import NS_PER_MS, NS_PER_S
from cryptotrader.core.errors import (
    InvalidParams,
    NotConnected,
    UnknownOutcome,
    VenueAuthError,
    VenueError,
    VenueRejected,
)
from cryptotrader.net.clock import WaitingClock
from cryptotrader.services.binance.models.orders import OrderReport
from cryptotrader.services.binance.request import Params, RequestSpec
from cryptotrader.services.binance.websocketAPI.trading_requests import get_oco_order, query_order
from cryptotrader.services.binance.wsapi.correlation import ORDER_NAMES
from cryptotrader.services.binance.wsapi.reconnect import ConnectionPolicy

P = TypeVar("P", bound=Params)
R = TypeVar("R")


class Ask(Protocol):
    """Sends a request and waits for its typed result."""

    def __call__(self, spec: RequestSpec[P, R], params: P) -> Awaitable[R]:
        """Ask."""
        ...


Sync = Callable[[], Awaitable[None]]

MIN_PAUSE_S = 0.25
"""Shortest pause between two questions. Unit: seconds. Reason: a question costs weight."""

MAX_PAUSE_S = 2.0
"""Longest pause. Unit: seconds. Reason: an order that lands meanwhile should be told soon."""

MAX_AHEAD_MS = 1_000
"""How far a timestamp may be ahead of the venue's clock. Source: "Timing security"."""

NO_SUCH_ORDER = -2013
OPEN_STATES = frozenset({"NEW", "PARTIALLY_FILLED", "PENDING_NEW", "PENDING_CANCEL"})

LIST_CANCEL = "orderList.cancel"
_CANCELS = frozenset({"order.cancel", LIST_CANCEL, "openOrders.cancelAll"})
_CHANGES = _CANCELS | {"order.amend.keepPriority"}


class LostRequest(UnknownOutcome):
    """A request that could trade was sent and nobody knows what became of it. ``reconcile`` finds out.

    Attributes:
        method: What was asked.
        order_id: The venue's number of the order that a cancellation or change was about, if it was given.
        orig_client_order_id: The name of that order, if it was given.
        order_list_id: The venue's number of the list that a cancellation was about, if it was given.
        list_client_order_id: The name of that list, or of one to be placed.
        timestamp_ms: The venue's time when the request was signed.
        recv_window_ms: How long it stayed valid.
        sent_ns: When it left us, monotonic; None where that is not known.
    """

    def __init__(
        self,
        method: str,
        params: Mapping[str, object],
        *,
        timestamp_ms: int,
        recv_window_ms: float,
        sent_ns: int | None = None,
    ) -> None:
        names = ORDER_NAMES.get(method.removeprefix("v3/"), ("newClientOrderId",))
        super().__init__(
            f"the outcome of {method} is not known",
            symbol=str(params.get("symbol", "")),
            client_order_id=str(params.get(names[0], "")),
        )
        self.method = method.removeprefix("v3/")
        order_id = params.get("orderId")
        self.order_id = order_id if isinstance(order_id, int) else None
        self.orig_client_order_id = str(params.get("origClientOrderId") or "")
        list_id = params.get("orderListId")
        self.order_list_id = list_id if isinstance(list_id, int) else None
        self.list_client_order_id = str(params.get("listClientOrderId") or "")
        self.timestamp_ms = timestamp_ms
        self.recv_window_ms = recv_window_ms
        self.sent_ns = sent_ns

    @property
    def is_cancel(self) -> bool:
        """Whether it would have taken an order back."""
        return self.method in _CANCELS


def final_after_ms(outcome: UnknownOutcome, policy: ConnectionPolicy, *, now_ms: int) -> int:
    """The venue's time from which "no such order" is final; both are epoch milliseconds of the venue's clock.

    Args:
        outcome: What is not known; one of another part of the product carries no timestamp and counts from now.
        policy: Limits.
        now_ms: The venue's time now.
    """
    timestamp_ms, window_ms = now_ms, policy.recv_window_ms
    if isinstance(outcome, LostRequest):
        timestamp_ms, window_ms = outcome.timestamp_ms, outcome.recv_window_ms
    return int(timestamp_ms + window_ms + policy.engine_timeout_s * 1000) + 1


def final_after_ns(outcome: UnknownOutcome, policy: ConnectionPolicy, *, now_ns: int) -> int:
    """The same by our own monotonic clock, for a venue whose clock was set forward meanwhile; both must have passed.

    Args:
        outcome: What is not known; where it does not say when it was sent, it counts from now.
        policy: Limits.
        now_ns: Monotonic time.
    """
    sent_ns, window_ms = now_ns, policy.recv_window_ms
    if isinstance(outcome, LostRequest):
        sent_ns = now_ns if outcome.sent_ns is None else outcome.sent_ns
        window_ms = outcome.recv_window_ms
    return sent_ns + int((window_ms + MAX_AHEAD_MS) * NS_PER_MS + policy.engine_timeout_s * NS_PER_S)


def questions(outcome: UnknownOutcome) -> list[dict[str, object]]:
    """Parameters of ``order.status`` to ask with, in this order, until an order is found; none for an order list, whose
    orders have to be asked for first.

    A cancelled order is renamed by ``newClientOrderId`` of its cancellation, so that name is asked for first where
    nothing better is known.

    Raises:
        InvalidParams: Nothing is known to ask with, as for ``openOrders.cancelAll``: ask ``openOrders.status``.
    """
    asked: list[dict[str, object]] = []
    if isinstance(outcome, LostRequest) and outcome.method == LIST_CANCEL:
        if outcome.order_list_id is None and not outcome.list_client_order_id:
            raise InvalidParams("no order list is named", param="outcome", problem="missing")
        return asked
    if isinstance(outcome, LostRequest) and outcome.method in _CHANGES:
        if outcome.order_id is not None:
            asked.append({"symbol": outcome.symbol, "orderId": outcome.order_id})
        else:
            names = (outcome.client_order_id, outcome.orig_client_order_id)
            asked += [{"symbol": outcome.symbol, "origClientOrderId": name} for name in names if name]
    elif outcome.client_order_id:
        asked.append({"symbol": outcome.symbol, "origClientOrderId": outcome.client_order_id})
    if not asked or not outcome.symbol:
        raise InvalidParams("no order is named; ask openOrders.status", param="outcome", problem="missing")
    return asked


def is_settled(outcome: UnknownOutcome, status: str | None, *, now_ms: int, final_ms: int) -> bool:
    """Whether an answer is the truth for good.

    Args:
        outcome: What was asked about.
        status: The order's status; None where no order was found.
        now_ms: The venue's time when the question was asked.
        final_ms: From ``final_after_ms``.
    """
    if now_ms >= final_ms:
        return True
    if isinstance(outcome, LostRequest) and outcome.method in _CHANGES:
        # A cancellation may still be on its way to an order that is open.
        return status is not None and status not in OPEN_STATES
    return status is not None


class Truth:
    """Finds out what became of one request.

    Args:
        outcome: What is not known.
        policy: Limits.
        clock: Waiting.
        venue_ms: The venue's time as far as it is known.
    """

    def __init__(
        self, outcome: UnknownOutcome, policy: ConnectionPolicy, *, clock: WaitingClock, venue_ms: Callable[[], int]
    ) -> None:
        self._outcome = outcome
        self._policy = policy
        self._clock = clock
        self._venue_ms = venue_ms
        self._questions = questions(outcome)
        self._final_ms = final_after_ms(outcome, policy, now_ms=venue_ms())
        self._final_ns = final_after_ns(outcome, policy, now_ns=clock.monotonic_ns())

    async def find(self, request: Ask, sync_clock: Sync, *, timeout_s: float | None = None) -> OrderReport | None:
        """Ask until the answer is final.

        Raises:
            UnknownOutcome: It could not be had in time.
        """
        limit_s = self._policy.reconcile_timeout_s if timeout_s is None else timeout_s
        end_ns = self._clock.monotonic_ns() + int(limit_s * NS_PER_S)
        is_synced = False
        while True:
            try:
                is_over = self._clock.monotonic_ns() >= self._final_ns and self._venue_ms() >= self._final_ms
                if is_over and not is_synced:
                    # The rule is about the venue's clock, so it is read before anything is believed for good.
                    await sync_clock()
                    is_synced = True
                asked_ms = self._venue_ms()
                found = await self._ask(request)
                now_ms = asked_ms if is_synced else min(asked_ms, self._final_ms - 1)
                status = found.status if found is not None else None
                if is_settled(self._outcome, status, now_ms=now_ms, final_ms=self._final_ms):
                    return found
                left_s = (self._final_ns - self._clock.monotonic_ns()) / NS_PER_S
                wait_s = max((self._final_ms - asked_ms) / 1000, left_s)
            except VenueAuthError:
                raise
            except (VenueError, NotConnected) as error:
                wait_s = error.retry_after_s or 0.0
            wait_s = min(max(wait_s, MIN_PAUSE_S), MAX_PAUSE_S)
            if self._clock.monotonic_ns() + wait_s * NS_PER_S > end_ns:
                raise self._outcome
            await self._clock.sleep(wait_s)

    async def _ask(self, request: Ask) -> OrderReport | None:
        for question in self._questions or await self._members(request):
            try:
                return await request(query_order.SPEC, msgspec.convert(question, query_order.QueryOrderParams))
            except VenueRejected as error:
                if error.venue_code != NO_SUCH_ORDER:
                    raise
        return None

    async def _members(self, request: Ask) -> list[dict[str, object]]:
        """The question about the first order of a list: a list is cancelled whole, and its orders tell no list."""
        assert isinstance(self._outcome, LostRequest)
        number, name = self._outcome.order_list_id, self._outcome.list_client_order_id
        params = get_oco_order.QueryOrderListParams(
            order_list_id=number, orig_client_order_id=name if number is None else None
        )
        try:
            found = await request(get_oco_order.SPEC, params)
        except VenueRejected as error:
            if error.venue_code != NO_SUCH_ORDER:
                raise
            return []
        return [{"symbol": found.symbol, "orderId": order.order_id} for order in found.orders[:1]]
