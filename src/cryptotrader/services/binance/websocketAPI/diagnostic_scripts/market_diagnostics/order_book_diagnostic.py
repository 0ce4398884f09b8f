#!/usr/bin/env python3
"""
Binance Order Book WebSocket Requests Diagnostic Script
-------------------------------------------------------
Tests the order book request (``depth``) of the WebSocket API: both sides in order, as many levels as asked for, a book
that moves on, a symbol that does not exist, and its latency beside the same request over REST.

Usage:
    To run this script from the project root directory:
    python src/cryptotrader/services/binance/websocketAPI/diagnostic_scripts/market_diagnostics/order_book_diagnostic.py

Without a flag it starts a paper exchange for itself and needs no network and no key.
"""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path

from colorama import init

# Seven parents up is the folder that holds the package; as a module it is found anyway.
if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parents[6]))

from cryptotrader.config import get_logger
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
    RequestsTester,
    expect,
)
from cryptotrader.services.binance.websocketAPI.market_data_requests import order_book

__all__ = ["TEST_SYMBOL", "OrderBookRequestsTester", "main", "print_test_header", "print_test_result"]

project_root = Path(__file__).resolve().parents[6]
logger = get_logger(__name__)

DEFAULT_LEVELS = 100
"""What the venue answers where no limit is given. Unit: levels per side."""


class OrderBookRequestsTester(RequestsTester):
    """Tests the order book WebSocket request."""

    category = "Order Book"

    async def test_order_book_without_a_limit(self) -> str:
        """Order book (depth): both sides, best first, not crossed."""
        book = await self.ask(order_book, {"symbol": TEST_SYMBOL})
        bids = [Decimal(price) for price, _ in book["bids"]]
        asks = [Decimal(price) for price, _ in book["asks"]]
        expect(bool(bids) and bool(asks), "a side of the book is empty")
        expect(max(len(bids), len(asks)) <= DEFAULT_LEVELS, f"more than {DEFAULT_LEVELS} levels on a side")
        expect(bids == sorted(set(bids), reverse=True), "the bids do not fall")
        expect(asks == sorted(set(asks)), "the asks do not rise")
        expect(bids[0] < asks[0], f"the book is crossed: {bids[0]} is bid, {asks[0]} is asked")
        return f"{len(bids)} bids from {bids[0]}, {len(asks)} asks from {asks[0]}, update {book['lastUpdateId']}"

    async def test_order_book_with_a_limit(self) -> str:
        """Order book (depth) with a limit: no more levels than asked for."""
        for limit in (1, 5, 20):
            book = await self.ask(order_book, {"symbol": TEST_SYMBOL, "limit": limit})
            sizes = len(book["bids"]), len(book["asks"])
            expect(max(sizes) <= limit, f"limit {limit} brought {sizes[0]} bids and {sizes[1]} asks")
            expect(min(sizes) > 0, f"limit {limit} brought an empty side")
        return "limits of 1, 5 and 20 are kept"

    async def test_quantities(self) -> str:
        """Order book (depth): prices and quantities are exact positive decimals."""
        book = await self.ask(order_book, {"symbol": TEST_SYMBOL, "limit": 20})
        for price, quantity in [*book["bids"], *book["asks"]]:
            expect(isinstance(price, str) and isinstance(quantity, str), "a number is not sent as text")
            expect(Decimal(price) > 0 and Decimal(quantity) > 0, f"{quantity} at {price}")
        return f"{len(book['bids']) + len(book['asks'])} levels checked"

    async def test_update_numbers(self) -> str:
        """Order book (depth) twice: the update number never falls."""
        first = await self.ask(order_book, {"symbol": TEST_SYMBOL, "limit": 1})
        second = await self.ask(order_book, {"symbol": TEST_SYMBOL, "limit": 1})
        expect(second["lastUpdateId"] >= first["lastUpdateId"], "the update number fell")
        return f"from {first['lastUpdateId']} to {second['lastUpdateId']}"

    async def test_unknown_symbol(self) -> str:
        """Order book (depth) of a symbol that does not exist: refused with -1121."""
        refusal = await self.refusal(order_book, {"symbol": UNKNOWN_SYMBOL})
        expect(refusal.venue_code == -1121, f"refused with {refusal.venue_code}: {refusal.message}")
        return f"refused: {refusal.message}"

    async def test_missing_symbol(self) -> str:
        """Order book (depth) without a symbol: refused here, before anything is sent."""
        return await self.missing(order_book, {}, "symbol")

    async def test_latency(self) -> str:
        """Order book (depth): latency of the WebSocket API beside REST."""
        return await self.compare_with_rest(order_book, {"symbol": TEST_SYMBOL, "limit": 5})


async def main() -> int:
    """Run the diagnostic tests; returns the exit code."""
    choice = parse_choice(__doc__)
    print_banner("Order Book WebSocket Requests", project_root)
    return exit_code_of(await run_diagnostics([OrderBookRequestsTester], choice))


if __name__ == "__main__":
    init(autoreset=True)
    sys.exit(run_script(main))
