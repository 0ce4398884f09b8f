"""Virtual time."""

from __future__ import annotations

import asyncio

import pytest

from cryptotrader.core.clock import NS_PER_S
from cryptotrader.testing import SimulatedClock, SimulationStuckError, run_simulated, simulation


def test_an_hour_passes_at_once_and_timeouts_follow_the_virtual_time() -> None:
    async def main() -> tuple[int, bool]:
        clock = SimulatedClock()
        await clock.sleep(3_600)
        try:
            async with asyncio.timeout(10):
                await clock.sleep(11)
        except TimeoutError:
            return clock.monotonic_ns() // NS_PER_S, True
        return 0, False

    assert run_simulated(main) == (3_610, True)


def test_a_step_of_the_wall_clock_moves_no_timer() -> None:
    async def main() -> tuple[int, int]:
        clock = SimulatedClock(offset_s=5)
        before_ns = clock.now_ns()
        clock.step(-60)
        await clock.sleep(1)
        return (clock.now_ns() - before_ns) // NS_PER_S, clock.monotonic_ns() // NS_PER_S

    assert run_simulated(main) == (-59, 1)


def test_a_program_that_waits_for_nothing_possible_fails_instead_of_hanging() -> None:
    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(SimulationStuckError, match="cannot happen"):
        run_simulated(main)


def test_a_program_that_spins_fails_instead_of_hanging(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "MAX_TURNS", 1_000)

    async def main() -> None:
        while True:
            await asyncio.sleep(0)

    with pytest.raises(SimulationStuckError, match="spins"):
        run_simulated(main)
