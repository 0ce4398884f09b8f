"""Source 1 over real sockets: a gateway before a paper exchange, and clients that sign."""

from __future__ import annotations

from tests.support.channel_client import channel_client, login, subscribe
from tests.support.channel_gateway import channel_gateway


async def test_a_client_connects_without_http_credentials_signs_and_gets_market_data() -> None:
    """S1-1, S1-2, S1-3, S1-6, S1-9: from the connection to the first statistics."""
    async with channel_gateway() as gateway, channel_client(gateway.url) as client:
        answer = await client.ask(login())
        assert (answer["event"], answer["success"]) == ("authenticated", True)
        message = subscribe("market_data", symbols=["BTCUSDT"], type="ticker")
        echo = await client.ask(message)
        assert (echo["event"], echo["channels"], echo["params"]) == ("subscribed", ["market_data"], message["params"])
        row = await client.wait_data("market_data")
        assert list(row) == ["channel", "type", "exchange", "symbol", "data", "timestamp"]
        assert (row["type"], row["exchange"], row["symbol"]) == ("ticker", "binance", "BTCUSDT")
        assert list(row["data"]) == ["price", "volume", "timestamp", "bid", "ask", "high", "low"]
        assert all(isinstance(value, int | float) for value in row["data"].values())
