"""Clients of the comparison: where their interpreters are, how one is run against a server on another core."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.client_environments import Unavailable, environment

CLIENTS = Path(__file__).with_name("clients")

RUN_TIMEOUT_S = 120.0
"""Longest run of one client. Unit: seconds. Reason: a client that hangs must not hang the benchmark."""


@dataclass(frozen=True)
class Client:
    """One program of ``benchmarks/clients``."""

    name: str
    script: str
    environment: str
    """Lock of its packages (``requirements/clients-*.lock``); empty for this product's own."""
    package: str
    """What a program imports."""
    messages: int = 1_000_000
    """How many stream messages it is given."""

    def python(self) -> Path:
        """Its interpreter; built where it is missing.

        Raises:
            Unavailable: Its packages cannot be had.
        """
        return environment(self.environment) if self.environment else Path(sys.executable)


OURS = Client("cryptotrader", "ours.py", "", "cryptotrader.services.binance.websocketAPI.base_operations")
OFFICIAL = Client("binance-sdk-spot", "official.py", "binance-sdk-spot", "binance_sdk_spot.spot")
UNIFIED = Client("ccxt.pro", "unified.py", "ccxt", "ccxt.pro", messages=200_000)
REST = Client("REST, httpx2", "rest.py", "", "httpx2")


def available(*clients: Client) -> list[Client]:
    """Those whose packages are there or can be had; says which are not."""
    found = []
    for client in clients:
        try:
            client.python()
            found.append(client)
        except Unavailable as problem:
            print(f"left out: {problem}", file=sys.stderr)
    return found


def ratio(value: float, official: float | None) -> str:
    """How many times the official client's figure."""
    return f"{value / official:.1f}" if official else "-"


def cores() -> tuple[int | None, int | None]:
    """One for servers and one for clients, where there are two."""
    available = sorted(os.sched_getaffinity(0))
    return (available[0], available[1]) if len(available) > 1 else (None, None)


def run_client(client: Client, *arguments: str) -> dict[str, Any]:
    """Run it on the clients' core; answers its report."""
    # A client must see its own packages only. Ours is found where this product is installed.
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    command = [str(client.python()), str(CLIENTS / client.script), *arguments]
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    core = cores()[1]
    if core is not None:
        os.sched_setaffinity(process.pid, {core})
    try:
        out, err = process.communicate(timeout=RUN_TIMEOUT_S)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    if process.returncode:
        raise RuntimeError(f"{client.name} failed:\n{err[-2_000:]}")
    report: dict[str, Any] = json.loads(out.splitlines()[-1])
    return report


def import_ms(client: Client, *, repeats: int = 15) -> float:
    """How much longer importing it takes than ``import asyncio, msgspec``, if it has msgspec. Unit: milliseconds.

    Both are measured in turn, by the processor time of a fresh interpreter, which a busy machine changes least.
    """
    base = "import asyncio" if client.environment else "import asyncio, msgspec"
    pairs = [
        (_spent_ms(client.python(), base), _spent_ms(client.python(), f"{base}, {client.package}"))
        for _ in range(repeats)
    ]
    return statistics.median(whole for _, whole in pairs) - statistics.median(bare for bare, _ in pairs)


def _spent_ms(python: Path, statement: str) -> float:
    code = f"import time; began = time.process_time()\n{statement}\nprint(time.process_time() - began)"
    done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return float(done.stdout) * 1_000
