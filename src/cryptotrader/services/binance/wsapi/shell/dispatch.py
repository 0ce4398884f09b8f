"""Runs callbacks one after the other, in the order in which their replies came, without holding up the reader."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from cryptotrader.config import get_logger
from cryptotrader.core.clock import NS_PER_S, Clock
from cryptotrader.core.errors import CryptotraderError
from cryptotrader.net.supervise import Supervisor
from cryptotrader.services.binance.wsapi.replies import OK, Reply, envelope_of, failure_envelope

log = get_logger(__name__)

Callback = Callable[[dict[str, Any]], Awaitable[None]]
"""Gets the whole reply: ``{"id","status","result"|"error","rateLimits"}``."""

Job = Callable[[], Awaitable[None]]

DRAIN_TIMEOUT_S = 5.0
"""How long callbacks may still run when the connection is closed. Unit: seconds."""


class Dispatcher:
    """A queue of callbacks and one task. A callback that raises is logged and counted, and the next one runs.

    The queue is bounded by whoever fills it: every request counts as pending until its callback ran, and events are
    refused here above ``event_capacity``.

    Args:
        event_capacity: Events queued at a time. Overflow: the newest is dropped and counted.
        timeout_s: Longest run of a callback, watched by ``check``; it is cancelled then.
        clock: Time.
    """

    def __init__(self, *, event_capacity: int, timeout_s: float, clock: Clock) -> None:
        self.failures = 0
        """Callbacks that raised or took too long."""
        self.dropped_events = 0
        self.queue: deque[tuple[Job, bool]] = deque()
        """What waits to run, the one that runs included, and whether it is an event."""
        self._events = 0
        self._event_capacity = event_capacity
        self._timeout_ns = int(timeout_s * NS_PER_S)
        self._clock = clock
        self._began_ns: int | None = None
        self._jobs = Supervisor("callbacks", max_jobs=8)
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._closed = False

    def __len__(self) -> int:
        return len(self.queue)

    def put(self, job: Job) -> None:
        """Run it after everything before it."""
        self._put(job, is_event=False)

    def put_event(self, job: Job) -> None:
        """The same for an event, which is dropped where too many wait."""
        if self._events >= self._event_capacity:
            self.dropped_events += 1
            if self.dropped_events == 1:
                log.warning("events come faster than on_message takes them; some are dropped")
            return
        self._events += 1
        self._put(job, is_event=True)

    def check(self) -> None:
        """Cancel a callback that has run for too long; called from time to time."""
        began_ns = self._began_ns
        if began_ns is None or self._task is None or self._clock.monotonic_ns() - began_ns < self._timeout_ns:
            return
        log.error("a callback took too long and is cancelled")
        self._began_ns = None
        self._task.cancel()

    def _put(self, job: Job, *, is_event: bool) -> None:
        if self._closed:
            return
        self.queue.append((job, is_event))
        self._idle.clear()
        self._wake.set()
        if self._task is None:
            self._task = self._jobs.start("callbacks", self._work)

    async def _work(self) -> None:
        is_running = False
        queue, clock = self.queue, self._clock
        try:
            while not self._closed:
                while queue:
                    job, is_event = queue[0]
                    is_running = True
                    self._began_ns = clock.monotonic_ns()
                    await job()
                    self._began_ns = None
                    is_running = False
                    queue.popleft()
                    self._events -= is_event
                self._idle.set()
                self._wake.clear()
                await self._wake.wait()
        finally:
            self._began_ns = None
            if is_running:
                self._events -= queue.popleft()[1]
                self.failures += 1
            # The supervisor logs what was raised; the rest of the queue goes to a fresh task.
            self._task = None if self._closed else self._jobs.start("callbacks", self._work)

    async def close(self) -> None:
        """Let what is queued run, within ``DRAIN_TIMEOUT_S``."""
        if self._task is not asyncio.current_task():
            try:
                async with asyncio.timeout(DRAIN_TIMEOUT_S):
                    await self._idle.wait()
            except TimeoutError:
                log.warning("callbacks took too long at the end and were cancelled")
        self._closed = True
        await self._jobs.close()


class CallbackSink:
    """Where a request with a callback ends."""

    __slots__ = ("_callback", "_dispatcher", "message_id")

    def __init__(self, callback: Callback, dispatcher: Dispatcher) -> None:
        self.message_id = ""
        """Replies are shown under this, whatever id the transmission had."""
        self._callback = callback
        self._dispatcher = dispatcher

    def answered(self, reply: Reply, data: bytes) -> None:
        """The venue's reply, under the id that the caller knows."""

        async def run() -> None:
            envelope = envelope_of(data)
            envelope["id"] = self.message_id
            await self._callback(envelope)

        self._dispatcher.put(run)

    def unsure(self, reply: Reply, data: bytes, lost: CryptotraderError) -> None:
        """The venue's own words."""
        self.answered(reply, data)

    def failed(self, error: CryptotraderError) -> None:
        """A reply of our own, in the same shape."""

        async def run() -> None:
            await self._callback(failure_envelope(self.message_id, error))

        self._dispatcher.put(run)


class FutureSink(msgspec.Struct, eq=False):
    """Where a request that somebody waits for ends."""

    future: asyncio.Future[Any]
    """Becomes the result; the reply itself where that is bad, cannot be read, or nothing decodes it."""
    decode: Callable[[msgspec.Raw], object] | None = None
    message_id: str = ""

    def answered(self, reply: Reply, data: bytes) -> None:
        """The venue's reply; nobody hears it where the caller has left."""
        if self.future.done():
            return
        # Decoded here and not where it is awaited: its bytes are at hand, and those of many others would be kept.
        result: object
        try:
            result = self.decode(reply.result) if self.decode is not None and reply.status == OK else reply
        except msgspec.DecodeError:
            result = reply
        self.future.set_result(result)

    def unsure(self, reply: Reply, data: bytes, lost: CryptotraderError) -> None:
        """An error that says how to find out."""
        self.failed(lost)

    def failed(self, error: CryptotraderError) -> None:
        """There is no reply."""
        if not self.future.done():
            self.future.set_exception(error)
            # Marks it as seen: whoever asked may have left, and then nobody needs to hear of it.
            self.future.exception()
