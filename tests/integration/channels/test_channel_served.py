"""``cryptotrader serve`` as a process: the channel protocol beside everything else on its port."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.channel_client import channel_client, login, subscribe
from tests.support.process import Server, running_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("served"), args=["--market", "synthetic?seed=7"]) as server:
        yield server


async def test_market_data_flows_from_a_served_gateway(server: Server) -> None:
    """S1-1, S1-3, S1-9: with the documented token as key and secret, at the documented path."""
    async with channel_client(server.ws) as client:
        assert (await client.ask(login()))["event"] == "authenticated"
        await client.send(subscribe("market_data", "orderbook", "trades", symbols=["BTCUSDT"], depth=5))
        for channel in ("market_data", "orderbook", "trades"):
            row = await client.wait_data(channel)
            assert (row["exchange"], row["symbol"]) == ("binance", "BTCUSDT")
