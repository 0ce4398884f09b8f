"""Protections of a position: stop loss, take profit, trailing stop (C-27). Pure: prices and answers in, states out.

A protection lives through ``ARMED -> FIRED -> PLACED -> DONE``, or ends as ``PARTIAL``, ``REFUSED`` or ``GONE``. It
fires once: its order bears an id that follows from its account, symbol and serial number, so that it can be looked for
after a crash and is never placed twice. Every state is kept before anything is done because of it.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum

import msgspec

from cryptotrader.core.errors import InvalidParams
from cryptotrader.core.scaled import SCALE, format_scaled

PERCENT = 100

WHOLE = PERCENT * SCALE
"""One hundred percent, scaled."""

ID_CHARS = 24
"""Length of the hash in an order id. Unit: characters. Reason: 96 bits cannot collide, and an id has 36 at most."""


class Cause(StrEnum):
    """Which of the terms fired."""

    STOP_LOSS = "stop_loss"
    TAKE_PROFIT = "take_profit"
    TRAILING_STOP = "trailing_stop"


class Phase(StrEnum):
    """Where a protection stands."""

    ARMED = "armed"
    """It watches the price."""
    FIRED = "fired"
    """The price reached it; the order may or may not have been sent."""
    PLACED = "placed"
    """The venue has the order, which is not done yet."""
    DONE = "done"
    """The position was sold."""
    PARTIAL = "partial"
    """The order ended with a part unsold."""
    REFUSED = "refused"
    """The venue, or a filter, did not take the order, or nobody was there to buy."""
    GONE = "gone"
    """There was nothing left to sell."""
    CLEARED = "cleared"
    """Its owner took it back."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self not in (Phase.ARMED, Phase.FIRED, Phase.PLACED)


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """When to sell. Prices are scaled; ``trailing_stop`` is a scaled percentage (2.5 is 250000000)."""

    stop_loss: int | None = None
    take_profit: int | None = None
    trailing_stop: int | None = None

    def check(self) -> None:
        """Make sure that they can be kept.

        Raises:
            InvalidParams: None is given, one is not positive, or they contradict each other.
        """
        for name in ("stop_loss", "take_profit", "trailing_stop"):
            value: int | None = getattr(self, name)
            if value is not None and value <= 0:
                raise InvalidParams(f"{name} must be greater than zero", param=name)
        if self.stop_loss is None and self.take_profit is None and self.trailing_stop is None:
            raise InvalidParams("stop_loss, take_profit or trailing_stop is needed", param="stop_loss")
        if self.trailing_stop is not None and self.trailing_stop >= WHOLE:
            raise InvalidParams("trailing_stop must be less than 100 percent", param="trailing_stop")
        if self.stop_loss is not None and self.take_profit is not None and self.stop_loss >= self.take_profit:
            raise InvalidParams("stop_loss must be below take_profit", param="stop_loss")


class Protection(msgspec.Struct, frozen=True, kw_only=True):
    """One protection as it is kept. A new one for the same position has the next serial number."""

    account: str
    symbol: str
    serial: int
    terms: Terms
    set_ms: int
    phase: Phase = Phase.ARMED
    high: int = 0
    """Highest price seen while armed, scaled; 0 before any. The trailing stop follows it."""
    seen_ms: int = 0
    """Time of the last price looked at. Prices since then were missed if the process was down."""
    seen_id: int = -1
    """Id of the trade that had it, among those of the same millisecond; -1 where it was none."""
    cause: Cause | None = None
    trigger_price: int = 0
    """The price that made it fire, scaled."""
    fired_ms: int = 0
    is_late: bool = False
    """Whether the price had passed while nobody watched."""
    qty: int = 0
    """What the order sells, scaled."""
    wanted: int = 0
    """What should be sold, scaled, in whole lots. More than ``qty`` where the rest is locked in other orders, or where
    one order may not be that large."""
    filled: int = 0
    detail: str = ""
    """What the venue said, or why nothing was sold."""

    @property
    def client_order_id(self) -> str:
        """The name of its order: always the same, so that the venue takes it once only."""
        text = f"{len(self.account)}:{self.account}{self.symbol}/{self.serial}".encode()
        return "x-ct-P" + hashlib.blake2b(text, digest_size=16).hexdigest()[:ID_CHARS]

    @property
    def stop_price(self) -> int | None:
        """The price at or below which it sells at a loss or to keep a gain; None without such a term."""
        stops = [price for price in (self.terms.stop_loss, self.trailing_price) if price is not None]
        return max(stops, default=None)

    @property
    def trailing_price(self) -> int | None:
        """Where the trailing stop stands now."""
        if self.terms.trailing_stop is None or not self.high:
            return None
        return self.high * (WHOLE - self.terms.trailing_stop) // WHOLE


def arm(account: str, symbol: str, terms: Terms, *, serial: int, now_ms: int) -> Protection:
    """A protection that watches from now on.

    Raises:
        InvalidParams: The terms cannot be kept.
    """
    terms.check()
    return Protection(account=account, symbol=symbol, serial=serial, terms=terms, set_ms=now_ms, seen_ms=now_ms)


