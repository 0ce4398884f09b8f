"""What an incoming order would trade with. Plans only read the book, so a refusal changes nothing.

Self-trade prevention (``faqs/stp_faq.md``) and the price range (``faqs/price_range_execution_rules.md``) belong to the
plan: both may cut it short.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from cryptotrader.core.scaled import SCALE, mul_scaled
from cryptotrader.exchange.engine.matching.book import Piece, Resting
from cryptotrader.exchange.engine.matching.market import SymbolMarket
from cryptotrader.exchange.engine.matching.taker import DECREMENTS, EXPIRES_MAKER, EXPIRES_TAKER, FREE_TAKER, Taker


class Match(NamedTuple):
    """One trade to come."""

    price: int
    qty: int
    quote_qty: int
    maker: Resting | None
    """None: the maker is external liquidity."""
    market: SymbolMarket | None = None
    """Where it is; None: the taker's own symbol."""
    consumed: int = 0
    """External quantity that is gone with it, where that is more than ``qty``; 0: as much as ``qty``."""


class Prevention(NamedTuple):
    """One trade that self-trade prevention will not let happen."""

    price: int
    qty: int
    """What would have traded."""
    maker: Resting
    market: SymbolMarket | None
    mode: str
    """The effective mode."""
    taker_qty: int
    """What the taker loses."""
    maker_qty: int
    """What the maker loses."""


class Cut(Enum):
    """What ended a plan before the book or the order did."""

    NONE = ""
    SELF_TRADE = "self-trade"
    PRICE_RANGE = "price range"


_UNCUT = Cut.NONE


class Plan(NamedTuple):
    """All trades that an order would do at once."""

    matches: list[Match | Prevention]
    qty: int
    quote_qty: int
    wanted: int
    """The order's whole quantity. By amount, on a book that runs out: with the rest counted at the last price."""
    prevented: int = 0
    """What self-trade prevention takes from the order."""
    moved_qty: int = 0
    """What of it goes to or comes from another account (``TRANSFER``)."""
    moved_quote: int = 0
    cut: Cut = Cut.NONE

    @property
    def is_dry(self) -> bool:
        """Whether the book ran out before the order was satisfied (within its limit price)."""
        return self.qty < self.wanted


def nothing(wanted: int, cut: Cut = Cut.NONE) -> Plan:
    """The plan of an order that meets nothing."""
    return Plan([], 0, 0, wanted, cut=cut)


class _Planner:
    """A plan in the making. Only for orders that meet something."""

    __slots__ = ("cut", "gone", "matches", "moved_qty", "moved_quote", "prevented", "qty", "quote_qty", "taker")

    def __init__(self, taker: Taker) -> None:
        self.taker = taker
        self.matches: list[Match | Prevention] = []
        self.gone: set[int] = set()
        """Makers that the plan has expired: their hidden quantity goes with them."""
        self.qty = self.quote_qty = self.prevented = self.moved_qty = self.moved_quote = 0
        self.cut = _UNCUT

    def trade(self, piece: Piece, qty: int) -> int:
        """Trade with a piece; the quote quantity of it."""
        price, available, maker, market = piece
        quote = mul_scaled(price, qty)
        if maker is None and self.taker.is_thin:
            # Twice as much goes as is got, so that nothing is left at a price where the taker found no more.
            self.matches.append(Match(price, qty, quote, None, market, min(qty * 2, available)))
        else:
            self.matches.append(Match(price, qty, quote, maker, market))
        self.qty += qty
        self.quote_qty += quote
        return quote

    def prevent(self, piece: Piece, maker: Resting, left: int) -> int:
        """Prevent a trade with a piece; how much of the taker is gone with it."""
        price, available, _, market = piece
        mode = self.taker.effective_mode(maker.order)
        would = self.taker.whole(min(left, available), market)
        if not would:
            return 0
        taker_qty = maker_qty = 0
        if mode in DECREMENTS:
            taker_qty = maker_qty = would
            if mode == "TRANSFER" and maker.order.account != self.taker.account:
                self.moved_qty += would
                self.moved_quote += mul_scaled(price, would)
        else:
            if mode in EXPIRES_TAKER:
                taker_qty = left
            if mode in EXPIRES_MAKER:
                maker_qty = maker.order.remaining - self._taken_from(maker)
                self.gone.add(maker.order.order_id)
        self.matches.append(Prevention(price, would, maker, market, mode, taker_qty, maker_qty))
        self.prevented += taker_qty
        if taker_qty == left:
            self.cut = Cut.SELF_TRADE
        return taker_qty

    def _taken_from(self, maker: Resting) -> int:
        """What earlier steps of the plan took from a maker (an iceberg comes again)."""
        return sum(
            each.qty if isinstance(each, Match) else each.maker_qty for each in self.matches if each.maker is maker
        )

    def allows(self, price: int) -> bool:
        """Whether the price range lets the taker trade at a price; the plan ends where not."""
        taker = self.taker
        if (taker.lowest and price < taker.lowest) or (taker.highest and price > taker.highest):
            self.cut = Cut.PRICE_RANGE
            return False
        return True

    def plan(self, wanted: int) -> Plan:
        """The plan as it stands."""
        return Plan(
            self.matches,
            self.qty,
            self.quote_qty,
            wanted,
            self.prevented,
            self.moved_qty,
            self.moved_quote,
            self.cut,
        )


def plan_by_qty(pieces: Iterator[Piece], qty: int, taker: Taker = FREE_TAKER) -> Plan:
    """Trade up to ``qty`` with what a walk over books brings."""
    planner = _Planner(taker)
    matches = planner.matches
    is_bounded = bool(taker.lowest or taker.highest)
    is_wary = taker.mode != "NONE"
    left = qty
    quote_total = 0
    for piece in pieces:
        price, available, maker, market = piece
        if not left or (is_bounded and not planner.allows(price)):
            break
        if maker is not None and is_wary and taker.is_self(maker.order):
            if maker.order.order_id not in planner.gone:
                left -= planner.prevent(piece, maker, left)
            continue
        if market is not None or (taker.is_thin and maker is None):
            traded = taker.whole(min(left, taker.offered(piece)), market)
            if traded:
                quote_total += planner.trade(piece, traded)
        else:
            traded = available if available < left else left
            quote = price * traded // SCALE
            matches.append(Match(price, traded, quote, maker))
            quote_total += quote
        left -= traded
    planner.qty = qty - left - planner.prevented
    planner.quote_qty = quote_total
    return planner.plan(qty)


def plan_by_quote(pieces: Iterator[Piece], amount: int, *, step: int, taker: Taker = FREE_TAKER) -> Plan:
    """Trade as many whole steps as fit into an amount of the quote asset, at any price."""
    planner = _Planner(taker)
    step = step or 1
    affordable = 0
    for piece in pieces:
        price, _, maker, _ = piece
        affordable = amount * SCALE // price
        affordable -= affordable % step
        if not affordable or not planner.allows(price):
            break
        if maker is not None and taker.is_self(maker.order):
            if maker.order.order_id not in planner.gone:
                taken = planner.prevent(piece, maker, affordable)
                amount -= mul_scaled(price, taken)
                affordable -= taken
        else:
            traded = min(affordable, taker.offered(piece))
            amount -= planner.trade(piece, traded)
            affordable -= traded
        if affordable <= 0:
            break
    return planner.plan(planner.qty + planner.prevented + affordable)
