"""python-binance: orders and order lists of every kind, over REST and over the WebSocket API, and their events.

Usage: ``python drive_python_binance_orders.py 127.0.0.1:3100``
"""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Awaitable
from typing import Any

from binance import AsyncClient, BinanceSocketManager
from drive_python_binance import point_at
from kit import KEY, SECRET, SYMBOL, WAIT_S, Report, recorded, run
from order_run import ONLY, PAIR, Ask, OrderRun

REST = {
    "account": "get_account",
    "test": "create_test_order",
    "new": "create_order",
    "get": "get_order",
    "cancel": "cancel_order",
    "cancel_all": "cancel_all_open_orders",
    "open": "get_open_orders",
    "replace": "cancel_replace_order",
    "oco": "create_oco_order",
    "oto": "v3_post_order_list_oto",
    "otoco": "v3_post_order_list_otoco",
    "list_get": "v3_get_order_list",
    "list_open": "get_open_oco_orders",
    "list_cancel": "v3_delete_order_list",
    "list_all": "v3_get_all_order_list",
    "prevented": "get_prevented_matches",
    "allocations": "get_allocations",
    "rates": "v3_get_account_commission",
    "count": "get_current_order_count",
    "orders": "get_all_orders",
    "trades": "get_my_trades",
    "sor": "v3_post_sor_order",
    "sor_test": "v3_post_sor_order_test",
}
PLAIN = {
    "account": "v3_get_account",
    "test": "v3_post_order_test",
    "new": "v3_post_order",
    "get": "v3_get_order",
    "cancel": "v3_delete_order",
    "cancel_all": "v3_delete_open_orders",
    "open": "v3_get_open_orders",
    "replace": "v3_post_order_cancel_replace",
    "oco": "v3_post_order_list_oco",
    "oto": "v3_post_order_list_oto",
    "otoco": "v3_post_order_list_otoco",
    "list_get": "v3_get_order_list",
    "list_open": "v3_get_open_order_list",
    "list_cancel": "v3_delete_order_list",
    "list_all": "v3_get_all_order_list",
    "prevented": "v3_get_my_prevented_matches",
    "allocations": "v3_get_my_allocations",
    "rates": "v3_get_account_commission",
    "count": "v3_get_rate_limit_order",
    "orders": "v3_get_all_orders",
    "trades": "v3_get_my_trades",
    "sor": "v3_post_sor_order",
    "sor_test": "v3_post_sor_order_test",
}
"""The calls that the client's authors let a program write from Binance's list of operations."""

WEBSOCKET = {
    "account": "ws_get_account",
    "test": "ws_create_test_order",
    "new": "ws_create_order",
    "get": "ws_get_order",
    "cancel": "ws_cancel_order",
    "cancel_all": "ws_cancel_all_open_orders",
    "open": "ws_get_open_orders",
    "replace": "ws_cancel_and_replace_order",
    "oco": "ws_create_oco_order",
    "oto": "ws_create_oto_order",
    "otoco": "ws_create_otoco_order",
    "list_get": "ws_get_oco_order",
    "list_open": "ws_get_oco_open_orders",
    "list_cancel": "ws_cancel_oco_order",
    "prevented": "ws_get_prevented_matches",
    "allocations": "ws_get_allocations",
    "rates": "ws_get_commission_rates",
    "count": "ws_get_account_rate_limits_orders",
    "orders": "ws_get_all_orders",
    "trades": "ws_get_my_trades",
    "sor": "ws_create_sor_order",
    "sor_test": "ws_create_test_sor_order",
}
APIS = {"rest": REST, "plain": PLAIN, "ws": WEBSOCKET}


