"""All streams and channels at once under the recording's busiest second: a short run of ``make simulate-channels``."""

from __future__ import annotations

from pathlib import Path

from tests.simulation.channel_burst import simulate
from tests.support.recording import needs_recording

DURATION_S = 10.0
"""Long enough for the burst to come at least once, and for whoever does not log in to be closed."""


@needs_recording
def test_three_hundred_clients_some_slow_some_rude_get_all_that_was_promised(tmp_path: Path) -> None:
    """S0-40 to S0-46, S0-53, S1-4, S1-8 to S1-13, S1-16 to S1-18, C-5, C-10, C-11, C-22.

    Trades without a hole, every top of the book in order, orders alike for all of the account, limits to the letter.
    """
    assert simulate(tmp_path, duration_s=DURATION_S).startswith("300 clients, 10 s")
