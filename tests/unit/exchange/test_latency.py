"""Ways to the engine and back."""

from __future__ import annotations

import asyncio

import pytest

from cryptotrader.core.errors import ConfigError
from cryptotrader.exchange.latency import Latency, Road, Roads, read_latency
from cryptotrader.testing import SimulatedClock, run_simulated


def test_nothing_overtakes_and_the_jitter_is_drawn_from_the_seed() -> None:
    async def travels() -> list[tuple[int, int]]:
        clock = SimulatedClock()
        roads, road, arrived = Roads(clock), Road(), list[tuple[int, int]]()
        latency = Latency(10, 50, 3)

        async def travel(number: int) -> None:
            await roads.travel(road.there, "alice", latency)
            arrived.append((number, clock.monotonic_ns() // 1_000_000))

        async with asyncio.TaskGroup() as group:
            for number in range(50):
                group.create_task(travel(number))
        assert road.is_empty
        return arrived

    arrived = run_simulated(travels)
    assert [number for number, _ in arrived] == list(range(50))
    assert all(10 <= at_ms <= 61 for _, at_ms in arrived)
    assert len({at_ms for _, at_ms in arrived}) > 1
    assert run_simulated(travels) == arrived


def test_who_gives_up_on_the_way_holds_nobody_up() -> None:
    async def main() -> None:
        roads, road = Roads(SimulatedClock()), Road()
        async with asyncio.TaskGroup() as group:
            first = group.create_task(roads.travel(road.there, "a", Latency(1_000)))
            second = group.create_task(roads.travel(road.there, "a", Latency(20)))
            await asyncio.sleep(0.5)
            first.cancel()
            await second
        assert road.is_empty

    run_simulated(main)


@pytest.mark.parametrize(
    ("text", "latency"),
    [
        ("0", Latency()),
        ("20", Latency(20)),
        ("20+5", Latency(20, 5)),
        ("20+5@7", Latency(20, 5, 7)),
        ("3@9", Latency(3, 0, 9)),
    ],
)
def test_a_latency_is_read_from_text(text: str, latency: Latency) -> None:
    assert read_latency(text) == latency


@pytest.mark.parametrize("text", ["", "fast", "-1", "20+", "5000", "20+501", "1.5"])
def test_what_is_no_latency_is_named(text: str) -> None:
    with pytest.raises(ConfigError, match="expected MS"):
        read_latency(text)