class Driver:
    """One run with one client."""

    def __init__(self, client: AsyncClient) -> None:
        self.report = Report()
        self.client = client
        self.sockets = BinanceSocketManager(client)

    async def drive(self) -> None:
        """All APIs while the user socket listens, and the helpers, which make orders of the calls above."""
        events: list[dict[str, Any]] = []
        # Leaving the socket takes the client ten seconds: its reader looks up that seldom.
        user = await self.sockets.user_socket().__aenter__()
        reader = asyncio.create_task(self._read(user, events))
        for over, calls in APIS.items():
            api: dict[str, Ask] = {name: getattr(self.client, call) for name, call in calls.items()}
            await OrderRun(self.report, over, api).drive()
        await self.drive_helpers()
        await self.drive_plain()
        last = await self.client.create_order(symbol=SYMBOL, side="BUY", type="MARKET", quoteOrderQty=10)
        async with asyncio.timeout(WAIT_S):
            while not any(event.get("i") == last["orderId"] for event in events):
                await asyncio.sleep(0.01)
        reader.cancel()
        self.report.note("events", events)
        self.report.note("orders", await self.client.get_all_orders(symbol=SYMBOL, limit=1_000))

    @staticmethod
    async def _read(user: Any, events: list[dict[str, Any]]) -> None:
        while True:
            events.append(await user.recv())

    async def drive_helpers(self) -> None:
        """Calls that fill in the side and the type."""
        step, client = self.report.astep, self.client
        limit = {"symbol": SYMBOL, "quantity": "0.001"}
        calls: dict[str, Awaitable[Any]] = {
            "order_limit": client.order_limit(**limit, side="BUY", price="44000"),
            "order_limit_buy": client.order_limit_buy(**limit, price="44000"),
            "order_limit_sell": client.order_limit_sell(**limit, price="46000"),
            "order_market": client.order_market(**limit, side="BUY"),
            "order_market_buy": client.order_market_buy(**limit),
            "order_market_sell": client.order_market_sell(**limit),
            "order_oco_buy": client.order_oco_buy(
                **limit, aboveType="STOP_LOSS", aboveStopPrice="46000", belowType="LIMIT_MAKER", belowPrice="44000"
            ),
            "order_oco_sell": client.order_oco_sell(**limit, **PAIR),
            "ws_order_limit": client.ws_order_limit(**limit, side="SELL", price="46000"),
            "ws_order_limit_buy": client.ws_order_limit_buy(**limit, price="44000"),
            "ws_order_limit_sell": client.ws_order_limit_sell(**limit, price="46000"),
            "ws_order_market": client.ws_order_market(**limit, side="SELL"),
            "ws_order_market_buy": client.ws_order_market_buy(**limit),
            "ws_order_market_sell": client.ws_order_market_sell(**limit),
        }
        for name, call in calls.items():
            await step(f"helper.{name}", call)
        await step("helper.replace", self._replace())
        await step("helper.clear", client.cancel_all_open_orders(symbol=SYMBOL))
        await step("helper.asset", client.get_asset_balance(asset="BTC"))

    async def _replace(self) -> Any:
        """The other spelling of the same call."""
        (first, *_) = await self.client.get_open_orders(symbol=SYMBOL)
        order = {"side": first["side"], "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.001", "price": "43000"}
        mode = {"cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrderId": first["orderId"]}
        return await self.client.v3_post_cancel_replace(**ONLY, **order, **mode)

    async def drive_plain(self) -> None:
        """The rest of what was written by a program."""
        step, client = self.report.astep, self.client
        await step("plain.trading_day", client.v3_get_ticker_trading_day(symbol=SYMBOL))
        key = ((await step("plain.listen_key", client.v3_post_user_data_stream())) or {}).get("listenKey")
        await step("plain.listen_key.kept", client.v3_put_user_data_stream(listenKey=key))
        await step("plain.listen_key.closed", client.v3_delete_user_data_stream(listenKey=key))
        await step("plain.ping", client.ping())
        await step("plain.aggregate", self._some(client.aggregate_trade_iter(SYMBOL, last_id=0)))
        rows = await client.get_historical_klines_generator(SYMBOL, "1m", "10 minutes ago UTC")
        await step("plain.generator", self._some(rows))

    @staticmethod
    async def _some(rows: Any) -> list[Any]:
        return [row async for row in rows][:3]


def offered(kind: type) -> list[str]:
    """What a class has."""
    return sorted(name for name, _ in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_"))


async def drive(host: str) -> None:
    """Drive everything and tell."""
    point_at(host)
    called: dict[type, set[str]] = {kind: recorded(kind) for kind in (AsyncClient, BinanceSocketManager)}
    async with asyncio.timeout(WAIT_S):
        client = await AsyncClient.create(KEY, SECRET)
    driver = Driver(client)
    await driver.drive()
    driver.report.note("offered", {kind.__name__: offered(kind) for kind in called})
    driver.report.note("called", {kind.__name__: sorted(names) for kind, names in called.items()})
    driver.report.print()


def main() -> None:
    """Drive with a loop."""
    asyncio.run(drive(sys.argv[1]))


if __name__ == "__main__":
    run(main)
