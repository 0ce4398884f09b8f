"""Sessions: commands that make sense often enough, chosen with a look at what the twin has open."""

from __future__ import annotations

from random import Random

from cryptotrader.core.orders import OrderType, PegOffsetType, PegPriceType, Side, TimeInForce
from cryptotrader.exchange.engine.order_lists import ListKind, NewOrderList
from cryptotrader.exchange.engine.orders import AmendOrder, CancelOrder, NewOrder, Peg, Stop
from cryptotrader.exchange.engine.rules import ALL_STP_MODES
from tests.support.twin.commands import Command
from tests.support.twin.exchange import Twin
from tests.support.twin.model import UNIT, UNPRICED, TwinOrder, cost
from tests.support.twin.world import ASSETS, HIGH, LOW, MIDDLE, NAMES, ROUTED, STEPS, SYMBOLS, TICK

KINDS = {
    "submit": 36,
    "submit_list": 13,
    "cancel": 6,
    "cancel_list": 2,
    "cancel_all": 1,
    "amend": 7,
    "check": 1,
    "adjust": 1,
    "realism": 1,
    "group": 1,
    "fees": 1,
    "restart": 1,
    "status": 1,
    "depth": 14,
    "snapshot": 2,
    "trade": 14,
    "ticker": 5,
}
TYPES = {"LIMIT": 16, "MARKET": 4, "LIMIT_MAKER": 4, "STOP_LOSS": 2, "STOP_LOSS_LIMIT": 3, "TAKE_PROFIT": 2}
TYPES["TAKE_PROFIT_LIMIT"] = 3
REALISM = ("realistic", "realistic", "realistic", "optimistic", "pessimistic")
ODDITY = 0.03
"""How often an order is made without regard to whether it makes sense."""


