#!/usr/bin/env python3
"""
Binance Market Data WebSocket Requests Diagnostic Script
--------------------------------------------------------
Tests the market data requests of the WebSocket API other than the order book: trades, candles, average price, price
statistics, tickers, execution rules and reference prices.

Usage:
    To run this script from the project root directory:
    python src/cryptotrader/services/binance/websocketAPI/diagnostic_scripts/market_diagnostics/market_data_requests_diagnostic.py

Without a flag it starts a paper exchange for itself and needs no network and no key.
"""  # noqa: E501 - a command to copy is one line

from __future__ import annotations

import sys
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

from colorama import init

# Seven parents up is the folder that holds the package; as a module it is found anyway.
if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parents[6]))

from cryptotrader.config import get_logger
from cryptotrader.core.errors import VenueRejected
from cryptotrader.services.binance.websocketAPI.diagnostic_scripts._common import (
    exit_code_of,
    parse_choice,
    print_banner,
    print_test_header,
    print_test_result,
    run_diagnostics,
    run_script,
)
from cryptotrader.services.binance.websocketAPI.diagnostic_scripts._tester import (
    TEST_SYMBOL,
    UNKNOWN_SYMBOL,
    RequestModule,
    RequestsTester,
    expect,
)
from cryptotrader.services.binance.websocketAPI.market_data_requests import (
    aggregate_trades,
    current_average_price,
    historical_block_trades,
    historical_trades,
    klines,
    recent_trades,
    rolling_window_price,
    symbol_order_book_ticker,
    symbol_price_ticker,
    ticker_price_24h,
    trading_day_ticker,
    ui_klines,
)
from cryptotrader.services.binance.websocketAPI.price_range_requests import (
    execution_rules,
    reference_price,
    reference_price_calculation,
)

__all__ = ["TEST_SYMBOL", "MarketDataRequestsTester", "main", "print_test_header", "print_test_result"]

project_root = Path(__file__).resolve().parents[6]
logger = get_logger(__name__)

SECOND_SYMBOL = "ETHUSDT"
HOUR_MS = 3_600_000
ROWS = 5

NO_REFERENCE_PRICE = -2043
"""Source: ``errors.md``."""


