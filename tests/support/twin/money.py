"""The naive twin's accounts: balances, commission, and what the end or a fill of one order does to the others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import NamedTuple

from cryptotrader.exchange.engine.rules import SymbolRules
from cryptotrader.exchange.engine.rules.commission import Fees, Rates
from tests.support.twin.model import UNIT, UNPRICED, Half, TwinList, TwinOrder, cost

BNB = "BNB"


@dataclass
class TwinAccount:
    """What somebody has, and how they are treated."""

    totals: dict[str, int]
    fees: Fees
    realism: str = "realistic"
    group: int = -1


class TwinFill(NamedTuple):
    """One side of a trade."""

    number: int
    price: int
    qty: int
    quote: int
    fee: int
    fee_asset: str
    is_maker: bool
    why: str


class TwinPrevention(NamedTuple):
    """A trade that did not happen."""

    taker: int
    maker: int
    mode: str
    price: int
    taker_lost: int
    maker_lost: int


class TwinMoney:
    """Accounts, orders, prices.

    Args:
        rules: The symbols.
        routed: Symbols that smart order routing joins.
    """

    def __init__(self, rules: Iterable[SymbolRules], routed: tuple[str, ...]) -> None:
        self.rules = {each.symbol: each for each in rules}
        self.routed = routed
        self.accounts: dict[str, TwinAccount] = {}
        self.orders: dict[int, TwinOrder] = {}
        self.open: dict[int, TwinOrder] = {}
        self.lists: dict[int, TwinList] = {}
        self.halves = {symbol: {"BUY": Half("BUY"), "SELL": Half("SELL")} for symbol in self.rules}
        self.last = dict.fromkeys(self.rules, 0)
        self.now_ms = 0
        self.trades: dict[str, list[tuple[int, int]]] = {symbol: [] for symbol in self.rules}
        """(time, price) of all public trades."""
        self.halted: set[str] = set()
        """Symbols that do not trade."""
        self.still: set[str] = set()
        """Symbols whose source is not listened to."""
        self.waiting: list[TwinOrder] = []
        self.due: list[TwinOrder | TwinList] = []
        self.fills: list[TwinFill] = []
        self.preventions: list[TwinPrevention] = []
        self.changed: set[int] = set()
        """Orders that the last command changed."""

    # Money

    def paying(self, order: TwinOrder) -> str:
        """The asset that an order gives."""
        rules = self.rules[order.symbol]
        return rules.quote if order.side == "BUY" else rules.base

    def locked(self, account: str, asset: str) -> int:
        """What open orders need."""
        purses = {
            id(order.purse): order.purse.amount
            for order in self.open.values()
            if order.account == account and self.paying(order) == asset
        }
        return sum(purses.values())

    def free(self, account: str, asset: str) -> int:
        """What can be used."""
        return self.accounts[account].totals.get(asset, 0) - self.locked(account, asset)

    def credit(self, account: str, asset: str, amount: int) -> None:
        """Add to what there is."""
        totals = self.accounts[account].totals
        totals[asset] = totals.get(asset, 0) + amount

    def in_bnb(self, asset: str, amount: int) -> Fraction | None:
        """What an amount is worth."""
        if asset == BNB:
            return Fraction(amount)
        price = self.last.get(BNB + asset)
        return Fraction(amount * UNIT, price) if price else None

    def fee(self, order: TwinOrder, qty: int, quote: int, *, is_maker: bool) -> tuple[str, int]:
        """Commission of one fill (``faqs/commission_faq.md``)."""
        rules, fees = self.rules[order.symbol], self.accounts[order.account].fees
        is_buyer = order.side == "BUY"
        asset, received = (rules.base, qty) if is_buyer else (rules.quote, quote)

        def rate(rates: Rates) -> Fraction:
            parts = (rates.maker if is_maker else rates.taker, rates.buyer if is_buyer else rates.seller)
            return Fraction(sum(parts), UNIT)

        named = dict(fees.by_symbol).get(order.symbol)
        if named is None:
            standard = Fraction(fees.maker_bps if is_maker else fees.taker_bps, 10_000)
            extra, is_reduced = rate(fees.special) + rate(fees.tax), True
        else:
            standard, extra = rate(named.standard), rate(named.special) + rate(named.tax)
            is_reduced = named.discount_enabled
        if fees.pays_in_discount_asset and is_reduced:
            worth = self.in_bnb(asset, received)
            if worth is None:
                worth = self.in_bnb(rules.quote, quote)
            if worth is not None:
                due = floor(worth * (standard * Fraction(fees.discount, UNIT) + extra))
                if due <= self.free(order.account, BNB) + (received if asset == BNB else 0):
                    return BNB, due
        return asset, floor(received * (standard + extra))

    # An order's life

    def print(self, symbol: str, price: int) -> None:
        """A public trade: stops look at it, those that it triggers come in order of their ids."""
        self.last[symbol] = price
        self.trades[symbol].append((self.now_ms, price))
        fired = sorted(
            (order for order in self.waiting if order.symbol == symbol and order.sees(price)),
            key=lambda order: order.number,
        )
        self.waiting = [order for order in self.waiting if order not in fired]
        self.due.extend(fired)

    def touch(self, order: TwinOrder) -> None:
        """An order triggers or trades: the one that it cancels expires. What was locked for both stays for it."""
        if order.sibling is not None:
            self.end(order.sibling, "EXPIRED", reason="OCO_TRIGGER", alone=True)

    def end(self, order: TwinOrder, status: str, *, reason: str = "", alone: bool = False) -> None:
        """An order ends unfilled, and the rest of its list with it unless ``alone``."""
        if order.works:
            half = self.halves[order.symbol][order.side]
            if order in half.orders(order.price):
                half.leave(order)
        self.waiting = [each for each in self.waiting if each is not order]
        order.status, order.reason = status, reason
        self.changed.add(order.number)
        self.open.pop(order.number, None)
        if order.list is not None and not alone:
            is_working = order.list.kind != "OCO" and order is order.list.legs[0]
            for other in order.list.legs:
                if other.is_open and status == "CANCELED":
                    self.end(other, status, alone=True)
                elif other.is_open:
                    why = "OTO_PHASE_ONE_EXPIRED" if is_working else "OCO_TRIGGER"
                    self.end(other, "EXPIRED", reason=why, alone=True)

    def fill(self, order: TwinOrder, price: int, qty: int, *, why: str) -> None:
        """Money changes hands."""
        rules = self.rules[order.symbol]
        quote = cost(price, qty)
        is_maker = why not in ("TAKER", "ALLOCATION")
        fee_asset, fee = self.fee(order, qty, quote, is_maker=is_maker)
        self.touch(order)
        order.executed += qty
        order.spent += quote
        order.status = "PARTIALLY_FILLED" if order.left else "FILLED"
        self.changed.add(order.number)
        sign = 1 if order.side == "BUY" else -1
        self.credit(order.account, rules.base, sign * qty)
        self.credit(order.account, rules.quote, -sign * quote)
        self.credit(order.account, fee_asset, -fee)
        if order.type in UNPRICED:
            order.purse.amount -= quote if order.side == "BUY" else qty
        else:
            order.purse.amount = order.need(self.last[order.symbol])
        if not order.left:
            del self.open[order.number]
        self.fills.append(TwinFill(order.number, price, qty, quote, fee, fee_asset, is_maker, why))
        if order.list is not None and order.list.kind != "OCO" and order is order.list.legs[0]:
            self.working_filled(order, order.list, qty, fee=fee if fee_asset == rules.base else 0)

    def working_filled(self, order: TwinOrder, its: TwinList, qty: int, *, fee: int) -> None:
        """The working order of a list traded (``faqs/opo.md``)."""
        if its.kind in ("OPO", "OPOCO"):
            base = self.rules[order.symbol].base
            pays_from_rest = base != BNB and self.free(order.account, base) >= qty
            its.legs[1].purse.amount += qty if pays_from_rest else qty - fee
        if not order.left:
            self.due.append(its)
