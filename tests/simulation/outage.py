"""The long form of the outage test: ten kills of five seconds each. Run with ``make simulate``."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from tests.integration.test_exchange_outage import run_outages

KILLS = 10
DOWN_S = 5.0


def main() -> None:
    """Run it and say so; a failed check is a traceback."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run_outages(Path(folder), kills=KILLS, down_s=DOWN_S))
    print(f"{KILLS} outages of {DOWN_S} s: clients stayed connected, books equal, every fill exactly once")


if __name__ == "__main__":
    main()
