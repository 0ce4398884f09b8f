"""What a program loads that only uses the client library: no server, no settings. Time is for the benchmark."""

from __future__ import annotations

import json
import subprocess
import sys

PACKAGE = "cryptotrader.services.binance.websocketAPI"
FOREIGN = ("uvicorn", "starlette", "pydantic", "pydantic_settings", "talib", "apsw", "typer", "prometheus_client")


def _loaded(statement: str) -> set[str]:
    """Modules that are loaded after a statement in a fresh interpreter."""
    code = f"import json, sys\n{statement}\nprint(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return set(json.loads(done.stdout))


def test_importing_the_requests_pulls_in_no_server() -> None:
    """S4-1: the client package stands alone."""
    modules = _loaded(f"import {PACKAGE}, {PACKAGE}.base_operations")
    assert not modules.intersection(FOREIGN)
    assert not [name for name in modules if name.startswith(("cryptotrader.exchange", "cryptotrader.gateway"))]


def test_what_only_some_programs_use_is_loaded_when_it_is_used() -> None:
    """Logging, connecting and key pairs cost more than half of the time that an import took."""
    modules = _loaded(f"import {PACKAGE}, {PACKAGE}.base_operations")
    assert not modules.intersection({"structlog", "rich", "websockets", "cryptography", "httpx2"})


def test_the_library_of_books_and_events_pulls_in_no_server_either() -> None:
    """Counters come along with the feeds; whoever serves them does not."""
    modules = _loaded("import cryptotrader.library")
    assert not modules.intersection(set(FOREIGN) - {"prometheus_client"})