class MarketDataRequestsTester(RequestsTester):
    """Tests the market data WebSocket requests."""

    category = "Market Data"

    async def test_recent_trades(self) -> str:
        """Recent trades (trades.recent): as many as asked for, oldest first."""
        trades = await self.ask(recent_trades, {"symbol": TEST_SYMBOL, "limit": ROWS})
        ids = _rising([trade["id"] for trade in trades])
        return f"{len(trades)} trades, {ids}, last at {trades[-1]['price']}"

    async def test_historical_trades(self) -> str:
        """Historical trades (trades.historical): from the trade that was asked for."""
        newest = (await self.ask(recent_trades, {"symbol": TEST_SYMBOL, "limit": ROWS}))[0]["id"]
        trades = await self.ask(historical_trades, {"symbol": TEST_SYMBOL, "fromId": newest, "limit": 2})
        expect(trades[0]["id"] >= newest, f"asked from {newest}, got {trades[0]['id']}")
        return f"{len(trades)} trades, {_rising([trade['id'] for trade in trades])}"

    async def test_aggregate_trades(self) -> str:
        """Aggregate trades (trades.aggregate): each holds a range of trades."""
        trades = await self.ask(aggregate_trades, {"symbol": TEST_SYMBOL, "limit": ROWS})
        expect(all(trade["f"] <= trade["l"] for trade in trades), "a range of trades runs backwards")
        return f"{len(trades)} aggregates, {_rising([trade['a'] for trade in trades])}"

    async def test_block_trades(self) -> str:
        """Block trades (blockTrades.historical)."""
        trades = await self.ask(historical_block_trades, {"symbol": TEST_SYMBOL, "fromId": 0, "limit": ROWS})
        return f"{len(trades)} block trades"

    async def test_klines(self) -> str:
        """Candles (klines): one hour apart, with prices between low and high."""
        return await self._candles(klines)

    async def test_ui_klines(self) -> str:
        """Candles for charts (uiKlines)."""
        return await self._candles(ui_klines)

    async def test_average_price(self) -> str:
        """Current average price (avgPrice)."""
        average = await self.ask(current_average_price, {"symbol": TEST_SYMBOL})
        expect(Decimal(average["price"]) > 0, f"the average price is {average['price']}")
        return f"{average['price']} over {average['mins']} minutes"

    async def test_day_statistics(self) -> str:
        """Statistics of 24 hours (ticker.24hr): of one symbol, of two, and in short."""
        return await self._statistics(ticker_price_24h, {})

    async def test_trading_day(self) -> str:
        """Statistics of the trading day (ticker.tradingDay)."""
        return await self._statistics(trading_day_ticker, {"timeZone": "0"})

    async def test_rolling_window(self) -> str:
        """Statistics of a rolling window (ticker)."""
        return await self._statistics(rolling_window_price, {"windowSize": "1h"})

    async def test_price_ticker(self) -> str:
        """Price ticker (ticker.price): of one symbol, of two, and of all."""
        one = await self.ask(symbol_price_ticker, {"symbol": TEST_SYMBOL})
        expect(one["symbol"] == TEST_SYMBOL and Decimal(one["price"]) > 0, f"got {one}")
        await self._both(symbol_price_ticker, {})
        every = await self.ask(symbol_price_ticker)
        return f"{TEST_SYMBOL} {one['price']}, {len(every)} symbols in all"

    async def test_book_ticker(self) -> str:
        """Best bid and ask (ticker.book)."""
        top = await self.ask(symbol_order_book_ticker, {"symbol": TEST_SYMBOL})
        expect(Decimal(top["bidPrice"]) < Decimal(top["askPrice"]), f"crossed: {top}")
        await self._both(symbol_order_book_ticker, {})
        return f"{top['bidPrice']} bid, {top['askPrice']} asked"

    async def test_execution_rules(self) -> str:
        """Execution rules (executionRules)."""
        rules = await self.ask(execution_rules, {"symbol": TEST_SYMBOL})
        return f"{len(rules['symbolRules'])} symbols with rules"

    async def test_reference_price(self) -> str:
        """Reference price (referencePrice)."""
        found = await self._reference(reference_price)
        return f"reference price {found['referencePrice']}" if "referencePrice" in found else "the symbol has none"

    async def test_reference_price_calculation(self) -> str:
        """How the reference price is calculated (referencePrice.calculation)."""
        found = await self._reference(reference_price_calculation)
        return f"{found['calculationType']}" if "calculationType" in found else "the symbol has none"

    async def test_unknown_symbol(self) -> str:
        """A symbol that does not exist: refused with -1121."""
        for module in (recent_trades, current_average_price, symbol_price_ticker):
            refusal = await self.refusal(module, {"symbol": UNKNOWN_SYMBOL})
            expect(refusal.venue_code == -1121, f"{module.SPEC.method}: {refusal.venue_code} {refusal.message}")
        return f"refused: {refusal.message}"

    async def test_missing_parameter(self) -> str:
        """A required parameter that is missing: refused here, before anything is sent."""
        await self.missing(recent_trades, {}, "symbol")
        return await self.missing(klines, {"symbol": TEST_SYMBOL}, "interval")

    async def test_latency(self) -> str:
        """Price ticker (ticker.price): latency of the WebSocket API beside REST."""
        return await self.compare_with_rest(symbol_price_ticker, {"symbol": TEST_SYMBOL})

    async def _reference(self, module: RequestModule) -> dict[str, Any]:
        """The answer; empty for a symbol that never had a reference price."""
        try:
            return dict(await self.ask(module, {"symbol": TEST_SYMBOL}))
        except VenueRejected as error:
            if error.venue_code != NO_REFERENCE_PRICE:
                raise
            return {}

    async def _candles(self, module: RequestModule) -> str:
        rows = await self.ask(module, {"symbol": TEST_SYMBOL, "interval": "1h", "limit": ROWS})
        expect(len(rows) == ROWS, f"asked for {ROWS} candles, got {len(rows)}")
        for before, row in pairwise(rows):
            expect(row[0] - before[0] == HOUR_MS, "two candles are not one hour apart")
        for row in rows:
            opened, high, low, close = map(Decimal, row[1:5])
            expect(low <= min(opened, close) and max(opened, close) <= high, f"a price outside of the candle: {row}")
        return f"{len(rows)} candles, last close {rows[-1][4]}"

    async def _statistics(self, module: RequestModule, extra: dict[str, Any]) -> str:
        full = await self.ask(module, {"symbol": TEST_SYMBOL, **extra})
        expect(Decimal(full["lowPrice"]) <= Decimal(full["highPrice"]), f"low above high: {full}")
        mini = await self.ask(module, {"symbol": TEST_SYMBOL, "type": "MINI", **extra})
        expect("priceChange" in full and "priceChange" not in mini, "MINI does not leave out what it should")
        await self._both(module, extra)
        return f"{full['count']} trades between {full['lowPrice']} and {full['highPrice']}"

    async def _both(self, module: RequestModule, extra: dict[str, Any]) -> None:
        """Two symbols bring a list of two."""
        wanted = [TEST_SYMBOL, SECOND_SYMBOL]
        rows = await self.ask(module, {"symbols": wanted, **extra})
        expect({row["symbol"] for row in rows} == set(wanted), f"asked for {wanted}, got {rows}")


def _rising(ids: list[int]) -> str:
    """Each number above the one before."""
    expect(bool(ids), "there are none")
    expect(all(low < high for low, high in pairwise(ids)), f"the numbers do not rise: {ids}")
    return f"numbers {ids[0]} to {ids[-1]}"


async def main() -> int:
    """Run the diagnostic tests; returns the exit code."""
    choice = parse_choice(__doc__)
    print_banner("Market Data WebSocket Requests", project_root)
    return exit_code_of(await run_diagnostics([MarketDataRequestsTester], choice))


if __name__ == "__main__":
    init(autoreset=True)
    sys.exit(run_script(main))
