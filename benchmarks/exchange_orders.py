"""Orders a second, end to end: a client that signs and sends more than a paper exchange on one core can answer.

The exchange is a process of its own, bound to one core with all its threads, and every order is on disk before it is
answered. The client has the other core. Processor time is measured too, since it does not depend on what else the
machine does.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.clients_run import cores
from benchmarks.lines import LineProcess
from benchmarks.table import Table

LOAD = Path(__file__).with_name("clients") / "exchange_load.py"
SECONDS = 2.0
REPEATS = 5
"""Of which the median is told; the cases take turns."""
RUN_TIMEOUT_S = 60.0
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Case:
    """One kind of load."""

    path: str
    mix: str
    words: str
    connections: int
    in_flight: int
    """On each connection. REST has one answer after the other."""


CASES = (
    Case("ws", "rest", "WebSocket API: orders that rest", 4, 64),
    Case("ws", "cancel", "WebSocket API: half orders that rest, half cancellations", 4, 64),
    Case("ws", "take", "WebSocket API: market orders that fill", 4, 64),
    Case("rest", "rest", "REST: orders that rest", 64, 1),
    Case("rest", "take", "REST: market orders that fill", 64, 1),
)


@dataclass(frozen=True)
class Figures:
    """What one run showed."""

    per_s: float
    server_us: float
    """Processor time of the exchange per request, all threads. Unit: microseconds."""
    client_share: float
    """How busy the client was, of one core."""
    p50_ms: float
    p99_ms: float


class Exchange:
    """The server, until the end of a ``with``."""

    def __enter__(self) -> Exchange:
        self._process = LineProcess([sys.executable, "-m", "benchmarks.exchange_server"], cores()[0])
        line = self._process.answer()
        while not line.isdecimal():
            line = self._process.answer()
        self.host = f"127.0.0.1:{line}"
        self.pid = self._process.pid
        return self

    def __exit__(self, *_: object) -> None:
        self._process.close()

    def cpu_s(self) -> float:
        """Processor time so far, of all threads. Unit: seconds."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

    def load(self, case: Case, seconds: float = SECONDS) -> Figures:
        """Run one case."""
        command = [sys.executable, str(LOAD), case.path, self.host, case.mix]
        command += [str(case.connections), str(case.in_flight), str(seconds)]
        before_s = self.cpu_s()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        core = cores()[1]
        if core is not None:
            os.sched_setaffinity(process.pid, {core})
        out, _ = process.communicate(timeout=RUN_TIMEOUT_S)
        if process.returncode:
            raise RuntimeError(f"the load of {case.words} failed")
        report = json.loads(out)
        return Figures(
            per_s=report["answered"] / report["seconds"],
            server_us=(self.cpu_s() - before_s) / report["answered_ever"] * 1e6,
            client_share=report["client_cpu_s"] / report["seconds"],
            p50_ms=report["p50_ms"],
            p99_ms=report["p99_ms"],
        )


def run() -> Table:
    """About a minute and a half."""
    table = Table(
        "Orders end to end",
        (
            "load",
            "connections x in flight",
            "requests/s, median (lowest to highest)",
            "exchange's CPU µs per request, median (lowest to highest)",
            "requests per CPU-s",
            "client's share of its core",
            "p50 / p99 ms",
        ),
        notes=f"Signed with HMAC, journalled before they are answered, {REPEATS} runs of {SECONDS:.0f} s in turn; a"
        " fresh exchange for each turn. CPU is of all the exchange's threads: journal, store, and the sixty made-up"
        " symbols that move meanwhile. Requests/s is what the machine left over; requests per"
        " CPU-second are what one core of its own would give.",
    )
    found: dict[Case, list[Figures]] = {case: [] for case in CASES}
    for _ in range(REPEATS):
        with Exchange() as exchange:
            for case, figures in found.items():
                figures.append(exchange.load(case))
    for case, figures in found.items():
        cost_us = sorted(each.server_us for each in figures)
        rates = sorted(each.per_s for each in figures)
        table.add(
            case.words,
            f"{case.connections} x {case.in_flight}",
            f"{statistics.median(rates):,.0f} ({rates[0]:,.0f} to {rates[-1]:,.0f})",
            f"{statistics.median(cost_us):.0f} ({cost_us[0]:.0f} to {cost_us[-1]:.0f})",
            f"{1e6 / statistics.median(cost_us):,.0f}",
            f"{statistics.median(each.client_share for each in figures):.0%}",
            f"{statistics.median(each.p50_ms for each in figures):.1f}"
            f" / {statistics.median(each.p99_ms for each in figures):.1f}",
        )
    return table


if __name__ == "__main__":
    print(run().markdown())
