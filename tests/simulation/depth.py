"""The depth comparison in real time: eleven minutes of recording to fifty clients. Run with ``make simulate-depth``."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from tests.integration.test_depth_equality import CLIENTS, compare
from tests.support.recording import EQUAL_IDS

TIMEOUT_S = 800.0
"""Longest run. Unit: seconds. Reason: the recording lasts 651."""


def main() -> None:
    """Run it and say so; a failed check is a traceback."""
    with tempfile.TemporaryDirectory() as folder:
        readers = asyncio.run(compare(Path(folder), speed=1, timeout_s=TIMEOUT_S))
    compared = f"{EQUAL_IDS} of {EQUAL_IDS} ids equal for each of {len(readers) - 1} clients"
    print(f"{CLIENTS} clients at 1x: {compared}, the slow one's final book equal as well")


if __name__ == "__main__":
    main()
