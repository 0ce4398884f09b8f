"""Protections fire exactly once or say why not, whatever happens: the short form of ``make simulate-protections``."""

from __future__ import annotations

import pytest

from tests.support.protection.run import FAMILIES, Plan, run_seed

RUNS = 120


@pytest.mark.parametrize("first", range(0, RUNS, 20))
def test_each_trigger_fires_exactly_once_or_is_reported_as_refused(first: int) -> None:
    """C-27: price paths, restarts at any await, lost replies and full disks."""
    found = [run_seed(seed) for seed in range(first, first + 20)]
    assert [(verdict.seed, verdict.faults) for verdict in found if verdict.faults] == []
    assert any(verdict.fired for verdict in found)


def test_the_runs_have_every_kind_of_trouble_in_them() -> None:
    """C-27."""
    assert {family for seed in range(RUNS) for family in Plan(seed).families} == set(FAMILIES)


def test_a_run_is_the_same_each_time() -> None:
    """A seed that fails must fail again."""
    assert run_seed(7) == run_seed(7)
