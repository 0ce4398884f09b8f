"""Clients that nobody here wrote clash with each other: each has an environment of its own, built once per lock."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".venv" / "clients"
"""Ignored by git, and gone with ``make clean``."""

INSTALL_TIMEOUT_S = 240
"""Unit: seconds. Reason: the largest set has a hundred megabytes."""


_INSTALLING = threading.Lock()
"""Held while packages of Node.js are installed: tests run several clients at once, which would share one folder."""


class Unavailable(Exception):
    """The packages cannot be had; the text says why."""


def environment(name: str) -> Path:
    """The interpreter of a client's environment, built where ``requirements/clients-<name>.lock`` is new.

    Raises:
        Unavailable: It cannot be built, as without a package index.
    """
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
        raise Unavailable(f"{name} is missing ({' '.join(problem)}); with a package index, the next run installs it")
    stamp.write_text(wanted)
    return python


def node_environment(folder: Path) -> str:
    """The interpreter for clients of Node.js, whose packages are installed where the folder's lock is new.

    No package runs a script of its own, and the lock names no addresses.

    Raises:
        Unavailable: There is no Node.js, or the packages cannot be had.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise Unavailable("Node.js is missing; get it with: apt-get install nodejs npm")
    with _INSTALLING:
        installed = folder / "node_modules" / ".package-lock.json"
        lock = folder / "package-lock.json"
        if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
            _install_node_packages(folder, npm)
    return node


def _install_node_packages(folder: Path, npm: str) -> None:
    install = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(
            install, cwd=folder, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"npm took longer than {INSTALL_TIMEOUT_S} s") from None
    if done.returncode:
        raise Unavailable(f"npm cannot install the clients: {done.stderr.strip()[-300:]}")
