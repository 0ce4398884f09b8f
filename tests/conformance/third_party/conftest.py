"""Programs that nobody here wrote, each in an environment of its own, against one paper exchange."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cryptotrader.exchange.protocol.limits import LimitPolicy
from tests.support.client_environments import INSTALL_TIMEOUT_S, Unavailable, environment, node_environment
from tests.support.paper import running_exchange
from tests.support.process import Process
from tests.support.still_market import still_venue

DRIVERS = Path(__file__).parent / "drivers"
NODE = Path(__file__).parents[1] / "node_clients"
DRIVE_TIMEOUT_S = 90
"""Unit: seconds. Reason: a driver takes five to ten on a quiet machine."""

FIRST_TIMEOUT_S = INSTALL_TIMEOUT_S + DRIVE_TIMEOUT_S + 30
"""Longest that a test may take. Unit: seconds."""

Drive = Callable[..., dict[str, Any]]


def _environment(name: str) -> Path:
    """The interpreter of a client's environment, built once per lock; skips where it cannot be built."""
    try:
        return environment(name)
    except Unavailable as problem:
        pytest.skip(str(problem))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test of a client may have to install it."""
    for item in items:
        if item.path.parent == DRIVERS.parent:
            item.add_marker(pytest.mark.timeout(FIRST_TIMEOUT_S))


@pytest.fixture(scope="session")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """``cryptotrader exchange`` on a free port; answers host and port."""
    process = Process(["exchange", "--port", "0"], data_dir=tmp_path_factory.mktemp("exchange"))
    try:
        yield process.wait_for_line(r"Paper exchange +http://(\S+)").group(1)
    finally:
        process.stop()


def run_before_still_markets(name: str, driver: str) -> dict[str, Any]:
    """Run a driver against an exchange of its own, whose markets stand still, with one rich account."""

    async def drive() -> dict[str, Any]:
        async with running_exchange(still_venue(), limits=LimitPolicy.off()) as server:
            return await asyncio.to_thread(run_driver, name, f"127.0.0.1:{server.port}", driver=driver)

    return asyncio.run(drive())


def run_node_driver(driver: str, live: str) -> dict[str, Any]:
    """Run a driver of a client for Node.js against an exchange of its own, whose markets stand still.

    Args:
        driver: Name of the script, ``node_clients/drive_<driver>.mjs``.
        live: Host and port of an exchange whose markets move, for streams.
    """
    try:
        node = node_environment(NODE)
    except Unavailable as problem:
        pytest.skip(str(problem))
    orders = subprocess.run([sys.executable, str(DRIVERS / "order_run.py")], capture_output=True, check=True).stdout

    async def drive() -> subprocess.CompletedProcess[bytes]:
        async with running_exchange(still_venue(), limits=LimitPolicy.off()) as server:
            command = [node, f"drive_{driver}.mjs", f"127.0.0.1:{server.port}", live]
            return await asyncio.to_thread(
                subprocess.run,
                command,
                cwd=NODE,
                input=orders,
                capture_output=True,
                timeout=DRIVE_TIMEOUT_S,
                check=False,
            )

    done = asyncio.run(drive())
    assert done.returncode == 0, done.stderr.decode()[-4_000:]
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report


@functools.cache
def run_driver(name: str, *arguments: str, driver: str | None = None) -> dict[str, Any]:
    """Run a driver, the client's own or another one, in a client's environment; answers its report.

    Asked for the same again, it answers the same report.
    """
    python = _environment(name)
    script = DRIVERS / f"drive_{driver or name.replace('-', '_')}.py"
    # The drivers must see the client's packages only, and nothing of the user's.
    env = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "BINANCE_"))}
    command = [str(python), str(script), *arguments]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=DRIVE_TIMEOUT_S, check=False)
    assert done.returncode == 0, done.stderr[-4_000:]
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report