class Generator:
    """Makes one command after the other for a session.

    Args:
        random: All choices come from it.
        twin: What is open, and the last prices.
    """

    def __init__(self, random: Random, twin: Twin) -> None:
        self.random = random
        self._twin = twin
        self._count = 0
        self._account = NAMES[0]
        first = random.choice(SYMBOLS)
        self._weights = [6 if symbol == first else 2 for symbol in SYMBOLS]
        self._opening = [
            *(Command("realism", random.choice(REALISM), name) for name in NAMES),
            *(Command("group", random.choice((-1, 0, 0)), name) for name in NAMES),
        ]
        self._kinds = {kind: weight * random.choice((1, 1, 1, 3)) for kind, weight in KINDS.items()}
        """Sessions differ in what happens most."""

    def command(self) -> Command:
        """The next command."""
        self._count += 1
        random = self.random
        if self._opening:
            return self._opening.pop()
        kind = random.choices(list(self._kinds), list(self._kinds.values()))[0]
        if self._twin.still and random.random() < 0.2:
            kind = "status" if self._twin.halted and random.random() < 0.5 else "snapshot"
        wait_ms = random.choice((0, 1, 1, 7, 2_000))
        self._account = account = random.choice(NAMES)
        symbol = random.choices(SYMBOLS, self._weights)[0]
        what: object
        match kind:
            case "submit" | "check":
                what = self.order(symbol)
            case "submit_list":
                what = self.order_list(symbol)
            case "cancel" | "amend":
                return self.change(kind, account, symbol, wait_ms)
            case "cancel_list":
                found = [its for its in self._twin.lists.values() if its.is_open]
                if found and random.random() < 0.9:
                    its = random.choice(found)
                    return Command(kind, (its.symbol, its.client), its.account, wait_ms)
                what = (symbol, "nobody")
            case "cancel_all":
                what = symbol
            case "adjust":
                asset = random.choice(ASSETS)
                # All that is free, too: then nothing but what orders hold can pay.
                everything = -self._twin.free(account, asset) or 50_000
                what = (asset, random.choice((-900_000, -50_000, 50_000, 400_000, everything, everything)))
            case "realism":
                what = random.choice(REALISM)
            case "fees":
                what = random.random() < 0.5
            case "restart":
                what, account = random.random() < 0.5, ""
            case "group":
                what = random.choice((-1, 0, 1, 1))
            case "status":
                chosen = sorted(self._twin.halted) or [symbol]
                what = (random.choice(chosen), "TRADING" if self._twin.halted else "HALT")
                account = ""
            case _:
                return Command(kind, self.source(kind, symbol), "", wait_ms)
        return Command(kind, what, account, wait_ms)

    def change(self, kind: str, account: str, symbol: str, wait_ms: int) -> Command:
        """Cancel or amend, mostly something that is open."""
        random = self.random
        found = list(self._twin.open.values())
        order: TwinOrder | None = random.choice(found) if found and random.random() < 0.95 else None
        client = order.client if order is not None else "nobody"
        if order is not None:
            account, symbol = order.account, order.symbol
        if kind == "cancel":
            return Command(kind, CancelOrder(symbol, client_order_id=client), account, wait_ms)
        step = STEPS[symbol]
        lots = order.qty // step if order is not None else 3
        new_id = client if random.random() < 0.5 else f"a{self._count}"
        amend = AmendOrder(
            symbol=symbol,
            client_order_id=client,
            qty=random.randint(1, max(1, lots)) * step + (random.random() < ODDITY),
            new_client_order_id=new_id,
        )
        return Command(kind, amend, account, wait_ms)

    # Orders

    def tick(self, side: str, *, eager: float = 0.35) -> int:
        """A price, mostly on the side's own side of the middle."""
        away = self.random.choice((0, 1, 1, 2, 2, 3, 4))
        is_eager = self.random.random() < eager
        tick = MIDDLE - away if (side == "BUY") != is_eager else MIDDLE + away
        return max(LOW, min(HIGH, tick)) * TICK

    def order(
        self, symbol: str, *, kind: str = "", side: str = "", qty: int | None = None, label: str = ""
    ) -> NewOrder:
        """Any order; what is given is given."""
        random = self.random
        kind = kind or random.choices(list(TYPES), list(TYPES.values()))[0]
        side = side or random.choice(("BUY", "SELL"))
        step = STEPS[symbol]
        is_limited = kind not in UNPRICED
        tif = random.choices(("GTC", "IOC", "FOK"), (8, 1, 1))[0] if is_limited else "GTC"
        lots = random.choice((1, 2, 3, 5, 8, 12, 30))
        if random.random() < 0.06:
            lots = self.all_lots(symbol, side)
        amount = 0
        if qty is None:
            qty = lots * step + (random.random() < ODDITY)
            if kind == "MARKET" and random.random() < 0.4:
                qty, amount = 0, cost(MIDDLE * TICK, lots * step) + random.randint(0, 9)
        peg = None
        if is_limited and random.random() < 0.1:
            is_primary = kind == "LIMIT_MAKER" or random.random() < 0.6
            peg_type = PegPriceType.PRIMARY_PEG if is_primary else PegPriceType.MARKET_PEG
            peg = Peg(peg_type, PegOffsetType.PRICE_LEVEL, random.choice((0, 0, 1, 2)))
            tif = "GTC" if kind == "LIMIT" else tif
        iceberg = 0
        if is_limited and qty >= 3 * step and (tif == "GTC" or kind == "LIMIT_MAKER") and random.random() < 0.25:
            iceberg = max(step, qty // random.choice((2, 3, 5)) // step * step)
        is_routed = kind in ("LIMIT", "MARKET") and not amount and peg is None and symbol in ROUTED
        return NewOrder(
            symbol=symbol,
            side=Side(side),
            type=OrderType(kind),
            time_in_force=TimeInForce(tif),
            price=self.tick(side) + (random.random() < ODDITY) if is_limited and peg is None else 0,
            qty=qty,
            quote_order_qty=amount,
            client_order_id=label or f"c{self._count}" if random.random() > ODDITY else f"c{self._count - 1}",
            self_trade_prevention_mode=random.choice(("NONE", "NONE", *ALL_STP_MODES, "TRANSFER")),
            stop=self.stop(symbol, kind, side) if "STOP" in kind or "PROFIT" in kind else None,
            iceberg_qty=iceberg,
            peg=peg,
            use_sor=not label and is_routed and random.random() < 0.2,
        )

    def all_lots(self, symbol: str, side: str) -> int:
        """About as much as the account can pay."""
        free = self._twin.free(self._account, symbol[:3] if side == "SELL" else symbol[3:])
        if side == "BUY":
            free = free * UNIT // (MIDDLE * TICK)
        return max(1, min(40, free // STEPS[symbol] + self.random.choice((-1, 0, 0, 0, 1))))

    def stop(self, symbol: str, kind: str, side: str) -> Stop:
        """A stop price where the market has yet to go, mostly, or a trailing delta, or both."""
        random = self.random
        last = self._twin.last[symbol]
        rises = ("STOP_LOSS" in kind) == (side == "BUY")
        if random.random() < ODDITY:
            rises = not rises
        price = last + random.choice((1, 1, 2, 3, 4)) * TICK * (1 if rises else -1)
        has = random.choices(("price", "delta", "both"), (4, 2, 1))[0]
        delta = random.choice((10, 60, 100, 150, 250, 400))
        return Stop(price=0 if has == "delta" else price, trailing_delta=0 if has == "price" else delta)

    def order_list(self, symbol: str) -> NewOrderList:
        """Any list of the right shape."""
        random = self.random
        kind = random.choice(tuple(ListKind))
        side, name = random.choice(("BUY", "SELL")), f"l{self._count}"
        lots = random.choice((1, 2, 3, 5, 8)) * STEPS[symbol]
        if kind is ListKind.OCO:
            legs = self.pair(symbol, side, lots, name=name)
            return NewOrderList(symbol=symbol, kind=kind, legs=legs, client_list_id=name)
        pending = random.choice((lots, lots, STEPS[symbol] * 2))
        later = random.choice(("BUY", "SELL"))
        if kind.is_proportional:
            side, later, pending = "BUY", "SELL", 0
        working = self.order(
            symbol, kind=random.choice(("LIMIT", "LIMIT", "LIMIT_MAKER")), side=side, qty=lots, label=f"{name}w"
        )
        rest: tuple[NewOrder, ...]
        if kind in (ListKind.OTO, ListKind.OPO):
            rest = (self.order(symbol, side=later, qty=pending, label=f"{name}p"),)
        else:
            rest = self.pair(symbol, later, pending, name=name)
        return NewOrderList(symbol=symbol, kind=kind, legs=(working, *rest), client_list_id=name)

    def pair(self, symbol: str, side: str, qty: int, *, name: str) -> tuple[NewOrder, ...]:
        """Two orders of which one cancels the other: above, below."""
        random = self.random
        loss = self.order(
            symbol, kind=random.choice(("STOP_LOSS", "STOP_LOSS_LIMIT")), side=side, qty=qty, label=f"{name}s"
        )
        kinds = ("LIMIT_MAKER", "LIMIT_MAKER", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT")
        profit = self.order(symbol, kind=random.choice(kinds), side=side, qty=qty, label=f"{name}t")
        return (loss, profit) if side == "BUY" else (profit, loss)

    # The source

    def source(self, kind: str, symbol: str) -> object:
        """A market event."""
        random = self.random
        if kind == "trade":
            return (
                symbol,
                random.choice((97, 98, 99, 99, 100, 101, 101, 102, 103)),
                random.randint(1, 9),
                (random.random() < 0.5),
            )
        middle = random.choices((98, 99, 100, 101, 102), (1, 2, 12, 2, 1))[0]
        if kind == "ticker":
            bid, ask = (middle - random.randint(1, 2), random.randint(1, 9)), (middle + 1, random.randint(1, 9))
            return symbol, bid, ask, random.randint(0, 6)
        most = 5 if kind == "snapshot" else 3
        bids = self.some_levels(range(LOW, middle), most)
        asks = self.some_levels(range(middle + 1, HIGH + 1), most)
        return symbol, middle, bids, asks

    def some_levels(self, ticks: range, most: int) -> tuple[tuple[int, int], ...]:
        """Levels of the source's book; no lots take one away."""
        chosen = self.random.sample(ticks, self.random.randint(0, min(most, len(ticks))))
        return tuple((tick, self.random.choice((0, 1, 2, 4, 7, 12))) for tick in sorted(chosen))
