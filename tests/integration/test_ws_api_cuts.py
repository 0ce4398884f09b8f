"""The WebSocket API client over real sockets that are cut at random bytes: the small sister of the simulated chaos.

``tests/simulation`` has the many seeds. This one shows that nothing of it hangs on the simulated network: handshakes,
frames, fragments of them and resets are the kernel's own here.
"""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from cryptotrader.core.errors import CryptotraderError, UnknownOutcome
from cryptotrader.core.orders import OrderType, Side, TimeInForce
from cryptotrader.exchange.accounts import SAMPLE_KEY_ID, SAMPLE_SECRET
from cryptotrader.exchange.server import ExchangeServer
from cryptotrader.net.backoff import ConnectionBudget
from cryptotrader.services.binance.models.orders import OrderReport
from cryptotrader.services.binance.signing import Credentials
from cryptotrader.services.binance.websocketAPI.account_requests import acct_order_history
from cryptotrader.services.binance.websocketAPI.base_operations import BinanceWebSocketConnection
from cryptotrader.services.binance.websocketAPI.market_data_requests import order_book
from cryptotrader.services.binance.websocketAPI.trading_requests import place_new_order
from cryptotrader.services.binance.wsapi.limits import RateLimits
from cryptotrader.services.binance.wsapi.reconnect import ConnectionPolicy
from cryptotrader.testing.proxy import FaultProxy
from tests.support.paper import running_exchange

ORDERS = 24
"""Orders of one run; with the reads beside them they use up some ten connections."""

LIMIT_S = 60.0
"""Longest run. Unit: seconds. It takes two or three."""

POLICY = ConnectionPolicy(
    reply_timeout_s=1.0, tick_s=0.05, engine_timeout_s=0.2, stable_s=0.05, max_delay_s=0.6, read_timeout_s=20.0
)


class Program:
    """A trader on a bad line.

    Args:
        seed: Where its line is cut.
    """

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.is_calm = False
        self.answers: dict[str, int] = {}
        """Name to number of the orders that were answered."""
        self.truths: dict[str, OrderReport | None] = {}
        """Name to what was found out about the others."""
        self.unsent: set[str] = set()
        self.lost_reads = 0

    def lifetime(self) -> int | None:
        """Bytes until a connection is cut; every other one is left alone."""
        if self.is_calm or self.random.random() < 0.3:
            return None
        return self.random.randint(1, 9_000)

    async def trade(self, client: BinanceWebSocketConnection, number: int) -> None:
        """One order and the truth about it, after one read."""
        await asyncio.sleep(self.random.uniform(0, 1.0))
        try:
            await order_book.SPEC.call(client, order_book.OrderBookParams(symbol="BTCUSDT", limit=5))
        except CryptotraderError:
            self.lost_reads += 1
        name = f"cut-{number}"
        params = place_new_order.NewOrderParams(
            symbol="BTCUSDT",
            side=Side.BUY,
            type=OrderType.LIMIT,
            time_in_force=TimeInForce.GTC,
            quantity="0.001",
            price="44000.00",
            new_client_order_id=name,
            recv_window="300",
        )
        try:
            self.answers[name] = (await place_new_order.SPEC.call(client, params)).order_id
        except UnknownOutcome as lost:
            self.truths[name] = await client.reconcile(lost)
        except ConnectionError:
            self.unsent.add(name)

    async def run(self, server: ExchangeServer) -> dict[str, list[int]]:
        """Everything; gives the orders of the exchange, by name."""
        proxy = FaultProxy(server.port, lifetime=self.lifetime)
        await proxy.start()
        client = BinanceWebSocketConnection(
            url=f"ws://127.0.0.1:{proxy.port}/ws-api/v3",
            credentials=Credentials.of(SAMPLE_KEY_ID, SAMPLE_SECRET),
            limits=RateLimits(budget=ConnectionBudget()),
            policy=POLICY,
        )
        try:
            async with asyncio.timeout(LIMIT_S), client:
                async with asyncio.TaskGroup() as group:
                    for number in range(ORDERS):
                        group.create_task(self.trade(client, number))
                self.is_calm = True
                proxy.cut()
                proxy.mend()
                known = await acct_order_history.SPEC.call(
                    client, acct_order_history.AllOrdersParams(symbol="BTCUSDT", limit=1_000)
                )
        finally:
            await proxy.close()
        landed: dict[str, list[int]] = {}
        for order in known:
            landed.setdefault(order.client_order_id, []).append(order.order_id)
        return landed


@pytest.mark.parametrize("seed", range(4))
async def test_on_sockets_that_are_cut_no_order_is_doubled_and_the_truth_is_found(seed: int) -> None:
    """S4-13, S4-16 to S4-18 over the loopback."""
    program = Program(seed)
    async with running_exchange() as server:
        landed = await program.run(server)
    assert all(len(numbers) == 1 for numbers in landed.values())
    assert len(program.answers) + len(program.truths) + len(program.unsent) == ORDERS
    for name, number in program.answers.items():
        assert landed[name] == [number]
    for name, truth in program.truths.items():
        assert ([truth.order_id] if truth is not None else []) == landed.get(name, [])
    assert not program.unsent & landed.keys()
