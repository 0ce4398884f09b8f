"""Carries out a protection that has fired: one market order, placed once, and its fate found out.

Each step is kept before the next is taken. What cannot be done now is tried again for as long as it takes: a stop must
not be forgotten because the venue is away. What the venue refuses for good ends it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import msgspec

from cryptotrader.config import get_logger
from cryptotrader.core.errors import (
    CryptotraderError,
    MessageRateExceeded,
    NotConnected,
    UnknownOutcome,
    VenueRateLimited,
    VenueRejected,
    VenueTimeout,
    VenueUnreachable,
)
from cryptotrader.core.orders import OrderType, Side
from cryptotrader.core.scaled import format_scaled, parse_scaled
from cryptotrader.net.clock import WaitingClock
from cryptotrader.portfolio.protections import Lot, Phase, Protection, placed, refused, size
from cryptotrader.trading.orders import NotPlaced, OrderDesk
from cryptotrader.trading.outcome import OrderState
from cryptotrader.trading.request import OrderRequest

log = get_logger(__name__)

FIRST_RETRY_S = 0.25
LONGEST_RETRY_S = 5.0
"""Pauses before trying again; they double. Unit: seconds. Reason: the price moves on while one waits."""

FOLLOW_S = 1.0
"""How often the state of an order that is not done is asked for. Unit: seconds. Market orders are done at once."""

MAX_ABSENT = 10
"""After so many answers that an order does not exist which the venue took, it does not any more: it was wiped."""

DUPLICATE = "duplicate order"
"""How the venue words it, with code -2010, where an open order has the same name: it is ours."""

_AGAIN_CODES = frozenset({-1000, -1001, -1003, -1006, -1007, -1008, -1015, -1016, -1021, -1034})
"""``errors.md``: the venue is busy, restarts, or has us wait; none of it says anything about the order."""

SWITCHED_OFF = "live trading is switched off"


class Holdings(Protocol):
    """What there is to sell."""

    async def amount(self, symbol: str) -> int:
        """What the position holds, scaled, once all fills are counted."""
        ...

    async def free(self, symbol: str) -> int:
        """What of the base asset is not locked, scaled; raises VenueError."""
        ...

    async def lot(self, symbol: str) -> Lot:
        """What one market order may sell; raises VenueError or UnknownSymbol."""
        ...


@dataclass(frozen=True)
class SaleDeps:
    """What a sale needs.

    Attributes:
        desk: Places orders.
        holdings: What there is to sell.
        clock: Waiting.
        may_trade: False where orders would use real money and that was not switched on.
    """

    desk: OrderDesk
    holdings: Holdings
    clock: WaitingClock
    may_trade: bool


class Sale:
    """One protection from ``FIRED`` to its end.

    Args:
        protection: As it is kept.
        keep: Keeps every later state; when it returns, the disk has it.
        deps: What it needs.
        since_ns: The last monotonic time at which a process before this one may have sent its order; None where this
            process saw it fire.
    """

    def __init__(
        self,
        protection: Protection,
        keep: Callable[[Protection], None],
        deps: SaleDeps,
        *,
        since_ns: int | None,
    ) -> None:
        self._state = protection
        self._keep_on_disk = keep
        self._deps = deps
        # Its quantity is on disk before anything is sent: without one nothing was.
        self._since_ns = since_ns if protection.qty else None
        self._failures = 0

    async def run(self) -> None:
        """Return when nothing more will happen."""
        if self._state.phase is Phase.FIRED and not self._state.qty:
            if not self._deps.may_trade:
                self._keep(refused(self._state, SWITCHED_OFF))
                return
            await self._until_done(self._size)
        if self._state.phase is Phase.FIRED:
            await self._until_done(self._place)
        if self._state.phase is Phase.PLACED:
            await self._follow()

    def _keep(self, state: Protection) -> None:
        if state != self._state:
            self._keep_on_disk(state)
            self._state = state

    async def _until_done(self, step: Callable[[], Awaitable[None]]) -> None:
        """Take a step; what fails for a while is tried again."""
        while True:
            try:
                await step()
                self._failures = 0
                return
            except CryptotraderError as error:
                if not self._is_passing(error):
                    self._keep(refused(self._state, error.message.rstrip(".")))
                    return
                wait_s = max(self._pause_s(), error.retry_after_s or 0.0)
                log.warning(f"protection of {self._state.symbol}: {type(error).__name__} - again in {wait_s:.2f}s")
            await self._deps.clock.sleep(wait_s)

    def _pause_s(self) -> float:
        self._failures += 1
        return min(LONGEST_RETRY_S, FIRST_RETRY_S * 2.0 ** min(self._failures - 1, 16))

    def _is_passing(self, error: CryptotraderError) -> bool:
        """Whether trying again can help. Takes note of what may have been sent."""
        match error:
            case NotPlaced():
                self._since_ns = None
                return True
            case UnknownOutcome() | VenueTimeout():
                self._since_ns = self._deps.clock.monotonic_ns()
                return True
            case VenueUnreachable() | VenueRateLimited() | MessageRateExceeded() | NotConnected():
                return True
            case VenueRejected() if DUPLICATE in error.message.lower():
                self._since_ns = self._deps.clock.monotonic_ns()
                return True
            case VenueRejected():
                return error.http_status >= 500 or error.venue_code in _AGAIN_CODES
            case _:
                return False

    async def _size(self) -> None:
        symbol, holdings = self._state.symbol, self._deps.holdings
        lot, amount = await holdings.lot(symbol), await holdings.amount(symbol)
        self._keep(size(self._state, amount, free=await holdings.free(symbol), lot=lot))

    async def _place(self) -> None:
        if self._since_ns is None and not self._deps.may_trade:
            self._keep(refused(self._state, SWITCHED_OFF))
            return
        answer = await self._deps.desk.place_once(market_sale(self._state), since_ns=self._since_ns)
        self._take(msgspec.json.decode(answer.body, type=OrderState))

    def _take(self, order: OrderState) -> None:
        self._keep(placed(self._state, filled=parse_scaled(order.executed_qty), is_open=order.is_open))

    async def _follow(self) -> None:
        absent = 0
        while self._state.phase is Phase.PLACED:
            await self._deps.clock.sleep(FOLLOW_S)
            try:
                order = await self._deps.desk.state(self._state.symbol, self._state.client_order_id)
            except CryptotraderError as error:
                log.warning(f"protection of {self._state.symbol}: its order does not answer: {type(error).__name__}")
                await self._deps.clock.sleep(max(self._pause_s(), error.retry_after_s or 0.0))
                continue
            if order is not None:
                self._take(order)
                continue
            absent += 1
            if absent >= MAX_ABSENT:
                self._keep(placed(self._state, filled=self._state.filled, is_open=False))


def market_sale(protection: Protection) -> OrderRequest:
    """Its order: always the same one."""
    fields = {
        "symbol": protection.symbol,
        "side": Side.SELL.value,
        "type": OrderType.MARKET.value,
        "quantity": format_scaled(protection.qty),
        "newOrderRespType": "FULL",
    }
    return OrderRequest(protection.symbol, tuple(fields.items()), protection.client_order_id)
