"""binance-connector: orders and order lists of every kind, over REST and over the WebSocket API.

Usage: ``python drive_binance_connector_orders.py 127.0.0.1:3100``
"""

from __future__ import annotations

import asyncio
import inspect
import itertools
import json
import sys
from collections.abc import Callable
from typing import Any

from binance.spot import Spot
from binance.websocket.spot.websocket_api import SpotWebsocketAPIClient
from binance.websocket.spot.websocket_stream import SpotWebsocketStreamClient
from kit import KEY, SECRET, Inbox, Report, recorded, run
from order_run import Ask, OrderRun

SPOT = ("_market", "_trade", "_data_stream")
"""Modules of the client for what an exchange with a spot market has."""

REST = {
    "account": "account",
    "test": "new_order_test",
    "new": "new_order",
    "get": "get_order",
    "cancel": "cancel_order",
    "cancel_all": "cancel_open_orders",
    "open": "get_open_orders",
    "replace": "cancel_and_replace",
    "oco": "new_oco_order",
    "oto": "new_oto_order",
    "otoco": "new_otoco_order",
    "list_get": "get_oco_order",
    "list_open": "get_oco_open_orders",
    "list_cancel": "cancel_oco_order",
    "list_all": "get_oco_orders",
    "prevented": "query_prevented_matches",
    "allocations": "query_allocations",
    "rates": "query_commission_rates",
    "count": "get_order_rate_limit",
    "orders": "get_orders",
    "trades": "my_trades",
}
WEBSOCKET = {
    "account": "account",
    "test": "new_order_test",
    "new": "new_order",
    "get": "get_order",
    "cancel": "cancel_order",
    "cancel_all": "cancel_open_orders",
    "open": "get_open_orders",
    "replace": "cancel_replace_order",
    "oco": "new_oco_order",
    "oto": "new_oto_order",
    "otoco": "new_otoco_order",
    "list_get": "get_oco_order",
    "list_open": "get_open_oco_orders",
    "list_cancel": "cancel_oco_order",
    "list_all": "oco_history",
    "prevented": "prevented_matches",
    "count": "order_rate_limit",
    "orders": "order_history",
    "trades": "my_trades",
}
STREAMS: dict[str, dict[str, Any]] = {
    "agg_trade": {"symbol": "BTCUSDT"},
    "trade": {"symbol": "BTCUSDT"},
    "kline": {"symbol": "BTCUSDT", "interval": "1m"},
    "kline_timezone_offset": {"symbol": "BTCUSDT", "interval": "1d"},
    "mini_ticker": {"symbol": "BTCUSDT"},
    "ticker": {"symbol": "BTCUSDT"},
    "book_ticker": {"symbol": "BTCUSDT"},
    "partial_book_depth": {"symbol": "BTCUSDT", "level": 10, "speed": 100},
    "rolling_window_ticker": {"symbol": "BTCUSDT", "windowSize": "1h"},
    "rolling_window_ticker_all_symbols": {"windowSize": "1h"},
    "diff_book_depth": {"symbol": "BTCUSDT"},
}


PONG: dict[str, Any] = {}
"""Stands for a pong frame among messages."""


class Refused(Exception):
    """An answer with an error."""


class Driver:
    """One run against one host."""

    def __init__(self, host: str) -> None:
        self.report = Report()
        self.called = {kind: recorded(kind) for kind in (Spot, SpotWebsocketAPIClient, SpotWebsocketStreamClient)}
        self.host = host
        self.rest = Spot(api_key=KEY, api_secret=SECRET, base_url=f"http://{host}", timeout=10)
        self.inbox = Inbox()
        self.api = SpotWebsocketAPIClient(
            stream_url=f"ws://{host}/ws-api/v3",
            api_key=KEY,
            api_secret=SECRET,
            on_message=lambda _, text: self.inbox.put(json.loads(text)),
            on_pong=lambda _: self.inbox.put(PONG),
        )
        self._ids = itertools.count(1)

    def over_rest(self, name: str) -> Ask:
        """A call of the synchronous client."""
        return lambda **params: asyncio.to_thread(getattr(self.rest, name), **params)

    def over_websocket(self, name: str) -> Ask:
        """A method of the WebSocket API."""
        call: Callable[..., None] = getattr(self.api, name)

        async def ask(**params: Any) -> Any:
            number = next(self._ids)
            call(**params, id=number)
            answer = await self.inbox.await_(lambda message: message.get("id") == number)
            if "error" in answer:
                raise Refused(answer["error"])
            return answer["result"]

        return ask

    async def drive(self) -> None:
        """Both APIs, then every stream by its own method."""
        await OrderRun(self.report, "rest", {name: self.over_rest(call) for name, call in REST.items()}).drive()
        await OrderRun(self.report, "ws", {name: self.over_websocket(call) for name, call in WEBSOCKET.items()}).drive()
        self.api.ping()
        await self.report.astep("ws.ping", self.inbox.await_(lambda message: message is PONG))
        self.api.stop()
        await asyncio.to_thread(self.drive_streams)
        self.report.note("offered", {kind.__name__: sorted(self.offered(kind)) for kind in self.called})
        self.report.note("called", {kind.__name__: sorted(names) for kind, names in self.called.items()})

    def drive_streams(self) -> None:
        """Each method subscribes and unsubscribes; control messages are five a second at most."""
        inbox = Inbox()
        stream = SpotWebsocketStreamClient(
            stream_url=f"ws://{self.host}",
            on_message=lambda _, text: inbox.put(json.loads(text)),
            on_pong=lambda _: inbox.put(PONG),
        )
        for number, (name, params) in enumerate(STREAMS.items(), 1):
            getattr(stream, name)(**params, id=number)
            wanted = {"id": number, "result": None}
            self.report.step(f"stream.{name}", lambda wanted=wanted: inbox.wait(lambda message: message == wanted))
        stream.list_subscribe(id=99)
        self.report.step("streams", lambda: inbox.wait(lambda message: message.get("id") == 99))
        stream.ping()
        self.report.step("stream.ping", lambda: inbox.wait(lambda message: message is PONG))
        stream.stop()

    @staticmethod
    def offered(kind: type) -> set[str]:
        """What a class of the client has for spot."""
        methods = inspect.getmembers(kind, inspect.isfunction)
        if kind is Spot:
            methods = [(name, call) for name, call in methods if call.__module__.rpartition(".")[2] in SPOT]
        return {name for name, _ in methods if not name.startswith("_")}


def main() -> None:
    """Drive everything and tell."""
    driver = Driver(sys.argv[1])
    asyncio.run(driver.drive())
    driver.report.print()


if __name__ == "__main__":
    run(main)
