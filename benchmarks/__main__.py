"""``python -m benchmarks [name ...]``: measure, print, write ``benchmarks/RESULTS.md``.

A benchmark is a module of this package with ``run() -> Table``; name it in ``BENCHMARKS``.
"""

from __future__ import annotations

import datetime
import importlib
import os
import platform
import sys
from pathlib import Path

from benchmarks.table import Table

BENCHMARKS = (
    "fanout",
    "engine_commands",
    "exchange_orders",
    "journal",
    "tape_replay",
    "open_orders",
    "order_roundtrip",
    "ws_api_client",
    "ws_api_streams",
)
RESULTS = Path(__file__).with_name("RESULTS.md")


def describe_machine() -> str:
    """What it ran on."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    today = datetime.datetime.now(datetime.UTC).date()
    load = os.getloadavg()[0]
    return (
        f"{today}, {os.cpu_count()} cores of {model}, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}; load before the start {load:.2f}."
    )


def main(names: list[str]) -> None:
    """Run the named benchmarks, or all."""
    machine = describe_machine()
    parts = ["# Results\n", f"{machine}\n"]
    for name in names or BENCHMARKS:
        table: Table = importlib.import_module(f"benchmarks.{name}").run()
        print(table.markdown(), flush=True)
        parts.append(table.markdown())
        if not names:
            RESULTS.write_text("\n".join(parts))


if __name__ == "__main__":
    main(sys.argv[1:])
