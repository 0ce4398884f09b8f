"""What a program pays that only uses the client library: no server, no settings model, little time."""

from __future__ import annotations

import json
import subprocess
import sys

PACKAGE = "cryptotrader.services.binance.websocketAPI"
LIMIT_S = 0.15
"""More than ``import asyncio, msgspec`` takes. Unit: seconds of processor time, since other programs run as well."""

REPEATS = 5
FOREIGN = ("uvicorn", "starlette", "pydantic", "pydantic_settings", "talib", "apsw", "typer", "prometheus_client")


def _measured(statement: str) -> tuple[float, set[str]]:
    """Processor time of the quickest of a few runs, and what is loaded afterwards."""
    code = (
        "import json, sys, time\nbegan = time.process_time()\n"
        f"{statement}\nprint(json.dumps([time.process_time() - began, list(sys.modules)]))"
    )
    best_s, modules = 1e9, set[str]()
    for _ in range(REPEATS):
        out = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
        ).stdout
        used_s, names = json.loads(out)
        best_s, modules = min(best_s, used_s), set(names)
    return best_s, modules


def test_importing_the_requests_is_quick_and_pulls_in_no_server() -> None:
    """S4-1: under 150 ms more than ``import asyncio, msgspec``."""
    bare_s, _ = _measured("import asyncio, msgspec")
    ours_s, modules = _measured(f"import asyncio, msgspec, {PACKAGE}, {PACKAGE}.base_operations")
    assert ours_s - bare_s < LIMIT_S
    assert not modules.intersection(FOREIGN)
    assert not [name for name in modules if name.startswith(("cryptotrader.exchange", "cryptotrader.gateway"))]


def test_the_library_of_books_and_events_pulls_in_no_server_either() -> None:
    """Counters come along with the feeds; whoever serves them does not."""
    _, modules = _measured("import cryptotrader.library")
    assert not modules.intersection(set(FOREIGN) - {"prometheus_client"})
