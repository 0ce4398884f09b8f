"""A page in a headless Chromium, driven over its DevTools protocol."""

from __future__ import annotations

import base64
import contextlib
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import websocket

START_S = 30.0
WAIT_S = 20.0


def find_browser() -> str:
    """Path of the program, or a skip that says how to get it."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("chromium is missing; get it with: apt-get install chromium")
    return browser


class Page:
    """One open page. It reaches this machine and nothing else."""

    def __init__(self, socket: websocket.WebSocket) -> None:
        self._socket = socket
        self._next_id = 0
        self.complaints: list[str] = []
        """What the browser logged as an error: blocked requests, exceptions."""

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """One command of the protocol."""
        self._next_id += 1
        self._socket.send(json.dumps({"id": self._next_id, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("id") == self._next_id:
                assert "error" not in message, message
                found: dict[str, Any] = message["result"]
                return found
            self._note(message)

    def _note(self, message: dict[str, Any]) -> None:
        if message.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(str(message["params"]["exceptionDetails"]))
        elif message.get("method") == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
            self.complaints.append(str(message["params"]["entry"]["text"]))

    def run(self, script: str) -> Any:
        """Value of a JavaScript expression; a promise is waited for."""
        done = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def wait_for(self, script: str) -> Any:
        """Value of an expression, once it is true."""
        deadline, pause = time.monotonic() + WAIT_S, threading.Event()
        while time.monotonic() < deadline:
            if value := self.run(script):
                return value
            pause.wait(0.05)
        raise AssertionError(f"never true: {script}; {self.complaints}")

    def screenshot(self) -> bytes:
        """The whole page as PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"])


@contextlib.contextmanager
def open_page(url: str, profile: Path) -> Iterator[Page]:
    """Start a browser, go to ``url``, end it afterwards."""
    command = [
        find_browser(), "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1100,1400",
        f"--user-data-dir={profile}", "--remote-debugging-port=0", "--remote-allow-origins=*",
        "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1", "about:blank",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        port = _port(profile / "DevToolsActivePort", process)
        targets = requests.get(f"http://127.0.0.1:{port}/json/list", timeout=10).json()
        target = next(item for item in targets if item["type"] == "page")
        socket = websocket.create_connection(target["webSocketDebuggerUrl"], timeout=WAIT_S)
        try:
            page = Page(socket)
            for domain in ("Page", "Runtime", "Log"):
                page.call(f"{domain}.enable")
            page.call("Page.navigate", url=url)
            yield page
        finally:
            socket.close()
    finally:
        process.terminate()
        process.wait(WAIT_S)


def _port(file: Path, process: subprocess.Popen[bytes]) -> int:
    """The port that the browser chose."""
    deadline, pause = time.monotonic() + START_S, threading.Event()
    while time.monotonic() < deadline:
        assert process.poll() is None, "the browser ended"
        if file.exists() and (lines := file.read_text().splitlines()):
            return int(lines[0])
        pause.wait(0.05)
    raise AssertionError("the browser does not listen")
