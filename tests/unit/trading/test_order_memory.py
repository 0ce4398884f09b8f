"""What is remembered of orders is bounded, and never forgets one that is on its way."""

from __future__ import annotations

import asyncio

from cryptotrader.trading.memory import Entry, OrderMemory


def entry(*, done: bool, age_s: int = 60) -> Entry[str]:
    outcome: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    if done:
        outcome.set_result("placed")
    return Entry(b"", outcome, started_ns=0, age_s=age_s)


async def test_the_oldest_finished_one_goes_first() -> None:
    memory: OrderMemory[str] = OrderMemory(capacity=2)
    memory.add("pending", entry(done=False))
    memory.add("old", entry(done=True))
    memory.add("new", entry(done=True))
    assert len(memory) == 2
    assert memory.find("old", 0) is None
    assert memory.find("pending", 0) is not None
    assert memory.find("new", 0) is not None


async def test_orders_on_their_way_are_kept_beyond_the_capacity_and_the_age() -> None:
    memory: OrderMemory[str] = OrderMemory(capacity=1)
    for name in ("one", "two"):
        memory.add(name, entry(done=False, age_s=1))
    assert memory.find("one", 10**12) is not None
    assert memory.find("two", 10**12) is not None


async def test_a_finished_one_is_forgotten_when_its_time_is_over() -> None:
    memory: OrderMemory[str] = OrderMemory()
    memory.add("key", entry(done=True, age_s=60))
    assert memory.find("key", 60 * 10**9 - 1) is not None
    assert memory.find("key", 60 * 10**9) is None
    assert len(memory) == 0
