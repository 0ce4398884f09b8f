"""ccxt.pro: orders of every type that the library offers, over REST and over the WebSocket API, and every raw call.

The market must stand still between 45000 and 45001 with half a coin at each of twenty prices, and the account must be
alone and rich.

Usage: ``python drive_ccxt_orders.py 127.0.0.1:3100``
"""

from __future__ import annotations

import asyncio
import sys
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import ccxt.pro
from drive_ccxt import PAIR, order, settings
from kit import SYMBOL, Report, recorded, run
from order_run import AT_ONCE, ONLY, PENDING, PENDING_PAIR, RESTING, SELL, WORKING
from order_run import PAIR as LEGS

LOW = 44_000.0
HIGH = 46_000.0
Kind = tuple[str, str, float | None, float | None, dict[str, Any]]

LIMIT: Kind = ("limit", "buy", 0.001, LOW, {})
KINDS: dict[str, Kind] = {
    "limit": LIMIT,
    "limit.ioc": ("limit", "buy", 0.001, 45_019.0, {"timeInForce": "IOC"}),
    "limit.fok": ("limit", "buy", 0.001, LOW, {"timeInForce": "FOK"}),
    "limit.gtc": ("limit", "buy", 0.001, LOW, {"timeInForce": "GTC"}),
    "limit.named": ("limit", "buy", 0.001, LOW, {"newClientOrderId": "{}-named"}),
    "maker": ("LIMIT_MAKER", "sell", 0.001, HIGH, {}),
    "market": ("market", "buy", 0.001, None, {}),
    "market.deep": ("market", "sell", 1.2, None, {}),
    "market.quote": ("market", "sell", None, None, {"quoteOrderQty": 50}),
    "stop": ("market", "sell", 0.001, None, {"stopPrice": LOW}),
    "stop.limit": ("limit", "sell", 0.001, 43_990.0, {"stopPrice": LOW}),
    "stop.typed": ("STOP_LOSS", "buy", 0.001, None, {"stopPrice": HIGH}),
    "profit": ("TAKE_PROFIT", "sell", 0.001, None, {"stopPrice": HIGH}),
    "profit.limit": ("TAKE_PROFIT_LIMIT", "buy", 0.001, 44_010.0, {"stopPrice": LOW}),
    "trailing": ("STOP_LOSS", "sell", 0.001, None, {"trailingDelta": 500}),
    "trailing.limit": ("TAKE_PROFIT_LIMIT", "sell", 0.001, HIGH, {"trailingDelta": 500, "stopPrice": HIGH}),
    "iceberg": ("limit", "buy", 0.01, LOW, {"icebergQty": 0.001}),
    "prevention": ("limit", "buy", 0.001, LOW, {"selfTradePreventionMode": "EXPIRE_MAKER"}),
}
"""Type, side, amount, price, parameters that Binance knows by these names: over the WebSocket API the library hands on
its own names beside Binance's, which Binance refuses."""

UNIFIED: dict[str, Kind] = {
    "post_only": ("limit", "buy", 0.001, LOW, {"postOnly": True}),
    "post_only.tif": ("limit", "buy", 0.001, LOW, {"timeInForce": "PO"}),
    "cost": ("market", "buy", None, None, {"cost": 123.45}),
    "priced": ("market", "buy", 0.002, 45_000.0, {}),
    "client_id": ("limit", "buy", 0.001, LOW, {"clientOrderId": "{}-client-id"}),
    "trigger": ("limit", "sell", 0.001, 43_990.0, {"triggerPrice": LOW}),
    "stop_loss": ("market", "sell", 0.001, None, {"stopLossPrice": LOW}),
    "stop_loss.limit": ("limit", "sell", 0.001, 43_990.0, {"stopLossPrice": LOW}),
    "take_profit": ("market", "sell", 0.001, None, {"takeProfitPrice": HIGH}),
    "take_profit.limit": ("limit", "sell", 0.001, HIGH, {"takeProfitPrice": HIGH}),
    "trailing_percent": ("market", "sell", 0.001, None, {"trailingPercent": 5, "stopLossOrTakeProfit": "stopLoss"}),
    "trailing_percent.from": (
        "limit",
        "buy",
        0.001,
        LOW,
        {"trailingPercent": 5, "stopLossOrTakeProfit": "takeProfit", "trailingTriggerPrice": 44_500},
    ),
    "iceberg_amount": ("limit", "buy", 0.01, LOW, {"icebergAmount": 0.001}),
    "self_trade": ("limit", "buy", 0.001, LOW, {"selfTradePrevention": "EXPIRE_BOTH"}),
    "sor": ("limit", "buy", 0.001, 45_019.0, {"sor": True}),
}
"""The library's own names."""

