"""A fake venue that has markets: books and trades that change when the test says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cryptotrader.core.clock import to_ms
from cryptotrader.core.events import BookSnapshot, DepthDiff, Level, Trade
from cryptotrader.core.scaled import format_scaled, mul_scaled
from cryptotrader.market.book import OrderBook
from cryptotrader.net.clock import WaitingClock
from cryptotrader.testing.rest import FakeRest
from cryptotrader.testing.wire import FakeVenue


def wire_levels(levels: tuple[Level, ...] | list[Level]) -> list[list[str]]:
    """As Binance writes them."""
    return [[format_scaled(price), format_scaled(qty)] for price, qty in levels]


class FakeMarket:
    """One symbol at a ``FakeVenue``: what is pushed goes to the subscribers and shows in REST answers."""

    def __init__(self, symbol: str, venue: FakeVenue, rest: FakeRest, *, clock: WaitingClock) -> None:
        self.symbol = symbol
        self.venue = venue
        self.rest = rest
        self.clock = clock
        self.book = OrderBook(symbol)
        self.trades: list[Trade] = []
        self.snapshot_lag: list[BookSnapshot] = []
        """Where not empty, these are answered first, oldest first."""
        rest.on("GET /api/v3/depth", self._depth)
        rest.on("GET /api/v3/trades", self._recent)
        rest.on("GET /api/v3/historicalTrades", self._historical)

    def push_diff(self, diff: DepthDiff, *, silently: bool = False) -> None:
        """Change the book; ``silently`` keeps it from the stream, as a lost message would be."""
        self.book.apply(diff.bids, diff.asks, diff.last_id)
        if not silently:
            self.venue.publish(f"{self.symbol.lower()}@depth@100ms", self.wire_diff(diff))

    def change(
        self, bids: tuple[Level, ...] = (), asks: tuple[Level, ...] = (), *, silently: bool = False
    ) -> DepthDiff:
        """Change the book by one update id."""
        number = self.book.last_id + 1
        diff = DepthDiff(self.symbol, number, number, bids, asks, to_ms(self.clock.now_ns()))
        self.push_diff(diff, silently=silently)
        return diff

    def trade(self, price: int, qty: int, *, silently: bool = False) -> Trade:
        """A trade with the next id."""
        number = self.trades[-1].trade_id + 1 if self.trades else 1
        now_ms = to_ms(self.clock.now_ns())
        trade = Trade(self.symbol, number, price, qty, now_ms, False, now_ms)
        self.trades.append(trade)
        if not silently:
            self.venue.publish(f"{self.symbol.lower()}@trade", self._wire_trade(trade))
        return trade

    def wire_diff(self, diff: DepthDiff) -> dict[str, object]:
        """``depthUpdate``."""
        return {
            "e": "depthUpdate",
            "E": diff.event_ms,
            "s": self.symbol,
            "U": diff.first_id,
            "u": diff.last_id,
            "b": wire_levels(diff.bids),
            "a": wire_levels(diff.asks),
        }

    def _wire_trade(self, trade: Trade) -> dict[str, object]:
        return {
            "e": "trade",
            "E": trade.event_ms,
            "s": self.symbol,
            "t": trade.trade_id,
            "p": format_scaled(trade.price),
            "q": format_scaled(trade.qty),
            "T": trade.time_ms,
            "m": trade.buyer_is_maker,
            "M": True,
        }

    def _depth(self, params: Mapping[str, Any]) -> object:
        limit = int(params.get("limit") or 100)
        book = self.snapshot_lag.pop(0) if self.snapshot_lag else self.book.snapshot(limit)
        return {
            "lastUpdateId": book.last_id,
            "bids": wire_levels(book.bids[:limit]),
            "asks": wire_levels(book.asks[:limit]),
        }

    def _recent(self, params: Mapping[str, Any]) -> object:
        return [self._row(trade) for trade in self.trades[-int(params.get("limit") or 500) :]]

    def _historical(self, params: Mapping[str, Any]) -> object:
        first, limit = int(params.get("fromId") or 0), int(params.get("limit") or 500)
        return [self._row(trade) for trade in self.trades if trade.trade_id >= first][:limit]

    def _row(self, trade: Trade) -> dict[str, object]:
        return {
            "id": trade.trade_id,
            "price": format_scaled(trade.price),
            "qty": format_scaled(trade.qty),
            "quoteQty": format_scaled(mul_scaled(trade.price, trade.qty)),
            "time": trade.time_ms,
            "isBuyerMaker": trade.buyer_is_maker,
            "isBestMatch": True,
        }
