"""Requests of a client: this product's, Binance's own, ccxt.pro, and plain REST, against one paper exchange.

The exchange is a process of its own on another core, so the figures per CPU-second are the client's alone. It has no
limits on requests; orders are on disk before they are answered.
"""

from __future__ import annotations

import statistics
import sys
from typing import Any

from benchmarks.clients_run import OFFICIAL, OURS, REST, UNIFIED, Client, available, cores, ratio, run_client
from benchmarks.lines import LineProcess
from benchmarks.table import Table

REPEATS = 5
"""The median of these is reported; the clients take turns. Reason: on a machine that does other things too, one pause
spoils one repeat."""

Figures = dict[str, dict[str, dict[str, float]]]
"""Operation, then ``alone`` or ``together``, then what was measured."""


def run() -> Table:
    """About two minutes."""
    table = Table(
        "Client requests",
        (
            "client",
            "request",
            "requests per CPU-s",
            "of the official client's",
            "1 in flight: p50 / p99 ms",
            "100 in flight: p50 / p99 ms",
        ),
        notes="Per CPU-second of the client's process with 100 in flight. `ticker.book` is a public read, `order.place`"
        " a signed market order that is on disk before it is answered. ccxt.pro has no such read for the spot market."
        " With one in flight the rows of REST and of the first client show what the WebSocket API saves (S4-23).",
    )
    reports: dict[Client, list[Figures]] = {client: [] for client in available(OURS, OFFICIAL, UNIFIED, REST)}
    server = LineProcess([sys.executable, "-m", "benchmarks.exchange_server"], cores()[0])
    try:
        host = f"127.0.0.1:{_port(server)}"
        for _ in range(REPEATS):
            for client, reports_of in reports.items():
                reports_of.append(run_client(client, "requests", host))
    finally:
        server.close()
    for operation in ("ticker.book", "order.place"):
        official = _median(reports[OFFICIAL], operation, "together", "per_cpu_s") if OFFICIAL in reports else None
        for client, runs in reports.items():
            if operation in runs[0]:
                _add(table, client, operation, runs=runs, official=official)
    return table


def _port(server: LineProcess) -> int:
    line = server.answer()
    while not line.isdecimal():
        line = server.answer()
    return int(line)


def _add(table: Table, client: Client, operation: str, *, runs: list[Figures], official: float | None) -> None:
    per_cpu_s = _median(runs, operation, "together", "per_cpu_s")
    times = [
        f"{_median(runs, operation, load, 'p50_ms'):.2f} / {_median(runs, operation, load, 'p99_ms'):.2f}"
        for load in ("alone", "together")
    ]
    table.add(client.name, operation, f"{per_cpu_s:,.0f}", ratio(per_cpu_s, official), *times)


def _median(runs: list[Figures], operation: str, load: str, what: str) -> float:
    values: list[Any] = [run[operation][load][what] for run in runs]
    return float(statistics.median(values))


if __name__ == "__main__":
    print(run().markdown())
