"""Stops, trailing stops and order lists under random commands: locks, lists and places are right after every one, what
the events tell is all there is to know, and the same commands give the same events."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.waiting_world import World

STEPS = 80
"""Commands and market events per run."""


def run(seed: int) -> list[str]:
    """One run; what it told."""
    world = World(seed)
    said: list[str] = []
    for step in range(STEPS):
        events = world.step()
        if events is None:
            continue
        said.extend(map(repr, events))
        world.check()
        if step % 16 == 0:
            assert world.ledger.rebuilt(world.engine).state_hash() == world.engine.state_hash()
    assert world.ledger.rebuilt(world.engine).state_hash() == world.engine.state_hash()
    return said


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 32))
def test_whatever_happens_locks_lists_and_records_are_right(seed: int) -> None:
    run(seed)


def test_the_same_commands_give_the_same_events() -> None:
    assert run(7) == run(7)