FIELDS = ("id", "status", "symbol", "type", "side", "price", "amount", "filled", "remaining", "cost", "average", "fee")
NAMED = ("BTCUSDT", "BTCUSDC")
DAY = {"symbol": SYMBOL, "interval": "1m", "limit": 2}
RAW: dict[str, dict[str, Any]] = {
    "public get ping": {},
    "public get time": {},
    "public get depth": ONLY,
    "public get trades": ONLY,
    "public get aggTrades": ONLY,
    "public get historicalTrades": ONLY,
    "public get klines": DAY,
    "public get uiKlines": DAY,
    "public get ticker/24hr": ONLY,
    "public get ticker": ONLY,
    "public get ticker/tradingDay": ONLY,
    "public get ticker/price": {},
    "public get ticker/bookTicker": {},
    "public get exchangeInfo": {},
    "public get executionRules": ONLY,
    "public get avgPrice": ONLY,
    "public get referencePrice": ONLY,
    "public get referencePrice/calculation": ONLY,
    "public get historicalBlockTrades": ONLY | {"fromId": 1},
    "public post userDataStream": {},
    "public put userDataStream": {"listenKey": "$public post userDataStream:listenKey"},
    "public delete userDataStream": {"listenKey": "$public post userDataStream:listenKey"},
    "private post order/test": RESTING,
    "private post order": RESTING,
    "private get order": ONLY | {"orderId": "$private post order:orderId"},
    "private get openOrders": ONLY,
    "private post order/cancelReplace": RESTING
    | {"cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrderId": "$private post order:orderId"},
    "private delete openOrders": ONLY,
    "private post order/oco": SELL
    | {"price": HIGH, "stopPrice": LOW, "stopLimitPrice": 43_990, "stopLimitTimeInForce": "GTC"},
    "private get openOrderList": {},
    "private get orderList": {"orderListId": "$private post order/oco:orderListId"},
    "private delete orderList": ONLY | {"orderListId": "$private post order/oco:orderListId"},
    "private post orderList/oco": SELL | LEGS,
    "private post orderList/oto": WORKING | PENDING,
    "private post orderList/otoco": WORKING | PENDING_PAIR,
    "private post orderList/opo": WORKING | {name: PENDING[name] for name in PENDING if name != "pendingQuantity"},
    "private post orderList/opoco": WORKING
    | AT_ONCE
    | {name: PENDING_PAIR[name] for name in PENDING_PAIR if name != "pendingQuantity"},
    "private post sor/order/test": RESTING,
    "private post sor/order": RESTING,
    "private delete order": ONLY | {"orderId": "$private post sor/order:orderId"},
    "private get allOrderList": {},
    "private get allOrders": ONLY,
    "private get account": {},
    "private get myTrades": ONLY,
    "private get rateLimit/order": {},
    "private get myPreventedMatches": ONLY | {"orderId": 1},
    "private get myAllocations": ONLY,
    "private get account/commission": ONLY,
}
"""What the library has below its unified calls: section, verb, path. ``$step:field`` is a field of another answer."""


def paths(api: dict[str, Any]) -> Iterator[str]:
    """All that the library lists for spot."""
    for section in ("public", "private"):
        for verb, found in api[section].items():
            yield from (f"{section} {verb} {path}" for path in found)


