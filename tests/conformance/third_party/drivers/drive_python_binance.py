"""python-binance: asyncio client, socket manager with compression, depth cache, user socket.

Usage: ``python drive_python_binance.py 127.0.0.1:3100``
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

from binance import AsyncClient, BinanceSocketManager, DepthCacheManager
from kit import KEY, SECRET, SYMBOL, WAIT_S, Report, recorded, run

UPDATES = 20
"""Book updates that are awaited one after the other."""


def point_at(host: str) -> None:
    """The client takes its addresses from its classes."""
    AsyncClient.API_URL = f"http://{host}/api"
    AsyncClient.WS_API_URL = f"ws://{host}/ws-api/v3"
    BinanceSocketManager.STREAM_URL = f"ws://{host}/"


class Driver:
    """One run with one client."""

    def __init__(self, client: AsyncClient) -> None:
        self.report = Report()
        self.client = client
        self.sockets = BinanceSocketManager(client)
        self.price = ""

    async def drive_market(self) -> None:
        """Market data over REST."""
        client, step = self.client, self.report.astep
        info = await step("symbol_info", client.get_symbol_info(SYMBOL))
        self.report.note("first_filter", info["filters"][0]["filterType"])
        await step("time", client.get_server_time())
        await step("exchange_info", client.get_exchange_info())
        await step("all_tickers", client.get_all_tickers())
        await step("orderbook_tickers", client.get_orderbook_tickers())
        await step("order_book", client.get_order_book(symbol=SYMBOL, limit=5))
        await step("recent_trades", client.get_recent_trades(symbol=SYMBOL, limit=2))
        await step("historical_trades", client.get_historical_trades(symbol=SYMBOL, limit=2))
        await step("aggregate_trades", client.get_aggregate_trades(symbol=SYMBOL, limit=2))
        await step("klines", client.get_klines(symbol=SYMBOL, interval="1h", limit=100))
        await step("ui_klines", client.get_ui_klines(symbol=SYMBOL, interval="1m", limit=2))
        await step("historical_klines", client.get_historical_klines(SYMBOL, "1h", "12 hours ago UTC"))
        await step("avg_price", client.get_avg_price(symbol=SYMBOL))
        await step("ticker", client.get_ticker(symbol=SYMBOL))
        await step("symbol_ticker", client.get_symbol_ticker(symbol=SYMBOL))
        await step("window", client.get_symbol_ticker_window(symbol=SYMBOL))
        top = await step("orderbook_ticker", client.get_orderbook_ticker(symbol=SYMBOL))
        self.price = str((Decimal(top["bidPrice"]) * Decimal("0.9")).quantize(Decimal("0.01")))

    async def drive_orders(self) -> None:
        """Orders over REST."""
        client, step = self.client, self.report.astep
        await step("test_order", client.create_test_order(**self._limit()))
        placed = await step("order", client.create_order(**self._limit()))
        await step("order.get", client.get_order(symbol=SYMBOL, orderId=placed["orderId"]))
        await step("open_orders", client.get_open_orders(symbol=SYMBOL))
        await step("order.cancel", client.cancel_order(symbol=SYMBOL, orderId=placed["orderId"]))
        await step("buy", client.order_market_buy(symbol=SYMBOL, quoteOrderQty=100))
        await step("sell", client.order_market_sell(symbol=SYMBOL, quantity=0.001))
        await step("limit_buy", client.order_limit_buy(symbol=SYMBOL, quantity="0.01", price=self.price))
        await step("cancel_all", client.cancel_all_open_orders(symbol=SYMBOL))
        await step("all_orders", client.get_all_orders(symbol=SYMBOL, limit=5))
        await step("my_trades", client.get_my_trades(symbol=SYMBOL))
        await step("account", client.get_account())
        await step("asset_balance", client.get_asset_balance(asset="USDT"))
        await step("order_limit", client.get_current_order_count())
        await step("refused.lot", client.create_order(**(self._limit() | {"quantity": "0.000001"})))
        await step("refused.notional", client.create_order(**(self._limit() | {"quantity": "0.00001"})))
        await step("refused.symbol", client.get_order_book(symbol="NOSUCH"))

    def _limit(self) -> dict[str, str]:
        order = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
        return {**order, "quantity": "0.01", "price": self.price}

    async def drive_streams(self) -> None:
        """Every market socket of the first cut, each on a connection of its own, with compression."""
        sockets = self.sockets
        opened: list[tuple[str, Any]] = [
            ("trade", sockets.trade_socket(SYMBOL)),
            ("aggTrade", sockets.aggtrade_socket(SYMBOL)),
            ("depth", sockets.depth_socket(SYMBOL)),
            ("depth@100ms", sockets.depth_socket(SYMBOL, interval=100)),
            ("depth5", sockets.depth_socket(SYMBOL, depth="5")),
            ("kline", sockets.kline_socket(SYMBOL)),
            ("miniTicker", sockets.symbol_miniticker_socket(SYMBOL)),
            ("ticker", sockets.symbol_ticker_socket(SYMBOL)),
            ("bookTicker", sockets.symbol_book_ticker_socket(SYMBOL)),
            ("miniTickers", sockets.miniticker_socket()),
            ("multiplex", sockets.multiplex_socket(["btcusdt@trade", "ethusdt@bookTicker"])),
        ]
        async with asyncio.TaskGroup() as group:
            for name, socket in opened:
                group.create_task(self.report.astep(f"socket.{name}", self._first(socket)))

    async def _first(self, socket: Any) -> dict[str, Any]:
        async with socket as stream:
            message = await stream.recv()
            extensions = [extension.name for extension in stream.ws.protocol.extensions]
            return {"message": message, "extensions": extensions}

    async def drive_depth_cache(self) -> None:
        """A local book that the client keeps; it loads a new snapshot whenever a difference is missing."""
        snapshots = 0
        get_order_book = self.client.get_order_book

        async def counted(**params: Any) -> Any:
            nonlocal snapshots
            snapshots += 1
            return await get_order_book(**params)

        self.client.get_order_book = counted

        async def follow() -> dict[str, Any]:
            tops = []
            async with DepthCacheManager(self.client, SYMBOL, limit=1000, ws_interval=100) as manager:
                for _ in range(UPDATES):
                    book = await manager.recv()
                    tops.append((book.get_bids()[0][0], book.get_asks()[0][0]))
            return {"tops": tops, "snapshots": snapshots, "levels": len(book.get_bids())}

        await self.report.astep("depth_cache", follow())
        self.client.get_order_book = get_order_book

    async def drive_user_socket(self) -> None:
        """The user socket while orders are placed over the WebSocket API."""
        step = self.report.astep
        async with self.sockets.user_socket() as user:
            placed = await step("ws.order", self.client.ws_create_order(**self._limit()))
            await step("user.new", self._until(user, lambda event: event.get("x") == "NEW"))
            await step("ws.order.get", self.client.ws_get_order(symbol=SYMBOL, orderId=placed["orderId"]))
            await step("ws.open_orders", self.client.ws_get_open_orders(symbol=SYMBOL))
            await step("ws.order.cancel", self.client.ws_cancel_order(symbol=SYMBOL, orderId=placed["orderId"]))
            await step("user.canceled", self._until(user, lambda event: event.get("x") == "CANCELED"))
            await step("ws.market", self.client.ws_order_market_buy(symbol=SYMBOL, quoteOrderQty=100))
            await step("user.trade", self._until(user, lambda event: event.get("x") == "TRADE"))
            await step("user.position", self._until(user, lambda event: event["e"] == "outboundAccountPosition"))

    async def _until(self, stream: Any, check: Callable[[Any], bool]) -> Any:
        while not check(message := await stream.recv()):
            pass
        return message

    async def drive_ws_api(self) -> None:
        """The other methods of the WebSocket API."""
        client = self.client
        asked: list[tuple[str, Awaitable[Any]]] = [
            ("ping", client.ws_ping()),
            ("time", client.ws_get_time()),
            ("exchangeInfo", client.ws_get_exchange_info(symbol=SYMBOL)),
            ("depth", client.ws_get_order_book(symbol=SYMBOL, limit=5)),
            ("trades.recent", client.ws_get_recent_trades(symbol=SYMBOL, limit=2)),
            ("trades.historical", client.ws_get_historical_trades(symbol=SYMBOL, limit=2)),
            ("trades.aggregate", client.ws_get_aggregate_trades(symbol=SYMBOL, limit=2)),
            ("klines", client.ws_get_klines(symbol=SYMBOL, interval="1m", limit=2)),
            ("uiKlines", client.ws_get_uiKlines(symbol=SYMBOL, interval="1m", limit=2)),
            ("avgPrice", client.ws_get_avg_price(symbol=SYMBOL)),
            ("ticker.24hr", client.ws_get_ticker(symbol=SYMBOL)),
            ("ticker.tradingDay", client.ws_get_trading_day_ticker(symbol=SYMBOL)),
            ("ticker", client.ws_get_symbol_ticker_window(symbol=SYMBOL)),
            ("ticker.price", client.ws_get_symbol_ticker(symbol=SYMBOL)),
            ("ticker.book", client.ws_get_orderbook_ticker(symbol=SYMBOL)),
            ("order.test", client.ws_create_test_order(**self._limit())),
            ("order.limit", client.ws_order_limit_buy(symbol=SYMBOL, quantity="0.01", price=self.price)),
            ("openOrders.cancelAll", client.ws_cancel_all_open_orders(symbol=SYMBOL)),
            ("account.status", client.ws_get_account()),
            ("account.rateLimits.orders", client.ws_get_account_rate_limits_orders()),
            ("allOrders", client.ws_get_all_orders(symbol=SYMBOL, limit=3)),
            ("myTrades", client.ws_get_my_trades(symbol=SYMBOL, limit=3)),
            ("refused", client.ws_get_order(symbol=SYMBOL, orderId=999_999_999)),
        ]
        for name, request in asked:
            await self.report.astep(f"ws.{name}", request)

    async def drive_listen_key(self) -> None:
        """The client still has the calls."""
        key = await self.report.astep("listen_key", self.client.stream_get_listen_key())
        await self.report.astep("listen_key.kept", self.client.stream_keepalive(key))
        await self.report.astep("listen_key.closed", self.client.stream_close(key))

    async def drive(self) -> None:
        """Everything."""
        await self.drive_market()
        await self.drive_orders()
        await self.drive_streams()
        await self.drive_depth_cache()
        await self.drive_user_socket()
        await self.drive_ws_api()
        await self.drive_listen_key()


async def drive(host: str) -> None:
    """Drive everything and tell."""
    point_at(host)
    called = {kind: recorded(kind) for kind in (AsyncClient, BinanceSocketManager)}
    async with asyncio.timeout(WAIT_S):
        client = await AsyncClient.create(KEY, SECRET)
    driver = Driver(client)
    await driver.drive()
    driver.report.note("called", {kind.__name__: sorted(names) for kind, names in called.items()})
    # Closing takes the client ten seconds: its reader looks up that seldom.
    driver.report.print()


def main() -> None:
    """Drive with a loop."""
    asyncio.run(drive(sys.argv[1]))


if __name__ == "__main__":
    run(main)
