"""binance-sdk-spot: every market stream, held against the REST answers of the same client.

Usage: ``python drive_binance_sdk_spot_streams.py 127.0.0.1:3100``
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import requests
from binance_sdk_spot.websocket_streams.models import enums
from drive_binance_sdk_spot import Driver, plain
from kit import SYMBOL, WAIT_S, Inbox, run

OTHER = "ETHUSDT"
"""Where the block trade is made, since other clients find none in the first symbol."""

AT_A_TIME = 4
"""Subscriptions at a time; five messages a second are the most a connection may send, and a pong is one of them."""

CONNECTIONS = 4
"""As many more may be asked for at the same time."""

PAUSE_S = 1.5
"""From one lot of subscriptions to the next. Unit: seconds. Reason: the client itself waits for half of one only,
and what it sends may be bunched up on its way."""


class StreamDriver(Driver):
    """One run against one host."""

    def __init__(self, host: str) -> None:
        super().__init__(host)
        self.api = self.client.rest_api
        self.streams = self.client.websocket_streams
        self.trades = Inbox()

    def admin(self, path: str, body: dict[str, Any]) -> Any:
        """Ask the exchange's back door."""
        return requests.post(f"http://{self.host}/admin/{path}", json=body, timeout=WAIT_S).json()

    @staticmethod
    def kinds(streams: Any) -> list[tuple[str, Callable[..., Awaitable[Any]], dict[str, Any]]]:
        """(name, method, parameters) of every stream."""
        one = {"symbol": "btcusdt"}
        found: list[tuple[str, Callable[..., Awaitable[Any]], dict[str, Any]]] = [
            ("aggTrade", streams.agg_trade, one),
            ("depth", streams.diff_book_depth, one),
            ("depth@100ms", streams.diff_book_depth, one | {"update_speed": "100ms"}),
            ("ticker", streams.ticker, one),
            ("miniTicker", streams.mini_ticker, one),
            ("!miniTicker@arr", streams.all_mini_ticker, {}),
            ("bookTicker", streams.book_ticker, one),
            ("avgPrice", streams.avg_price, one),
            ("referencePrice", streams.reference_price, one),
        ]
        for levels in ("5", "10", "20"):
            found.append((f"depth{levels}", streams.partial_book_depth, one | {"levels": levels}))
        for each in enums.RollingWindowTickerWindowSizeEnum:
            size = {"window_size": each.value}
            found.append((f"ticker_{each.value}", streams.rolling_window_ticker, one | size))
            found.append((f"!ticker_{each.value}@arr", streams.all_market_rolling_window_ticker, size))
        for interval in enums.KlineIntervalEnum:
            found.append((f"kline_{interval.value}", streams.kline, one | {"interval": interval.value}))
        for interval in enums.KlineOffsetIntervalEnum:
            parameters = one | {"interval": interval.value}
            found.append((f"kline_{interval.value}@+08:00", streams.kline_offset, parameters))
        return found

    async def drive(self) -> None:
        """Everything."""
        await self.streams.create_connection()
        (await self.streams.trade("btcusdt")).on("message", self.trades.put)
        await asyncio.gather(*(self._some_kinds(part) for part in range(CONNECTIONS)))
        await self.report.astep("stream.trade", self._event(self.trades.await_(lambda _: True)))
        await self.report.astep("stream.blockTrade", self._block())
        await asyncio.to_thread(self.drive_twins)
        await self.drive_endings()

    async def _some_kinds(self, part: int) -> None:
        """Every so many-th kind, over a connection of its own."""
        streams = Driver(self.host).client.websocket_streams
        await streams.create_connection()
        kinds = self.kinds(streams)[part::CONNECTIONS]
        for start in range(0, len(kinds), AT_A_TIME):
            firsts = (
                self.report.astep(f"stream.{name}", self._first(call(**parameters)))
                for name, call, parameters in kinds[start : start + AT_A_TIME]
            )
            await asyncio.gather(*firsts, asyncio.sleep(PAUSE_S))
        await streams.close_connection(close_session=True)

    async def _block(self) -> dict[str, Any]:
        inbox = Inbox()
        (await self.streams.block_trade("ethusdt")).on("message", inbox.put)
        # The client returns before its SUBSCRIBE is answered.
        while "ethusdt@blockTrade" not in (await self.streams.list_subscribe())["result"]:
            await asyncio.sleep(1)
        self.report.note("block", await asyncio.to_thread(self.admin, "block-trades", {"symbol": OTHER, "qty": "25"}))
        return await self._event(inbox.await_(lambda _: True))

    def drive_twins(self) -> None:
        """The same things by REST."""
        steps = {name: self.report.value(f"stream.{name}")["data"] for name in ("aggTrade", "trade", "blockTrade")}
        one = {"symbol": SYMBOL, "limit": 1}
        self.rest("aggTrades", self.api.agg_trades, **one, from_id=steps["aggTrade"]["a"])
        self.rest("historicalTrades", self.api.historical_trades, **one, from_id=steps["trade"]["t"])
        block = {"symbol": OTHER, "limit": 1, "from_id": steps["blockTrade"]["t"]}
        self.rest("blockTrades", self.api.historical_block_trades, **block)
        for each in enums.RollingWindowTickerWindowSizeEnum:
            self.rest(f"ticker.{each.value}", self.api.ticker, symbol=SYMBOL, window_size=each.value)
        self.rest("ticker.day", self.api.ticker24hr, symbol=SYMBOL)
        self.rest("avgPrice", self.api.avg_price, symbol=SYMBOL)
        for interval in ("1d", "1w", "1M"):
            asked = {"symbol": SYMBOL, "interval": interval, "limit": 1}
            self.rest(f"klines.{interval}", self.api.klines, **asked)
            self.rest(f"uiKlines.{interval}", self.api.ui_klines, **asked, time_zone="8")

    async def drive_endings(self) -> None:
        """A shutdown that is announced changes nothing yet; after a break the client tells, and a new one goes on."""
        self.report.note("warnings", list(self.report.warnings))
        self.report.note("announced", await asyncio.to_thread(self.admin, "streams", {"action": "announce_shutdown"}))
        await self.report.astep("after.notice", self._newer())
        cut = {"kind": "cut", "connections": "streams"}
        closed = asyncio.Event()
        self.streams.on_connection("close", closed.set)
        self.report.note("cut", await asyncio.to_thread(self.admin, "faults", cut))
        await self.report.astep("closed", closed.wait())
        # This client keeps the streams of a lost connection in its books, so a program begins with a new one.
        self.streams = Driver(self.host).client.websocket_streams
        await self.streams.create_connection()
        (await self.streams.trade("btcusdt")).on("message", self.trades.put)
        await self.report.astep("after.cut", self._newer())
        await self.streams.close_connection(close_session=True)

    async def _newer(self) -> dict[str, Any]:
        """A trade that is newer than all that have come."""
        last = max(plain(trade)["t"] for trade in self.trades.messages)
        return await self._event(self.trades.await_(lambda trade: plain(trade)["t"] > last + 2))


def main() -> None:
    """Drive everything and tell."""
    driver = StreamDriver(sys.argv[1])
    try:
        asyncio.run(driver.drive())
    finally:
        driver.report.print()


if __name__ == "__main__":
    run(main)
