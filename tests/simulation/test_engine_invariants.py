"""Two hundred thousand generated commands on the engine beside its naive twin, as ``make simulate-engine``."""

from __future__ import annotations

import os
import secrets

import pytest

from tests.simulation.engine_invariants import COMMANDS, run

LONGEST_S = 600
"""Unit: seconds. Reason: one core of a slow machine takes some two minutes."""


@pytest.mark.timeout(LONGEST_S)
def test_two_hundred_thousand_commands_leave_nothing_lost_and_every_list_legal() -> None:
    """A new seed each time: what fails says which, and which commands it takes."""
    tally, failure = run(COMMANDS, secrets.randbelow(1_000_000), os.cpu_count() or 1)
    assert failure is None, str(failure)
    assert tally.commands >= COMMANDS
    assert all(tally.seen[what] for what in ("fill ALLOCATION", "fill TOUCH", "prevented TRANSFER", "fee BNB"))
    assert sum(count for what, count in tally.done.items() if what.startswith("refused")) > COMMANDS // 50
