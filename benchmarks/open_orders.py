"""Memory that an open order takes, in the engine and in an exchange with its journal."""

from __future__ import annotations

import asyncio
import gc
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from benchmarks.clients.measure import resident_mb
from benchmarks.engine_commands import CENT, MIDDLE, RULES, START_MS, SYMBOL
from benchmarks.exchange_server import without_counts
from benchmarks.table import Table
from cryptotrader.core.events import BookSnapshot, Trade
from cryptotrader.core.orders import OrderType, Side
from cryptotrader.core.scaled import SCALE
from cryptotrader.exchange.accounts import PaperAccount
from cryptotrader.exchange.engine.accounts import Fees
from cryptotrader.exchange.engine.engine import Engine
from cryptotrader.exchange.engine.orders import NewOrder
from cryptotrader.exchange.market.rules_data import rules_for
from cryptotrader.exchange.market.synthetic import SyntheticSource
from cryptotrader.exchange.venue import PaperVenue
from cryptotrader.net import SystemClock

ORDERS = 50_000
BALANCE = 10**9 * SCALE
PER_WRITE = 100


def order(number: int, middle: int, tick: int) -> NewOrder:
    """One that rests, over two thousand prices."""
    side, sign = (Side.BUY, -1) if number % 2 else (Side.SELL, 1)
    price = middle + sign * (100 + number % 2_000) * tick
    return NewOrder(
        symbol=SYMBOL,
        side=side,
        type=OrderType.LIMIT,
        price=price,
        qty=SCALE // 1_000,
        client_order_id=f"order-{number}",
        self_trade_prevention_mode="EXPIRE_MAKER",
    )


def grown(place: Callable[[], None]) -> float:
    """By how much the process grew. Unit: bytes per order."""
    gc.collect()
    before_mb = resident_mb()
    place()
    gc.collect()
    return (resident_mb() - before_mb) * 1e6 / ORDERS


def in_engine() -> float:
    """Without anything around it."""
    engine = Engine([msgspec.structs.replace(RULES, max_num_orders=0)])
    engine.open_account("one", {"BTC": BALANCE, "USDT": BALANCE}, Fees())
    engine.on_snapshot(BookSnapshot(SYMBOL, 1, (), ()), START_MS)
    engine.prime(Trade(SYMBOL, 1, MIDDLE * CENT, SCALE, START_MS, True, START_MS))

    def place() -> None:
        for number in range(ORDERS):
            engine.submit("one", order(number, MIDDLE * CENT, CENT), START_MS + number)

    return grown(place)


def in_exchange(folder: Path) -> float:
    """With journal and store, when everything is folded."""
    account = PaperAccount(balances={"BTC": BALANCE, "USDT": BALANCE})
    source = SyntheticSource(seed=1, symbols=(SYMBOL,))
    rules = [without_counts(each) for each in rules_for([SYMBOL])]
    venue = PaperVenue(rules, [source], clock=SystemClock(), accounts=[account], store_path=folder / "exchange.db")
    price = venue.last_price(SYMBOL) // SCALE * SCALE

    async def fill() -> None:
        for number in range(ORDERS):
            new = order(number, price, SCALE // 10)
            venue.submit("default", new)
            if number % PER_WRITE == 0:
                await venue.committed()
        await venue.close()

    return grown(lambda: asyncio.run(fill()))


def run() -> Table:
    """Measure; about half a minute."""
    table = Table(
        "Memory per open order",
        ("where", "bytes"),
        notes=f"{ORDERS:,} orders of one account that rest at two thousand prices, each with a client order id:"
        " what the process grew by.",
    )
    table.add("engine", f"{in_engine():,.0f}")
    with tempfile.TemporaryDirectory() as folder:
        table.add("exchange with journal and store", f"{in_exchange(Path(folder)):,.0f}")
    return table


if __name__ == "__main__":
    print(run().markdown())
