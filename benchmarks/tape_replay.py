"""How fast a recording plays through the paper exchange, as a multiple of real time.

All of the exchange takes part but its sockets and its disk: the tape, the engine's book, trades, candles of every
interval, 24-hour statistics, and what is published to whoever listens. Once without orders, once with resting ones,
which every change of the book has to be shown with.
"""

from __future__ import annotations

import gc
import statistics
import time

from benchmarks.table import Table
from cryptotrader.core.orders import OrderType, Side
from cryptotrader.core.scaled import SCALE
from cryptotrader.exchange.accounts import PaperAccount
from cryptotrader.exchange.engine.orders import NewOrder
from cryptotrader.exchange.market.rules_data import rules_for
from cryptotrader.exchange.market.spec import PACKAGED_TAPE, open_market
from cryptotrader.exchange.venue import PaperVenue
from cryptotrader.runtime.process import calm_collector
from cryptotrader.testing.clock import PaperClock

SYMBOL = "BTCUSDT"
REPEATS = 5
ORDERS = 100
STEP_S = 0.1
"""How far the clock is turned at a time. Unit: seconds. Reason: the distance of two depth diffs."""
BALANCE = 10**9 * SCALE


def replay(orders: int) -> tuple[float, float, int]:
    """(seconds of recording, processor seconds, events)."""
    sources = open_market(f"tape:{PACKAGED_TAPE}?loop=false")
    rules = rules_for(symbol for source in sources for symbol in source.symbols)
    account = PaperAccount(balances={"BTC": BALANCE, "USDT": BALANCE})
    clock = PaperClock()
    venue = PaperVenue(rules, sources, clock=clock, accounts=[account])
    published = 0

    def listen(_: object) -> None:
        nonlocal published
        published += 1

    venue.market.subscribe(listen)
    price = venue.last_price(SYMBOL) // SCALE
    for number in range(orders):
        side, level = (Side.BUY, price - 100 - number) if number % 2 else (Side.SELL, price + 100 + number)
        venue.submit(
            "default",
            NewOrder(
                symbol=SYMBOL,
                side=side,
                type=OrderType.LIMIT,
                price=level * SCALE,
                qty=SCALE // 1_000,
                self_trade_prevention_mode="EXPIRE_MAKER",
            ),
        )
    gc.collect()
    started = time.process_time()
    length_s = 0.0
    while sources[0].next_due_ns() is not None:
        clock.advance(STEP_S)
        length_s += STEP_S
        venue.catch_up()
    spent_s = time.process_time() - started
    assert venue.statistics(SYMBOL).candles("1m", now_ms=venue.now_ms(), limit=1)
    return length_s, spent_s, published


def run() -> Table:
    """Measure; about half a minute."""
    calm_collector()
    table = Table(
        "Tape replay",
        ("case", "recording, s", "events", "times real time, median", "lowest", "highest", "µs per event"),
        notes="One core, processor time: BTCUSDT as recorded, with every diff, trade and best price.",
    )
    cases = {"no orders": 0, f"{ORDERS} resting orders": ORDERS}
    found: dict[str, list[tuple[float, float, int]]] = {name: [] for name in cases}
    for _ in range(REPEATS):
        for name, orders in cases.items():
            found[name].append(replay(orders))
    for name, runs in found.items():
        rates = sorted(length_s / spent_s for length_s, spent_s, _ in runs)
        length_s, _, events = runs[0]
        cost_us = statistics.median(spent_s for _, spent_s, _ in runs) / events * 1e6
        table.add(
            name,
            f"{length_s:.0f}",
            f"{events:,}",
            f"{statistics.median(rates):.0f}",
            f"{rates[0]:.0f}",
            f"{rates[-1]:.0f}",
            f"{cost_us:.1f}",
        )
    return table


if __name__ == "__main__":
    print(run().markdown())
