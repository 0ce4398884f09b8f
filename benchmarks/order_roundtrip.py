"""Orders: round trips through the gateway, beside the same orders sent straight to the exchange.

The exchange and the gateway are processes of their own, as a user starts them. A round trip ends when the whole answer,
fills included, has been read; the exchange has then put the order on disk. The client is a bare HTTP/1.1 reader, so
that what is measured is the servers.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.table import Table

SEQUENTIAL_ORDERS = 400
CONCURRENT_ORDERS = 2_000
WORKERS = 16
WARM_UP_ORDERS = 50

TOKEN = "test_token_123"
KEY = "your_binance_api_key"
SECRET = b"your_binance_secret_key"
"""The documented samples; they work on a loopback paper set-up only."""

START_TIMEOUT_S = 40.0
ANSWER_TIMEOUT_S = 15.0
QUANTITY = "0.0005"


class Server:
    """A command of ours, until the end of a ``with``."""

    def __init__(self, args: list[str], data_dir: str, pattern: str, **env: str) -> None:
        self._command = [sys.executable, "-m", "cryptotrader", *args, "--data-dir", data_dir]
        self._env = {**os.environ, "PYTHONUNBUFFERED": "1", "LOG_LEVEL": "WARNING", **env}
        self._pattern = re.compile(pattern)
        self._log = Path(data_dir) / "output.log"
        self.host = ""

    def __enter__(self) -> Server:
        with self._log.open("wb") as out:
            self._process = subprocess.Popen(self._command, env=self._env, stdout=out, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self._process.poll() is None:
            if found := self._pattern.search(self._log.read_text()):
                self.host = found.group(1)
                return self
            time.sleep(0.05)
        self.__exit__()
        raise RuntimeError(f"{' '.join(self._command)} did not start:\n{self._log.read_text()}")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)


class Client:
    """One keep-alive connection."""

    def __init__(self, host: str) -> None:
        self._host = host

    async def __aenter__(self) -> Client:
        name, _, port = self._host.partition(":")
        self._reader, self._writer = await asyncio.open_connection(name, int(port))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    async def post(self, target: str, headers: str, body: bytes) -> bytes:
        """Send, and read the answer; anything but 200 is a fault of the benchmark."""
        head = f"POST {target} HTTP/1.1\r\nHost: {self._host}\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
        self._writer.write(head.encode() + body)
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            answer = await self._reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", answer)
            content = await self._reader.readexactly(int(length.group(1)) if length else 0)
        if b" 200 " not in answer.partition(b"\r\n")[0]:
            raise RuntimeError(f"{answer.decode()}{content.decode()}")
        return content


Place = Callable[[Client, str], Awaitable[bytes]]


async def through_gateway(client: Client, side: str) -> bytes:
    """A market order over source 0's interface."""
    order = {"symbol": "BTCUSDT", "side": side, "type": "MARKET", "quantity": QUANTITY}
    headers = f"Authorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n"
    return await client.post("/api/v1/order", headers, json.dumps(order).encode())


async def straight(client: Client, side: str) -> bytes:
    """The same order as Binance's own interface wants it: signed."""
    fields = {"symbol": "BTCUSDT", "side": side, "type": "MARKET", "quantity": QUANTITY, "newOrderRespType": "FULL"}
    query = urlencode({**fields, "timestamp": str(time.time_ns() // 1_000_000)})
    signature = hmac.new(SECRET, query.encode(), hashlib.sha256).hexdigest()
    return await client.post(f"/api/v3/order?{query}&signature={signature}", f"X-MBX-APIKEY: {KEY}\r\n", b"")


@dataclass(frozen=True)
class Load:
    """What one run showed."""

    per_s: float
    p50_ms: float
    p99_ms: float


async def measure(host: str, place: Place, *, workers: int, orders: int) -> Load:
    """Place ``orders`` orders over ``workers`` connections, buying and selling in turn."""
    times_ns: list[int] = []

    async def work(count: int) -> None:
        async with Client(host) as client:
            for number in range(count):
                started = time.perf_counter_ns()
                await place(client, "BUY" if number % 2 == 0 else "SELL")
                times_ns.append(time.perf_counter_ns() - started)

    await work(WARM_UP_ORDERS)
    times_ns.clear()
    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(workers):
            group.create_task(work(orders // workers))
    elapsed_s = time.perf_counter() - started
    times_ns.sort()
    return Load(
        per_s=len(times_ns) / elapsed_s,
        p50_ms=times_ns[len(times_ns) // 2] / 1e6,
        p99_ms=times_ns[len(times_ns) * 99 // 100] / 1e6,
    )


def run() -> Table:
    """Boot, measure, stop; about twenty seconds."""
    table = Table(
        "Order round trip",
        ("path", "connections", "orders/s", "p50 ms", "p99 ms"),
        notes="Market orders with fills, on disk before they are answered. Exchange, gateway and client share the"
        " machine's cores, so the gateway's rows pay for two servers.",
    )
    with tempfile.TemporaryDirectory() as exchange_dir, tempfile.TemporaryDirectory() as gateway_dir:
        args = ["exchange", "--port", "0", "--market", "synthetic?seed=1"]
        with Server(args, exchange_dir, r"Paper exchange +http://(\S+)") as exchange:
            args = ["serve", "--port", "0", "--binance-rest-url", f"http://{exchange.host}"]
            args += ["--binance-stream-url", f"ws://{exchange.host}"]
            args += ["--binance-ws-api-url", f"ws://{exchange.host}/ws-api/v3"]
            with Server(args, gateway_dir, r"Gateway +http://(\S+)", HTTP_RATE_LIMIT="1000000") as gateway:
                asyncio.run(_fill(table, exchange.host, gateway.host))
    return table


async def _fill(table: Table, exchange: str, gateway: str) -> None:
    for workers, orders in ((1, SEQUENTIAL_ORDERS), (WORKERS, CONCURRENT_ORDERS)):
        direct = await measure(exchange, straight, workers=workers, orders=orders)
        ours = await measure(gateway, through_gateway, workers=workers, orders=orders)
        for name, load in (("straight to the exchange", direct), ("through the gateway", ours)):
            table.add(name, str(workers), f"{load.per_s:,.0f}", f"{load.p50_ms:.2f}", f"{load.p99_ms:.2f}")
        added = ours.p50_ms - direct.p50_ms, ours.p99_ms - direct.p99_ms
        table.add("added by the gateway", str(workers), "", f"{added[0]:.2f}", f"{added[1]:.2f}")


if __name__ == "__main__":
    print(run().markdown())
