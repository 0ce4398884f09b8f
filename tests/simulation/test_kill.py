"""A short run of ``tests.simulation.kill``; ``make simulate-kill`` does five hundred kills."""

from __future__ import annotations

from pathlib import Path

from tests.simulation.kill import run_kills

KILLS = 8


async def test_after_kill_9_under_load_everything_acknowledged_is_there_once(tmp_path: Path) -> None:
    """DESIGN 4.7: acknowledged is on disk; the state is the one that the journal leads to."""
    tally = await run_kills(tmp_path, kills=KILLS, seed=4)
    assert tally.kills == KILLS
    assert 0 < tally.answered <= tally.sent
    assert tally.recovered > 0
