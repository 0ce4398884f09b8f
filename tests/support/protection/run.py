"""One seeded run: a price path, a position with a protection, deaths and faults, and what must hold in the end."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

import apsw

from cryptotrader.core.errors import CryptotraderError
from cryptotrader.core.events import SystemEvent, Trade
from cryptotrader.core.scaled import SCALE
from cryptotrader.portfolio.protections import Phase, Protection
from cryptotrader.testing.simulation import SimulatedClock, run_simulated
from cryptotrader.trading.positions.ports import Change
from cryptotrader.trading.positions.store import PositionStore
from tests.support.protection.process import ACCOUNT, Life, turns
from tests.support.protection.venue import STEP, SYMBOL, PathVenue, Troubles

START_PRICE = 40_000 * SCALE
CENT = SCALE // 100
WHOLE = 100 * SCALE

LEAD_S = 20.0
"""Time before the protection is set. Unit: seconds."""

CALM_S = 240.0
"""Time at the end in which nothing goes wrong any more, so that everything comes to its end. Unit: seconds."""


@dataclass
class Plan:
    """What a seed stands for."""

    seed: int
    draw: random.Random = field(init=False)
    families: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)
        draw = self.draw
        count = draw.choice((0, 1, 3, 4, 5, 8))
        self.families = [family for family in draw.sample(FAMILIES, count) if draw.random() < RARE.get(family, 1.0)]
        for family in ("other coins", "jumps", "lost replies", "downtime"):
            if family not in self.families and draw.random() < 0.5:
                self.families.append(family)

    def has(self, family: str) -> bool:
        return family in self.families


FAMILIES = (
    "deaths",
    "deaths at requests",
    "downtime",
    "lost replies",
    "lost orders",
    "unreachable",
    "busy",
    "slow reads",
    "broken streams",
    "jumps",
    "lingering orders",
    "partial fills",
    "refusals",
    "locked balance",
    "full disk",
    "dark after the order",
    "other coins",
    "second thoughts",
    "sold by hand",
)

RARE = {"refusals": 0.3, "partial fills": 0.5, "sold by hand": 0.3, "locked balance": 0.5, "second thoughts": 0.6}
"""Of what changes the outcome there should not be too much, or nothing else is looked at."""


@dataclass
class Verdict:
    """What came of a run."""

    seed: int
    families: tuple[str, ...]
    faults: list[str]
    phase: str = ""
    fired: bool = False
    is_late: bool = False
    deaths: int = 0
    requests: int = 0


def path(plan: Plan, start_ms: int, seconds: float) -> list[Trade]:
    """A walk with jumps; times are even, so that whatever is done at an odd time lies between two trades."""
    draw = plan.draw
    trades: list[Trade] = []
    price, time_ms, number = START_PRICE, start_ms, 1
    step = draw.choice((2, 5, 15))
    pace_ms = draw.choice((150, 600, 2_500))
    while time_ms < start_ms + seconds * 1_000:
        trades.append(Trade(SYMBOL, number, price, SCALE, time_ms, False, time_ms))
        number += 1
        time_ms += 2 * draw.randint(0, pace_ms)
        price += draw.randint(-step, step) * 10 * SCALE // 10
        if plan.has("jumps") and draw.random() < 0.01:
            price += draw.choice((-1, 1)) * draw.randint(50, 1_500) * SCALE
        price = max(price, 1_000 * SCALE)
    return trades


def terms(plan: Plan, price: int) -> Change:
    """Terms near the price."""
    draw = plan.draw
    width = draw.choice((30, 80, 250)) * SCALE
    kinds = draw.choice(("s", "t", "r", "st", "sr", "tr", "str"))
    return Change(
        stop_loss=(price - draw.randint(SCALE, width)) // CENT * CENT if "s" in kinds else None,
        take_profit=(price + draw.randint(SCALE, width)) // CENT * CENT if "t" in kinds else None,
        trailing_stop=draw.randint(SCALE // 50, SCALE) if "r" in kinds else None,
    )


def naive_trigger(protection: Protection, trades: list[Trade]) -> int | None:
    """Index of the trade that fires it, reckoned from the path alone; None where none does."""
    high = protection.high
    for index, trade in enumerate(trades):
        if trade.time_ms <= protection.set_ms:
            continue
        terms = protection.terms
        trail = high * (WHOLE - terms.trailing_stop) // WHOLE if terms.trailing_stop is not None else None
        if (
            (terms.stop_loss is not None and trade.price <= terms.stop_loss)
            or (terms.take_profit is not None and trade.price >= terms.take_profit)
            or (trail is not None and trade.price <= trail)
        ):
            return index
        high = max(high, trade.price)
    return None


class Run:
    """One run."""

    def __init__(self, seed: int, *, shows: bool = False) -> None:
        self.plan = Plan(seed)
        self.clock = SimulatedClock()
        self.store = PositionStore(":memory:")
        self.verdict = Verdict(seed, tuple(self.plan.families), [])
        self.set: Protection | None = None
        self.firsts: dict[int, Protection] = {}
        """Each protection as it was first kept, by serial."""
        self.is_cleared = False
        self.was_sold_ms: int | None = None
        self.events: list[SystemEvent] = []
        self.life: Life | None = None
        self.shows = shows
        self._request_kill: asyncio.Event | None = None
        self._kill_at = 0
        self._requests_since = 0

    def note(self, text: str) -> None:
        if self.shows:
            print(f"  {self.clock.monotonic_ns() / 1e9:9.3f} {text}")

    async def main(self) -> None:
        """From the first purchase to the last check."""
        draw = self.plan.draw
        seconds = draw.choice((60.0, 180.0, 400.0))
        start_ms = self.clock.now_ms() - 120_000
        start_ms += start_ms % 2
        trades = path(self.plan, start_ms, 120.0 + LEAD_S + seconds)
        self.venue = PathVenue(self.clock, draw, trades)
        self.venue.on_fill = self._on_fill
        self.venue.on_request = self._on_request
        bought = draw.randint(2, 3_000) * STEP + draw.choice((0, draw.randint(0, STEP - 1)))
        self.venue.buy(bought)
        if self.plan.has("other coins"):
            # Not of the position, so that a second sale would not fail for want of them.
            self.venue.btc += 10 * bought
        async with asyncio.TaskGroup() as group:
            feeding = group.create_task(self._feed(trades))
            await self._story(seconds)
            feeding.cancel()
        if self.life is not None:
            self.events += self.life.events
            await self.life.die()
        self._check(trades)

    async def _feed(self, trades: list[Trade]) -> None:
        for trade in trades:
            wait_s = (trade.time_ms - self.clock.now_ms()) / 1_000
            if wait_s >= 0:
                if wait_s > 0:
                    await asyncio.sleep(wait_s)
                if self.life is not None:
                    self.life.trades.on_trade(trade)
        await asyncio.Event().wait()

    def _on_fill(self, report: dict[str, object]) -> None:
        if self.life is not None:
            self.life.stream.tell(report, self.venue.balances())

    def _on_request(self, name: str) -> None:
        if self._request_kill is not None and self.set is not None:
            self._requests_since += 1
            if self._requests_since >= self._kill_at or name == "order.place":
                self._request_kill.set()

    async def _begin_life(self) -> None:
        failures = 0.1 if self.plan.has("full disk") else 0.0
        self.life = Life(self.venue, self.store, self.clock, disk_failures=failures)
        self.life.disk.on_keep = lambda state: self.firsts.setdefault(state.serial, state)
        self.life.start()
        await asyncio.sleep(self.plan.draw.choice((0.0, 0.3)))
        self.life.connect()

    async def _die(self) -> None:
        assert self.life is not None
        self.verdict.deaths += 1
        life, self.life = self.life, None
        self.events += life.events
        self.note(f"dies; {life.protection and life.protection.phase}")
        await life.die()

    async def _story(self, seconds: float) -> None:
        plan, draw = self.plan, self.plan.draw
        await self._begin_life()
        await asyncio.sleep(LEAD_S)
        await self._protect()
        self.venue.troubles = self._troubles()
        if plan.has("locked balance"):
            self.venue.locked = draw.randint(0, self.venue.btc)
        async with asyncio.TaskGroup() as group:
            jobs = [group.create_task(job()) for job in self._jobs(seconds)]
            await asyncio.sleep(seconds)
            for job in jobs:
                job.cancel()
        self.venue.troubles = Troubles(
            refusal=self.venue.troubles.refusal,
            partial=self.venue.troubles.partial,
            lingers=self.venue.troubles.lingers,
        )
        self.venue.dark_until_ns = 0
        self._request_kill = None
        if self.life is None:
            await self._begin_life()
        assert self.life is not None
        self.life.connect()
        await asyncio.sleep(CALM_S)

    def _troubles(self) -> Troubles:
        plan, draw = self.plan, self.plan.draw
        often = draw.choice((0.1, 0.4, 0.8))
        return Troubles(
            lost_reply=often if plan.has("lost replies") else 0.0,
            lost_order=often / 2 if plan.has("lost orders") else 0.0,
            unreachable=often / 2 if plan.has("unreachable") else 0.0,
            busy=often / 2 if plan.has("busy") else 0.0,
            slow_reads=often / 4 if plan.has("slow reads") else 0.0,
            refusal="Filter failure: NOTIONAL" if plan.has("refusals") else "",
            partial=plan.has("partial fills"),
            lingers=plan.has("lingering orders"),
            darkness_s=draw.choice((5.0, 30.0)) if plan.has("dark after the order") else 0.0,
        )

    def _jobs(self, seconds: float) -> list:  # type: ignore[type-arg]
        plan = self.plan
        jobs = []
        if plan.has("deaths") or plan.has("deaths at requests") or plan.has("downtime"):
            jobs.append(self._deaths)
        if plan.has("broken streams"):
            jobs.append(self._breaks)
        if plan.has("second thoughts"):
            jobs.append(lambda: self._second_thoughts(seconds))
        if plan.has("sold by hand"):
            jobs.append(lambda: self._sell_by_hand(seconds))
        return jobs

    async def _deaths(self) -> None:
        """Now and then, at a drawn time or a drawn number of turns after some request, wherever that may be."""
        plan, draw = self.plan, self.plan.draw
        while True:
            if plan.has("deaths at requests"):
                self._request_kill = asyncio.Event()
                self._requests_since, self._kill_at = 0, draw.randint(1, 12)
                await self._request_kill.wait()
                self._request_kill = None
                await asyncio.sleep(draw.choice((0.0, 0.0, draw.uniform(0, 0.06), draw.uniform(0, 12))))
                await turns(draw.randint(0, 25))
            else:
                await asyncio.sleep(draw.expovariate(1 / 25))
                await turns(draw.randint(0, 40))
            if self.life is None:
                continue
            await self._die()
            if plan.has("downtime"):
                await asyncio.sleep(draw.choice((0.0, draw.uniform(0, 10), draw.uniform(0, 200))))
            await self._begin_life()
            if self.verdict.deaths > 12:
                return

    async def _breaks(self) -> None:
        draw = self.plan.draw
        while True:
            await asyncio.sleep(draw.expovariate(1 / 20))
            if self.life is not None:
                self.life.break_off()
            await asyncio.sleep(draw.choice((draw.uniform(0, 2), draw.uniform(0, 90))))
            if self.life is not None:
                self.life.connect()

    async def _at_odd_time(self) -> None:
        if self.clock.now_ms() % 2 == 0:
            await asyncio.sleep(0.001)

    async def _protect(self) -> None:
        """Set terms; what the venue or the position does not allow is tried again with others."""
        for _ in range(50):
            life = self.life
            if life is None:
                return
            change = terms(self.plan, self.venue.price())
            try:
                await self._at_odd_time()
                await life.keeper.protect(SYMBOL, change)
            except CryptotraderError as error:
                self.note(f"not set: {error}")
                if self.set is not None:
                    return
                await asyncio.sleep(0.5)
                continue
            except (apsw.FullError, RuntimeError):
                continue  # The disk is full, or the process has just died.
            kept = self.store.protections(ACCOUNT)
            if kept and life.disk.is_alive:
                self.set = kept[0]
                self.note(f"set: {self.set.terms} at {self.venue.price()}")
            return

    async def _second_thoughts(self, seconds: float) -> None:
        draw = self.plan.draw
        await asyncio.sleep(draw.uniform(0, seconds))
        life = self.life
        if life is None or life.protection is None or life.protection.phase is not Phase.ARMED:
            return
        await self._at_odd_time()
        if draw.random() < 0.5:
            await self._protect()
            return
        before = self.store.protections(ACCOUNT)[0]
        try:
            life.keeper.protections.clear(SYMBOL)
        except (CryptotraderError, apsw.FullError) as error:
            self.note(f"not cleared: {error}")
            return
        if before.phase is Phase.ARMED:
            self.is_cleared = self.store.protections(ACCOUNT)[0].phase is Phase.CLEARED

    async def _sell_by_hand(self, seconds: float) -> None:
        await asyncio.sleep(self.plan.draw.uniform(0, seconds))
        amount = self.venue.held()
        if amount > 0 and not self.venue.locked:
            self.was_sold_ms = self.clock.now_ms()
            self.note("sold by hand")
            self.venue.sell(amount)

    # What must hold

    def _check(self, trades: list[Trade]) -> None:
        verdict, say = self.verdict, self.verdict.faults.append
        verdict.requests = self.venue.requests
        kept = self.store.protections(ACCOUNT)
        if self.set is None or not kept:
            say("setup: no protection was set")
            return
        state = kept[0]
        verdict.phase, verdict.is_late = state.phase.value, state.is_late
        own = [order for order in self.venue.orders if order.name.startswith("x-ct-P")]
        mine = self.venue.named(state.client_order_id)
        verdict.fired = state.cause is not None
        for name in {order.name for order in own}:
            if len(self.venue.named(name)) > 1:
                say(f"twice: {len(self.venue.named(name))} orders are named {name}")
        if len(own) != len(mine):
            say("stray: an order of another protection was placed")
        self._check_trigger(state, trades)
        self._check_outcome(state, mine[0].filled if mine else 0, has_order=bool(mine))
        self._check_position()
        told = [event.event for event in self.events]
        if told.count("protection_triggered") > 1 + ("second thoughts" in self.plan.families):
            say(f"events: told {told.count('protection_triggered')} times that it fired")
        if not verdict.deaths and verdict.fired and told.count("protection_triggered") != 1:
            say("events: nobody was told that it fired")

    def _check_trigger(self, state: Protection, trades: list[Trade]) -> None:
        say = self.verdict.faults.append
        if state.phase in (Phase.FIRED, Phase.PLACED):
            say(f"unfinished: it is still {state.phase} after {CALM_S} calm seconds")
        if self.is_cleared or state.phase is Phase.CLEARED:
            if state.cause is not None:
                say("cleared: it fired although it was taken back")
            return
        index = naive_trigger(self.firsts[state.serial], trades)
        if self.was_sold_ms is not None:
            # Whether the sale or the price came first is a matter of who hears of it first.
            if index is None and state.cause is not None:
                say("trigger: it fired without a reason")
            if state.phase is Phase.ARMED:
                say("closed: it watches over nothing")
            return
        if index is None and state.cause is not None:
            say(f"trigger: it fired at {state.trigger_price} without a reason")
        if index is not None and state.cause is None:
            say(f"trigger: it did not fire at {trades[index].price}, and is {state.phase}")
        if index is not None and state.cause is not None and state.trigger_price != trades[index].price:
            later = {trade.price for trade in trades[index:]}
            if state.trigger_price not in later:
                say(f"trigger: it fired at {state.trigger_price} instead of {trades[index].price}")
            elif not {"broken streams", "unreachable", "busy", "slow reads", "deaths", "deaths at requests"} & set(
                self.plan.families
            ):
                say(f"trigger: it fired later than it could, at {state.trigger_price} not {trades[index].price}")

    def _check_outcome(self, state: Protection, filled: int, *, has_order: bool) -> None:
        say = self.verdict.faults.append
        if state.filled != filled:
            say(f"outcome: {state.phase} tells {state.filled} sold, the venue {filled}")
        match state.phase:
            case Phase.DONE if not has_order or filled < state.wanted:
                say("outcome: done, but not sold")
            case Phase.PARTIAL if not filled:
                say("outcome: partial, but nothing was sold")
            case Phase.REFUSED if filled:
                say("outcome: refused, but sold")
            case Phase.REFUSED | Phase.GONE | Phase.PARTIAL if not state.detail:
                say(f"outcome: {state.phase} without a word why")
            case Phase.REFUSED if not (
                {"refusals", "locked balance", "sold by hand", "partial fills"} & set(self.plan.families)
            ):
                say(f"outcome: refused without a reason: {state.detail}")
            case Phase.PARTIAL if not ({"partial fills", "locked balance"} & set(self.plan.families)):
                say(f"outcome: partial without a reason: {state.detail}")
            case _:
                pass

    def _check_position(self) -> None:
        positions = self.store.fills(ACCOUNT, SYMBOL)
        if len(positions) != len(self.venue.fills):
            self.verdict.faults.append(f"fills: {len(positions)} of {len(self.venue.fills)} are known")


def run_seed(seed: int, *, shows: bool = False) -> Verdict:
    """One run."""
    run = Run(seed, shows=shows)
    try:
        run_simulated(run.main)
    except BaseExceptionGroup as error:
        run.verdict.faults.append(f"crash: {error.exceptions!r}")
    finally:
        run.store.close()
    return run.verdict
