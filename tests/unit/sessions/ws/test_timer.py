"""Deadlines of all sessions on one wheel."""

from __future__ import annotations

import asyncio

from cryptotrader.net import SystemClock
from cryptotrader.sessions.ws import SharedTimer
from tests.support.gateway import FakeClock
from tests.support.waiting import eventually


async def test_a_job_runs_when_it_is_due_and_never_before() -> None:
    clock = FakeClock()
    timer = SharedTimer(clock, tick_s=0.1)
    ran: list[int] = []
    start_ns = clock.monotonic_ns()
    for tenths in (3, 1, 2):
        timer.at(start_ns + tenths * 10**8, lambda tenths=tenths: ran.append(tenths))  # type: ignore[misc]  # bound early
    clock.advance(0.05)
    timer.run_due()
    assert ran == []
    clock.advance(0.17)
    timer.run_due()
    assert ran == [1]
    clock.advance(0.2)
    timer.run_due()
    assert sorted(ran) == [1, 2, 3]
    assert timer.waiting == 0
    timer.close()


async def test_it_ticks_by_itself_while_somebody_waits_and_goes_on_after_a_job_that_fails() -> None:
    clock = SystemClock()
    timer = SharedTimer(clock, tick_s=0.01)
    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: failures.append(context["exception"]))
    ran = asyncio.Event()

    def fail() -> None:
        raise ValueError("a bug")

    timer.at(clock.monotonic_ns(), fail)
    timer.at(clock.monotonic_ns() + 50_000_000, ran.set)
    await asyncio.wait_for(ran.wait(), 5)
    assert len(failures) == 1
    await eventually(lambda: timer.waiting == 0)
    timer.close()
    timer.at(0, fail)
    assert timer.waiting == 0
