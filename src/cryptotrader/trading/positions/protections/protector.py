"""Protections of one account's positions: kept, watched, carried out, reported (C-27)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from cryptotrader.bus import Topic
from cryptotrader.config import get_logger
from cryptotrader.core.errors import InvalidParams
from cryptotrader.core.events import SystemEvent
from cryptotrader.core.scaled import format_scaled
from cryptotrader.net import Supervisor
from cryptotrader.portfolio.protections import (
    Phase,
    Protection,
    Terms,
    arm,
    can_fire,
    cleared,
    gone,
    has_seen,
    observe,
)
from cryptotrader.trading.positions.ports import Change, Market, Venue
from cryptotrader.trading.positions.protections.sale import Sale, SaleDeps
from cryptotrader.trading.positions.protections.watch import Prices
from cryptotrader.trading.positions.store import Store

log = get_logger(__name__)

MAX_PROTECTIONS = 500
"""Positions protected at a time. Reason: each has a job, and a trade stream of its own at the venue."""

LATE_MS = 5_000
"""A price that is older than this when it is looked at passed while nobody watched. Unit: milliseconds."""

SEEN_MS = 10_000
"""How far prices are seen before that is written down. Unit: milliseconds. Reason: after a crash the prices since then
are looked up again, which gives the same; only the request is larger."""

BUSY = "the protection has fired and its order is under way"


@dataclass(frozen=True)
class ProtectorDeps:
    """What a protector needs.

    Attributes:
        market: Live trades.
        venue: Prices that were missed.
        store: Keeps protections.
        sale: What sales need.
    """

    market: Market
    venue: Venue
    store: Store
    sale: SaleDeps


class Protector:
    """Watches over positions.

    Args:
        account: Whose.
        deps: What it needs.
        on_change: Called with a symbol whose protection changed in a way that clients see.
        on_price: Called with each price that was seen of a symbol, and its time.
    """

    def __init__(
        self,
        account: str,
        deps: ProtectorDeps,
        *,
        on_change: Callable[[str], None],
        on_price: Callable[[str, int, int], None],
    ) -> None:
        self.topic: Topic[SystemEvent] = Topic(f"protections of {account}")
        self._account = account
        self._deps = deps
        self._on_change = on_change
        self._on_price = on_price
        self._jobs = Supervisor(f"protections of {account}", max_jobs=MAX_PROTECTIONS + 1)
        self._states: dict[str, Protection] = {}
        self._written: dict[str, Protection] = {}
        self._guards: dict[str, asyncio.Task[None]] = {}
        self._prices: dict[str, Prices] = {}
        self._maybe_sent_ns: dict[tuple[str, int], int] = {}
        """By symbol and serial: the last time at which an earlier attempt at the sale may have sent its order."""
        self._started_ms = 0
        """When this process began to watch, by the venue's clock. Unit: epoch ms."""

    def start(self) -> None:
        """Go on with what is kept."""
        now_ns = self._deps.sale.clock.monotonic_ns()
        self._started_ms = self._deps.venue.venue_now_ms()
        for protection in self._deps.store.protections(self._account):
            self._states[protection.symbol] = self._written[protection.symbol] = protection
            if not protection.phase.is_over:
                self._maybe_sent_ns[protection.symbol, protection.serial] = now_ns
                self._guard(protection.symbol)

    async def close(self) -> None:
        """Watch no more; everything that matters is on disk, and how far was seen is written down."""
        await self._jobs.close()
        for symbol, state in self._states.items():
            if state != self._written.get(symbol):
                self._deps.store.saw(state)

    def of(self, symbol: str) -> Protection | None:
        """The latest protection of a symbol, unless it was taken back."""
        found = self._states.get(symbol)
        return None if found is None or found.phase is Phase.CLEARED else found

    @property
    def active(self) -> list[Protection]:
        """All that are not over."""
        return [state for state in self._states.values() if not state.phase.is_over]

    def change(self, symbol: str, change: Change, *, price: int) -> None:
        """Set, change or take away terms.

        Args:
            symbol: Whose position.
            change: What to change.
            price: The present one; terms that it meets already are refused.

        Raises:
            InvalidParams: The terms cannot be kept, would fire at once, or the protection has fired.
        """
        old = self._states.get(symbol)
        if old is not None and old.phase in (Phase.FIRED, Phase.PLACED):
            raise InvalidParams(BUSY, param="symbol")
        is_armed = old is not None and old.phase is Phase.ARMED
        terms = change.applied_to(old.terms if old is not None and is_armed else Terms())
        if old is not None and is_armed and terms == Terms():
            self.clear(symbol)
            return
        terms.check()
        _check_price(terms, price)
        if not is_armed and len(self.active) >= MAX_PROTECTIONS:
            raise InvalidParams(f"no more than {MAX_PROTECTIONS} positions can be protected", param="symbol")
        now_ms = self._deps.venue.venue_now_ms()
        serial = max(now_ms, old.serial + 1 if old is not None else 0)
        new = arm(self._account, symbol, terms, serial=serial, now_ms=now_ms)
        keeps_trail = old is not None and is_armed and old.terms.trailing_stop == terms.trailing_stop
        new = msgspec.structs.replace(new, high=max(old.high if old is not None and keeps_trail else 0, price))
        self._set(new)
        self._guard(symbol)

    def clear(self, symbol: str) -> None:
        """Take everything back; nothing happens where nothing is set.

        Raises:
            InvalidParams: It has fired, and its order is under way.
        """
        old = self._states.get(symbol)
        if old is not None and old.phase in (Phase.FIRED, Phase.PLACED):
            raise InvalidParams(BUSY, param="symbol")
        if old is not None:
            self._set(cleared(old))
            self._nudge(symbol)

    def on_closed(self, symbol: str) -> None:
        """The position holds nothing any more."""
        old = self._states.get(symbol)
        if old is not None and old.phase is Phase.ARMED:
            self._set(gone(old, "the position was closed"))
            self._nudge(symbol)

    def state(self, symbol: str) -> Protection:
        """The latest of a symbol that has one."""
        return self._states[symbol]

    def see(self, symbol: str, price: int, *, time_ms: int, trade_id: int) -> None:
        """A price of a symbol that has a protection, in order of time."""
        old = self._states[symbol]
        if old.phase is not Phase.ARMED or has_seen(old, time_ms=time_ms, trade_id=trade_id):
            return
        self._on_price(symbol, price, time_ms)
        # What passed before this process began was seen by nobody, however short the break was.
        is_late = time_ms < self._started_ms or self._deps.venue.venue_now_ms() - time_ms > LATE_MS
        new = observe(old, price, time_ms=time_ms, trade_id=trade_id, is_late=is_late)
        if new.phase is not Phase.ARMED:
            self._set(new)
            return
        self._states[symbol] = new
        if time_ms - self._written[symbol].seen_ms >= SEEN_MS:
            self._deps.store.saw(new)
            self._written[symbol] = new

    def _write(self, state: Protection) -> None:
        self._deps.store.keep(state)
        self._written[state.symbol] = state

    def _set(self, state: Protection) -> None:
        """Keep a state, and only then let it be true."""
        old = self._states.get(state.symbol)
        if state == old:
            return
        self._write(state)
        self._states[state.symbol] = state
        if (event := _report(old, state)) is not None:
            log.info(f"{state.symbol}: {event.event}: {event.detail}")
            self.topic.publish(event)
        self._on_change(state.symbol)

    def _nudge(self, symbol: str) -> None:
        if (prices := self._prices.get(symbol)) is not None:
            prices.nudge()

    def _guard(self, symbol: str) -> None:
        """Have one job look after a symbol's protection."""
        guard = self._guards.get(symbol)
        if guard is None or guard.done():
            self._guards[symbol] = self._jobs.start(f"guard {symbol}", lambda: self._look_after(symbol), restart=True)
        else:
            self._nudge(symbol)

    async def _look_after(self, symbol: str) -> None:
        while not (state := self._states[symbol]).phase.is_over:
            if state.phase is Phase.ARMED:
                deps = self._deps
                prices = Prices(symbol, deps.market, deps.venue, clock=deps.sale.clock)
                self._prices[symbol] = prices
                await prices.show(_SymbolWatcher(self, symbol))
                # Whatever comes of it was not sent before.
                self._maybe_sent_ns.pop((symbol, state.serial), None)
            else:
                await self._sell(state)

    async def _sell(self, state: Protection) -> None:
        """Carry a sale out; where an earlier attempt broke off, its order may be there already."""
        key = (state.symbol, state.serial)
        sale = Sale(state, self._set, self._deps.sale, since_ns=self._maybe_sent_ns.get(key))
        try:
            await sale.run()
        finally:
            self._maybe_sent_ns[key] = self._deps.sale.clock.monotonic_ns()
        del self._maybe_sent_ns[key]


