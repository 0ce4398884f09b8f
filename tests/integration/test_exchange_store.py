"""``kill -9`` at any instant loses nothing that was acknowledged (DESIGN 4.7)."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from cryptotrader.core.errors import ConfigError
from cryptotrader.core.events import DepthDiff
from cryptotrader.exchange.accounts import DEFAULT_ACCOUNT_ID
from cryptotrader.exchange.engine.events import OrderUpdate, UserEvent
from cryptotrader.exchange.store import Store
from tests.support.paper import QuietSource, SignedClient, body, paper_venue, rows, running_exchange, units
from tests.support.waiting import eventually

PROGRAM = """
import asyncio, sys
from pathlib import Path
from tests.support.paper import paper_venue
from cryptotrader.exchange.server import ExchangeServer

async def main():
    server = ExchangeServer(paper_venue(store_path=Path(sys.argv[1])), port=0)
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve())
        # Before that, connections are refused.
        await server.wait_started()
        print(server.port, flush=True)

asyncio.run(main())
"""


class Child:
    """The exchange in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process = process
        self.url = f"http://127.0.0.1:{port}"

    async def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()


@asynccontextmanager
async def child(path: Path) -> AsyncIterator[Child]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, str(path), stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            port = int(await process.stdout.readline())
        yield Child(process, port)
    finally:
        if process.returncode is None:
            process.kill()
        # Reading to the end lets the pipe's transport close.
        await process.communicate()


async def test_acknowledged_orders_fills_and_balances_survive_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "exchange.db"
    acknowledged: dict[object, str] = {}

    async def place(client: SignedClient, number: int) -> None:
        price = "45010" if number % 3 == 0 else "44000"
        answer = await client.order(newClientOrderId=f"o{number}", price=price)
        if answer.status_code == 200:
            acknowledged[body(answer)["orderId"]] = f"o{number}"

    async def trade(url: str) -> None:
        async with SignedClient(url) as client:
            for number in range(1_000):
                await place(client, number)

    async with child(path) as exchange:
        async with SignedClient(exchange.url) as client:
            cancelled = body(await client.order(newClientOrderId="gone"))["orderId"]
            await client.signed("DELETE", "/api/v3/order", symbol="BTCUSDT", orderId=cancelled)
        trading = asyncio.create_task(trade(exchange.url))
        await eventually(lambda: len(acknowledged) >= 25, timeout_s=20)
        await exchange.kill()
        await asyncio.wait([trading])
        assert trading.exception() is not None, "the kill should have interrupted it"
    async with child(path) as exchange, SignedClient(exchange.url) as client:
        orders = rows(await client.signed("GET", "/api/v3/allOrders", symbol="BTCUSDT", limit=1000))
        kept = {order["orderId"]: order for order in orders}
        assert kept[cancelled]["status"] == "CANCELED"
        assert {order_id: kept[order_id]["clientOrderId"] for order_id in acknowledged} == acknowledged
        fills = rows(await client.signed("GET", "/api/v3/myTrades", symbol="BTCUSDT", limit=1000))
        filled = {order_id for order_id, order in kept.items() if order["status"] == "FILLED"}
        assert {fill["orderId"] for fill in fills} == filled
        assert len({fill["id"] for fill in fills}) == len(fills)
        account = body(await client.signed("GET", "/api/v3/account"))
        balances = {row["asset"]: row for row in msgspec.convert(account["balances"], list[dict[str, str]])}
        bought = sum(units(str(fill["qty"])) - units(str(fill["commission"])) for fill in fills)
        assert units(balances["BTC"]["free"]) == units("10") + bought
        open_orders = rows(await client.signed("GET", "/api/v3/openOrders"))
        locked = sum(units(str(order["price"])) * units(str(order["origQty"])) // 10**8 for order in open_orders)
        assert units(balances["USDT"]["locked"]) == locked
        following = body(await client.order())
        assert following["orderId"] == max(int(str(order_id)) for order_id in kept) + 1


async def test_orders_that_the_market_crossed_meanwhile_are_filled_when_it_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "exchange.db"
    async with running_exchange(paper_venue(store_path=path)) as server, SignedClient(server.url) as client:
        placed = body(await client.order(price="44900"))
    fallen = tuple((price - units("500"), qty) for price, qty in QuietSource().snapshot("BTCUSDT").asks)
    source = QuietSource(bids=((units("44400"), units("1")),), asks=fallen)
    async with running_exchange(paper_venue(source, store_path=path)) as server, SignedClient(server.url) as client:
        assert source.resumed == b"quiet"
        found = await client.signed("GET", "/api/v3/order", symbol="BTCUSDT", orderId=placed["orderId"])
        assert body(found)["status"] == "FILLED"
        fills = rows(await client.signed("GET", "/api/v3/myTrades", symbol="BTCUSDT"))
        assert [fill["price"] for fill in fills] == ["44900.00000000"]


async def test_a_fill_is_told_after_it_is_on_disk_and_once(tmp_path: Path) -> None:
    """S0-46."""
    path = tmp_path / "exchange.db"
    source = QuietSource()
    venue = paper_venue(source, store_path=path)
    told: list[UserEvent] = []
    venue.user.subscribe(lambda event: told.append(event[1]))
    async with running_exchange(venue) as server, SignedClient(server.url) as client:
        await client.order(price="44999")
        now_ms = venue.now_ms()
        through = ((units("44990"), units("5")),)
        source.queue.append(DepthDiff("BTCUSDT", 1_001, 1_002, ((units("45000"), 0),), through, now_ms))
        await eventually(lambda: any(isinstance(event, OrderUpdate) and event.fill for event in told))
    fills = [event.fill for event in told if isinstance(event, OrderUpdate) and event.fill]
    assert [fill.price for fill in fills] == [units("44999")]
    again = paper_venue(store_path=path)
    assert again.engine.fills(DEFAULT_ACCOUNT_ID, "BTCUSDT") == fills
    await again.close()


async def test_a_store_that_contradicts_itself_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "exchange.db"
    venue = paper_venue(store_path=path)
    await venue.close()
    store = Store(path)
    store.fold({b"balance\0default/BTC\0": b'["default","BTC",1,1]'}, store.applied)
    store.close()
    with pytest.raises(ConfigError, match="contradicts"):
        paper_venue(store_path=path)
