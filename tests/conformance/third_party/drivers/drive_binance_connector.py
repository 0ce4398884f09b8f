"""binance-connector: Binance's earlier client, the only one that still lives on listen keys.

Usage: ``python drive_binance_connector.py 127.0.0.1:3100``
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Callable
from typing import Any

from binance.spot import Spot
from binance.websocket.spot.websocket_api import SpotWebsocketAPIClient
from binance.websocket.spot.websocket_stream import SpotWebsocketStreamClient
from kit import KEY, SECRET, SYMBOL, Inbox, Report, recorded, run

PAIR = ["BTCUSDT", "ETHUSDT"]
STREAMS = [
    "btcusdt@trade",
    "btcusdt@aggTrade",
    "btcusdt@depth@100ms",
    "btcusdt@depth5@1000ms",
    "btcusdt@ticker",
    "btcusdt@miniTicker",
    "btcusdt@bookTicker",
    "btcusdt@kline_1m",
]
MORE_STREAMS = [
    "btcusdt@depth",
    "btcusdt@depth20@100ms",
    "!miniTicker@arr",
    "btcusdt@ticker_1h",
    "btcusdt@ticker_4h",
    "!ticker_1d@arr",
    "btcusdt@kline_1d@+08:00",
    "btcusdt@avgPrice",
    "btcusdt@referencePrice",
]
"""Kinds that came after this client; they are names to it, and lists would break what it says of raw messages."""

LIMIT = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": 0.01}


class Driver:
    """One run against one host."""

    def __init__(self, host: str) -> None:
        self.report = Report()
        self.called = {kind: recorded(kind) for kind in (Spot, SpotWebsocketAPIClient, SpotWebsocketStreamClient)}
        self.host = host
        self.rest = Spot(api_key=KEY, api_secret=SECRET, base_url=f"http://{host}", timeout=10)
        self._ids = itertools.count(1)
        self.price = round(float(self.rest.book_ticker(SYMBOL)["bidPrice"]) * 0.9, 2)

    def drive_market_rest(self) -> None:
        """Public operations."""
        step, rest = self.report.step, self.rest
        step("rest.ping", rest.ping)
        step("rest.time", rest.time)
        step("rest.exchangeInfo", lambda: len(rest.exchange_info(symbols=PAIR)["symbols"]))
        step("rest.exchangeInfo.permissions", lambda: len(rest.exchange_info(permissions=["SPOT"])["symbols"]))
        step("rest.depth", lambda: rest.depth(SYMBOL, limit=5))
        step("rest.trades", lambda: rest.trades(SYMBOL, limit=2))
        step("rest.historicalTrades", lambda: rest.historical_trades(SYMBOL, limit=2))
        step("rest.aggTrades", lambda: rest.agg_trades(SYMBOL, limit=2))
        step("rest.klines", lambda: rest.klines(SYMBOL, "1h", limit=100))
        step("rest.uiKlines", lambda: rest.ui_klines(SYMBOL, "1m", limit=3))
        step("rest.avgPrice", lambda: rest.avg_price(SYMBOL))
        for name in ("ticker_24hr", "trading_day_ticker", "ticker_price", "book_ticker", "rolling_window_ticker"):
            call: Callable[..., Any] = getattr(rest, name)
            step(f"rest.{name}", lambda call=call: call(symbol=SYMBOL))
            step(f"rest.{name}.symbols", lambda call=call: call(symbols=PAIR))

    def drive_account_rest(self) -> None:
        """Orders and the account."""
        step, rest = self.report.step, self.rest
        limit = {**LIMIT, "price": self.price}
        step("rest.order/test", lambda: rest.new_order_test(**limit))
        step("rest.order", lambda: rest.new_order(**limit, newClientOrderId="conn-1"))
        step("rest.order.get", lambda: rest.get_order(SYMBOL, origClientOrderId="conn-1"))
        step("rest.order.again", lambda: rest.new_order(**limit, newClientOrderId="conn-1"))
        step("rest.openOrders", lambda: rest.get_open_orders(SYMBOL))
        step("rest.order.cancel", lambda: rest.cancel_order(SYMBOL, origClientOrderId="conn-1"))
        step("rest.market", lambda: rest.new_order(SYMBOL, "SELL", "MARKET", quantity=0.001))
        step("rest.maker", lambda: rest.new_order(SYMBOL, "BUY", "LIMIT_MAKER", quantity=0.01, price=self.price))
        step("rest.maker.takes", lambda: rest.new_order(SYMBOL, "SELL", "LIMIT_MAKER", quantity=0.01, price=self.price))
        step("rest.exponent", lambda: rest.new_order(**(limit | {"quantity": 9e-05})))
        step("rest.openOrders.cancel", lambda: rest.cancel_open_orders(SYMBOL))
        step("rest.openOrders.none", lambda: rest.cancel_open_orders(SYMBOL))
        step("rest.allOrders", lambda: rest.get_orders(SYMBOL, limit=5))
        step("rest.myTrades", lambda: rest.my_trades(SYMBOL))
        step("rest.account", lambda: rest.account(omitZeroBalances="true"))
        step("rest.rateLimit/order", rest.get_order_rate_limit)
        usage = Spot(api_key=KEY, api_secret=SECRET, base_url=f"http://{self.host}", show_limit_usage=True)
        step("rest.limit_usage", lambda: usage.new_order(**limit)["limit_usage"])
        stranger = Spot(api_key=KEY, api_secret="not the secret", base_url=f"http://{self.host}")
        step("rest.wrong_secret", stranger.account)
        nobody = Spot(api_key="x" * 64, api_secret=SECRET, base_url=f"http://{self.host}")
        step("rest.wrong_key", nobody.account)
        step("rest.nosuch", lambda: rest.query("/api/v3/nosuch"))

    def drive_listen_key(self) -> None:
        """A listen key from REST, its events on a stream connection, keep-alive and close."""
        step, rest = self.report.step, self.rest
        key = step("listen_key", lambda: rest.new_listen_key()["listenKey"])
        step("listen_key.same", lambda: rest.new_listen_key()["listenKey"])
        inbox = Inbox()
        stream = SpotWebsocketStreamClient(
            stream_url=f"ws://{self.host}", on_message=lambda _, text: inbox.put(json.loads(text))
        )
        stream.user_data(listen_key=key, id=1)
        step("listen_key.subscribed", lambda: inbox.wait(lambda message: message.get("id") == 1))
        placed = step("listen_key.order", lambda: rest.new_order(**LIMIT, price=self.price, newClientOrderId="conn-2"))
        for name, event in (("report", "executionReport"), ("position", "outboundAccountPosition")):
            step(f"listen_key.{name}", lambda event=event: inbox.wait(lambda message: message.get("e") == event))
        self.report.note("listen_key.order_id", placed and placed["orderId"])
        step("listen_key.renewed", lambda: rest.renew_listen_key(key))
        step("listen_key.closed", lambda: rest.close_listen_key(key))
        step("listen_key.gone", lambda: rest.renew_listen_key(key))
        stream.stop()

    def drive_streams(self) -> None:
        """Raw and combined connections, by SUBSCRIBE; five control messages a second are the most."""
        for combined in (False, True):
            inbox = Inbox()
            stream = SpotWebsocketStreamClient(
                stream_url=f"ws://{self.host}",
                on_message=lambda _, text, inbox=inbox: inbox.put(json.loads(text)),
                is_combined=combined,
            )
            kind = "combined" if combined else "raw"
            stream.subscribe(STREAMS, id=11)
            self._expect(f"{kind}.subscribed", inbox, lambda message: message.get("id") == 11)
            stream.list_subscribe(id=12)
            self._expect(f"{kind}.list", inbox, lambda message: message.get("id") == 12)
            if combined:
                for name in STREAMS:
                    self._expect(f"combined.{name}", inbox, lambda message, name=name: message.get("stream") == name)
            else:
                for event in ("trade", "aggTrade", "depthUpdate", "24hrTicker", "24hrMiniTicker", "kline"):
                    self._expect(f"raw.{event}", inbox, lambda message, event=event: message.get("e") == event)
                self._expect("raw.partial", inbox, lambda message: "lastUpdateId" in message)
                self._expect("raw.bookTicker", inbox, lambda message: "B" in message and "e" not in message)
            if combined:
                stream.subscribe(MORE_STREAMS, id=15)
                for name in MORE_STREAMS:
                    self._expect(f"combined.{name}", inbox, lambda message, name=name: message.get("stream") == name)
            stream.unsubscribe(STREAMS, id=13)
            self._expect(f"{kind}.unsubscribed", inbox, lambda message: message.get("id") == 13)
            stream.diff_book_depth(symbol="BTCUSDT", id=14)
            self._expect(f"{kind}.again", inbox, lambda message: message.get("id") == 14)
            stream.stop()

    def drive_micros(self) -> None:
        """Times in microseconds, where the client asks for them."""
        inbox = Inbox()
        stream = SpotWebsocketStreamClient(
            stream_url=f"ws://{self.host}",
            on_message=lambda _, text: inbox.put(json.loads(text)),
            time_unit="microsecond",
        )
        stream.trade(symbol="BTCUSDT")
        self._expect("micros.trade", inbox, lambda message: message.get("e") == "trade")
        stream.stop()
        rest = Spot(base_url=f"http://{self.host}", time_unit="microsecond", timeout=10)
        self.report.step("micros.time", rest.time)
        sent = self.report.step("micros.trades", lambda: rest.trades(SYMBOL, limit=1))[0]["time"]
        self.report.step("micros.klines", lambda: rest.klines(SYMBOL, "1s", startTime=sent - 2_000_000, endTime=sent))
        inbox = Inbox()
        api = SpotWebsocketAPIClient(
            stream_url=f"ws://{self.host}/ws-api/v3",
            on_message=lambda _, text: inbox.put(json.loads(text)),
            time_unit="microsecond",
        )
        api.server_time(id=1)
        self._expect("micros.ws_time", inbox, lambda message: message.get("id") == 1)
        api.stop()

    def _expect(self, name: str, inbox: Inbox, check: Callable[[Any], bool]) -> Any:
        return self.report.step(name, lambda: inbox.wait(check))

    def drive_ws_api(self) -> None:
        """Every method of the WebSocket API that the client has and the first cut knows."""
        inbox = Inbox()
        api = SpotWebsocketAPIClient(
            stream_url=f"ws://{self.host}/ws-api/v3",
            api_key=KEY,
            api_secret=SECRET,
            on_message=lambda _, text: inbox.put(json.loads(text)),
        )

        def ask(name: str, call: Callable[..., Any], **params: Any) -> Any:
            number = next(self._ids)
            call(**params, id=number)
            return self._expect(f"ws.{name}", inbox, lambda message: message.get("id") == number)

        ask("ping", api.ping_connectivity)
        ask("time", api.server_time)
        ask("exchangeInfo", api.exchange_info)
        ask("depth", api.order_book, symbol=SYMBOL, limit=5)
        ask("trades.recent", api.recent_trades, symbol=SYMBOL, limit=2)
        ask("trades.historical", api.historical_trades, symbol=SYMBOL, apiKey=KEY, limit=2)
        ask("trades.aggregate", api.aggregate_trades, symbol=SYMBOL, limit=2)
        ask("klines", api.klines, symbol=SYMBOL, interval="1h", limit=3)
        ask("uiKlines", api.ui_klines, symbol=SYMBOL, interval="1m", limit=3)
        ask("avgPrice", api.avg_price, symbol=SYMBOL)
        for name in ("ticker_24hr", "ticker", "ticker_price", "ticker_book"):
            ask(name, getattr(api, name), symbol=SYMBOL)
            ask(f"{name}.symbols", getattr(api, name), symbols=PAIR)
        limit = {**LIMIT, "price": self.price}
        ask("order.test", api.new_order_test, **limit)
        placed = ask("order.place", api.new_order, **limit, newOrderRespType="RESULT")
        whole = ask("order.place.whole", api.new_order, **(limit | {"price": int(self.price), "quantity": 1.0}))
        ask("order.exponent", api.new_order, **(limit | {"quantity": 9e-05}))
        number = placed["result"]["orderId"]
        ask("order.status", api.get_order, symbol=SYMBOL, orderId=number)
        ask("openOrders.status", api.get_open_orders, symbol=SYMBOL)
        ask("order.cancel", api.cancel_order, symbol=SYMBOL, orderId=number)
        ask("openOrders.cancelAll", api.cancel_open_orders, symbol=SYMBOL)
        self.report.note("ws.whole_id", whole["result"]["orderId"])
        ask("order.market", api.new_order, symbol=SYMBOL, side="BUY", type="MARKET", quoteOrderQty=50)
        ask("account.status", api.account)
        ask("account.rateLimits.orders", api.order_rate_limit)
        ask("allOrders", api.order_history, symbol=SYMBOL, limit=3)
        ask("myTrades", api.my_trades, symbol=SYMBOL, limit=3)
        ask("nosuch", lambda **request: api.send({**request, "method": "nosuch"}))
        started = ask("userDataStream.start", api.user_data_start)
        key = started["result"]["listenKey"]
        ask("userDataStream.ping", api.user_data_ping, listenKey=key)
        ask("userDataStream.stop", api.user_data_stop, listenKey=key)
        ask("userDataStream.gone", api.user_data_ping, listenKey=key)
        api.stop()


def main() -> None:
    """Drive everything and tell."""
    driver = Driver(sys.argv[1])
    driver.drive_market_rest()
    driver.drive_account_rest()
    driver.drive_listen_key()
    driver.drive_streams()
    driver.drive_micros()
    driver.drive_ws_api()
    driver.report.note("called", {kind.__name__: sorted(names) for kind, names in driver.called.items()})
    driver.report.print()


if __name__ == "__main__":
    run(main)
