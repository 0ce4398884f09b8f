"""Stops and order lists of the naive twin (``rest-api.md``, "Order lists"; ``faqs/opo.md``)."""

from __future__ import annotations

from tests.support.twin.matching import TwinMatching
from tests.support.twin.model import STOP_LOSSES, UNPRICED, Refused, TwinList, TwinOrder, cost


class TwinWaiting(TwinMatching):
    """Orders that wait for a price or for another order."""

    def peg_price(self, order: TwinOrder) -> int:
        """The price that a peg gives now (``faqs/pegged_orders.md``)."""
        assert order.peg is not None
        kind, offset = order.peg
        other = "SELL" if order.side == "BUY" else "BUY"
        levels = self.halves[order.symbol][order.side if kind == "PRIMARY_PEG" else other].levels()
        if len(levels) <= offset:
            raise Refused("Order book liquidity is too low for this pegged order.")
        return levels[offset][0]

    def check_stop(self, order: TwinOrder) -> None:
        """A stop price has to be where the market is not yet."""
        last = self.last[order.symbol]
        if order.stop_price and last and (last >= order.stop_price if order.rises else last <= order.stop_price):
            raise Refused("Order would trigger immediately.")

    def check_pair(self, pair: list[TwinOrder], last: int) -> None:
        """One of the two lies above the market, the other below."""
        loss, other = pair if pair[0].type in STOP_LOSSES else pair[::-1]
        marks = []
        for leg in (loss, other):
            only_stop = leg is loss or leg.type == "TAKE_PROFIT"
            marks.append([price for price in ([leg.stop_price] if only_stop else [leg.price, leg.stop_price]) if price])
        above, below = marks if loss.side == "BUY" else marks[::-1]
        if any(high <= low for high in above for low in below):
            raise Refused("The relationship of the prices for the orders is not correct.")
        if last and (any(high <= last for high in above) or any(low >= last for low in below)):
            raise Refused("The relationship of the prices for the orders is not correct.")

    def wait(self, order: TwinOrder) -> None:
        """Begin to wait for a price."""
        self.waiting.append(order)
        if order.delta and not order.stop_price:
            order.best = self.last[order.symbol]

    def settle(self) -> None:
        """What is due is carried out one by one, first come first served."""
        while self.due:
            item = self.due.pop(0)
            if isinstance(item, TwinList):
                self.release(item)
            elif item.is_open and not item.works:
                self.touch(item)
                self.go_to_work(item)

    def go_to_work(self, order: TwinOrder) -> None:
        """An order that waited enters; it expires where it may not."""
        had, sibling = order.purse.amount, order.sibling
        price = order.price
        try:
            if order.peg is not None:
                order.price = self.peg_price(order)
            steps, _ = self.plan(order)
            need = order.left if order.side == "SELL" else cost(order.price, order.left)
            if order.type in UNPRICED and order.side == "BUY":
                need = self.price_of(order, steps)
            if need - had > self.free(order.account, self.paying(order)):
                raise Refused("Account has insufficient balance for requested action.")
        except Refused:
            order.price = price
            self.end(order, "EXPIRED", reason="REJECTED")
            return
        order.works = True
        order.since_ms = self.now_ms
        self.changed.add(order.number)
        if sibling is None:
            order.purse.amount = order.need(0)
        elif order.peg is not None:
            theirs = min(sibling.need(self.last[order.symbol]), had)
            order.purse.amount = max(order.need(0), theirs)
        self.enter(order, steps)

    def release(self, its: TwinList) -> None:
        """The working order is filled: the pending ones enter, all or none."""
        pending = [leg for leg in its.legs if leg.status == "PENDING_NEW"]
        if not pending:
            return
        rules = self.rules[its.symbol]
        if its.kind in ("OPO", "OPOCO"):
            qty = pending[0].purse.amount
            qty = min(qty, rules.max_qty or qty)
            qty -= qty % rules.step
            pending[0].purse.amount = qty
            for leg in pending:
                leg.qty = qty
        self.changed |= {leg.number for leg in pending}
        refused = self.refused(pending)
        if refused is not None:
            self.end(refused, "EXPIRED", reason="REJECTED")
            return
        for leg in pending:
            leg.status = "NEW"
        for leg in pending:
            if leg.has_stop:
                self.wait(leg)
            elif leg.is_open:
                self.go_to_work(leg)

    def refused(self, pending: list[TwinOrder]) -> TwinOrder | None:
        """The first of them that something stands in the way of."""
        leg = pending[0]
        try:
            if len(pending) == 2:
                self.check_pair(pending, self.last[leg.symbol])
            for leg in pending:
                self.check_stop(leg)
                self.check_size(leg)
                if not leg.has_stop:
                    price = leg.price
                    try:
                        if leg.peg is not None:
                            leg.price = self.peg_price(leg)
                        if leg.type == "LIMIT_MAKER":
                            self.plan(leg)
                    finally:
                        leg.price = price
        except Refused:
            return leg
        return None

    def check_size(self, order: TwinOrder) -> None:
        """Filters on the quantity."""
        rules = self.rules[order.symbol]
        if order.qty <= 0 or order.qty % rules.step or (rules.max_qty and order.qty > rules.max_qty):
            raise Refused("Filter failure: LOT_SIZE")
        if order.iceberg and order.amends == 0:
            if order.iceberg > order.qty:
                raise Refused("IcebergQty exceeds QTY.")
            if rules.iceberg_parts and -(-order.qty // order.iceberg) > rules.iceberg_parts:
                raise Refused("Filter failure: ICEBERG_PARTS")
