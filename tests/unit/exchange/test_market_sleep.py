"""A machine that slept finds its market in the present."""

from __future__ import annotations

import time

import pytest

from cryptotrader.core.events import BookSnapshot, DepthDiff, Trade
from cryptotrader.exchange.driver import LEAP_NS, MarketDriver
from cryptotrader.exchange.engine.engine import Engine
from cryptotrader.exchange.engine.events import DepthChanged, Event
from cryptotrader.exchange.market.rules_data import rules_for
from cryptotrader.exchange.market.source import MarketEvent
from cryptotrader.exchange.market.spec import open_market
from tests.support.paper import TestClock

SLEEP_MS = 12 * 3_600_000


class World:
    """Driver and engine, and what the public would see."""

    def __init__(self, spec: str) -> None:
        self.clock = TestClock(time.time_ns() // 1_000_000)
        sources = open_market(spec)
        self.driver = MarketDriver(sources, self.clock)
        self.driver.start({})
        self.engine = Engine(rules_for(self.driver.by_symbol))
        self.handed_over = 0
        self.shown: list[DepthDiff] = []
        self.trades: list[Trade] = []
        for symbol, source in self.driver.by_symbol.items():
            self.engine.on_snapshot(source.snapshot(symbol), self.clock.ns // 1_000_000)

    def feed(self, event: MarketEvent, now_ms: int) -> None:
        self.handed_over += 1
        events: list[Event] = []
        if isinstance(event, BookSnapshot):
            events = self.engine.on_snapshot(event, now_ms)
        elif isinstance(event, DepthDiff):
            events = self.engine.on_depth(event, now_ms)
        elif isinstance(event, Trade):
            self.trades.append(event)
        self.shown += [event.diff for event in events if isinstance(event, DepthChanged)]

    def run(self, ms: int) -> None:
        for _ in range(ms // 100):
            self.clock.turn(100)
            while self.driver.advance(self.feed):
                pass


@pytest.mark.parametrize("spec", ["default", "synthetic?seed=3"])
def test_after_a_night_asleep_the_market_is_in_the_present_and_its_ids_go_on(spec: str) -> None:
    """The hours are not replayed; books that were built from the differences stay true, ids and times only grow."""
    world = World(spec)
    world.run(3_000)
    before = {trade.symbol: trade.trade_id for trade in world.trades}
    handed_over = world.handed_over
    world.clock.turn(SLEEP_MS)
    world.run(3_000)
    assert world.handed_over - handed_over < 20 * handed_over
    assert abs(world.trades[-1].time_ms - world.clock.ns // 1_000_000) < 2_000
    assert all(trade.trade_id > before.get(trade.symbol, 0) for trade in world.trades[-20:])
    last: dict[str, int] = {}
    for diff in world.shown:
        if diff.last_id > last.get(diff.symbol, 0):
            assert diff.first_id <= last.get(diff.symbol, diff.first_id - 1) + 1
            last[diff.symbol] = diff.last_id


def test_a_short_pause_is_caught_up_without_losing_anything() -> None:
    world = World("default")
    world.run(1_000)
    world.clock.turn(LEAP_NS // 1_000_000 - 10_000)
    world.run(1_000)
    ids = [trade.trade_id for trade in world.trades if trade.symbol == "BTCUSDT"]
    assert ids == list(range(ids[0], ids[0] + len(ids)))