def has_seen(protection: Protection, *, time_ms: int, trade_id: int) -> bool:
    """Whether a trade was looked at already. Ids decide within a millisecond only: a wiped venue counts anew."""
    return (time_ms, trade_id) <= (protection.seen_ms, protection.seen_id)


def observe(
    protection: Protection, price: int, *, time_ms: int, trade_id: int = -1, is_late: bool = False
) -> Protection:
    """The market traded at a price: follow it, or fire. Only an armed protection changes.

    A jump beyond a stop fires it like a touch. ``is_late``: the price is the first one after nobody watched.
    """
    if protection.phase is not Phase.ARMED or price <= 0:
        return protection
    cause = _cause(protection, price)
    if cause is None:
        high = max(protection.high, price)
        return msgspec.structs.replace(protection, high=high, seen_ms=time_ms, seen_id=trade_id)
    return msgspec.structs.replace(
        protection,
        phase=Phase.FIRED,
        cause=cause,
        trigger_price=price,
        fired_ms=time_ms,
        seen_ms=time_ms,
        seen_id=trade_id,
        is_late=is_late,
    )


def _cause(protection: Protection, price: int) -> Cause | None:
    terms, trailing = protection.terms, protection.trailing_price
    if terms.stop_loss is not None and price <= terms.stop_loss:
        return Cause.STOP_LOSS
    if trailing is not None and price <= trailing:
        return Cause.TRAILING_STOP
    if terms.take_profit is not None and price >= terms.take_profit:
        return Cause.TAKE_PROFIT
    return None


def can_fire(protection: Protection, *, high: int, low: int) -> bool:
    """Whether prices between these two, in whatever order they came, can make it fire."""
    worst = msgspec.structs.replace(protection, high=max(protection.high, high))
    return _cause(worst, low) is not None or _cause(protection, high) is not None


class Lot(msgspec.Struct, frozen=True, kw_only=True):
    """What one market order of a symbol may sell, scaled (``LOT_SIZE``, ``MARKET_LOT_SIZE``)."""

    step: int = 1
    most: int | None = None

    def cut(self, qty: int) -> int:
        """Whole lots of it."""
        return qty - qty % self.step


def size(protection: Protection, amount: int, *, free: int, lot: Lot) -> Protection:
    """Decide once how much a fired protection sells: the position, as far as it is free, in whole lots.

    Args:
        protection: One that has fired; where its quantity is decided already it stays.
        amount: What the position holds, scaled.
        free: What of the base asset is not locked in other orders, scaled.
        lot: What one order may sell.
    """
    if protection.phase is not Phase.FIRED or protection.qty:
        return protection
    wanted = lot.cut(amount)
    if wanted <= 0:
        detail = "nothing was left to sell" if amount <= 0 else "what was left is less than a lot"
        return msgspec.structs.replace(protection, phase=Phase.GONE, detail=detail)
    qty = lot.cut(min(wanted, free))
    if qty <= 0:
        detail = f"only {format_scaled(free)} of the balance is free" if free > 0 else "none of the balance is free"
        return msgspec.structs.replace(protection, phase=Phase.REFUSED, wanted=wanted, detail=detail)
    if lot.most is not None:
        qty = min(qty, lot.cut(lot.most))
    return msgspec.structs.replace(protection, qty=qty, wanted=wanted)


def placed(protection: Protection, *, filled: int, is_open: bool) -> Protection:
    """The venue has the order and says how much of it was filled, scaled."""
    if protection.phase not in (Phase.FIRED, Phase.PLACED):
        return protection
    filled = max(filled, protection.filled)
    if filled >= protection.qty and protection.qty < protection.wanted:
        detail = f"{format_scaled(protection.wanted - filled)} was locked in other orders or too much for one order"
        return msgspec.structs.replace(protection, phase=Phase.PARTIAL, filled=filled, detail=detail)
    if filled >= protection.qty:
        return msgspec.structs.replace(protection, phase=Phase.DONE, filled=filled)
    if is_open:
        return msgspec.structs.replace(protection, phase=Phase.PLACED, filled=filled)
    if not filled:
        return msgspec.structs.replace(protection, phase=Phase.REFUSED, detail="the order ended without a fill")
    return msgspec.structs.replace(
        protection, phase=Phase.PARTIAL, filled=filled, detail="the order ended before everything was sold"
    )


def refused(protection: Protection, detail: str) -> Protection:
    """The order was not taken."""
    if protection.phase is not Phase.FIRED:
        return protection
    return msgspec.structs.replace(protection, phase=Phase.REFUSED, detail=detail)


def gone(protection: Protection, detail: str) -> Protection:
    """There is nothing to protect any more."""
    if protection.phase is not Phase.ARMED:
        return protection
    return msgspec.structs.replace(protection, phase=Phase.GONE, detail=detail)


def cleared(protection: Protection) -> Protection:
    """Its owner takes it back; one that has fired goes on."""
    if protection.phase is not Phase.ARMED:
        return protection
    return msgspec.structs.replace(protection, phase=Phase.CLEARED)