class _SymbolWatcher:
    """One symbol's protection, as whoever brings prices sees it."""

    def __init__(self, protector: Protector, symbol: str) -> None:
        self._protector = protector
        self._symbol = symbol

    @property
    def seen_ms(self) -> int:
        return self._protector.state(self._symbol).seen_ms

    @property
    def is_armed(self) -> bool:
        return self._protector.state(self._symbol).phase is Phase.ARMED

    def can_fire(self, high: int, low: int) -> bool:
        return can_fire(self._protector.state(self._symbol), high=high, low=low)

    def see(self, price: int, *, time_ms: int, trade_id: int = -1) -> None:
        self._protector.see(self._symbol, price, time_ms=time_ms, trade_id=trade_id)


def _check_price(terms: Terms, price: int) -> None:
    if terms.stop_loss is not None and terms.stop_loss >= price:
        raise InvalidParams(f"stop_loss must be below the present price {format_scaled(price)}", param="stop_loss")
    if terms.take_profit is not None and terms.take_profit <= price:
        raise InvalidParams(f"take_profit must be above the present price {format_scaled(price)}", param="take_profit")


def _report(old: Protection | None, new: Protection) -> SystemEvent | None:
    """What an operator is told about a change; None where it is only bookkeeping, or the owner's own wish."""
    if old is not None and (old.phase, old.serial) == (new.phase, new.serial):
        return None
    at_ms = max(new.fired_ms, new.set_ms)
    sold = f"{format_scaled(new.filled)} of {format_scaled(new.wanted)} sold"
    match new.phase:
        case Phase.FIRED:
            when = ", late: the price had passed while nobody watched" if new.is_late else ""
            event, status = "protection_triggered", str(new.cause)
            detail = f"{new.cause} at {format_scaled(new.trigger_price)}{when}"
        case Phase.DONE:
            event, status, detail = "protection_done", "done", sold
        case Phase.PARTIAL:
            event, status, detail = "protection_partial", "partial", f"{sold}: {new.detail}"
        case Phase.REFUSED:
            event, status, detail = "protection_refused", "refused", new.detail
        case Phase.GONE:
            event = "protection_refused" if new.cause else "protection_done"
            status, detail = "gone", new.detail
        case _:
            return None
    return SystemEvent(event=event, status=status, at_ms=at_ms, symbol=new.symbol, detail=detail, account=new.account)
