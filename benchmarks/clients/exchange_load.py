"""Loads a paper exchange with signed orders over plain sockets; more of them than it can answer.

``python exchange_load.py ws|rest HOST MIX CONNECTIONS IN_FLIGHT SECONDS`` prints one JSON object. Each request is
signed when it is sent, as clients do; answers are counted, not decoded, so that the server is what is measured.
Standard library only.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import select
import socket
import sys
import time
from collections import deque
from collections.abc import Iterator

KEY = "your_binance_api_key"
SECRET = b"your_binance_secret_key"
"""The documented samples; they work on a loopback paper exchange only."""

SYMBOL = "BTCUSDT"
QUANTITY = "0.00050"
OPEN_ORDERS = 50
"""Orders that a connection leaves open in the mix with cancellations."""
WARM_UP_S = 0.5
"""Unit: seconds. Reason: caches fill, and the first segment of the journal is begun."""
QUIET_S = 10.0
"""How long to wait for an answer. Unit: seconds."""

Fields = dict[str, str]
Request = tuple[str, Fields]
"""(method of the WebSocket API, parameters without those of the signature)."""

VERBS = {"order.place": "POST", "order.cancel": "DELETE"}


def requests(mix: str, name: str, price: int) -> Iterator[Request]:
    """What one connection asks for.

    Args:
        mix: ``rest``: orders that rest; ``cancel``: as many cancellations; ``take``: market orders that fill.
        name: Begins every client order id.
        price: About what the market costs.
    """
    number = 0
    while True:
        number += 1
        side, distance = ("BUY", 98) if number % 2 else ("SELL", 102)
        order = {"symbol": SYMBOL, "side": side, "type": "MARKET", "quantity": QUANTITY}
        if mix != "take":
            # Over a hundred prices, as orders lie.
            level = price * distance // 100 + number % 100
            order |= {"type": "LIMIT", "timeInForce": "GTC", "price": f"{level}.00"}
        yield "order.place", order | {"newClientOrderId": f"{name}{number}"}
        if mix == "cancel" and number > OPEN_ORDERS:
            yield "order.cancel", {"symbol": SYMBOL, "origClientOrderId": f"{name}{number - OPEN_ORDERS}"}


def signed(fields: Fields) -> Fields:
    """With key, time and signature. Values are such that a query string needs no quoting."""
    whole = fields | {"apiKey": KEY, "timestamp": str(time.time_ns() // 1_000_000)}
    payload = "&".join(f"{name}={whole[name]}" for name in sorted(whole))
    return whole | {"signature": hmac.new(SECRET, payload.encode(), hashlib.sha256).hexdigest()}


class Wire:
    """One connection, with the times at which its unanswered requests were sent."""

    opening = ""

    def __init__(self, host: str, asked: Iterator[Request]) -> None:
        name, _, port = host.partition(":")
        self.host = host
        self.asked = asked
        self.socket = socket.create_connection((name, int(port)), timeout=QUIET_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.opening:
            self.socket.sendall(self.opening.format(host=host).encode())
            while not self.socket.recv(4_096).endswith(b"\r\n\r\n"):
                pass
        self.sent_ns: deque[int] = deque()
        self.buffer = b""

    def ask(self, count: int) -> None:
        """Send so many requests more."""
        if count:
            self.socket.sendall(b"".join([self.encode(*next(self.asked)) for _ in range(count)]))
            now_ns = time.perf_counter_ns()
            self.sent_ns.extend([now_ns] * count)

    def encode(self, method: str, fields: Fields) -> bytes:
        """One request as it goes out."""
        raise NotImplementedError

    def count(self) -> int:
        """How many whole answers lie in the buffer; they are taken out of it.

        Raises:
            RuntimeError: One of them is a refusal.
        """
        raise NotImplementedError


class WebSocketWire(Wire):
    """The WebSocket API."""

    opening = (
        "GET /ws-api/v3?returnRateLimits=false HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    number = 0

    def encode(self, method: str, fields: Fields) -> bytes:
        self.number += 1
        text = json.dumps({"id": self.number, "method": method, "params": signed(fields)}).encode()
        # Masked with zeros: the server takes the mask off all the same.
        return b"\x81\xfe%b\0\0\0\0%b" % (len(text).to_bytes(2, "big"), text)

    def count(self) -> int:
        data, at, found = self.buffer, 0, 0
        size = len(data)
        while at + 4 <= size:
            length, start = data[at + 1], at + 2
            if length == 126:
                length, start = int.from_bytes(data[start : start + 2], "big"), start + 2
            if start + length > size:
                break
            if data[at] == 0x81:  # Pings are passed over: a run is shorter than the server's patience.
                found += 1
                if data.find(b'"status":200', start, start + 60) < 0:
                    raise RuntimeError(data[start : start + length].decode())
            at = start + length
        self.buffer = data[at:]
        return found


class RestWire(Wire):
    """The REST API, on a connection that is kept alive."""

    def encode(self, method: str, fields: Fields) -> bytes:
        query = "&".join(f"{name}={value}" for name, value in self.signed_query(fields).items())
        head = f"{VERBS[method]} /api/v3/order?{query} HTTP/1.1\r\nHost: {self.host}\r\nX-MBX-APIKEY: {KEY}\r\n\r\n"
        return head.encode()

    def signed_query(self, fields: Fields) -> Fields:
        """In the order in which it is sent; the key goes into a header."""
        whole = fields | {"timestamp": str(time.time_ns() // 1_000_000)}
        payload = "&".join(f"{name}={value}" for name, value in whole.items())
        return whole | {"signature": hmac.new(SECRET, payload.encode(), hashlib.sha256).hexdigest()}

    def count(self) -> int:
        found = 0
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
            if len(self.buffer) < end + 4 + length:
                break
            if b" 200 " not in head[:20]:
                raise RuntimeError(self.buffer.decode())
            self.buffer = self.buffer[end + 4 + length :]
            found += 1
        return found


class Load:
    """All connections, and what has been answered."""

    def __init__(self, wires: list[Wire], in_flight: int) -> None:
        self._wires = {wire.socket.fileno(): wire for wire in wires}
        self._epoll = select.epoll()
        for number in self._wires:
            self._epoll.register(number, select.EPOLLIN)
        for wire in wires:
            wire.ask(in_flight)
        self.answered = 0
        """In this run, and"""
        self.ever = 0
        """since the connections were opened."""
        self.times_ns: list[int] = []

    def run(self, seconds: float, *, is_last: bool = False) -> None:
        """Keep as many requests on their way as there are now; with ``is_last`` wait for the rest."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            self._turn(asks=True)
        while is_last and any(wire.sent_ns for wire in self._wires.values()):
            self._turn(asks=False)

    def _turn(self, *, asks: bool) -> None:
        ready = self._epoll.poll(QUIET_S)
        if not ready:
            raise RuntimeError("no answer")
        for number, _ in ready:
            wire = self._wires[number]
            data = wire.socket.recv(262_144)
            if not data:
                raise RuntimeError("the server closed a connection")
            wire.buffer += data
            count = wire.count()
            now_ns = time.perf_counter_ns()
            for _ in range(count):
                self.times_ns.append(now_ns - wire.sent_ns.popleft())
            self.answered += count
            self.ever += count
            if asks:
                wire.ask(count)


