"""Requests have their turn one after the other, whatever becomes of one of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from cryptotrader.exchange.protocol.ws_api.turns import AT_A_TIME, Turns
from cryptotrader.net import Supervisor
from tests.support.waiting import eventually


class FakeTurn:
    """Does what a test wants, and notes what became of it."""

    def __init__(self, act: Callable[[FakeTurn], None] = lambda turn: None, *, patience_s: float = 60.0) -> None:
        self.act = act
        self.deadline_s = asyncio.get_running_loop().time() + patience_s
        self.is_over = False
        self.seen: list[str] = []

    def run(self) -> None:
        self.seen.append("run")
        self.act(self)

    def fail(self) -> None:
        self.seen.append("fail")
        self.is_over = True

    def expire(self) -> None:
        self.seen.append("expire")
        self.is_over = True


def broken(turn: FakeTurn) -> None:
    raise LookupError("a fault of ours")


def answered(turn: FakeTurn) -> None:
    turn.is_over = True


def soon_answered(turn: FakeTurn) -> None:
    asyncio.get_running_loop().call_soon(answered, turn)


@pytest.fixture
async def turns() -> AsyncIterator[Turns]:
    async with Supervisor("test") as jobs:
        yield Turns(jobs)


async def test_nothing_is_carried_out_before_the_wake_up_is_over(turns: Turns) -> None:
    turn = FakeTurn(answered)
    turns.add(turn)
    assert turn.seen == []
    assert turns.count == 1
    await eventually(lambda: turn.seen == ["run"])
    assert turns.count == 0


async def test_a_request_that_fails_is_told_so_and_the_others_have_their_turn(turns: Turns) -> None:
    first, second, third = FakeTurn(answered), FakeTurn(broken), FakeTurn(answered)
    for turn in (first, second, third):
        turns.add(turn)
    await eventually(lambda: third.seen == ["run"])
    assert first.seen == ["run"]
    assert second.seen == ["run", "fail"]
    assert turns.count == 0


async def test_answers_that_the_disk_keeps_waiting_too_long_expire_and_others_wait_on(turns: Turns) -> None:
    late, kept, patient = FakeTurn(patience_s=0.01), FakeTurn(soon_answered, patience_s=0.01), FakeTurn()
    for turn in (late, kept, patient):
        turns.add(turn)
    await eventually(lambda: late.seen == ["run", "expire"])
    assert kept.seen == ["run"]
    assert patient.seen == ["run"]
    assert turns.count == 1


async def test_what_was_answered_counts_no_more(turns: Turns) -> None:
    crowd = [FakeTurn() for _ in range(100)]
    for turn in crowd:
        turns.add(turn)
    await eventually(lambda: crowd[-1].seen == ["run"])
    assert turns.count == 100
    for turn in crowd:
        turn.is_over = True
    assert turns.count == 0


async def test_the_loop_gets_its_turn_too(turns: Turns) -> None:
    crowd = [FakeTurn(answered) for _ in range(AT_A_TIME + 1)]
    for turn in crowd:
        turns.add(turn)
    await asyncio.sleep(0)
    assert sum(turn.seen == ["run"] for turn in crowd) == AT_A_TIME
    await eventually(lambda: crowd[-1].seen == ["run"])


async def test_whoever_waits_at_the_end_is_told_that_it_failed() -> None:
    crowd = [FakeTurn(answered) for _ in range(AT_A_TIME + 1)]
    async with Supervisor("test") as jobs:
        turns = Turns(jobs)
        for turn in crowd:
            turns.add(turn)
        await asyncio.sleep(0)
    assert crowd[0].seen == ["run"]
    assert crowd[-1].seen == ["fail"]
