"""From a request to its answer: the one door that REST and WebSocket API share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from cryptotrader.core.clock import to_ms
from cryptotrader.core.orders import OrderStatus
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.engine.events import OrderUpdate, UserEvent
from cryptotrader.exchange.latency import Road
from cryptotrader.exchange.protocol.faults import FaultKind, FaultSpec
from cryptotrader.exchange.protocol.limits import banned_text, too_much_weight_text
from cryptotrader.exchange.protocol.operations import (
    account,
    list_questions,
    market,
    order_lists,
    price_range,
    replace,
    sor,
    trading,
    windows,
)
from cryptotrader.exchange.protocol.operations.call import Call, Desk, Endpoint
from cryptotrader.exchange.protocol.operations.refusals import (
    FAULT_TEXTS,
    TIMEOUT,
    UNKNOWN,
    UNKNOWN_TEXT,
    DetailedRefusal,
    FaultRefusal,
    Silence,
    http_status,
)
from cryptotrader.exchange.protocol.time_unit import params_in_millis
from cryptotrader.exchange.store import StoreBroken
from cryptotrader.services.binance.registry import AnySpec

MS_PER_S = 1_000

FREE_WHEN_DONE = frozenset(
    {
        "order.place",
        "order.cancel",
        "order.cancelReplace",
        "openOrders.cancelAll",
        "orderList.place",
        "orderList.place.oco",
        "orderList.place.oto",
        "orderList.place.otoco",
        "orderList.place.opo",
        "orderList.place.opoco",
        "orderList.cancel",
        "sor.order.place",
    }
)
"""Requests that weigh nothing when they succeed, since 2026-04-02."""

AMEND = "order.amend.keepPriority"
"""Weighs nothing where the order expires of it, and else its weight (Binance's ``CHANGELOG.md``, 2026-04-02)."""

ENDPOINTS: tuple[Endpoint, ...] = (
    *market.ENDPOINTS,
    *windows.ENDPOINTS,
    *price_range.ENDPOINTS,
    *trading.ENDPOINTS,
    *replace.ENDPOINTS,
    *order_lists.ENDPOINTS,
    *list_questions.ENDPOINTS,
    *sor.ENDPOINTS,
    *account.ENDPOINTS,
)
"""Every request that is answered here; those about a connection's session are answered by the connection."""


class Begun(msgspec.Struct, frozen=True, gc=False):
    """A request that was carried out."""

    answer: object
    refusal: Refusal | None = None
    """In place of an answer, where a part of it had an effect."""
    waits: bool = False
    """Whether nothing may be said before it is on disk."""


class Operations:
    """Answers requests whose sender has been checked."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._endpoints: dict[str, Endpoint] = {item.spec.name: item for item in ENDPOINTS}
        desk.venue.user.subscribe(self._on_user_event)

    def knows(self, spec: AnySpec) -> bool:
        """Whether the exchange answers this request."""
        return spec.name in self._endpoints

    def now_ms(self) -> int:
        """The exchange's time. Unit: epoch milliseconds."""
        return to_ms(self.desk.venue.clock.now_ns())

    def charge(self, spec: AnySpec, params: Mapping[str, Any], *, address: str) -> int:
        """Add a request's weight to its address; returns the weight.

        Raises:
            LimitReached: The address has used up its minute, or is banned.
        """
        try:
            weight = spec.weight(params)
        except (ValueError, TypeError):
            weight = spec.weight({})
        self.desk.weights.charge(address, weight, now_ms=self.now_ms())
        return weight

    def settle(self, spec: AnySpec, weight: int, *, address: str, answer: object) -> None:
        """Give back the weight of a request that succeeded and is then free."""
        if spec.name in FREE_WHEN_DONE or (spec.name == AMEND and _has_expired(answer)):
            self.desk.weights.refund(address, weight, now_ms=self.now_ms())

    async def call(
        self, spec: AnySpec, params: Mapping[str, Any], account: str | None, *, road: Road | None = None
    ) -> object:
        """The answer, fit for JSON, once everything that it acknowledges is on disk.

        Args:
            spec: The request.
            params: As they came; what belongs to authentication may be among them.
            account: Whose request it is; None where nobody had to say.
            road: The connection's, where it carries several requests at a time.

        Raises:
            Refusal: With Binance's number and text.
            Silence: A fault wants no answer to be sent.
        """
        if account is None:
            return await self._carry_out(spec, params, account)
        roads = self.desk.roads
        latency = roads.of(self.desk.venue.account(account).latency)
        if latency.is_none and (road is None or road.is_empty):
            return await self._carry_out(spec, params, account)
        road = road or Road()
        await roads.travel(road.there, account, latency)
        try:
            answer = await self._carry_out(spec, params, account)
        except Refusal:
            await roads.travel(road.back, account, latency)
            raise
        await roads.travel(road.back, account, latency)
        return answer

    def goes_straight(self, account: str | None) -> bool:
        """Whether nothing but the disk lies between a request of an account and its answer: no latency, no fault."""
        desk = self.desk
        if not desk.faults.is_empty:
            return False
        return account is None or desk.roads.of(desk.venue.account(account).latency).is_none

    async def _carry_out(self, spec: AnySpec, params: Mapping[str, Any], account: str | None) -> object:
        fault = self.desk.faults.take(spec.name, account or "", self.now_ms())
        if fault is not None and not fault.kind.lands:
            raise self._befall(fault)
        try:
            answer = await self._perform(spec, params, account)
        except Refusal:
            if fault is not None and fault.kind is not FaultKind.DELAY:
                raise self._befall(fault) from None
            raise
        if fault is None:
            return answer
        if fault.kind is FaultKind.DELAY:
            await asyncio.sleep(fault.delay_ms / 1_000)
            return answer
        raise self._befall(fault)

    def _befall(self, fault: FaultSpec) -> Exception:
        """What a fault makes of a request."""
        if fault.kind.is_silent or fault.kind.closes:
            return Silence(closes=fault.kind.closes)
        if fault.kind in (FaultKind.RATE_LIMIT, FaultKind.BAN):
            return self._storm(fault)
        code = fault.code if fault.code is not None else (TIMEOUT if fault.kind.lands else UNKNOWN)
        text = fault.msg or FAULT_TEXTS.get(code, UNKNOWN_TEXT)
        status = fault.status or http_status(Refusal(code, text))
        retry_after_s = fault.retry_after_s if status in (418, 429) else None
        return FaultRefusal(code, text, status=status, retry_after_s=retry_after_s)

    def _storm(self, fault: FaultSpec) -> FaultRefusal:
        """A 429 or 418, in the words of the limits themselves."""
        if fault.kind is FaultKind.RATE_LIMIT:
            status, text = 429, too_much_weight_text(self.desk.limits.request_weight)
        else:
            status, text = 418, banned_text(self.now_ms() + fault.retry_after_s * MS_PER_S)
        return FaultRefusal(
            fault.code or -1003, fault.msg or text, status=fault.status or status, retry_after_s=fault.retry_after_s
        )

    async def _perform(self, spec: AnySpec, params: Mapping[str, Any], account: str | None) -> object:
        begun = self.begin(spec, params, account)
        if begun.waits:
            try:
                await self.desk.venue.committed()
            except StoreBroken:
                raise Refusal(UNKNOWN, UNKNOWN_TEXT) from None
        if begun.refusal is not None:
            raise begun.refusal
        return begun.answer

    def begin(self, spec: AnySpec, params: Mapping[str, Any], account: str | None) -> Begun:
        """Carry a request out, with what it changes not on disk yet: for those who see to that before they answer.

        Raises:
            Refusal: It had no effect.
        """
        known = self._endpoints.get(spec.name)
        if known is None:
            raise Refusal(-1020, "This operation is not supported.")
        call = Call(desk=self.desk, account=account or "", now_ms=self.now_ms())
        try:
            if spec.needs_key:
                self.desk.venue.require_store()
            answer = known.answer(call, params_in_millis(params))
        except DetailedRefusal as refusal:
            if not refusal.has_effect:
                raise
            return Begun(None, refusal, waits=True)
        except StoreBroken:
            raise Refusal(UNKNOWN, UNKNOWN_TEXT) from None
        return Begun(answer, waits=spec.needs_key)

    def tell_when_committed(self, told: Callable[[bool], None]) -> None:
        """Call back when everything that was carried out is on disk, or cannot be.

        Raises:
            Refusal: It cannot be.
        """
        try:
            self.desk.venue.tell_when_committed(told)
        except StoreBroken:
            raise Refusal(UNKNOWN, UNKNOWN_TEXT) from None

    def _on_user_event(self, event: tuple[str, UserEvent]) -> None:
        """An order's first fill takes it out of the unfilled count."""
        account, update = event
        if isinstance(update, OrderUpdate) and update.fill is not None and update.order.executed == update.fill.qty:
            self.desk.orders.filled(account, now_ms=update.time_ms, is_maker=update.fill.is_maker)


def _has_expired(amended: object) -> bool:
    """Whether the order of an amendment's answer is over."""
    order = amended.get("amendedOrder") if isinstance(amended, dict) else None
    return isinstance(order, dict) and order["status"] == OrderStatus.EXPIRED
