"""Programs that nobody here wrote, each in an environment of its own, against one paper exchange."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.process import Process

ROOT = Path(__file__).resolve().parents[3]
DRIVERS = Path(__file__).parent / "drivers"
CACHE = ROOT / ".venv" / "clients"
"""Ignored by git, and gone with ``make clean``."""

INSTALL_TIMEOUT_S = 240
"""Unit: seconds. Reason: the largest set has a hundred megabytes."""

DRIVE_TIMEOUT_S = 90
"""Unit: seconds. Reason: a driver takes five to ten on a quiet machine."""

FIRST_TIMEOUT_S = INSTALL_TIMEOUT_S + DRIVE_TIMEOUT_S + 30
"""Longest that a test may take. Unit: seconds."""

Drive = Callable[..., dict[str, Any]]


def _environment(name: str) -> Path:
    """The interpreter of a client's environment, built once per lock; skips where it cannot be built."""
    lock = ROOT / "requirements" / f"clients-{name}.lock"
    wanted = f"{sys.version_info[:2]} {hashlib.sha256(lock.read_bytes()).hexdigest()}"
    folder = CACHE / name
    stamp = folder / ".installed"
    python = folder / "bin" / "python"
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=INSTALL_TIMEOUT_S)
    options = ["--quiet", "--disable-pip-version-check", "--retries", "1", "--require-hashes", "--only-binary", ":all:"]
    install = [str(python), "-m", "pip", "install", *options, "-r", str(lock)]
    try:
        done = subprocess.run(install, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False)
        problem = done.stderr.strip().splitlines()[-1:] if done.returncode else None
    except subprocess.TimeoutExpired:
        problem = [f"pip took longer than {INSTALL_TIMEOUT_S} s"]
    if problem is not None:
        pytest.skip(f"{name} is missing ({' '.join(problem)}); with a package index, the next run installs it")
    stamp.write_text(wanted)
    return python


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


def run_driver(name: str, *arguments: str, driver: str | None = None) -> dict[str, Any]:
    """Run a driver, the client's own or another one, in a client's environment; answers its report."""
    python = _environment(name)
    script = DRIVERS / f"drive_{driver or name.replace('-', '_')}.py"
    # The drivers must see the client's packages only, and nothing of the user's.
    env = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "BINANCE_"))}
    command = [str(python), str(script), *arguments]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=DRIVE_TIMEOUT_S, check=False)
    assert done.returncode == 0, done.stderr[-4_000:]
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report
