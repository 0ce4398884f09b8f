"""Many deadlines on one timer."""

from __future__ import annotations

import pytest

from cryptotrader.transport.wheel import TimerWheel


def test_jobs_run_once_in_order_and_never_early() -> None:
    wheel = TimerWheel(1.0, now_s=100.0)
    ran: list[str] = []
    wheel.add(102.5, lambda _: ran.append("late"))
    wheel.add(101.0, lambda _: ran.append("early"))
    wheel.add(50.0, lambda _: ran.append("overdue"))
    wheel.advance(100.9)
    assert ran == []
    wheel.advance(102.4)
    assert sorted(ran) == ["early", "overdue"]
    wheel.advance(103.0)
    wheel.advance(1_000_000.0)
    assert ran[-1] == "late"
    assert len(ran) == 3
    assert len(wheel) == 0


def test_a_job_may_add_itself_again() -> None:
    wheel = TimerWheel(0.5, now_s=0.0)
    times: list[float] = []

    def job(now_s: float) -> None:
        times.append(now_s)
        wheel.add(now_s, job)

    wheel.add(0.0, job)
    for tenth in range(20):
        wheel.advance(tenth / 10)
    assert len(times) == 3
    assert len(wheel) == 1


def test_a_long_pause_costs_no_more_than_the_jobs_in_it() -> None:
    wheel = TimerWheel(0.001, now_s=0.0)
    ran: list[float] = []
    wheel.add(1e9, ran.append)
    wheel.advance(2e9)
    assert ran == [2e9]
    with pytest.raises(ValueError):
        TimerWheel(0, now_s=0)
