"""Waiting for a condition instead of sleeping."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

POLL_S = 0.01


async def eventually(check: Callable[[], object], timeout_s: float = 5.0) -> None:
    """Return as soon as ``check()`` is true; fail after ``timeout_s`` seconds."""
    deadline = time.monotonic() + timeout_s
    while not check():
        if time.monotonic() > deadline:
            raise AssertionError(f"did not happen within {timeout_s} s")
        await asyncio.sleep(POLL_S)


def wait_until(check: Callable[[], object], timeout_s: float = 20.0, *, poll_s: float = 0.1) -> None:
    """The same for tests that talk to processes and have no loop."""
    deadline = time.monotonic() + timeout_s
    while not check():
        if time.monotonic() > deadline:
            raise AssertionError(f"did not happen within {timeout_s} s")
        time.sleep(poll_s)
