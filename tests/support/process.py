"""The product as a user starts it: ``cryptotrader serve`` or ``cryptotrader exchange`` in a process of its own."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import requests
import websocket

START_TIMEOUT_S = 40.0
STOP_TIMEOUT_S = 15.0
MAX_LOG_LINES = 20_000

TOKEN = "test_token_123"
"""The token of the documents' samples; it works on a loopback paper set-up without any configuration."""


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def hang_up(client: websocket.WebSocket) -> None:
    """Close the socket of a client that has already got a close frame; its own ``close`` would leave it open."""
    client.shutdown()  # type: ignore[no-untyped-call]


class Process:
    """A running command of ours, with its output."""

    def __init__(self, args: list[str], *, data_dir: Path, env: Mapping[str, str] | None = None) -> None:
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("HTTP_", "BINANCE_", "CRYPTOTRADER_"))
            and name not in {"HOST", "PORT", "MAX_WS_CONNECTIONS", "USER_STREAM_MODE", "LOG_LEVEL"}
        }
        self.output: deque[str] = deque(maxlen=MAX_LOG_LINES)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cryptotrader", *args, "--data-dir", str(data_dir)],
            env={**clean, "PYTHONUNBUFFERED": "1", **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output.append(line.rstrip("\n"))

    @property
    def text(self) -> str:
        """Everything printed so far."""
        return "\n".join(list(self.output))

    @property
    def log(self) -> str:
        """Everything printed but the banner's line that shows the owner the token."""
        return "\n".join(line for line in list(self.output) if not line.startswith("Bearer token"))

    def wait_for_line(self, pattern: str, timeout_s: float = START_TIMEOUT_S) -> re.Match[str]:
        """The first line of output that matches."""
        deadline = time.monotonic() + timeout_s
        wake = threading.Event()
        while time.monotonic() < deadline:
            for line in list(self.output):
                if match := re.search(pattern, line):
                    return match
            if self.process.poll() is not None:
                wake.wait(0.2)
                raise AssertionError(f"ended with {self.process.returncode}:\n{self.text}")
            wake.wait(0.02)
        raise AssertionError(f"no line {pattern!r} within {timeout_s} s:\n{self.text}")

    def kill(self) -> None:
        """SIGKILL: no chance to say goodbye."""
        self.process.kill()
        self.process.wait(STOP_TIMEOUT_S)
        self._close()

    def _close(self) -> None:
        self._reader.join(STOP_TIMEOUT_S)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(STOP_TIMEOUT_S)
            raise AssertionError(f"did not stop within {STOP_TIMEOUT_S} s:\n{self.text[-4000:]}") from None
        self._close()
        return code


class Server(Process):
    """``cryptotrader serve`` on free ports."""

    def __init__(self, *, data_dir: Path, args: list[str] | None = None, env: Mapping[str, str] | None = None) -> None:
        ports = ["--port", "0", "--exchange-port", "0"]
        super().__init__(["serve", *ports, *(args or [])], data_dir=data_dir, env=env)
        self.base = self.wait_for_line(r"Gateway +(http://\S+)").group(1)
        self.host = self.base.removeprefix("http://")
        self.ws = "ws://" + self.host

    def get(self, path: str, **kwargs: Any) -> requests.Response:
        """A GET with the sample token."""
        return self.call("GET", path, **kwargs)

    def call(self, method: str, path: str, *, token: str | None = TOKEN, **kwargs: Any) -> requests.Response:
        """Any request, with a token unless it is None."""
        headers = {**({"Authorization": f"Bearer {token}"} if token else {}), **kwargs.pop("headers", {})}
        return requests.request(method, self.base + path, headers=headers, timeout=20, **kwargs)


@contextlib.contextmanager
def running_server(
    data_dir: Path, *, args: list[str] | None = None, env: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Start, hand out, stop; a test that leaves the server unable to stop fails."""
    server = Server(data_dir=data_dir, args=args, env=env)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()
