"""Code of others that the transport runs: decisions about handshakes, each a task with a timeout, and handlers.

``net.supervise`` lies beside this package, not below it. uvicorn keeps a set of tasks: at shutdown it waits for them
and cancels what does not end in time. Whether one failed is for the callback to look at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from cryptotrader.config import get_logger

log = get_logger(__name__)

T = TypeVar("T")


def start_tracked(
    work: Coroutine[Any, Any, T], tasks: set[Any], *, done: Callable[[asyncio.Task[T]], None]
) -> asyncio.Task[T]:
    """Run ``work`` as a task that ``tasks`` holds until it ends; then call ``done`` with it."""
    task = asyncio.get_running_loop().create_task(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    task.add_done_callback(done)
    return task


A = TypeVar("A")


def guarded(call: Callable[[A], None], argument: A, *, failed: Callable[[], None]) -> None:
    """Hand a message to a handler. A fault in there is logged and ends that connection, by ``failed``, and no other."""
    try:
        call(argument)
    except Exception:
        log.exception("handling a WebSocket message failed")
        failed()
