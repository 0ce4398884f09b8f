"""The naive twin of the engine: its commands and its market source."""

from __future__ import annotations

from cryptotrader.core.events import Level
from cryptotrader.exchange.engine.order_lists import NewOrderList
from cryptotrader.exchange.engine.orders import AmendOrder, CancelOrder, NewOrder
from cryptotrader.exchange.engine.rules.commission import Fees
from tests.support.twin.matching import Step
from tests.support.twin.model import UNIT, UNPRICED, Half, Purse, Refused, TwinList, TwinOrder, cost
from tests.support.twin.money import TwinAccount
from tests.support.twin.waiting import TwinWaiting

INSUFFICIENT = "Account has insufficient balance for requested action."
TIMED = ("LIMIT", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT")


class Twin(TwinWaiting):
    """Everything that the engine does, done slowly."""

    def open_account(self, name: str, balances: dict[str, int], fees: Fees) -> None:
        """An account with something in it."""
        self.accounts[name] = TwinAccount(dict(balances), fees)

    # Commands

    def require(self, account: str, needs: dict[str, int]) -> None:
        """So much has to be free."""
        if any(self.free(account, asset) < amount for asset, amount in needs.items()):
            raise Refused(INSUFFICIENT)

    def named(self, account: str, symbol: str, client: str) -> TwinOrder:
        """An open order by its client order id."""
        for order in self.open.values():
            if (order.account, order.symbol, order.client) == (account, symbol, client):
                return order
        raise Refused("Unknown order sent.")

    def made(self, account: str, new: NewOrder) -> TwinOrder:
        """A new order that is nowhere yet."""
        stop = new.stop
        return TwinOrder(
            number=0,
            account=account,
            symbol=new.symbol,
            side=new.side.value,
            type=new.type.value,
            tif=new.time_in_force.value if new.type.value in TIMED else "GTC",
            price=0 if new.type.value in UNPRICED else new.price,
            qty=new.qty,
            client=new.client_order_id,
            stp=new.self_trade_prevention_mode,
            iceberg=new.iceberg_qty,
            stop_price=stop.price if stop is not None else 0,
            delta=stop.trailing_delta if stop is not None else 0,
            has_stop=stop is not None,
            peg=(new.peg.price_type.value, new.peg.offset_value) if new.peg is not None else None,
            sor=new.use_sor,
        )

    def check_new(self, order: TwinOrder, amount: int = 0, *, is_qty_open: bool = False) -> None:
        """What can be said of an order without the book."""
        rules = self.rules[order.symbol]
        if order.symbol in self.halted:
            raise Refused("Market is closed.")
        prices = [order.stop_price] if order.has_stop and (order.stop_price or not order.delta) else []
        if order.type not in UNPRICED and order.peg is None:
            prices.append(order.price)
        if any(price <= 0 or price % rules.tick for price in prices):
            raise Refused("Filter failure: PRICE_FILTER")
        if not amount and not is_qty_open:
            self.check_size(order)
        if order.peg is not None:
            is_taker = order.type == "LIMIT" and order.peg[0] == "PRIMARY_PEG" and order.tif != "GTC"
            if order.sor or is_taker or (order.type == "LIMIT_MAKER" and order.peg[0] == "MARKET_PEG"):
                raise Refused("peg")
        if order.sor and (order.type not in ("LIMIT", "MARKET") or amount or order.symbol not in self.routed):
            raise Refused("SOR")

    def check_names(self, account: str, symbol: str, names: list[str]) -> None:
        """Client order ids are free."""
        used = {order.client for order in self.open.values() if (order.account, order.symbol) == (account, symbol)}
        if used & set(names) or len(set(names)) < len(names):
            raise Refused("Duplicate order sent.")

    def accept(self, order: TwinOrder, *, works: bool, locked: int) -> None:
        """An order gets its number."""
        order.number = len(self.orders) + 1
        order.works = works
        order.since_ms = self.now_ms
        order.purse.amount += locked
        self.orders[order.number] = self.open[order.number] = order
        self.changed.add(order.number)

    def submit(self, account: str, new: NewOrder) -> None:
        """A new order."""
        order = self.made(account, new)
        amount = new.quote_order_qty
        self.check_new(order, amount)
        if order.sor and not self.others(order) and not any(each != order.symbol for each in self.routed):
            raise Refused("SOR")
        self.check_names(account, order.symbol, [order.client])
        paying = self.paying(order)
        if order.has_stop:
            self.check_stop(order)
            locked = order.need(self.last[order.symbol])
            self.require(account, {paying: locked})
            self.accept(order, works=False, locked=locked)
            self.wait(order)
            self.settle()
            return
        if order.peg is not None:
            order.price = self.peg_price(order)
        steps, wanted = self.plan(order, amount)
        done = sum(step.qty if not step.mode else step.taker_lost for step in steps)
        if amount:
            rules = self.rules[order.symbol]
            if done < rules.min_qty or (rules.max_qty and done > rules.max_qty):
                raise Refused("LOT_SIZE")
            order.qty = wanted
        if order.type not in UNPRICED:
            need = cost(order.price, order.qty) if order.side == "BUY" else order.qty
        elif order.side == "BUY":
            need = amount or self.price_of(order, steps)
        else:
            need = self.price_of(order, steps) if amount else order.qty
        self.require(account, {paying: need})
        self.accept(order, works=True, locked=need)
        self.enter(order, steps)
        self.settle()

    def submit_list(self, account: str, new: NewOrderList) -> None:
        """A new list. Of two orders of which one cancels the other the stop loss gets the first number."""
        kind = new.kind.value
        legs = [self.made(account, leg) for leg in new.legs]
        if kind not in ("OTO", "OPO") and not legs[-2].type.startswith("STOP_LOSS"):
            legs[-2:] = legs[:-3:-1]
        is_open = kind in ("OPO", "OPOCO")
        for place, leg in enumerate(legs):
            self.check_new(leg, is_qty_open=is_open and place > 0)
        self.check_names(account, new.symbol, [leg.client for leg in legs])
        steps: list[Step] = []
        works = [not leg.has_stop if kind == "OCO" else place == 0 for place, leg in enumerate(legs)]
        for leg, does in zip(legs, works, strict=True):
            if does:
                if leg.peg is not None:
                    leg.price = self.peg_price(leg)
                steps, _ = self.plan(leg)
        its = TwinList(len(self.lists) + 1, account, new.symbol, kind, new.client_list_id, legs)
        last = self.last[new.symbol]
        if its.pair:
            self.check_pair(its.pair, last if kind == "OCO" else 0)
        groups = [legs] if kind == "OCO" else [legs[:1], legs[1:]]
        needs: dict[str, int] = {}
        purses = []
        for group in groups:
            is_later = group is not groups[0] and is_open
            amount = 0 if is_later else max(leg.need(last) for leg in group)
            purses.append(Purse(amount))
            asset = self.paying(group[0])
            needs[asset] = needs.get(asset, 0) + amount
        self.require(account, needs)
        self.lists[its.number] = its
        for group, purse in zip(groups, purses, strict=True):
            for leg in group:
                leg.list, leg.purse = its, purse
        for leg, does in zip(legs, works, strict=True):
            self.accept(leg, works=does, locked=0)
            if not does:
                leg.status = "NEW" if kind == "OCO" else "PENDING_NEW"
                if kind == "OCO":
                    self.wait(leg)
        for leg, does in zip(legs, works, strict=True):
            if does:
                self.enter(leg, steps)
        self.settle()

    def cancel(self, account: str, which: CancelOrder) -> None:
        """An order ends, and the list that it is in."""
        self.end(self.named(account, which.symbol, which.client_order_id or ""), "CANCELED")

    def cancel_all(self, account: str, symbol: str) -> None:
        """All of them end."""
        found = [order for order in self.open.values() if (order.account, order.symbol) == (account, symbol)]
        if not found:
            raise Refused("Unknown order sent.")
        for order in found:
            if order.is_open:
                self.end(order, "CANCELED")

    def cancel_list(self, account: str, symbol: str, client: str) -> None:
        """A list ends."""
        for its in self.lists.values():
            if its.is_open and (its.account, its.symbol, its.client) == (account, symbol, client):
                self.end(next(leg for leg in its.legs if leg.is_open), "CANCELED")
                return
        raise Refused("Unknown order sent.")

    def amend(self, account: str, which: AmendOrder) -> None:
        """An order becomes smaller in its place (``faqs/order_amend_keep_priority.md``)."""
        order = self.named(account, which.symbol, which.client_order_id or "")
        rules = self.rules[order.symbol]
        is_opo = order.list is not None and order.list.kind in ("OPO", "OPOCO")
        if is_opo and order.status == "PENDING_NEW":
            raise Refused("Order amend (pending OPO order) is not supported.")
        if which.qty >= order.qty or which.qty <= 0 or which.qty % rules.step or order.symbol in self.halted:
            raise Refused("amend")
        amended = [order] if order.sibling is None else [order, order.sibling]
        for each in amended:
            if each.iceberg and rules.iceberg_parts and -(-which.qty // each.iceberg) > rules.iceberg_parts:
                raise Refused("Filter failure: ICEBERG_PARTS")
            if rules.max_num_order_amends and each.amends >= rules.max_num_order_amends:
                raise Refused("Filter failure: MAX_NUM_ORDER_AMENDS")
        if which.new_client_order_id != order.client:
            self.check_names(account, order.symbol, [which.new_client_order_id])
        order.client = which.new_client_order_id
        for each in amended:
            each.amends += 1
            each.qty = max(which.qty, each.executed + each.prevented)
            self.changed.add(each.number)
        for each in amended:
            self.shrink_purse(each)
            if each.works:
                self.halves[each.symbol][each.side].shrink(each)
        for each in amended:
            if not each.left and each.is_open:
                self.end(each, "EXPIRED")
        self.settle()

    def adjust(self, account: str, asset: str, delta: int) -> None:
        """A deposit or withdrawal."""
        if self.free(account, asset) + delta < 0:
            raise Refused("more than is free")
        self.credit(account, asset, delta)

    def set_status(self, symbol: str, status: str) -> None:
        """Halt a symbol; when it trades again, its source is listened to from the next whole book on."""
        if status == "TRADING":
            self.halted.discard(symbol)
        else:
            self.halted.add(symbol)
            self.still.add(symbol)

    def restart(self, reminded: dict[str, list[tuple[int, int]]], *, keeps_places: bool) -> None:
        """What users took of the source's books is forgotten, and so are past trades; the source shows its books.

        From the journal alone, orders come back behind all that the source shows, in the order in which they came to
        work, icebergs with a whole slice. A restart while a symbol stands still is left out: see ``Bench``.
        """
        for symbol in self.halves:
            self.trades[symbol] = reminded.get(symbol, [])
            for _, price in self.trades[symbol]:
                self.remind(symbol, price)
        for symbol, halves in self.halves.items():
            for half in halves.values():
                half.taken.clear()
                for price in half.order_prices() if not keeps_places else ():
                    orders = sorted(half.orders(price), key=lambda order: (order.since_ms, order.number))
                    half.queues[price] = [(None, half.outside(price))] if half.outside(price) else []
                    half.adjust(price)
                    for order in orders:
                        half.join(order)
            whole = {side: tuple(half.external.items()) for side, half in halves.items()}
            self.show_all(symbol, whole["BUY"], whole["SELL"])

    def remind(self, symbol: str, price: int) -> None:
        """The source traded at a price when nobody listened: stops follow it, and none triggers."""
        self.last[symbol] = price
        for order in self.waiting:
            if order.symbol == symbol and order.best:
                order.best = (max if order.side == "SELL" else min)(order.best, price)

    # The source

    def realism(self, order: TwinOrder) -> str:
        """How readily an order is filled."""
        return self.accounts[order.account].realism

    def show(self, symbol: str, bids: tuple[Level, ...], asks: tuple[Level, ...], update_id: int) -> None:
        """Quantities of the source's book."""
        if symbol in self.still:
            return
        for side, levels in (("BUY", bids), ("SELL", asks)):
            half = self.halves[symbol][side]
            for price, qty in levels:
                half.tell(price, qty)
            half.catch_up(update_id)
        self.cross(symbol)
        self.settle()

    def show_all(self, symbol: str, bids: tuple[Level, ...], asks: tuple[Level, ...]) -> None:
        """The source's whole book. Nobody sees it while the symbol does not trade."""
        if symbol in self.halted:
            return
        self.still.discard(symbol)
        for side, levels in (("BUY", dict(bids)), ("SELL", dict(asks))):
            half = self.halves[symbol][side]
            half.early.clear()
            for price in {*half.external, *half.taken, *levels}:
                half.tell(price, levels.get(price, 0))
        self.cross(symbol)
        self.settle()

    def turns(self, half: Half, price: int) -> list[TwinOrder]:
        """Orders at a price, each as often as its iceberg has slices."""
        found, left = [], [(order, half.shown(order)) for order in half.orders(price)]
        hidden = {order.number: order.left - shown for order, shown in left}
        while left:
            order, _ = left.pop(0)
            found.append(order)
            if hidden[order.number]:
                part = min(order.iceberg, hidden[order.number])
                hidden[order.number] -= part
                left.append((order, part))
        return found

    def filled_by_source(self, order: TwinOrder, qty: int, why: str) -> None:
        """The source's market trades with an order that rests."""
        self.print(order.symbol, order.price)
        self.fill(order, order.price, qty, why=why)
        self.halves[order.symbol][order.side].traded(order, qty)

    def cross(self, symbol: str) -> None:
        """External quantity that crosses users' orders fills them."""
        for side, against in (("BUY", "SELL"), ("SELL", "BUY")):
            half, other = self.halves[symbol][side], self.halves[symbol][against]
            for price in half.order_prices():
                for order in self.turns(half, price):
                    self.cross_one(half, other, order)
                beaten = [each for each in half.orders(price) if self.realism(each) == "pessimistic"]
                if beaten and other.outside(price):
                    other.consume(price, other.outside(price))

    def cross_one(self, half: Half, other: Half, order: TwinOrder) -> None:
        """One order, or one slice of it."""
        due = half.shown(order) if order.is_open else 0
        while due:
            best = other.best_outside()
            if best is None or (best > order.price if half.side == "BUY" else best < order.price):
                return
            realism = self.realism(order)
            if realism == "pessimistic" and best == order.price:
                return
            if realism == "optimistic":
                other.consume(best, min(order.left, other.outside(best)))
                self.filled_by_source(order, order.left, "TOUCH")
                return
            qty = min(due, other.outside(best))
            other.consume(best, qty)
            self.filled_by_source(order, qty, "CROSSED")
            due -= qty

    def trade(self, symbol: str, price: int, qty: int, *, sells: bool) -> None:
        """A public trade of the source."""
        if symbol in self.still:
            return
        left = qty
        for side in ("BUY", "SELL"):
            half = self.halves[symbol][side]
            for at in half.order_prices():
                if not (at > price if side == "BUY" else at < price):
                    continue
                for order in self.turns(half, at):
                    if not order.is_open:
                        continue
                    is_whole = self.realism(order) == "optimistic"
                    got = order.left if is_whole else min(left, half.shown(order))
                    left -= min(left, got)
                    if got:
                        self.filled_by_source(order, got, "THROUGH")
        hit = self.halves[symbol]["BUY" if sells else "SELL"]
        skipped = {each.number for each in hit.orders(price) if self.realism(each) == "pessimistic"}
        reached = hit.pass_volume(price, left, skipped)
        touched = [
            order
            for side in ("BUY", "SELL")
            for order in self.halves[symbol][side].orders(price)
            if self.realism(order) == "optimistic"
        ]
        if left > sum(reached.values()):
            self.print(symbol, price)
        for order in touched:
            self.filled_by_source(order, order.left, "TOUCH")
        for number, part in reached.items():
            if self.realism(self.orders[number]) != "optimistic":
                self.filled_by_source(self.orders[number], part, "QUEUE")
        self.settle()

    def ticker(self, symbol: str, best: tuple[Level, Level], update_id: int) -> None:
        """The source's best bid and ask, which may be ahead of its book."""
        if symbol in self.still:
            return
        (bid, bid_qty), (ask, ask_qty) = best
        for side, against, price, qty in (("BUY", "SELL", ask, ask_qty), ("SELL", "BUY", bid, bid_qty)):
            half, other = self.halves[symbol][side], self.halves[symbol][against]
            left = qty - other.taken.get(price, 0)
            beaten = False
            for at in half.order_prices():
                if at < price if side == "BUY" else at > price:
                    continue
                for order in self.turns(half, at):
                    realism = self.realism(order)
                    if left <= 0 or not order.is_open:
                        continue
                    if realism == "pessimistic" and at == price:
                        beaten = True
                        continue
                    wanted = order.left if realism == "optimistic" else min(half.shown(order), left)
                    other.consume(price, min(wanted, left), update_id)
                    left -= min(wanted, left)
                    self.filled_by_source(order, wanted, "TOUCH" if realism == "optimistic" else "CROSSED")
            if left > 0 and beaten:
                other.consume(price, left, update_id)
        self.settle()


__all__ = ["UNIT", "Twin"]
