"""ccxt and ccxt.pro: the library that most bots are built on, over REST, streams and WebSocket API.

Usage: ``python drive_ccxt.py 127.0.0.1:3100``
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import ccxt
import ccxt.pro
from kit import KEY, SECRET, Report, recorded, run

PAIR = "BTC/USDT"
UPDATES = 20
"""Book updates that are awaited one after the other."""


def settings(host: str) -> dict[str, Any]:
    """What points the library at another host; nothing but the spot market is asked for."""
    rest = f"http://{host}/api/v3"
    return {
        "apiKey": KEY,
        "secret": SECRET,
        # The library's own pause between requests.
        "enableRateLimit": False,
        "urls": {
            "api": {
                "public": rest,
                "private": rest,
                "v1": f"http://{host}/api/v1",
                "sapi": f"http://{host}/sapi/v1",
                "ws": {"spot": f"ws://{host}/ws", "ws-api": {"spot": f"ws://{host}/ws-api/v3"}},
            }
        },
        "options": {
            "defaultType": "spot",
            "fetchMarkets": {"types": ["spot"]},
            "fetchCurrencies": False,
            "fetchMargins": False,
        },
    }


def order(value: dict[str, Any]) -> dict[str, Any]:
    """The fields of a unified order that matter here."""
    names = ("id", "clientOrderId", "status", "symbol", "type", "side", "price", "amount", "filled", "cost", "average")
    return {name: value[name] for name in (*names, "timeInForce", "fee", "timestamp")}


class Driver:
    """One run against one host."""

    def __init__(self, host: str) -> None:
        self.report = Report()
        self.called = recorded(ccxt.pro.binance)
        self.exchange = ccxt.pro.binance(settings(host))
        self.plain = ccxt.binance(settings(host))
        self.price = 0.0

    def drive_plain(self) -> None:
        """The synchronous client."""
        step, plain = self.report.step, self.plain
        step("sync.markets", lambda: sorted(plain.load_markets()))
        step("sync.ticker", lambda: plain.fetch_ticker(PAIR)["last"])
        step("sync.balance", lambda: plain.fetch_balance()["USDT"]["total"])
        step("sync.order", lambda: order(plain.create_order(PAIR, "market", "buy", 0.001)))

    async def drive_market(self) -> None:
        """Market data over REST."""
        step, exchange = self.report.astep, self.exchange
        markets = await exchange.load_markets()
        market = markets[PAIR]
        names = ("active", "spot", "maker", "taker", "precision", "limits")
        self.report.note("markets", {name: market[name] for name in names})
        await step("time", exchange.fetch_time())
        await step("ticker", exchange.fetch_ticker(PAIR))
        await step("tickers", exchange.fetch_tickers([PAIR, "ETH/USDT"]))
        await step("bids_asks", exchange.fetch_bids_asks([PAIR]))
        await step("limits", exchange.fetch_trading_limits([PAIR]))
        await step("last_prices", exchange.fetch_last_prices([PAIR]))
        book = await step("order_book", exchange.fetch_order_book(PAIR, 5))
        await step("trades", exchange.fetch_trades(PAIR, limit=3))
        await step("ohlcv", exchange.fetch_ohlcv(PAIR, "1h", limit=100))
        self.price = round(book["bids"][0][0] * 0.9, 2)

    async def drive_orders(self) -> None:
        """Orders over REST."""
        exchange = self.exchange
        limit = (PAIR, "limit", "buy", 0.01, self.price)
        placed = await self._order("order", exchange.create_order(*limit, {"clientOrderId": "ccxt-1"}))
        await self._order("order.fetch", exchange.fetch_order(placed["id"], PAIR))
        await self._orders("open_orders", exchange.fetch_open_orders(PAIR))
        await self._order("order.cancel", exchange.cancel_order(placed["id"], PAIR))
        await self._order("order.after", exchange.fetch_order(placed["id"], PAIR))
        await self._order("market", exchange.create_order(PAIR, "market", "sell", 0.001))
        await self._order("market.cost", exchange.create_market_buy_order_with_cost(PAIR, 100))
        await self._order("ioc", exchange.create_order(*limit, {"timeInForce": "IOC"}))
        await self._order("fok", exchange.create_order(*limit, {"timeInForce": "FOK"}))
        await self._order("post_only", exchange.create_order(*limit, {"postOnly": True}))
        await self.report.astep("test", exchange.create_order(*limit, {"test": True}))
        await self.report.astep("cancel_all", exchange.cancel_all_orders(PAIR))
        await self._orders("orders", exchange.fetch_orders(PAIR, limit=5))
        await self._orders("closed", exchange.fetch_closed_orders(PAIR))
        await self._orders("canceled", exchange.fetch_canceled_orders(PAIR))
        await self.report.astep("my_trades", exchange.fetch_my_trades(PAIR))
        await self.report.astep("order_trades", exchange.fetch_order_trades(placed["id"], PAIR))
        await self.report.astep("balance", exchange.fetch_balance())

    async def drive_refusals(self) -> None:
        """Errors become the library's own classes."""
        exchange = self.exchange
        step = self.report.astep
        await step("refused.funds", exchange.create_order(PAIR, "limit", "buy", 90, self.price))
        await step("refused.maker", exchange.create_order(PAIR, "limit", "sell", 0.01, self.price, {"postOnly": True}))
        await step("refused.cancel", exchange.cancel_order("999999999", PAIR))
        await step("refused.fetch", exchange.fetch_order("999999999", PAIR))
        await step("refused.funds_ws", exchange.create_order_ws(PAIR, "limit", "buy", 90, self.price))
        secret, exchange.secret = exchange.secret, "not the secret"
        await step("refused.secret", exchange.fetch_balance())
        exchange.secret = secret

    async def drive_streams(self) -> None:
        """What the library watches."""
        exchange, step = self.exchange, self.report.astep
        await step("watch.order_book", self._books(lambda: exchange.watch_order_book(PAIR)))
        await step("watch.trades", exchange.watch_trades(PAIR))
        await step("watch.ticker", exchange.watch_ticker(PAIR))
        await step("watch.tickers", exchange.watch_tickers([PAIR, "ETH/USDT"]))
        await step("watch.bids_asks", exchange.watch_bids_asks([PAIR]))
        await step("watch.ohlcv", exchange.watch_ohlcv(PAIR, "1m"))
        await step("watch.ohlcv_1s", exchange.watch_ohlcv(PAIR, "1s"))
        await step("watch.ohlcv_zone", exchange.watch_ohlcv(PAIR, "1d", params={"timezone": "+08:00"}))
        await step("watch.mini_ticker", exchange.watch_ticker(PAIR, {"name": "miniTicker"}))
        await step("watch.hour_ticker", exchange.watch_ticker(PAIR, {"name": "ticker_1h"}))
        await step("watch.agg_trades", exchange.watch_trades(PAIR, params={"name": "aggTrade"}))
        await step("watch.order_books", self._books(lambda: exchange.watch_order_book_for_symbols([PAIR, "ETH/USDT"])))
        await step("watch.all_tickers", exchange.watch_tickers())
        await step("watch.trades_of", exchange.watch_trades_for_symbols([PAIR, "ETH/USDT"]))
        await step("watch.ohlcv_of", exchange.watch_ohlcv_for_symbols([[PAIR, "1m"], ["ETH/USDT", "5m"]]))
        await self.drive_unwatch()

    async def drive_unwatch(self) -> None:
        """Every stream is given up again."""
        exchange, step = self.exchange, self.report.astep
        both = [PAIR, "ETH/USDT"]
        await step("unwatch.ticker", exchange.un_watch_ticker(PAIR))
        await step("unwatch.tickers", exchange.un_watch_tickers(both))
        await step("unwatch.bids_asks", exchange.un_watch_bids_asks([PAIR]))
        await step("unwatch.order_book", exchange.un_watch_order_book(PAIR))
        await step("unwatch.order_books", exchange.un_watch_order_book_for_symbols(both))
        await step("unwatch.trades", exchange.un_watch_trades(PAIR))
        await step("unwatch.trades_of", exchange.un_watch_trades_for_symbols(both))
        await step("unwatch.ohlcv", exchange.un_watch_ohlcv(PAIR, "1m"))
        await step("unwatch.ohlcv_of", exchange.un_watch_ohlcv_for_symbols([[PAIR, "1m"], ["ETH/USDT", "5m"]]))

    async def _books(self, watch: Callable[[], Awaitable[Any]]) -> dict[str, Any]:
        """Follow a book for a while; the library checks by itself that no difference is missing."""
        nonces = []
        for _ in range(UPDATES):
            book = await watch()
            nonces.append(book["nonce"])
        bids, asks = book["bids"], book["asks"]
        return {"nonces": nonces, "bid": bids[0][0], "ask": asks[0][0], "levels": len(bids), "symbol": book["symbol"]}

    async def drive_user_data(self) -> None:
        """Balances and orders as they change, and the same requests over the WebSocket API."""
        exchange, step = self.exchange, self.report.astep
        async with asyncio.TaskGroup() as group:
            balance = group.create_task(step("user.balance", exchange.watch_balance()))
            orders = group.create_task(step("user.orders", exchange.watch_orders(PAIR)))
            await exchange.authenticate()
            limit = (PAIR, "limit", "buy", 0.01, self.price)
            placed = await self._order("ws.order", exchange.create_order_ws(*limit))
            await balance
            await orders
        async with asyncio.TaskGroup() as group:
            trades = group.create_task(step("user.trades", exchange.watch_my_trades(PAIR)))
            await asyncio.sleep(0)
            await self._order("ws.market", exchange.create_order_ws(PAIR, "market", "buy", 0.001))
            await trades
        await self._order("ws.order.fetch", exchange.fetch_order_ws(placed["id"], PAIR))
        await self._orders("ws.open_orders", exchange.fetch_open_orders_ws(PAIR))
        await self._order("ws.order.cancel", exchange.cancel_order_ws(placed["id"], PAIR))
        await self._order("ws.order.again", exchange.create_order_ws(PAIR, "limit", "buy", 0.01, self.price))
        await step("ws.cancel_all", exchange.cancel_all_orders_ws(PAIR))
        await self._orders("ws.orders", exchange.fetch_orders_ws(PAIR, limit=5))
        await step("ws.my_trades", exchange.fetch_my_trades_ws(PAIR, limit=5))
        await step("ws.trades", exchange.fetch_trades_ws(PAIR, limit=5))
        await step("ws.ohlcv", exchange.fetch_ohlcv_ws(PAIR, "1m", limit=5))
        # This version parses the answer without saying that it is of the spot market, and so finds no balances in it.
        answer = (await exchange.fetch_balance_ws())["info"]
        self.report.note("ws.balance", exchange.parse_balance_custom(answer, "spot")["USDT"])

    async def _order(self, name: str, call: Awaitable[Any]) -> Any:
        async def ask() -> dict[str, Any]:
            return order(await call)

        return await self.report.astep(name, ask())

    async def _orders(self, name: str, call: Awaitable[Any]) -> Any:
        async def ask() -> list[dict[str, Any]]:
            return [order(row) for row in await call]

        return await self.report.astep(name, ask())

    async def drive(self) -> None:
        """Everything that needs a loop."""
        try:
            await self.drive_market()
            await self.drive_orders()
            await self.drive_streams()
            await self.drive_user_data()
            await self.drive_refusals()
        finally:
            await self.exchange.close()


def main() -> None:
    """Drive everything and tell."""
    driver = Driver(sys.argv[1])
    driver.drive_plain()
    asyncio.run(driver.drive())
    driver.report.note("called", sorted(driver.called))
    driver.report.print()


if __name__ == "__main__":
    run(main)
