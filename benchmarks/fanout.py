"""Fan-out: what it costs to send one message to many clients, and how much later it arrives.

The server has one core to itself, the load client the other. Two loads: 64 messages outstanding (the next 64 are
published when every client has the last), and 100,000 delivered messages per second, evenly.
"""

from __future__ import annotations

import importlib.util
import os
import resource
import sys
import time
from dataclasses import dataclass

from benchmarks import load_client
from benchmarks.lines import LineProcess
from benchmarks.table import Table

CLIENTS = (50, 500, 2_000)
BURST = 64
BURST_SECONDS = 2.0
PACED_SECONDS = 1.5
PACED_REPEATS = 3
"""The median of these is reported. Reason: on a machine that does other things too, one pause spoils one repeat."""

PACED_RATE = 100_000
"""Delivered messages per second, all clients together."""

STACKS = {"ours": "cryptotrader", "broadcast": "websockets.broadcast", "fastapi": "FastAPI WebSocket"}

MAX_WAIT_S = 30.0
"""Longest wait for one burst. Unit: seconds. Reason: a server that hangs must not hang the benchmark."""

FOREVER = 10**15
"""More messages than will ever come."""


@dataclass(frozen=True)
class Result:
    """One load on one server."""

    cpu_per_million: float
    delivered_per_s: float
    p50_ms: float
    p99_ms: float


class Bench:
    """A server and its clients, each on a core of its own."""

    def __init__(self, stack: str, count: int) -> None:
        server_core, load_core = _cores()
        self.count = count
        self.server = LineProcess([sys.executable, "-m", "benchmarks.fanout_server", stack], server_core)
        self.clients = LineProcess(load_client.command(int(self.server.answer()), count), load_core)
        if self.clients.answer() != "ready":
            raise RuntimeError("the load client did not start")

    def burst(self) -> Result:
        """``BURST`` messages outstanding for ``BURST_SECONDS``."""
        done = self._one_burst(0)
        before, started, cpu = done, time.monotonic(), self._start()
        while time.monotonic() - started < BURST_SECONDS:
            done = self._one_burst(done)
        return self._result(done - before, time.monotonic() - started, cpu)

    def _one_burst(self, done: int) -> int:
        wanted = done + BURST * self.count
        self.server.say(f"burst {BURST}")
        got = int(self.clients.ask(f"wait {wanted} {MAX_WAIT_S}"))
        if got < wanted:
            raise RuntimeError(f"{got} of {wanted} messages arrived")
        return got

    def paced(self) -> Result:
        """``PACED_RATE`` delivered messages per second for ``PACED_SECONDS``."""
        before = int(self.clients.ask("wait 0 0"))
        started, cpu = time.monotonic(), self._start()
        self.server.say(f"pace {PACED_RATE / self.count} {PACED_SECONDS}")
        self.clients.ask(f"wait {FOREVER} {PACED_SECONDS + 0.1}")
        wanted = before + int(self.server.answer()) * self.count
        got = int(self.clients.ask(f"wait {wanted} {MAX_WAIT_S}"))
        return self._result(got - before, time.monotonic() - started, cpu)

    def _start(self) -> float:
        self.clients.ask("clear")
        return float(self.server.ask("cpu"))

    def _result(self, delivered: int, seconds: float, cpu: float) -> Result:
        used = float(self.server.ask("cpu")) - cpu
        _, p50_ns, p99_ns = map(int, self.clients.ask("latency").split())
        return Result(used / delivered * 1e6, delivered / seconds, p50_ns / 1e6, p99_ns / 1e6)

    def close(self) -> None:
        """End both."""
        self.clients.close()
        self.server.close()


def _cores() -> tuple[int, int] | tuple[None, None]:
    available = sorted(os.sched_getaffinity(0))
    return (available[0], available[1]) if len(available) > 1 else (None, None)


def run() -> Table:
    """Every stack with every number of clients."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536), hard))
    table = Table(
        "Fan-out of 300-byte messages",
        (
            "server",
            "clients",
            "64 outstanding: CPU-s/million",
            "delivered/s",
            "100,000/s: CPU-s/million",
            "p50 ms",
            "p99 ms",
        ),
        notes="CPU seconds of the server process, user and system. Latency at 100,000/s, from before a message is "
        "published until the load client has read it; the median of "
        f"{PACED_REPEATS} repeats by p99.",
    )
    for stack, name in STACKS.items():
        if stack == "fastapi" and importlib.util.find_spec("fastapi") is None:
            table.add(name, "-", "not installed: pip install -r requirements/bench.lock", "", "", "", "")
            continue
        for count in CLIENTS:
            table.add(name, *_row(stack, count))
            print(*table.rows[-1], file=sys.stderr)
    return table


def _row(stack: str, count: int) -> tuple[str, ...]:
    bench = Bench(stack, count)
    try:
        burst = bench.burst()
        repeats = sorted((bench.paced() for _ in range(PACED_REPEATS)), key=lambda result: result.p99_ms)
        paced = repeats[len(repeats) // 2]
    finally:
        bench.close()
    return (
        f"{count:,}",
        f"{burst.cpu_per_million:.2f}",
        f"{burst.delivered_per_s:,.0f}",
        f"{paced.cpu_per_million:.1f}",
        f"{paced.p50_ms:.2f}",
        f"{paced.p99_ms:.2f}",
    )