class Driver:
    """One run against one host."""

    def __init__(self, host: str) -> None:
        self.report = Report()
        self.called = recorded(ccxt.pro.binance)
        self.exchange = ccxt.pro.binance(settings(host))

    async def keep(self, name: str, call: Awaitable[Any]) -> Any:
        """A unified order, reduced to what is compared."""

        async def reduced() -> dict[str, Any]:
            found = await call
            return {field: found[field] for field in FIELDS}

        return await self.report.astep(name, reduced())

    async def drive(self) -> None:
        """All of it."""
        exchange = self.exchange
        try:
            await exchange.load_markets()
            await self.report.astep("before", exchange.fetch_balance())
            await self.kinds("rest", KINDS | UNIFIED, exchange.create_order, exchange.cancel_order)
            await self.helpers()
            await self.edits("rest", exchange.create_order, exchange.edit_order)
            await self.raw()
            await self.balances()
            await self.kinds("ws", KINDS, exchange.create_order_ws, exchange.cancel_order_ws)
            await self.edits("ws", exchange.create_order_ws, exchange.edit_order_ws)
            await self.websocket_helpers()
            await self.agreement()
        finally:
            await exchange.close()
        self.report.note("offered", sorted(name for name, has in exchange.has.items() if has))
        self.report.note("called", sorted(self.called))
        self.report.note("raw.offered", sorted(paths(exchange.describe()["api"])))

    async def kinds(
        self, over: str, kinds: dict[str, Kind], create: Callable[..., Awaitable[Any]], cancel: Callable[..., Any]
    ) -> None:
        """Each placed, asked for, and cancelled where it is open."""
        for name, (kind, side, amount, price, params) in kinds.items():
            given = {key: value.format(over) if isinstance(value, str) else value for key, value in params.items()}
            step = f"{over}.{name}"
            placed = await self.keep(step, create(PAIR, kind, side, amount, price, given))
            if placed is None:
                continue
            told = await self.keep(f"{step}.told", self.exchange.fetch_order(placed["id"], PAIR))
            if told["status"] == "open":
                await self.keep(f"{step}.cancel", cancel(placed["id"], PAIR))
        await self.report.astep(f"{over}.test", create(PAIR, "limit", "buy", 0.001, LOW, {"test": True}))
        await self.report.astep(
            f"{over}.sor_test", create(PAIR, "limit", "buy", 0.001, LOW, {"test": True, "sor": True})
        )

    async def helpers(self) -> None:
        """The calls that are named for a type."""
        exchange = self.exchange
        calls = {
            "create_limit_order": exchange.create_limit_order(PAIR, "buy", 0.001, LOW),
            "create_limit_buy_order": exchange.create_limit_buy_order(PAIR, 0.001, LOW),
            "create_limit_sell_order": exchange.create_limit_sell_order(PAIR, 0.001, HIGH),
            "create_market_order": exchange.create_market_order(PAIR, "buy", 0.001),
            "create_market_buy_order": exchange.create_market_buy_order(PAIR, 0.001),
            "create_market_sell_order": exchange.create_market_sell_order(PAIR, 0.001),
            "create_market_order_with_cost": exchange.create_market_order_with_cost(PAIR, "buy", 60),
            "create_market_buy_order_with_cost": exchange.create_market_buy_order_with_cost(PAIR, 60),
            "create_market_sell_order_with_cost": exchange.create_market_sell_order_with_cost(PAIR, 60),
            "create_post_only_order": exchange.create_post_only_order(PAIR, "limit", "buy", 0.001, LOW),
            "create_stop_order": exchange.create_stop_order(PAIR, "market", "sell", 0.001, None, LOW),
            "create_stop_limit_order": exchange.create_stop_limit_order(PAIR, "sell", 0.001, 43_990.0, LOW),
            "create_stop_loss_order": exchange.create_stop_loss_order(PAIR, "limit", "sell", 0.001, 43_990.0, LOW),
            "create_take_profit_order": exchange.create_take_profit_order(PAIR, "limit", "sell", 0.001, HIGH, HIGH),
            "create_trigger_order": exchange.create_trigger_order(PAIR, "limit", "sell", 0.001, 43_990.0, LOW),
            "create_trailing_percent_order": exchange.create_trailing_percent_order(
                PAIR, "market", "sell", 0.001, None, 5, None, {"stopLossOrTakeProfit": "stopLoss"}
            ),
        }
        for number, (name, call) in enumerate(calls.items()):
            await self.keep(f"helper.{name}", call)
            # A symbol allows five contingent orders at a time.
            if number in (12, 15):
                await self.report.astep(f"helper.{name}.clear", exchange.cancel_all_orders(PAIR))
        await self.report.astep("helper.closed_and_canceled", exchange.fetch_canceled_and_closed_orders(PAIR, limit=5))
        await self.report.astep("helper.l2", exchange.fetch_l2_order_book(PAIR, 5))

    async def websocket_helpers(self) -> None:
        """The same over the WebSocket API."""
        exchange = self.exchange
        calls = {
            "create_limit_order_ws": exchange.create_limit_order_ws(PAIR, "buy", 0.001, LOW),
            "create_limit_buy_order_ws": exchange.create_limit_buy_order_ws(PAIR, 0.001, LOW),
            "create_limit_sell_order_ws": exchange.create_limit_sell_order_ws(PAIR, 0.001, HIGH),
            "create_market_order_ws": exchange.create_market_order_ws(PAIR, "buy", 0.001),
            "create_market_buy_order_ws": exchange.create_market_buy_order_ws(PAIR, 0.001),
            "create_market_sell_order_ws": exchange.create_market_sell_order_ws(PAIR, 0.001),
        }
        for name, call in calls.items():
            await self.keep(f"helper.{name}", call)
        await self.report.astep("helper.open", exchange.fetch_open_orders(PAIR))
        await self.report.astep("helper.closed_ws", exchange.fetch_closed_orders_ws(PAIR))
        await self.report.astep("helper.clear_ws", exchange.cancel_all_orders_ws(PAIR))

    async def edits(
        self, over: str, create: Callable[..., Awaitable[Any]], edit: Callable[..., Awaitable[Any]]
    ) -> None:
        """An order is replaced by another price, amount, type; at last by one that trades."""
        exchange = self.exchange
        first = await create(PAIR, "limit", "buy", 0.001, LOW)
        changes: dict[str, Kind] = {
            "price": ("limit", "buy", 0.001, 43_000.0, {}),
            "amount": ("limit", "buy", 0.002, 43_000.0, {}),
            "maker": ("LIMIT_MAKER", "buy", 0.002, 43_000.0, {}),
            "stop": ("limit", "sell", 0.001, 43_990.0, {"stopPrice": LOW}),
            "market": ("market", "buy", 0.001, None, {}),
        }
        last = first["id"]
        for name, (kind, side, amount, price, params) in changes.items():
            edited = await self.keep(f"{over}.edit.{name}", edit(last, PAIR, kind, side, amount, price, params))
            await self.keep(f"{over}.edit.{name}.before", exchange.fetch_order(last, PAIR))
            last = edited["id"]
            await self.keep(f"{over}.edit.{name}.after", exchange.fetch_order(last, PAIR))

    async def raw(self) -> None:
        """Every operation that the library lists."""
        answers: dict[str, Any] = {}
        for step, params in RAW.items():
            section, verb, path = step.split()
            given: dict[str, Any] = {}
            for name, value in params.items():
                given[name] = value
                if isinstance(value, str) and value.startswith("$"):
                    other, _, field = value[1:].rpartition(":")
                    given[name] = answers[other][field]
            words = (verb, *path.split("/"))
            call = getattr(self.exchange, section + "".join(word[0].upper() + word[1:] for word in words))
            answers[step] = await self.report.astep(step, call(given)) or defaultdict(str)
        await self.report.astep("raw.clear", self.exchange.cancel_all_orders(PAIR))

    async def balances(self) -> None:
        """Begin to listen; what comes from now on fills the library's caches."""
        exchange = self.exchange
        exchange.options["ordersLimit"] = exchange.options["tradesLimit"] = 1_000
        async with asyncio.TaskGroup() as group:
            watched = [
                group.create_task(self.report.astep("user.balance", exchange.watch_balance())),
                group.create_task(self.report.astep("user.orders", exchange.watch_orders(PAIR))),
                group.create_task(self.report.astep("user.trades", exchange.watch_my_trades(PAIR))),
            ]
            await exchange.authenticate()
            await self.keep("user.market", exchange.create_order_ws(PAIR, "market", "buy", 0.002))
            await asyncio.gather(*watched)

    async def agreement(self) -> None:
        """What the streams told beside what is answered, over REST and over the WebSocket API."""
        exchange, step = self.exchange, self.report.astep
        last = await exchange.create_order_ws(PAIR, "market", "buy", 0.001)
        async with asyncio.timeout(10):
            while last["id"] not in {row["order"] for row in exchange.myTrades}:
                await asyncio.sleep(0.01)
        orders = await exchange.fetch_orders(PAIR, limit=1_000)
        self.report.note("orders", {row["id"]: order(row) for row in orders})
        self.report.note(
            "orders.ws", {row["id"]: order(row) for row in await exchange.fetch_orders_ws(PAIR, limit=1_000)}
        )
        self.report.note("orders.watched", {row["id"]: order(row) for row in exchange.orders})
        names = ("id", "order", "side", "takerOrMaker", "price", "amount", "cost", "fee")
        for step_name, rows in (
            ("trades", await exchange.fetch_my_trades(PAIR, limit=1_000)),
            ("trades.ws", await exchange.fetch_my_trades_ws(PAIR, limit=1_000)),
            ("trades.watched", exchange.myTrades),
        ):
            self.report.note(step_name, [{name: row[name] for name in names} for row in rows])
        await step("allocations", exchange.privateGetMyAllocations(ONLY))
        await step("after", exchange.fetch_balance())
        answer = (await exchange.fetch_balance_ws())["info"]
        self.report.note("after.ws", exchange.parse_balance_custom(answer, "spot"))
        self.report.note("after.watched", exchange.balance["spot"])


def main() -> None:
    """Drive everything and tell."""
    driver = Driver(sys.argv[1])
    asyncio.run(driver.drive())
    driver.report.print()


if __name__ == "__main__":
    run(main)
