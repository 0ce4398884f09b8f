"""What every client of the comparison does alike. Standard library only: each client has packages of its own.

A client is run as ``python client.py requests HOST [ONE_IN]`` or ``python client.py streams HOST MESSAGES SECONDS``.
It prints one JSON object. CPU time is that of the client's process alone.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

SYMBOL = "BTCUSDT"
KEY = "your_binance_api_key"
SECRET = "your_binance_secret_key"
"""The documented samples; they work on a loopback paper exchange only."""

QUANTITY = "0.0005"

WARM_UP_REQUESTS = 100
ALONE = 300
"""Requests measured one after the other."""
IN_FLIGHT = 100
TOGETHER = 3_000
"""Requests measured with ``IN_FLIGHT`` of them at a time."""

WARM_UP_MESSAGES = 20_000
"""Unit: messages. Reason: caches of a client may fill before its memory is looked at."""

ANSWER_TIMEOUT_S = 30.0


class Counts:
    """How many requests are measured; fewer where only the program is tried."""

    alone = ALONE
    together = TOGETHER


Call = Callable[[int], Awaitable[object]]


def resident_mb() -> float:
    """Memory of this process that is in use. Unit: megabytes of 10**6 bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


async def measure_requests(call: Call, *, in_flight: int, count: int) -> dict[str, float]:
    """``count`` calls by ``in_flight`` workers; every call gets a number of its own."""
    times_ns: list[int] = []
    numbers = iter(range(count))

    async def work() -> None:
        for number in numbers:
            started = time.perf_counter_ns()
            await call(number)
            times_ns.append(time.perf_counter_ns() - started)

    cpu, started = time.process_time(), time.perf_counter()
    async with asyncio.timeout(ANSWER_TIMEOUT_S):
        await asyncio.gather(*(work() for _ in range(in_flight)))
    elapsed_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu
    times_ns.sort()
    return {
        "per_s": count / elapsed_s,
        "per_cpu_s": count / cpu_s,
        "p50_ms": times_ns[len(times_ns) // 2] / 1e6,
        "p99_ms": times_ns[len(times_ns) * 99 // 100] / 1e6,
    }


async def measure_operations(operations: dict[str, Call]) -> dict[str, object]:
    """Every operation alone and together, after a warm-up."""
    report: dict[str, object] = {}
    for name, call in operations.items():
        await measure_requests(call, in_flight=10, count=WARM_UP_REQUESTS)
        report[name] = {
            "alone": await measure_requests(call, in_flight=1, count=Counts.alone),
            "together": await measure_requests(call, in_flight=IN_FLIGHT, count=Counts.together),
        }
    return report


class Counter:
    """Counts stream messages and says what they cost.

    What is measured is noted at the very message that is the last, since a client that reads and reads may leave no
    other task a turn.
    """

    def __init__(self, goal: int, seconds: float) -> None:
        self._goal = goal
        self._seconds = seconds
        self._done = asyncio.Event()
        self._cpu_s = self._time_s = self._memory_mb = 0.0
        self._report: dict[str, float] = {}
        self.count = 0

    def hit(self) -> None:
        """A message has arrived, decoded."""
        self.count += 1
        if self.count == WARM_UP_MESSAGES:
            self._cpu_s, self._time_s, self._memory_mb = time.process_time(), time.perf_counter(), resident_mb()
        elif self.count == self._goal:
            self._note()

    def _note(self) -> None:
        count = self.count - WARM_UP_MESSAGES
        self._report = {
            "messages": self.count,
            "per_s": count / (time.perf_counter() - self._time_s),
            "per_cpu_s": count / (time.process_time() - self._cpu_s),
            "grown_mb": resident_mb() - self._memory_mb,
            "resident_mb": resident_mb(),
        }
        self._done.set()

    async def report(self) -> dict[str, float]:
        """Wait for the goal, or for the end of the time."""
        try:
            async with asyncio.timeout(self._seconds):
                await self._done.wait()
        except TimeoutError:
            self._note()
        return self._report


def main(
    requests: Callable[[str], Awaitable[dict[str, object]]],
    streams: Callable[[str, Counter], Awaitable[dict[str, float]]] | None,
) -> None:
    """Do what the command line says."""
    match sys.argv[1:]:
        case ["requests", host, *few]:
            if few:
                Counts.alone, Counts.together = ALONE // int(few[0]), TOGETHER // int(few[0])
            report: object = asyncio.run(_awaited(requests(host)))
        case ["streams", host, goal, seconds] if streams is not None:
            report = asyncio.run(_counted(streams, host, int(goal), float(seconds)))
        case _:
            raise SystemExit("requests HOST [ONE_IN] | streams HOST MESSAGES SECONDS")
    sys.stdout.write(json.dumps(report) + "\n")


async def _awaited(report: Awaitable[object]) -> object:
    return await report


async def _counted(
    streams: Callable[[str, Counter], Awaitable[dict[str, float]]], host: str, goal: int, seconds: float
) -> object:
    return await streams(host, Counter(goal, seconds))
