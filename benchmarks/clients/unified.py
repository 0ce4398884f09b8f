"""ccxt.pro, on which most bots are built."""

from __future__ import annotations

import asyncio
from typing import Any

import ccxt.pro
import measure


def client(host: str) -> Any:
    """Pointed at ``host``; its own throttle is off, since it is the client's work that is measured."""
    rest = {"public": f"http://{host}/api/v3", "private": f"http://{host}/api/v3", "v1": f"http://{host}/api/v1"}
    sockets = {"spot": f"ws://{host}/ws", "ws-api": {"spot": f"ws://{host}/ws-api/v3"}}
    return ccxt.pro.binance(
        {
            "apiKey": measure.KEY,
            "secret": measure.SECRET,
            "enableRateLimit": False,
            "urls": {"api": {**rest, "ws": sockets}},
            "options": {
                "defaultType": "spot",
                "fetchMarkets": {"types": ["spot"]},
                "fetchCurrencies": False,
                "fetchMargins": False,
            },
        }
    )


async def requests(host: str) -> dict[str, object]:
    """Over its WebSocket API, where it has no ticker of the spot market."""
    exchange = client(host)

    async def order(number: int) -> object:
        side = "buy" if number % 2 == 0 else "sell"
        return await exchange.create_order_ws("BTC/USDT", "market", side, float(measure.QUANTITY))

    try:
        await exchange.load_markets()
        return await measure.measure_operations({"order.place": order})
    finally:
        await exchange.close()


async def streams(host: str, counter: measure.Counter) -> dict[str, float]:
    """Trades, as it hands them to ``watch_trades``; counted where it has put one into its cache."""
    exchange = client(host)
    handle = exchange.handle_trade

    def counted(*arguments: Any) -> None:
        handle(*arguments)
        counter.hit()

    exchange.handle_trade = counted

    async def watch() -> None:
        while True:
            await exchange.watch_trades("BTC/USDT")

    watching = asyncio.create_task(watch())
    try:
        return await counter.report()
    finally:
        watching.cancel()
        await exchange.close()


if __name__ == "__main__":
    measure.main(requests, streams)
