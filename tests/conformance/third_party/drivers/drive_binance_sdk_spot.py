"""binance-sdk-spot: its REST client, its WebSocket API client and its market streams, all parsed into its models.

Usage: ``python drive_binance_sdk_spot.py 127.0.0.1:3100``
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any, ClassVar

import requests
from binance_common.configuration import (
    ConfigurationRestAPI,
    ConfigurationWebSocketAPI,
    ConfigurationWebSocketStreams,
)
from binance_sdk_spot.spot import Spot
from kit import KEY, SECRET, SYMBOL, WAIT_S, Inbox, Report, run
from pydantic import BaseModel


def plain(value: Any) -> Any:
    """A model as JSON-able data under the wire's names."""
    instance = getattr(value, "actual_instance", None)
    if instance is not None:
        return plain(instance)
    if isinstance(value, BaseModel):
        known = {
            field.alias or name: plain(getattr(value, name))
            for name, field in type(value).model_fields.items()
            if name != "additional_properties"
        }
        return {**known, **plain(getattr(value, "additional_properties", {}))}
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def unknown(value: Any, path: str = "") -> set[str]:
    """Paths of fields that the models do not declare."""
    value = getattr(value, "actual_instance", None) or value
    if isinstance(value, list):
        return {found for item in value for found in unknown(item, path + "[]")}
    if not isinstance(value, BaseModel):
        return set()
    extra = {f"{path}.{name}" for name in getattr(value, "additional_properties", {})}
    for name, field in type(value).model_fields.items():
        if name != "additional_properties":
            extra |= unknown(getattr(value, name), f"{path}.{field.alias or name}")
    return extra


def missing(value: Any, path: str = "") -> set[str]:
    """Paths of declared fields that did not come."""
    value = getattr(value, "actual_instance", None) or value
    if isinstance(value, list):
        return {found for item in value for found in missing(item, path + "[]")}
    if not isinstance(value, BaseModel):
        return set()
    lacking: set[str] = set()
    for name, field in type(value).model_fields.items():
        item = getattr(value, name)
        where = f"{path}.{field.alias or name}"
        lacking |= {where} if item is None else missing(item, where)
    return lacking


