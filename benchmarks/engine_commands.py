"""How many commands a second the paper exchange's engine carries out on one core: no sockets, no journal.

The mix: half of the commands place an order that rests, four tenths cancel one, a tenth takes from the best prices.
"""

from __future__ import annotations

import gc
import time
from collections import deque
from random import Random

from benchmarks.table import Table
from cryptotrader.core.events import BookSnapshot, Trade
from cryptotrader.core.orders import OrderType, Side, TimeInForce
from cryptotrader.core.scaled import SCALE
from cryptotrader.exchange.engine.accounts import Fees
from cryptotrader.exchange.engine.engine import Engine
from cryptotrader.exchange.engine.events import OrderUpdate
from cryptotrader.exchange.engine.orders import CancelOrder, NewOrder
from cryptotrader.exchange.engine.rules import SymbolRules
from cryptotrader.runtime.process import calm_collector

SYMBOL = "BTCUSDT"
MIDDLE = 6_000_000
"""Middle of the book, in cents."""
CENT = SCALE // 100
ACCOUNTS = tuple(f"account{number}" for number in range(20))
COMMANDS = 100_000
ROUNDS = 5
START_MS = 1_700_000_000_000

RULES = SymbolRules(
    symbol=SYMBOL,
    base="BTC",
    quote="USDT",
    tick=CENT,
    min_price=CENT,
    max_price=1_000_000 * SCALE,
    step=1000,
    min_qty=1000,
    max_qty=9000 * SCALE,
    min_notional=5 * SCALE,
    max_notional=9_000_000 * SCALE,
    bid_multiplier_up=5 * SCALE,
    bid_multiplier_down=SCALE // 5,
    ask_multiplier_up=5 * SCALE,
    ask_multiplier_down=SCALE // 5,
    max_num_orders=0,
)

Command = tuple[str, NewOrder | None]


def script(seed: int) -> list[Command]:
    """(account, order to place; None: cancel the account's oldest)."""
    rng = Random(seed)
    commands: list[Command] = []
    for _ in range(COMMANDS):
        account, kind = rng.choice(ACCOUNTS), rng.random()
        is_buy = rng.random() < 0.5
        side, sign = (Side.BUY, -1) if is_buy else (Side.SELL, 1)
        if kind < 0.5:
            price, tif, lots = MIDDLE + sign * rng.randint(1, 200), TimeInForce.GTC, rng.randint(1, 50)
        elif kind < 0.9:
            commands.append((account, None))
            continue
        else:
            price, tif, lots = MIDDLE - sign * 200, TimeInForce.IOC, rng.randint(1, 50)
        qty = lots * SCALE // 1000
        order = NewOrder(
            symbol=SYMBOL,
            side=side,
            type=OrderType.LIMIT,
            time_in_force=tif,
            price=price * CENT,
            qty=qty,
            self_trade_prevention_mode="EXPIRE_MAKER",
        )
        commands.append((account, order))
    return commands


def new_engine() -> Engine:
    """One symbol, twenty rich accounts, no external liquidity."""
    engine = Engine([RULES])
    for account in ACCOUNTS:
        engine.open_account(account, {"BTC": 10**6 * SCALE, "USDT": 10**10 * SCALE}, Fees())
    engine.on_snapshot(BookSnapshot(SYMBOL, 1, (), ()), START_MS)
    engine.prime(Trade(SYMBOL, 1, MIDDLE * CENT, SCALE, START_MS, True, START_MS))
    return engine


def rehearse(seed: int) -> tuple[list[tuple[str, NewOrder | CancelOrder]], int]:
    """The commands that are carried out, with the ids of what is to be cancelled; and how many trades they bring.

    The engine does the same again with the same commands, so that nothing but the engine need be measured.
    """
    engine = new_engine()
    resting: dict[str, deque[int]] = {account: deque() for account in ACCOUNTS}
    done: list[tuple[str, NewOrder | CancelOrder]] = []
    gone: set[int] = set()
    trades = 0
    for now_ms, (account, order) in enumerate(script(seed), START_MS):
        if order is not None:
            done.append((account, order))
            placed, events = engine.submit(account, order, now_ms)
            if order.time_in_force is TimeInForce.GTC:
                resting[account].append(placed.order_id)
            trades += len(placed.fills)
            for event in events:
                if isinstance(event, OrderUpdate) and not event.order.remaining:
                    gone.add(event.order.order_id)
        else:
            mine = resting[account]
            while mine and mine[0] in gone:
                mine.popleft()
            if mine:
                which = CancelOrder(SYMBOL, mine.popleft())
                done.append((account, which))
                engine.cancel(account, which, now_ms)
    return done, trades


def one_round(seed: int) -> tuple[float, float]:
    """(commands per second of processor time, trades per command)."""
    commands, trades = rehearse(seed)
    engine = new_engine()
    submit, cancel = engine.submit, engine.cancel
    gc.collect()
    start = time.process_time()
    for now_ms, (account, command) in enumerate(commands, START_MS):
        if isinstance(command, NewOrder):
            submit(account, command, now_ms)
        else:
            cancel(account, command, now_ms)
    return len(commands) / (time.process_time() - start), trades / len(commands)


def run() -> Table:
    """Measure."""
    calm_collector()
    rounds = [one_round(seed) for seed in range(ROUNDS)]
    rates = sorted(rate for rate, _ in rounds)
    table = Table(
        "Engine commands",
        ("mix", "commands/s, median", "lowest", "highest", "trades per command"),
        notes="One process on one core, processor time; no journal, no sockets. Self-trade prevention is on;"
        " Python's collector is set as in an exchange.",
    )
    table.add(
        "50% place, 40% cancel, 10% take",
        f"{rates[len(rates) // 2]:,.0f}",
        f"{rates[0]:,.0f}",
        f"{rates[-1]:,.0f}",
        f"{sum(trades for _, trades in rounds) / ROUNDS:.2f}",
    )
    return table


if __name__ == "__main__":
    print(run().markdown())
