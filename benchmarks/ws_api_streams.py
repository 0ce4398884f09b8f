"""Stream messages of a client: what one costs, what a million leave in memory, how long the package takes to import.

The server only sends (``benchmarks.stream_stub``), as fast as the client reads, from another core.
"""

from __future__ import annotations

import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

from benchmarks.clients_run import OFFICIAL, OURS, UNIFIED, Client, available, cores, import_ms, ratio, run_client
from benchmarks.lines import LineProcess
from benchmarks.table import Table
from benchmarks.ws_api_client import _port

SECONDS = 60.0
"""Longest time for a client's messages."""


def run() -> Table:
    """About a minute."""
    table = Table(
        "Client streams",
        (
            "client",
            "messages",
            "messages per CPU-s",
            "of the official client's",
            "memory grew by MB",
            "memory MB",
            "import ms",
        ),
        notes="Trades, decoded and handed to a callback (ccxt.pro: put into the cache of `watch_trades`). Memory is"
        " that of the whole process at the end, and what it grew by after the first 20,000 messages. Import is the time"
        " of the processor beyond `import asyncio, msgspec` (beyond `import asyncio` for the others, which do not use"
        " msgspec); this product's limit is 150 ms.",
    )
    with tempfile.TemporaryDirectory() as folder:
        info = Path(folder) / "exchange-info.json"
        info.write_bytes(_exchange_info())
        reports = {client: _read_streams(client, str(info)) for client in available(OURS, OFFICIAL, UNIFIED)}
    official = reports[OFFICIAL]["per_cpu_s"] if OFFICIAL in reports else None
    for client, report in reports.items():
        table.add(
            client.name,
            f"{report['messages']:,}",
            f"{report['per_cpu_s']:,.0f}",
            ratio(report["per_cpu_s"], official),
            f"{report['grown_mb']:.1f}",
            f"{report['resident_mb']:.0f}",
            f"{import_ms(client):.0f}",
        )
    return table


def _read_streams(client: Client, info: str) -> dict[str, Any]:
    """A few more than are counted are sent, so that the last one is surely read."""
    sent = str(client.messages + 2_000)
    server = LineProcess([sys.executable, "-m", "benchmarks.stream_stub", info, sent], cores()[0])
    try:
        return run_client(client, "streams", f"127.0.0.1:{_port(server)}", str(client.messages), str(SECONDS))
    finally:
        server.close()


def _exchange_info() -> bytes:
    """What a client that wants it gets: the paper exchange's own."""
    server = LineProcess([sys.executable, "-m", "benchmarks.exchange_server"], None)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{_port(server)}/api/v3/exchangeInfo", timeout=20) as answer:
            return bytes(answer.read())
    finally:
        server.close()


if __name__ == "__main__":
    print(run().markdown())
