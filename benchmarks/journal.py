"""The paper exchange's journal: what keeping one command costs, and how long a start takes per million entries.

Commands are real ones: orders of one account that rest, match the market and are cancelled, in a venue without sockets.
What is measured is the keeping alone: the records of a command made, packed and handed to the group commit, then the
frame built and written. Recovery reads a journal whose store never followed, the worst case; in operation the store is
a few seconds behind.
"""

from __future__ import annotations

import asyncio
import resource
import shutil
import tempfile
import time
from pathlib import Path
from unittest.mock import patch

from benchmarks.table import Table
from cryptotrader.core.orders import OrderType, Side
from cryptotrader.core.scaled import SCALE
from cryptotrader.exchange import keeper
from cryptotrader.exchange.accounts import PaperAccount
from cryptotrader.exchange.engine.orders import CancelOrder, NewOrder
from cryptotrader.exchange.market.rules_data import rules_for
from cryptotrader.exchange.market.synthetic import SyntheticSource
from cryptotrader.exchange.venue import PaperVenue
from cryptotrader.net import SystemClock
from cryptotrader.runtime.process import calm_collector

COMMANDS = 30_000
COMMANDS_PER_WRITE = 32
"""What gathers while a write is under way, at some thousands of orders a second."""
ENTRIES = 200_000
NEVER_S = 1e6
NEVER_ROWS = 10**9
STORE = "exchange.db"
JOURNAL = "exchange.journal"
SYMBOL = "BTCUSDT"
QTY = SCALE // 1_000
MOST_RESTING = 50
BALANCE = 10**9 * SCALE


def make_venue(store_path: Path | None) -> PaperVenue:
    """A synthetic BTCUSDT that stands still, and one rich account."""
    account = PaperAccount(balances={"BTC": BALANCE, "USDT": BALANCE})
    source = SyntheticSource(seed=1, symbols=(SYMBOL,))
    return PaperVenue(rules_for([SYMBOL]), [source], clock=SystemClock(), accounts=[account], store_path=store_path)


def command(venue: PaperVenue, number: int, resting: list[int]) -> None:
    """Place, match or cancel, in turn."""
    price = venue.last_price(SYMBOL) // SCALE * SCALE
    side = Side.BUY if number % 2 else Side.SELL
    if number % 4 == 2:
        venue.cancel("default", CancelOrder(SYMBOL, resting.pop()))
        return
    is_taker = number % 4 == 3
    order = NewOrder(
        symbol=SYMBOL,
        side=side,
        type=OrderType.MARKET if is_taker else OrderType.LIMIT,
        price=0 if is_taker else price * (98 if side is Side.BUY else 102) // 100,
        qty=QTY,
        self_trade_prevention_mode="EXPIRE_MAKER",
    )
    placed = venue.submit("default", order)
    if not is_taker:
        resting.append(placed.order_id)
    elif len(resting) > MOST_RESTING:
        venue.cancel("default", CancelOrder(SYMBOL, resting.pop()))


async def commands(venue: PaperVenue, count: int) -> None:
    """As many commands, some of them to each write."""
    resting: list[int] = []
    for number in range(count):
        command(venue, number, resting)
        if number % COMMANDS_PER_WRITE == 0:
            await venue.committed()
    await venue.committed()


def run() -> Table:
    """Measure; about a minute."""
    calm_collector()
    table = Table(
        "Journal of the paper exchange",
        ("measure", "value"),
        notes=f"Orders that rest, match and are cancelled, {COMMANDS_PER_WRITE} to a write; CPU of all threads."
        f" Recovery is measured over {ENTRIES:,} commands that the store does not have: it reads their entries, folds"
        " them into the store and loads the engine from it.",
    )
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_measure_keeping(table, Path(folder)))
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_measure_recovery(table, Path(folder)))
    return table


async def _measure_keeping(table: Table, folder: Path) -> None:
    bare_us, bare_loop_us = await _cpu_us(make_venue(None), COMMANDS)
    venue = make_venue(folder / STORE)
    kept_us, kept_loop_us = await _cpu_us(venue, COMMANDS)
    table.add("a command in memory only, CPU µs", f"{bare_us:.1f}")
    table.add("a command with journal and store, CPU µs", f"{kept_us:.1f}")
    table.add("keeping it, CPU µs", f"{kept_us - bare_us:.1f}")
    table.add("of that on the thread that answers, CPU µs", f"{kept_loop_us - bare_loop_us:.1f}")
    table.add("entries per write", f"{venue._keeper.journal.last / venue._keeper.commits:.1f}")
    await venue.close()


async def _cpu_us(venue: PaperVenue, count: int) -> tuple[float, float]:
    """CPU per command of the process, and of this thread. Unit: microseconds."""
    before, before_s = resource.getrusage(resource.RUSAGE_SELF), time.thread_time()
    await commands(venue, count)
    after, after_s = resource.getrusage(resource.RUSAGE_SELF), time.thread_time()
    whole_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return whole_s / count * 1e6, (after_s - before_s) / count * 1e6


async def _measure_recovery(table: Table, folder: Path) -> None:
    with patch.object(keeper, "FOLD_S", NEVER_S), patch.object(keeper, "FOLD_ROWS", NEVER_ROWS):
        venue = make_venue(folder / STORE)
        await commands(venue, ENTRIES)
        copy = folder / "copy"
        shutil.copytree(folder, copy)
        entries = venue._keeper.journal.last
    size = sum(path.stat().st_size for path in (copy / JOURNAL).iterdir())
    started = time.perf_counter()
    again = make_venue(copy / STORE)
    took_s = time.perf_counter() - started
    recovery = again._keeper.recovery
    assert recovery.entries == entries
    assert again.engine.state_hash() == venue.engine.state_hash()
    table.add("bytes of journal per entry", f"{size / entries:.0f}")
    table.add("reading and folding per million entries, s", f"{recovery.seconds / entries * 1e6:.1f}")
    table.add("whole start per million entries, s", f"{took_s / entries * 1e6:.1f}")
    await again.close()
    await venue.close()


if __name__ == "__main__":
    print(run().markdown())
