"""The exchange is killed for five seconds, ten times in a row, while clients are connected and orders are placed."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.support.process import TOKEN, Process, Server, free_port, running_server
from tests.support.recording import ClientBook
from tests.support.waiting import eventually

KILLS = 10
DOWN_S = 0.5
"""Seconds between kill and start here; ``python -m tests.simulation.outage`` does the same with five seconds."""
RECOVERY_S = 30.0


class Watcher:
    """Reads one stream to the end and keeps what came."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.book = ClientBook()
        self.is_open = True

    async def read(self, connection: ClientConnection, *, depth: bool) -> None:
        """Until cancelled."""
        try:
            async for text in connection:
                message = json.loads(text)
                if depth:
                    self.book.apply(message)
                else:
                    self.messages.append(message)
        finally:
            self.is_open = False


class Trader:
    """Places orders through the gateway, and remembers which ones the exchange may have."""

    def __init__(self, base: str) -> None:
        self._client = httpx2.AsyncClient(
            base_url=base, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=25, trust_env=False
        )
        self.ids: set[str] = set()

    async def trade(self, count: int, tag: str) -> None:
        """Market orders, alternating sides; failures while the exchange is down are expected."""
        for number in range(count):
            client_id = f"{tag}-{number}"
            self.ids.add(client_id)
            body = {
                "symbol": "BTCUSDT", "side": "BUY" if number % 2 else "SELL", "type": "MARKET", "quantity": "0.0010",
                "newClientOrderId": client_id,
            }  # fmt: skip
            await self._client.post("/api/v1/order", json=body)

    async def get(self, path: str) -> Any:
        """A GET that must be answered."""
        reply = await self._client.get(path)
        assert reply.status_code == 200, reply.text
        return reply.json()

    async def is_up(self) -> bool:
        """Whether account requests reach the exchange again."""
        return (await self._client.get("/api/v1/account")).status_code == 200

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()


class Outage:
    """An exchange that can be killed and started again on the same port and journal."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self.process = self._start()

    def _start(self) -> Process:
        process = Process(["exchange", "--port", str(self.port), "--market", "default"], data_dir=self._folder)
        process.wait_for_line(r"Paper exchange +http://")
        return process

    async def strike(self, down_s: float) -> None:
        """SIGKILL, wait, start."""
        self.process.kill()
        await asyncio.sleep(down_s)
        self.process = await asyncio.to_thread(self._start)


async def run_outages(folder: Path, *, kills: int, down_s: float) -> None:
    """The whole experiment; see the test below for what must hold."""
    outage = Outage(folder / "x")
    host = f"127.0.0.1:{outage.port}"
    args = ["--binance-rest-url", f"http://{host}", "--binance-stream-url", f"ws://{host}",
            "--binance-ws-api-url", f"ws://{host}/ws-api/v3"]  # fmt: skip
    try:
        with running_server(folder / "g", args=args, env={"HTTP_RATE_LIMIT": "100000"}) as server:
            await _strike_and_check(server, outage, kills=kills, down_s=down_s)
    finally:
        outage.process.stop()


async def _strike_and_check(server: Server, outage: Outage, *, kills: int, down_s: float) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    trader, depth, user = Trader(server.base), Watcher(), Watcher()
    async with (
        connect(server.ws + "/ws/depth/btcusdt", additional_headers=headers, max_size=None) as depth_connection,
        connect(server.ws + "/ws/user", additional_headers=headers) as user_connection,
        asyncio.TaskGroup() as group,
    ):
        readers = [
            group.create_task(depth.read(depth_connection, depth=True)),
            group.create_task(user.read(user_connection, depth=False)),
        ]
        await eventually(lambda: depth.book.messages > 3, 20)
        resources: list[tuple[int, int]] = []
        for number in range(kills):
            trading = group.create_task(trader.trade(10, f"k{number}"))
            await asyncio.sleep(0.1)
            await outage.strike(down_s)
            await trading
            await _until_recovered(trader, depth, user, tag=f"k{number}")
            resources.append(_resources(server))
        await _check_fills(trader, user)
        await _check_book(server, depth)
        assert depth.is_open
        assert user.is_open
        for reader in readers:
            reader.cancel()
    await trader.close()
    # Nothing is left behind: sockets and tasks after the last outage are not more than after the second.
    assert resources[-1][0] <= resources[1][0] + 3, resources
    assert resources[-1][1] <= resources[1][1] + 40_000, resources


async def _until_recovered(trader: Trader, depth: Watcher, user: Watcher, *, tag: str) -> None:
    """The account answers, the book moves again, and an order of now is reported."""
    async with asyncio.timeout(RECOVERY_S):
        while not await trader.is_up():
            await asyncio.sleep(0.1)
    seen = depth.book.messages
    await eventually(lambda: depth.book.messages > seen + 2, RECOVERY_S)
    await trader.trade(1, f"{tag}-after")
    await eventually(
        lambda: any(m.get("c") == f"{tag}-after-0" and m.get("x") == "TRADE" for m in user.messages), RECOVERY_S
    )


def _resources(server: Server) -> tuple[int, int]:
    """Open descriptors, and resident memory in kB, of the gateway's process."""
    folder = Path("/proc") / str(server.process.pid)
    if not folder.exists():
        return (0, 0)
    status = (folder / "status").read_text()
    return len(list((folder / "fd").iterdir())), int(status.split("VmRSS:")[1].split()[0])


async def _check_fills(trader: Trader, user: Watcher) -> None:
    """Every fill that the exchange knows was reported exactly once, and no order exists twice."""
    orders = await trader.get("/api/v1/allOrders?symbol=BTCUSDT&limit=1000")
    placed = Counter(order["clientOrderId"] for order in orders)
    assert max(placed.values()) == 1
    assert set(placed) <= trader.ids
    fills = {trade["id"] for trade in await trader.get("/api/v1/myTrades?symbol=BTCUSDT&limit=1000")}

    def reported() -> Counter[int]:
        return Counter(m["t"] for m in user.messages if m["e"] == "executionReport" and m["x"] == "TRADE")

    await eventually(lambda: set(reported()) >= fills, RECOVERY_S)
    assert set(reported()) == fills
    assert set(reported().values()) == {1}


async def _check_book(server: Server, depth: Watcher) -> None:
    """The client's book equals the exchange's at one and the same update id."""
    assert depth.book.faults == []
    book = ClientBook()
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with connect(server.ws + "/ws/depth/btcusdt", additional_headers=headers, max_size=None) as fresh:
        book.apply(json.loads(await fresh.recv()))
        while book.last < depth.book.last:
            book.apply(json.loads(await fresh.recv()))
        await eventually(lambda: depth.book.last >= book.last)
        while book.last != depth.book.last:
            book.apply(json.loads(await fresh.recv()))
            await asyncio.sleep(0)
        # Before the connection closes: that takes a moment, in which the other book moves on.
        differing = {
            price: (old.get(price), new.get(price))
            for old, new in ((depth.book.bids, book.bids), (depth.book.asks, book.asks))
            for price in old.keys() | new.keys()
            if old.get(price) != new.get(price)
        }
    assert (depth.book.faults, book.faults) == ([], [])
    assert differing == {}, "\n".join(line for line in server.log.splitlines() if "HTTP" not in line)


@pytest.mark.timeout(300)
async def test_s0_44_clients_outlive_ten_outages_and_miss_nothing(tmp_path: Path) -> None:
    """S0-44, S0-45, S0-48: clients stay connected, books come back equal, every fill arrives exactly once."""
    await run_outages(tmp_path, kills=KILLS, down_s=DOWN_S)
