"""What an incoming order would trade with. Plans only read the book, so a refusal changes nothing.

Self-trade prevention and price limits belong here: both cut a plan short.
"""

from __future__ import annotations

from typing import NamedTuple

from cryptotrader.core.scaled import SCALE, mul_scaled
from cryptotrader.exchange.engine.matching.book import BookSide, Resting


class Match(NamedTuple):
    """One trade to come."""

    price: int
    qty: int
    quote_qty: int
    maker: Resting | None
    """None: the maker is external liquidity."""


class Plan(NamedTuple):
    """All trades that an order would do at once."""

    matches: list[Match]
    qty: int
    quote_qty: int
    wanted: int
    """The order's whole quantity. By amount, on a book that runs out: with the rest counted at the last price."""

    @property
    def is_dry(self) -> bool:
        """Whether the book ran out before the order was satisfied (within its limit price)."""
        return self.qty < self.wanted


def plan_by_qty(book: BookSide, qty: int, *, limit: int | None) -> Plan:
    """Trade up to ``qty`` with one side of the book, at ``limit`` or better; None takes any price."""
    matches: list[Match] = []
    left = qty
    quote_total = 0
    for price, available, maker in book.walk():
        if not left or (limit is not None and not book.reaches(price, limit)):
            break
        traded = min(left, available)
        quote = mul_scaled(price, traded)
        matches.append(Match(price, traded, quote, maker))
        left -= traded
        quote_total += quote
    return Plan(matches, qty - left, quote_total, qty)


def plan_by_quote(book: BookSide, amount: int, *, step: int) -> Plan:
    """Trade as many whole steps as fit into an amount of the quote asset, at any price."""
    matches: list[Match] = []
    total = quote_total = affordable = 0
    for price, available, maker in book.walk():
        affordable = (amount - quote_total) * SCALE // price
        affordable -= affordable % (step or 1)
        traded = min(affordable, available)
        if not traded:
            break
        quote = mul_scaled(price, traded)
        matches.append(Match(price, traded, quote, maker))
        total += traded
        quote_total += quote
        affordable -= traded
        if affordable <= 0:
            break
    return Plan(matches, total, quote_total, total + affordable)