def price_of(host: str) -> int:
    """What the market costs, in whole units of the quote asset."""
    name, _, port = host.partition(":")
    with socket.create_connection((name, int(port)), timeout=QUIET_S) as opened:
        request = f"GET /api/v3/ticker/price?symbol={SYMBOL} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        opened.sendall(request.encode())
        answer = b""
        while data := opened.recv(65_536):
            answer += data
    return int(float(json.loads(answer.partition(b"\r\n\r\n")[2])["price"]))


def main() -> None:
    """Do what the command line says."""
    kind, host, mix, connections, in_flight, seconds = sys.argv[1:]
    wire = WebSocketWire if kind == "ws" else RestWire
    price, run = price_of(host), time.time_ns() // 1_000 % 10**9
    names = [f"{kind}{mix}-{run}-{number}-" for number in range(int(connections))]
    load = Load([wire(host, requests(mix, name, price)) for name in names], int(in_flight))
    load.run(WARM_UP_S)
    load.answered, load.times_ns = 0, []
    cpu_s, started = time.process_time(), time.perf_counter()
    load.run(float(seconds))
    elapsed_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu_s
    answered, times_ns = load.answered, sorted(load.times_ns)
    load.run(0, is_last=True)
    report = {
        "answered": answered,
        "answered_ever": load.ever,
        "seconds": elapsed_s,
        "client_cpu_s": cpu_s,
        "p50_ms": times_ns[answered // 2] / 1e6,
        "p99_ms": times_ns[answered * 99 // 100] / 1e6,
    }
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main()
