"""One server for all samples, and the programs that the samples need."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.process import Server, running_server

NODE = Path(__file__).parent / "node"

HOW_TO_GET = {
    "curl": "apt-get install curl",
    "jq": "apt-get install jq",
    "bc": "apt-get install bc",
    "bash": "apt-get install bash",
    "openssl": "apt-get install openssl",
    "sed": "apt-get install sed",
    "date": "apt-get install coreutils",
    "node": "apt-get install nodejs npm",
    "npm": "apt-get install nodejs npm",
}


def need(program: str) -> str:
    """Path of a system program, or a skip that says how to get it."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is missing; get it with: {HOW_TO_GET[program]}")
    return found


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """``wscat`` and ``ws`` from npm, installed once from the lock."""
    need("node")
    npm = need("npm")
    modules = NODE / "node_modules"
    stamp = modules / ".package-lock.json"
    if not stamp.exists() or stamp.stat().st_mtime < (NODE / "package-lock.json").stat().st_mtime:
        done = subprocess.run([npm, "ci"], cwd=NODE, capture_output=True, text=True, timeout=110, check=False)
        assert done.returncode == 0, done.stderr
    return modules


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """``cryptotrader serve`` as a newcomer starts it, with room for many samples in a minute."""
    with running_server(tmp_path_factory.mktemp("data"), env={"HTTP_RATE_LIMIT": "100000"}) as running:
        yield running
