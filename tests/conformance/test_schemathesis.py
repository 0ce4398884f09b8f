"""Every parameter of every route, fuzzed by schemathesis against the gateway as a user starts it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.process import TOKEN, running_server

CONFIG = Path(__file__).with_name("schemathesis.toml")

MAX_TIME_S = 45
"""Longest run of the generator. Unit: seconds. Reason: the suite must stay short; a nightly run may take longer."""


def _program() -> str:
    found = shutil.which("schemathesis", path=str(Path(sys.executable).parent)) or shutil.which("schemathesis")
    if found is None:
        pytest.skip("schemathesis is missing; get it with: pip install schemathesis")
    return found


def test_nothing_a_client_sends_breaks_the_gateway(tmp_path: Path) -> None:
    """S0-56: all checks hold for all operations, and no answer is a 5xx that source 0 does not name."""
    # A server of its own: the fuzzing uses up the venue's request weight, which other tests would then miss.
    with running_server(tmp_path / "data", env={"HTTP_RATE_LIMIT": "100000"}) as server:
        command = [
            *(_program(), "--config-file", str(CONFIG), "run", f"{server.base}/openapi.json"),
            *("-H", f"Authorization: Bearer {TOKEN}", "--checks", "all"),
            *("--phases", "examples,coverage,fuzzing,stateful", "--max-examples", "25"),
            *("--max-time", str(MAX_TIME_S)),
        ]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=110, check=False)
        assert done.returncode == 0, done.stdout[-12_000:]
        statuses = re.findall(r"HTTP [A-Z]+ \S+ - (5\d\d) - ", server.text)
    assert statuses == []
