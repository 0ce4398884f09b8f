"""The programs that the benchmark of the client library runs: they must work when somebody wants to know (S4-23)."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.clients_run import OURS, REST, run_client
from benchmarks.lines import LineProcess
from benchmarks.ws_api_client import _port


def test_requests_are_measured_alone_and_together_over_both_ways() -> None:
    """S4-23: the same operations over the WebSocket API and over REST, at the same exchange."""
    server = LineProcess([sys.executable, "-m", "benchmarks.exchange_server"], None)
    try:
        host = f"127.0.0.1:{_port(server)}"
        for client in (OURS, REST):
            report = run_client(client, "requests", host, "20")
            assert set(report) == {"ticker.book", "order.place"}
            for loads in report.values():
                assert loads["alone"]["p50_ms"] <= loads["alone"]["p99_ms"]
                assert loads["together"]["per_cpu_s"] > 0
    finally:
        server.close()


def test_stream_messages_are_counted_to_the_last(tmp_path: Path) -> None:
    info = tmp_path / "exchange-info.json"
    info.write_bytes(b"{}")
    server = LineProcess([sys.executable, "-m", "benchmarks.stream_stub", str(info), "40000"], None)
    try:
        report = run_client(OURS, "streams", f"127.0.0.1:{_port(server)}", "30000", "20")
    finally:
        server.close()
    assert report["messages"] == 30_000
    assert report["per_cpu_s"] > 0
