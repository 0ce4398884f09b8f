"""A history is read once at the start, not before the account's stream speaks and again after (S0-52)."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from cryptotrader.core.scaled import SCALE
from cryptotrader.portfolio.positions import FillRow
from cryptotrader.testing.simulation import SimulatedClock, run_simulated
from cryptotrader.trading.positions.ports import Change, NoPosition
from tests.support.position_desk import Answer, Bench

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


def test_a_history_that_takes_long_leaves_out_only_what_was_not_read() -> None:
    """C-27: what is known comes at once; ``is_ready`` tells that it is not all."""

    async def main() -> None:
        bench = a_bench()
        bench.stream.is_live = True
        await bench.start()
        await bench.stop()
        slow = asyncio.Event()
        history = bench.venue.raw

        async def raw(spec: Any, params: Any) -> Any:
            if spec.method == "openOrders.status":
                await slow.wait()
            return await history(spec, params)

        bench.venue.raw = raw  # type: ignore[method-assign]
        await bench.start(reads=False)
        assert [view.symbol for view in await bench.keeper.all()] == ["BTCUSDT"]
        was_ready = bench.keeper.is_ready
        slow.set()
        assert len(await bench.keeper.all()) == 1
        assert (was_ready, bench.keeper.is_ready) == (False, True)
        await bench.stop()

    run_simulated(main)


def test_what_a_client_asks_for_is_read_before_the_rest() -> None:
    """C-27: a stop must not wait until the histories of all other symbols were read."""

    async def main() -> None:
        bench = a_bench()
        bench.stream.is_live = True
        answer = bench.venue.raw
        read: list[str] = []

        async def raw(spec: Any, params: Any) -> Any:
            if spec.method == "account.status":
                rows = [{"asset": asset, "free": "1", "locked": "0"} for asset in ("BNB", "BTC", "ETH")]
                return Answer(msgspec.json.encode({"balances": rows}))
            if spec.method == "myTrades":
                read.append(params.symbol)
                await asyncio.sleep(3)
            return await answer(spec, params)

        bench.venue.raw = raw  # type: ignore[method-assign]
        await bench.start(reads=False)
        await asyncio.sleep(1)
        with pytest.raises(NoPosition):
            await bench.keeper.one("ETHBTC")
        assert not bench.keeper.is_ready
        await bench.keeper.ready()
        assert read == ["BNBUSDT", "ETHBTC", "BTCUSDT"]
        await bench.stop()

    run_simulated(main)
