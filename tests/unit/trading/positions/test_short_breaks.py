"""A gateway that is back at once still says what nobody watched (C-27)."""

from __future__ import annotations

import asyncio

import pytest

from cryptotrader.core.events import Trade
from cryptotrader.core.scaled import SCALE
from cryptotrader.portfolio.positions import FillRow
from cryptotrader.portfolio.protections import Phase
from cryptotrader.testing.simulation import SimulatedClock, run_simulated
from cryptotrader.trading.positions.ports import Change
from tests.support.position_desk import Bench

PRICE = 42_650 * SCALE
HALF = SCALE // 2


@pytest.mark.parametrize("was_down", [True, False])
def test_a_price_that_passed_in_a_break_of_a_second_is_said_to_be_late(was_down: bool) -> None:
    """C-27: "when the gateway was down meanwhile (then at once, and said so)"."""

    async def main() -> None:
        bench = Bench(SimulatedClock())
        row = FillRow(
            symbol="BTCUSDT", trade_id=1, order_id=1, is_buyer=True, price=PRICE, qty=HALF,
            quote_qty=PRICE // 2, commission=0, commission_asset="USDT", time_ms=1_000,
        )  # fmt: skip
        bench.venue.fills.append(row)
        bench.venue.holds = "0.5"
        await bench.start()
        await bench.keeper.protect("BTCUSDT", Change(stop_loss=42_000 * SCALE))
        await asyncio.sleep(1)
        if was_down:
            await bench.stop()
        now_ms = bench.clock.now_ms()
        bench.market.trades("BTCUSDT").tell(Trade("BTCUSDT", 1, 41_000 * SCALE, SCALE, now_ms, False, now_ms))
        if was_down:
            await asyncio.sleep(0.5)
            await bench.start()
        await asyncio.sleep(1)
        protection = bench.keeper.protections.of("BTCUSDT")
        assert protection is not None
        assert protection.phase is not Phase.ARMED
        assert protection.is_late is was_down
        assert ("late" in str(bench.events[0].detail)) is was_down
        await bench.stop()

    run_simulated(main)
