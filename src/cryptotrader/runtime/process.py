"""What every long-running command shares: the event loop, signals, and the order of stopping."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import Awaitable, Callable

from stamina.instrumentation import set_on_retry_hooks

from cryptotrader.config import get_logger
from cryptotrader.core.errors import CryptotraderError

log = get_logger(__name__)

STOP_TIMEOUT_S = 9.0
"""Longest shutdown. Unit: seconds. Reason: container managers kill after ten."""


COLLECT_AFTER = (50_000, 20, 20)
"""Objects made and kept before the collector looks for cycles among them, and how many such looks before it looks at
older ones. Reason: an exchange with thousands of orders a second spends a sixth of its time on looking with Python's
own 700, and its slowest answers take twice as long; cycles are few here, and 50,000 objects are some ten megabytes.
"""


def calm_collector() -> None:
    """Look for cycles less often, and never among what is there already."""
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def run(main: Callable[[asyncio.Event], Awaitable[None]]) -> int:
    """Run ``main`` until it returns; SIGTERM and SIGINT set the event it is given.

    Returns:
        The exit code: 0, or 1 where the start failed for a reason that the user can mend.
    """

    # Whoever repeats a request logs it in words of its own.
    set_on_retry_hooks(())
    calm_collector()

    async def guarded() -> int:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        try:
            await main(stop)
        except CryptotraderError as error:
            print(f"cryptotrader: {error.message}", file=sys.stderr)
            return 1
        return 0

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(guarded())


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where there is one; it does not exist on Windows."""
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


async def stopped_within(timeout_s: float, stopping: Awaitable[object], what: str) -> None:
    """Wait for an end that must not last for ever."""
    try:
        async with asyncio.timeout(timeout_s):
            await stopping
    except TimeoutError:
        log.error(f"{what} did not stop within {timeout_s:.0f} s")
