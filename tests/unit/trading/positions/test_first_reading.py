"""A history is read once at the start, not before the account's stream speaks and again after (S0-52)."""

from __future__ import annotations

import asyncio

from cryptotrader.core.scaled import SCALE
from cryptotrader.portfolio.positions import FillRow
from cryptotrader.testing.simulation import SimulatedClock, run_simulated
from cryptotrader.trading.positions.ports import Change
from tests.support.position_desk import Bench

PRICE = 42_650 * SCALE


def a_bench() -> Bench:
    """Half a coin, and a stream that is not there yet."""
    bench = Bench(SimulatedClock())
    row = FillRow(
        symbol="BTCUSDT", trade_id=1, order_id=1, is_buyer=True, price=PRICE, qty=SCALE // 2,
        quote_qty=PRICE // 2, commission=0, commission_asset="USDT", time_ms=1_000,
    )  # fmt: skip
    bench.venue.fills.append(row)
    bench.venue.holds = "0.5"
    bench.stream.is_live = False
    return bench


def test_a_stream_that_comes_a_moment_later_costs_no_second_reading() -> None:
    async def main() -> None:
        bench = a_bench()
        await bench.start(reads=False)
        await asyncio.sleep(0.5)
        assert bench.venue.calls == []
        bench.stream.is_live = True
        await bench.keeper.ready()
        read = bench.venue.count("myTrades")
        assert read > 0
        await asyncio.sleep(30)
        assert bench.venue.count("myTrades") == read
        await bench.stop()

    run_simulated(main)


def test_a_stream_that_does_not_come_keeps_nobody_waiting() -> None:
    async def main() -> None:
        bench = a_bench()
        await bench.start()
        assert len(bench.keeper.current()) == 1
        await bench.stop()

    run_simulated(main)


def test_what_may_have_to_be_sold_does_not_wait_for_the_stream() -> None:
    """C-27."""

    async def main() -> None:
        bench = a_bench()
        bench.stream.is_live = True
        await bench.start()
        await bench.keeper.protect("BTCUSDT", Change(stop_loss=42_000 * SCALE))
        await bench.stop()
        bench.stream.is_live = False
        await bench.start(reads=False)
        await asyncio.sleep(0.5)
        assert await bench.keeper.amount("BTCUSDT") == SCALE // 2
        assert not bench.keeper.is_ready
        await bench.stop()

    run_simulated(main)
