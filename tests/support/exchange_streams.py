"""A connection that keeps what it is sent, and a view of an exchange that a test fills by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from cryptotrader.core.events import Candle, Level, Ticker24h
from cryptotrader.exchange.protocol.stream_names import StreamName
from cryptotrader.exchange.protocol.streams.payloads import AveragePrice, ReferencePrice
from cryptotrader.market.aggregates import AggregateTape, AggTrade
from cryptotrader.transport.frames import Frame
from cryptotrader.transport.types import FlowListener


class KeepingConnection:
    """``transport.types.Connection`` that writes into lists."""

    def __init__(self) -> None:
        self.id = "test"
        self.deflates = False
        self.is_behind = False
        self.buffered_bytes = 0
        self.sent: list[tuple[bytes, str | None]] = []
        """Frames given to ``send``, with their keys."""
        self.written: list[bytes] = []
        """What the broadcaster wrote, framed."""
        self.closed: tuple[int, str] | None = None
        self.aborted = False
        self.frozen = False
        self.listener: FlowListener | None = None

    def send(self, frame: Frame, *, key: str | None = None) -> None:
        self.sent.append((frame.payload, key))

    def close(self, code: int, reason: str = "") -> None:
        self.closed = (code, reason)

    def abort(self) -> None:
        self.aborted = True

    def freeze(self) -> None:
        self.frozen = True

    def flush(self) -> None:
        pass

    def watch(self, listener: FlowListener | None) -> None:
        self.listener = listener

    @property
    def writer(self) -> Callable[[bytes], None]:
        return self.written.append

    def messages(self) -> list[Any]:
        """What was given to ``send``, decoded."""
        return [json.loads(payload) for payload, _ in self.sent]


class HandView:
    """``MarketView`` with one symbol."""

    def __init__(self) -> None:
        self.symbols = ["BTCUSDT"]
        self.id = 1
        self.bids: list[Level] = [(10, 1), (9, 1)]
        self.asks: list[Level] = [(11, 1), (12, 1)]
        self.rows: list[Candle] = []
        self.trade_count = 0
        self.bid_price = "10"
        self.price = 100
        self.watched: list[str] = []
        self.windows: list[tuple[int, int]] = []
        self.aggregates = AggregateTape("BTCUSDT")
        self.reference: int | None = None

    def top(self, symbol: str, levels: int) -> tuple[int, list[Level], list[Level]]:
        return self.id, self.bids[:levels], self.asks[:levels]

    def last_id(self, symbol: str) -> int:
        return self.id

    def day(self, symbol: str, now_ms: int) -> Ticker24h:
        return Ticker24h(
            symbol=symbol,
            event_ms=now_ms,
            price_change="0",
            price_change_percent="0",
            weighted_avg_price="0",
            prev_close_price="0",
            last_price="0",
            last_qty="0",
            bid_price=self.bid_price,
            bid_qty="0",
            ask_price="0",
            ask_qty="0",
            open_price="0",
            high_price="0",
            low_price="0",
            volume="0",
            quote_volume="0",
            open_ms=0,
            close_ms=now_ms,
            first_trade_id=1,
            last_trade_id=self.trade_count,
            trade_count=self.trade_count,
        )

    def candles(self, name: StreamName, now_ms: int) -> list[Candle]:
        return self.rows

    def window(self, symbol: str, open_ms: int, now_ms: int) -> Candle | None:
        self.windows.append((open_ms, now_ms))
        return self.rows[-1] if self.rows else None

    def last_trade_id(self, symbol: str) -> int:
        return self.trade_count

    def last_aggregate_id(self, symbol: str) -> int:
        return self.aggregates.last_id

    def aggregates_since(self, symbol: str, agg_id: int) -> list[AggTrade]:
        return self.aggregates.since(agg_id)

    def reference_price(self, symbol: str, now_ms: int) -> ReferencePrice:
        return ReferencePrice(symbol, self.reference, now_ms)

    def average(self, symbol: str) -> AveragePrice:
        return AveragePrice(symbol, self.price, 5, 1)

    def watch(self, symbol: str) -> None:
        self.watched.append(symbol)