class Driver:
    """One run against one host."""

    pair: ClassVar[list[str]] = ["BTCUSDT", "ETHUSDT"]
    """Two symbols that trade there."""

    def __init__(self, host: str) -> None:
        self.report = Report()
        self.called: set[str] = set()
        """Operations and methods that were called: ``rest.ping``, ``ws.ping``."""
        self.host = host
        keys = {"api_key": KEY, "api_secret": SECRET}
        self.client = Spot(
            ConfigurationRestAPI(base_path=f"http://{host}", timeout=10_000, **keys),
            ConfigurationWebSocketAPI(stream_url=f"ws://{host}/ws-api/v3", **keys),
            ConfigurationWebSocketStreams(stream_url=f"ws://{host}"),
        )

    def _judged(self, answer: Any, rate_limits: list[Any]) -> dict[str, Any]:
        return {
            "data": plain(answer),
            "unknown": sorted(unknown(answer)),
            "missing": sorted(missing(answer)),
            "rate_limits": [f"{row.rate_limit_type} {row.interval_num} {row.interval}" for row in rate_limits],
        }

    def rest(self, name: str, call: Callable[..., Any], **params: Any) -> Any:
        """Call one REST operation; answers the parsed data."""
        kept: list[Any] = []
        self.called.add(f"rest.{call.__name__}")

        def ask() -> dict[str, Any]:
            response = call(**params)
            kept.append(response.data())
            limits = [f"{row.rateLimitType} {row.intervalNum} {row.interval}" for row in response.rate_limits]
            return self._judged(kept[0], []) | {"rate_limits": limits}

        self.report.step(f"rest.{name}", ask)
        return kept[0] if kept else None

    def drive_market_rest(self) -> None:
        """Public operations."""
        api = self.client.rest_api
        pair = self.pair
        self.rest("ping", api.ping)
        self.rest("time", api.time)
        self.rest("exchangeInfo", api.exchange_info)
        self.rest("exchangeInfo.symbol", api.exchange_info, symbol=SYMBOL)
        self.rest("exchangeInfo.symbols", api.exchange_info, symbols=pair)
        self.rest("exchangeInfo.permissions", api.exchange_info, permissions="SPOT", show_permission_sets=False)
        self.rest("exchangeInfo.status", api.exchange_info, symbol_status="TRADING")
        self.rest("depth", api.depth, symbol=SYMBOL, limit=5000)
        self.rest("depth.status", api.depth, symbol=SYMBOL, limit=5, symbol_status="TRADING")
        self.rest("trades", api.get_trades, symbol=SYMBOL, limit=10)
        self.rest("historicalTrades", api.historical_trades, symbol=SYMBOL, limit=10)
        self.rest("aggTrades", api.agg_trades, symbol=SYMBOL, limit=10)
        self.rest("klines", api.klines, symbol=SYMBOL, interval="1m", limit=10)
        self.rest("klines.zone", api.klines, symbol=SYMBOL, interval="1d", limit=3, time_zone="8")
        self.rest("uiKlines", api.ui_klines, symbol=SYMBOL, interval="1h", limit=10)
        self.rest("avgPrice", api.avg_price, symbol=SYMBOL)
        for name, call in (
            ("ticker/24hr", api.ticker24hr),
            ("ticker/price", api.ticker_price),
            ("ticker/bookTicker", api.ticker_book_ticker),
        ):
            self.rest(name, call, symbol=SYMBOL)
            self.rest(f"{name}.symbols", call, symbols=pair)
            self.rest(f"{name}.all", call)
        self.rest("ticker/24hr.mini", api.ticker24hr, symbol=SYMBOL, type="MINI")
        for name, call in (("ticker/tradingDay", api.ticker_trading_day), ("ticker", api.ticker)):
            self.rest(name, call, symbol=SYMBOL)
            self.rest(f"{name}.symbols", call, symbols=pair)
            self.rest(f"{name}.mini", call, symbol=SYMBOL, type="MINI")
        self.rest("ticker.window", api.ticker, symbol=SYMBOL, window_size="4h")

    def drive_account_rest(self) -> None:
        """Orders of every kind, and what is told about them."""
        api = self.client.rest_api
        resting = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "time_in_force": "GTC", "quantity": 0.01}
        price = self.far_price()
        market = {"symbol": SYMBOL, "side": "BUY", "type": "MARKET"}
        self.rest("order/test", api.order_test, **resting, price=price)
        self.rest("order/test.rates", api.order_test, **resting, price=price, compute_commission_rates=True)
        placed = self.rest("order", api.new_order, **resting, price=price)
        self.rest("order.ack", api.new_order, **resting, price=price, new_order_resp_type="ACK")
        self.rest("order.result", api.new_order, **resting, price=price, new_order_resp_type="RESULT")
        named = {"new_client_order_id": "sdk-named", "strategy_id": 7, "strategy_type": 1_000_000}
        self.rest("order.named", api.new_order, **resting, price=price, **named)
        maker = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT_MAKER", "quantity": 0.01, "price": price}
        self.rest("order.maker", api.new_order, **maker)
        self.rest("order.market", api.new_order, **market, quantity=0.001)
        self.rest("order.quote", api.new_order, **market, quote_order_qty=100.0)
        self.rest("order.ioc", api.new_order, **(resting | {"time_in_force": "IOC"}), price=price)
        self.rest("order.fok", api.new_order, **(resting | {"time_in_force": "FOK"}), price=price)
        self.rest("order.get", api.get_order, symbol=SYMBOL, order_id=placed.order_id)
        self.rest("order.get_named", api.get_order, symbol=SYMBOL, orig_client_order_id="sdk-named")
        self.rest("openOrders", api.get_open_orders, symbol=SYMBOL)
        self.rest("openOrders.all", api.get_open_orders)
        self.rest("order.cancel", api.delete_order, symbol=SYMBOL, order_id=placed.order_id)
        only_new = {"orig_client_order_id": "sdk-named", "cancel_restrictions": "ONLY_NEW"}
        self.rest("order.cancel_named", api.delete_order, symbol=SYMBOL, **only_new)
        self.rest("openOrders.cancel", api.delete_open_orders, symbol=SYMBOL)
        self.rest("allOrders", api.all_orders, symbol=SYMBOL, limit=20)
        self.rest("account", api.get_account, omit_zero_balances=True)
        self.rest("account.window", api.get_account, recv_window=6000.346)
        self.rest("myTrades", api.my_trades, symbol=SYMBOL)
        self.rest("rateLimit/order", api.rate_limit_order)

    def far_price(self) -> float:
        """A price that no order meets, within the filters."""
        top = self.client.rest_api.ticker_book_ticker(symbol=SYMBOL).data()
        return round(float(plain(top)["bidPrice"]) * 0.9, 2)

    def deposit(self) -> Any:
        """Paper money, by the exchange's back door."""
        base = f"http://{self.host}/admin/accounts"
        account = requests.get(base, timeout=WAIT_S).json()[0]["account"]
        body = {"asset": "BNB", "amount": "1.5"}
        return requests.post(f"{base}/{account}/deposit", json=body, timeout=WAIT_S).json()

    def drive_refusals(self) -> None:
        """What Binance refuses, and what this exchange does not have: errors that the client reads."""
        api = self.client.rest_api
        self.rest("refused.symbol", api.depth, symbol="NOSUCH")
        big = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "time_in_force": "GTC", "price": self.far_price()}
        self.rest("refused.funds", api.new_order, **big, quantity=90.0)
        self.rest("refused.lot", api.new_order, **big, quantity=0.0001234567)
        self.rest("refused.cancel", api.delete_order, symbol=SYMBOL, order_id=999_999_999)
        self.rest("refused.get", api.get_order, symbol=SYMBOL, order_id=999_999_999)

    async def ws(self, name: str, call: Callable[..., Any], **params: Any) -> Any:
        """Call one method of the WebSocket API; answers the parsed data."""
        kept: list[Any] = []
        self.called.add(f"ws.{call.__name__}")

        async def ask() -> dict[str, Any]:
            response = await call(**params)
            kept.append(response.data())
            limits = [f"{row.rateLimitType} {row.intervalNum} {row.interval}" for row in response.rate_limits]
            return self._judged(kept[0], []) | {"rate_limits": limits}

        await self.report.astep(f"ws.{name}", ask())
        return kept[0] if kept else None

    async def drive_market_ws(self) -> None:
        """Public methods of the WebSocket API."""
        api = self.client.websocket_api
        pair = self.pair
        await self.ws("ping", api.ping)
        await self.ws("time", api.time)
        await self.ws("exchangeInfo", api.exchange_info, symbol=SYMBOL)
        await self.ws("exchangeInfo.symbols", api.exchange_info, symbols=pair)
        await self.ws("exchangeInfo.permissions", api.exchange_info, permissions=["SPOT"])
        await self.ws("depth", api.depth, symbol=SYMBOL, limit=10)
        await self.ws("trades.recent", api.trades_recent, symbol=SYMBOL, limit=10)
        await self.ws("trades.historical", api.trades_historical, symbol=SYMBOL, limit=10)
        await self.ws("trades.aggregate", api.trades_aggregate, symbol=SYMBOL, limit=10)
        await self.ws("klines", api.klines, symbol=SYMBOL, interval="1m", limit=10)
        await self.ws("uiKlines", api.ui_klines, symbol=SYMBOL, interval="1m", limit=10)
        await self.ws("avgPrice", api.avg_price, symbol=SYMBOL)
        for name, call in (
            ("ticker.24hr", api.ticker24hr),
            ("ticker.price", api.ticker_price),
            ("ticker.book", api.ticker_book),
            ("ticker.tradingDay", api.ticker_trading_day),
            ("ticker", api.ticker),
        ):
            await self.ws(name, call, symbol=SYMBOL)
            await self.ws(f"{name}.symbols", call, symbols=pair)

    async def drive_account_ws(self) -> None:
        """Orders over the WebSocket API, with the events they cause."""
        api = self.client.websocket_api
        inbox = Inbox()
        self.called.add("ws.user_data_stream_subscribe_signature")
        subscription = await api.user_data_stream_subscribe_signature()
        subscription.stream.on("message", inbox.put)
        await self.ws("session.subscriptions", api.session_subscriptions)
        await self.ws("session.status", api.session_status)
        resting = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "time_in_force": "GTC", "quantity": 0.01}
        price = self.far_price()
        await self.ws("order.test", api.order_test, **resting, price=price)
        await self.ws("order.test.rates", api.order_test, **resting, price=price, compute_commission_rates=True)
        placed = await self.ws("order.place", api.order_place, **resting, price=price)
        named = {"new_client_order_id": "sdk-ws", "new_order_resp_type": "ACK"}
        await self.ws("order.place.ack", api.order_place, **resting, price=price, **named)
        number = placed.result.order_id
        await self.ws("order.status", api.order_status, symbol=SYMBOL, order_id=number)
        await self.ws("openOrders.status", api.open_orders_status, symbol=SYMBOL)
        await self.ws("order.cancel", api.order_cancel, symbol=SYMBOL, order_id=number)
        await self.ws("openOrders.cancelAll", api.open_orders_cancel_all, symbol=SYMBOL)
        market = {"symbol": SYMBOL, "side": "BUY", "type": "MARKET"}
        await self.ws("order.place.market", api.order_place, **market, quantity=0.0001)
        await self.ws("order.place.quote", api.order_place, **market, quote_order_qty=100.0)
        await self.ws("account.status", api.account_status, omit_zero_balances=True)
        await self.ws("account.rateLimits.orders", api.account_rate_limits_orders)
        await self.ws("allOrders", api.all_orders, symbol=SYMBOL, limit=20)
        await self.ws("myTrades", api.my_trades, symbol=SYMBOL)
        for kind in ("NEW", "CANCELED", "TRADE"):
            event = inbox.await_(lambda event, kind=kind: plain(event).get("x") == kind)
            await self.report.astep(f"user.{kind}", self._event(event))
        position = inbox.await_(lambda event: isinstance(plain(event).get("B"), list))
        await self.report.astep("user.position", self._event(position))
        await self.report.astep("user.deposit", asyncio.to_thread(self.deposit))
        balance = inbox.await_(lambda event: "d" in plain(event) and "a" in plain(event) and "x" not in plain(event))
        await self.report.astep("user.balance", self._event(balance))
        await self.ws("userDataStream.unsubscribe", api.user_data_stream_unsubscribe)
        ended = inbox.await_(lambda event: type(event.actual_instance).__name__ == "EventStreamTerminated")
        await self.report.astep("user.terminated", self._event(ended))

    async def _event(self, waiting: Any) -> dict[str, Any]:
        return self._judged(await waiting, [])

    async def _first(self, subscribing: Any) -> dict[str, Any]:
        """The first event of a stream."""
        inbox = Inbox()
        (await subscribing).on("message", inbox.put)
        return await self._event(inbox.await_(lambda _: True))

    async def drive_streams(self) -> None:
        """Every market stream of the first cut, parsed into the client's models."""
        streams = self.client.websocket_streams
        await streams.create_connection()
        asked: list[tuple[str, Callable[..., Any], dict[str, Any]]] = [
            ("trade", streams.trade, {}),
            ("aggTrade", streams.agg_trade, {}),
            ("depth", streams.diff_book_depth, {}),
            ("depth@100ms", streams.diff_book_depth, {"update_speed": "100ms"}),
            ("depth5", streams.partial_book_depth, {"levels": "5"}),
            ("depth10@100ms", streams.partial_book_depth, {"levels": "10", "update_speed": "100ms"}),
            ("depth20@100ms", streams.partial_book_depth, {"levels": "20", "update_speed": "100ms"}),
            ("ticker", streams.ticker, {}),
            ("miniTicker", streams.mini_ticker, {}),
            ("bookTicker", streams.book_ticker, {}),
            ("kline_1m", streams.kline, {"interval": "1m"}),
            ("kline_1s", streams.kline, {"interval": "1s"}),
            ("avgPrice", streams.avg_price, {}),
        ]
        await self.report.astep("stream.!miniTicker@arr", self._first(streams.all_mini_ticker()))
        # The client pauses for a second before each SUBSCRIBE. Five a second is the most a connection may send.
        for start in range(0, len(asked), 4):
            firsts = (
                self.report.astep(f"stream.{name}", self._first(call(symbol="btcusdt", **params)))
                for name, call, params in asked[start : start + 4]
            )
            await asyncio.gather(*firsts)
        await self.report.astep("stream.list", streams.list_subscribe())
        await streams.unsubscribe([f"btcusdt@{name}" for name in ("trade", "aggTrade")])
        await self.report.astep("stream.list_after", streams.list_subscribe())
        await streams.close_connection(close_session=True)

    def finish(self) -> None:
        """Tell what happened and what was called."""
        self.report.note("called", sorted(self.called))
        self.report.print()

    async def drive_sockets(self) -> None:
        """The WebSocket API, then the streams."""
        api = self.client.websocket_api
        await api.create_connection()
        await self.drive_market_ws()
        await self.drive_account_ws()
        await api.close_connection(close_session=True)
        await self.drive_streams()


def main() -> None:
    """Drive everything and tell."""
    driver = Driver(sys.argv[1])
    driver.drive_market_rest()
    driver.drive_account_rest()
    asyncio.run(driver.drive_sockets())
    driver.drive_refusals()
    driver.finish()


if __name__ == "__main__":
    run(main)
