"""Receives from many WebSockets at once, cheaply: frames of one known size are counted, not parsed.

``load_client.c`` does the same and is used where there is a C compiler; this module is the twin for everywhere else,
and speaks the same lines (see there).
"""

from __future__ import annotations

import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PAYLOAD_BYTES = 300
FRAME_BYTES = PAYLOAD_BYTES + 4
"""A server's frame of 126 to 65,535 bytes has a header of four."""

SAMPLED = 50
"""Connections whose latencies are recorded, spread evenly over all. Reason: bounds what measuring costs."""

_HEAD = (
    b"GET / HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
_STAMP = slice(4 + 5, 4 + 5 + 19)


def make_message() -> bytes:
    """A JSON object of ``PAYLOAD_BYTES`` with the present time, readable at a fixed place."""
    return (b'{"t":%019d,"x":"' % time.monotonic_ns()).ljust(PAYLOAD_BYTES - 2, b"x") + b'"}'


class Receivers:
    """Open connections and what they have received.

    Args:
        port: Of the server on the loopback.
        count: How many connections.
    """

    def __init__(self, port: int, count: int) -> None:
        self.received_bytes = 0
        self.latencies_ns: list[int] = []
        self._sockets: dict[int, socket.socket] = {}
        self._partial: dict[int, bytes] = {}
        self._epoll = select.epoll()
        step = max(1, count // SAMPLED)
        for number in range(count):
            opened = self._connect(port)
            self._sockets[opened.fileno()] = opened
            self._epoll.register(opened.fileno(), select.EPOLLIN)
            if number % step == 0:
                self._partial[opened.fileno()] = b""

    @staticmethod
    def _connect(port: int) -> socket.socket:
        opened = socket.create_connection(("127.0.0.1", port), timeout=10)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.sendall(_HEAD)
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += opened.recv(1)
        if b" 101 " not in answer:
            raise RuntimeError(f"the server refused: {answer[:60]!r}")
        opened.setblocking(False)
        return opened

    @property
    def messages(self) -> int:
        """Whole messages received by all connections together."""
        return self.received_bytes // FRAME_BYTES

    def receive(self, wanted: int, timeout_s: float) -> int:
        """Read until ``wanted`` messages have come since the start, or for ``timeout_s`` seconds; returns how many."""
        deadline = time.monotonic() + timeout_s
        while self.messages < wanted and time.monotonic() < deadline:
            for number, _ in self._epoll.poll(0.05):
                data = self._sockets[number].recv(262_144)
                if not data:
                    raise RuntimeError("the server closed a connection")
                self.received_bytes += len(data)
                if number in self._partial:
                    self._sample(number, data)
        return self.messages

    def _sample(self, number: int, data: bytes) -> None:
        now_ns = time.monotonic_ns()
        data = self._partial[number] + data
        whole = len(data) // FRAME_BYTES * FRAME_BYTES
        for start in range(0, whole, FRAME_BYTES):
            stamp = data[start + _STAMP.start : start + _STAMP.stop]
            self.latencies_ns.append(now_ns - int(stamp))
        self._partial[number] = data[whole:]


def command(port: int, count: int) -> list[str]:
    """What starts a load client: the compiled one if it can be had."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is not None:
        program = Path(tempfile.gettempdir()) / "cryptotrader-load-client"
        source = Path(__file__).with_suffix(".c")
        if subprocess.run([compiler, "-O2", "-o", str(program), str(source)], check=False).returncode == 0:
            return [str(program), str(port), str(count)]
    return [sys.executable, "-m", "benchmarks.load_client", str(port), str(count)]


def main(port: int, count: int) -> None:
    """Obey lines on stdin, as ``load_client.c`` does."""
    receivers = Receivers(port, count)
    print("ready", flush=True)
    for line in sys.stdin:
        match line.split():
            case ["wait", wanted, seconds]:
                print(receivers.receive(int(wanted), float(seconds)), flush=True)
            case ["clear"]:
                receivers.latencies_ns.clear()
                print(0, flush=True)
            case _:
                samples = sorted(receivers.latencies_ns) or [0]
                print(len(samples), samples[len(samples) // 2], samples[len(samples) * 99 // 100], flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
