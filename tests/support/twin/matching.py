"""How orders of the naive twin meet: plans, self-trade prevention, routing, entering the book."""

from __future__ import annotations

from fractions import Fraction
from math import floor, lcm
from typing import NamedTuple

from tests.support.twin.model import UNIT, UNPRICED, Refused, TwinOrder, cost
from tests.support.twin.money import TwinMoney, TwinPrevention


class Step(NamedTuple):
    """A trade, or where there is a ``mode`` one that self-trade prevention prevents."""

    symbol: str
    price: int
    qty: int
    who: TwinOrder | None
    gone: int = 0
    """What external quantity goes with it."""
    mode: str = ""
    taker_lost: int = 0
    maker_lost: int = 0


class TwinMatching(TwinMoney):
    """Orders that enter."""

    is_cut = False
    """Whether the price range ended the last plan."""

    def is_self(self, taker: TwinOrder, maker: TwinOrder) -> bool:
        """Whether the two may not trade (``faqs/stp_faq.md``)."""
        if taker.stp == "NONE":
            return False
        group = self.accounts[taker.account].group
        return taker.account == maker.account or (group != -1 and group == self.accounts[maker.account].group)

    def others(self, order: TwinOrder) -> list[str]:
        """Other symbols that an order may be routed to."""
        if not order.sor:
            return []
        return [symbol for symbol in self.routed if symbol != order.symbol and symbol not in self.halted]

    def pieces(self, order: TwinOrder) -> list[tuple[int, int, TwinOrder | None, str]]:
        """Everything that an order may trade with, best price first; at the same price its own book first."""
        is_buy = order.side == "BUY"
        found = []
        for symbol in (order.symbol, *self.others(order)):
            half = self.halves[symbol]["SELL" if is_buy else "BUY"]
            for price in half.prices():
                if order.type in UNPRICED or (price <= order.price if is_buy else price >= order.price):
                    found += [(price, qty, who, symbol) for who, qty in half.pieces(price)]
        return sorted(found, key=lambda piece: piece[0] if is_buy else -piece[0])

    def reference(self, symbol: str) -> int | None:
        """The reference price (``faqs/price_range_execution_rules.md``): per bucket a count and a sum of prices."""
        rule = self.rules[symbol].reference
        assert rule is not None
        width = rule.bucket_width_ms
        cutoff = self.now_ms - width * rule.bucket_count
        buckets: dict[int, list[int]] = {}
        for time_ms, price in self.trades[symbol]:
            buckets.setdefault(time_ms // width * width, []).append(price)
        count = total = 0
        for opened, prices in buckets.items():
            if opened + width > cutoff:
                expired = max(0, cutoff - opened)
                for value in (0, 1):
                    whole = (len(prices), sum(prices))[value] * 10_000
                    left = whole - floor(Fraction(whole * expired, width))
                    count, total = (count + left, total) if value == 0 else (count, total + left)
        return total // count if count else None

    def is_in_range(self, order: TwinOrder, price: int, reference: int | None) -> bool:
        """Whether an order may trade at a price."""
        rule = self.rules[order.symbol].price_range
        if rule is None or reference is None:
            return True
        down, up = (rule.bid_down, rule.bid_up) if order.side == "BUY" else (rule.ask_down, rule.ask_up)
        return price * UNIT >= reference * down and (not up or price * UNIT <= reference * up)

    def plan(self, order: TwinOrder, amount: int = 0) -> tuple[list[Step], int]:
        """What an order does at once, and what it wants in all: ``order.left``, or what an amount of quote is good for.

        Raises:
            Refused: A LIMIT_MAKER would take.
        """
        rules = self.rules[order.symbol]
        is_thin = self.accounts[order.account].realism == "pessimistic"
        steps: list[Step] = []
        self.is_cut = False
        reference = self.reference(order.symbol)
        lost: dict[int, int] = {}
        expired: set[int] = set()
        budget, left, wanted = amount, order.left, 0
        for price, there, who, symbol in self.pieces(order):
            if amount:
                left = budget * UNIT // price
                left -= left % rules.step
            if not left:
                break
            if not self.is_in_range(order, price, reference):
                self.is_cut = True
                break
            grain = lcm(rules.step, self.rules[symbol].step)
            if who is not None and self.is_self(order, who):
                would = min(left, there) // grain * grain
                if who.number in expired or not would:
                    continue
                step = self.prevented(order, who, Step(symbol, price, would, who), left, lost)
                if "MAKER" in step.mode or "BOTH" in step.mode:
                    expired.add(who.number)
                gone = step.taker_lost
            else:
                offered = there
                if who is None and is_thin:
                    half = -(-there // 2)
                    offered = min(there, half + -half % rules.step)
                gone = min(left, offered) // grain * grain
                step = Step(symbol, price, gone, who, min(2 * gone, there) if is_thin else gone)
                if who is not None:
                    lost[who.number] = lost.get(who.number, 0) + gone
            if step.qty:
                steps.append(step)
            left -= gone
            budget -= cost(price, gone)
            wanted += gone
            if not left:
                break
        if order.type == "LIMIT_MAKER" and (steps or self.is_cut):
            raise Refused("Order would immediately match and take.")
        if order.tif == "FOK" and sum(step.qty for step in steps if not step.mode) < order.left:
            steps = []
        return steps, wanted + left if amount else order.left

    def prevented(self, order: TwinOrder, who: TwinOrder, step: Step, left: int, lost: dict[int, int]) -> Step:
        """A step that may not happen: who loses what."""
        mode = order.stp
        if mode == "TRANSFER" and who.stp != "TRANSFER":
            mode = "DECREMENT"
        before = lost.get(who.number, 0)
        if mode in ("DECREMENT", "TRANSFER"):
            lost[who.number] = before + step.qty
            return step._replace(mode=mode, taker_lost=step.qty, maker_lost=step.qty)
        return step._replace(
            mode=mode,
            taker_lost=left if mode in ("EXPIRE_TAKER", "EXPIRE_BOTH") else 0,
            maker_lost=who.left - before if mode in ("EXPIRE_MAKER", "EXPIRE_BOTH") else 0,
        )

    def is_moved(self, order: TwinOrder, step: Step) -> bool:
        """Whether what is prevented changes hands all the same."""
        return step.mode == "TRANSFER" and step.who is not None and step.who.account != order.account

    def price_of(self, order: TwinOrder, steps: list[Step]) -> int:
        """What an order without a price of its own gives for its steps."""
        done = [step for step in steps if not step.mode or self.is_moved(order, step)]
        return sum(cost(step.price, step.qty) if order.side == "BUY" else step.qty for step in done)

    def enter(self, order: TwinOrder, steps: list[Step]) -> None:
        """Carry out the plan that was made last; the rest of the order rests or expires."""
        is_cut = self.is_cut
        is_routed = bool(self.others(order))
        if order.type in UNPRICED:
            order.purse.amount = self.price_of(order, steps)
        for step in steps:
            half = self.halves[step.symbol]["SELL" if order.side == "BUY" else "BUY"]
            if step.mode:
                self.prevent(order, step)
                continue
            self.print(step.symbol, step.price)
            self.fill(order, step.price, step.qty, why="ALLOCATION" if is_routed else "TAKER")
            if step.who is None:
                half.consume(step.price, step.gone)
            else:
                self.fill(step.who, step.price, step.qty, why="USER")
                half.traded(step.who, step.qty)
        if not order.is_open:
            return
        if is_cut or order.type in UNPRICED or order.tif in ("IOC", "FOK"):
            self.end(order, "EXPIRED", reason=_reason(order, is_cut=is_cut))
        else:
            self.halves[order.symbol][order.side].join(order)

    def prevent(self, order: TwinOrder, step: Step) -> None:
        """Self-trade prevention acts."""
        maker = step.who
        assert maker is not None
        self.preventions.append(
            TwinPrevention(order.number, maker.number, step.mode, step.price, step.taker_lost, step.maker_lost)
        )
        self.lose(order, step.taker_lost)
        if step.maker_lost and self.is_moved(order, step):
            self.touch(maker)
        maker.prevented += step.maker_lost
        if step.maker_lost:
            self.halves[maker.symbol][maker.side].shrink(maker)
            self.lose(maker, 0)
        if self.is_moved(order, step):
            for each in (order, maker):
                sign = 1 if each.side == "BUY" else -1
                rules, quote = self.rules[each.symbol], cost(step.price, step.qty)
                self.credit(each.account, rules.base, sign * step.qty)
                self.credit(each.account, rules.quote, -sign * quote)
                if each.type in UNPRICED:
                    each.purse.amount -= quote if each.side == "BUY" else step.qty

    def lose(self, order: TwinOrder, qty: int) -> None:
        """An order lost quantity to self-trade prevention."""
        order.prevented += qty
        self.changed.add(order.number)
        if not order.left:
            self.end(order, "EXPIRED_IN_MATCH")
        elif order.type not in UNPRICED:
            self.shrink_purse(order)

    def shrink_purse(self, order: TwinOrder) -> None:
        """An order needs less than it did."""
        last = self.last[order.symbol]
        needs = [each.need(last) for each in (order, order.sibling) if each is not None]
        order.purse.amount = min(order.purse.amount, max(needs))


def _reason(order: TwinOrder, *, is_cut: bool) -> str:
    """Why the rest of an order expires (``user-data-stream.md``, "Order Expiry Reason")."""
    if is_cut:
        return "EXECUTION_RULE_PRICE_RANGE_EXCEEDED"
    if order.type in UNPRICED:
        return "INSUFFICIENT_LIQUIDITY"
    return {"IOC": "UNFILLED_IOC_QUANTITY_EXPIRED", "FOK": "UNFILLED_FOK_ORDER_EXPIRED"}[order.tif]
