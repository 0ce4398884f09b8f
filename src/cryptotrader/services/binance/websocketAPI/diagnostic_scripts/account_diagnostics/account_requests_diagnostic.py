#!/usr/bin/env python3
"""
Binance Account WebSocket Requests Diagnostic Script
----------------------------------------------------
Tests the account requests of the WebSocket API: balances, commission, limits, filters, and the histories of orders,
order lists, fills, amendments, allocations and prevented matches.

Usage:
    To run this script from the project root directory:
    python src/cryptotrader/services/binance/websocketAPI/diagnostic_scripts/account_diagnostics/account_requests_diagnostic.py

Without a flag it starts a paper exchange for itself and needs no network and no key; elsewhere the key comes from
BINANCE_API_KEY and BINANCE_API_SECRET (or BINANCE_PRIVATE_KEY).
"""  # noqa: E501 - a command to copy is one line

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

from colorama import init

# Seven parents up is the folder that holds the package; as a module it is found anyway.
if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parents[6]))

from cryptotrader.config import get_logger
from cryptotrader.services.binance.websocketAPI.account_requests import (
    acct_oco_history,
    acct_order_history,
    acct_prevented_matches,
    acct_trade_history,
    commission_rates,
    get_order_rate_limits,
    get_user_acct_info,
    my_allocations,
    order_amendments,
    relevant_filters,
)
from cryptotrader.services.binance.websocketAPI.diagnostic_scripts._common import (
    exit_code_of,
    parse_choice,
    print_banner,
    print_test_header,
    print_test_result,
    run_diagnostics,
    run_script,
)
from cryptotrader.services.binance.websocketAPI.diagnostic_scripts._orders import OrdersTester
from cryptotrader.services.binance.websocketAPI.diagnostic_scripts._tester import TEST_SYMBOL, UNKNOWN_SYMBOL, expect

__all__ = ["TEST_SYMBOL", "AccountRequestsTester", "main", "print_test_header", "print_test_result"]

project_root = Path(__file__).resolve().parents[6]
logger = get_logger(__name__)

ROWS = 5
LATENCY_SAMPLES = 10
"""Pairs of requests. Reason: each weighs 20 of the 6,000 that an address has in a minute."""


class AccountRequestsTester(OrdersTester):
    """Tests the account WebSocket requests."""

    category = "Account"

    async def test_account_information(self) -> str:
        """Account information (account.status): balances that are not negative."""
        account = await self.ask(get_user_acct_info, {"omitZeroBalances": True})
        for balance in account["balances"]:
            expect(
                Decimal(balance["free"]) >= 0 and Decimal(balance["locked"]) >= 0, f"a balance is negative: {balance}"
            )
        may = "may trade" if account["canTrade"] else "may not trade"
        return f"{len(account['balances'])} assets, the account {may}"

    async def test_order_rate_limits(self) -> str:
        """Unfilled orders that count (account.rateLimits.orders)."""
        limits = await self.ask(get_order_rate_limits)
        expect(bool(limits), "no limit is named")
        expect(all(each["rateLimitType"] == "ORDERS" for each in limits), f"not only orders: {limits}")
        return ", ".join(
            f"{each['count']} of {each['limit']} in {each['intervalNum']} {each['interval']}" for each in limits
        )

    async def test_order_history(self) -> str:
        """Order history (allOrders): oldest first."""
        orders = await self.ask(acct_order_history, {"symbol": TEST_SYMBOL, "limit": ROWS})
        ids = [order["orderId"] for order in orders]
        expect(ids == sorted(ids), f"the orders are not in order: {ids}")
        return f"{len(orders)} orders"

    async def test_order_history_after_an_order(self) -> str:
        """Order history (allOrders): an order that was just cancelled stands in it."""
        async with self.resting_order() as order:
            pass
        orders = await self.ask(acct_order_history, {"symbol": TEST_SYMBOL, "orderId": order["orderId"], "limit": ROWS})
        expect(orders[0]["orderId"] == order["orderId"], f"asked from {order['orderId']}, got {orders[0]['orderId']}")
        expect(orders[0]["status"] == "CANCELED", f"its status is {orders[0]['status']}")
        return f"order {order['orderId']} is told as CANCELED"

    async def test_order_list_history(self) -> str:
        """Order list history (allOrderLists)."""
        lists = await self.ask(acct_oco_history, {"limit": ROWS})
        return f"{len(lists)} order lists"

    async def test_trade_history(self) -> str:
        """Trade history (myTrades): oldest first."""
        trades = await self.ask(acct_trade_history, {"symbol": TEST_SYMBOL, "limit": ROWS})
        ids = [trade["id"] for trade in trades]
        expect(ids == sorted(ids), f"the fills are not in order: {ids}")
        return f"{len(trades)} fills"

    async def test_prevented_matches(self) -> str:
        """Prevented matches (myPreventedMatches) of an order."""
        async with self._some_order() as order_id:
            found = await self.ask(acct_prevented_matches, {"symbol": TEST_SYMBOL, "orderId": order_id})
        return f"{len(found)} prevented matches of order {order_id}"

    async def test_amendments(self) -> str:
        """Amendments (order.amendments) of an order."""
        async with self._some_order() as order_id:
            found = await self.ask(order_amendments, {"symbol": TEST_SYMBOL, "orderId": order_id})
        return f"{len(found)} amendments of order {order_id}"

    async def test_allocations(self) -> str:
        """Allocations of smart order routing (myAllocations)."""
        found = await self.ask(my_allocations, {"symbol": TEST_SYMBOL, "limit": ROWS})
        return f"{len(found)} allocations"

    async def test_commission(self) -> str:
        """Commission rates (account.commission)."""
        rates = await self.ask(commission_rates, {"symbol": TEST_SYMBOL})
        standard = rates["standardCommission"]
        return f"maker {standard['maker']}, taker {standard['taker']}"

    async def test_filters(self) -> str:
        """Filters that bind the account (myFilters)."""
        found = await self.ask(relevant_filters, {"symbol": TEST_SYMBOL})
        return f"{sum(len(found[kind]) for kind in ('exchangeFilters', 'symbolFilters', 'assetFilters'))} filters"

    async def test_unknown_symbol(self) -> str:
        """A symbol that does not exist: refused with -1121."""
        refusal = await self.refusal(acct_order_history, {"symbol": UNKNOWN_SYMBOL})
        expect(refusal.venue_code == -1121, f"refused with {refusal.venue_code}: {refusal.message}")
        return f"refused: {refusal.message}"

    async def test_missing_parameter(self) -> str:
        """A required parameter that is missing: refused here, before anything is sent."""
        return await self.missing(acct_trade_history, {}, "symbol")

    async def test_latency(self) -> str:
        """Account information (account.status): latency of the WebSocket API beside REST."""
        return await self.compare_with_rest(get_user_acct_info, samples=LATENCY_SAMPLES)

    @asynccontextmanager
    async def _some_order(self) -> AsyncIterator[int]:
        """An order of this account: the newest one, or where there is none one that is placed for the test."""
        orders = await self.ask(acct_order_history, {"symbol": TEST_SYMBOL, "limit": 1})
        if orders:
            yield orders[-1]["orderId"]
            return
        async with self.resting_order() as order:
            yield order["orderId"]


async def main() -> int:
    """Run the diagnostic tests; returns the exit code."""
    choice = parse_choice(__doc__)
    print_banner("Account WebSocket Requests", project_root)
    return exit_code_of(await run_diagnostics([AccountRequestsTester], choice))


if __name__ == "__main__":
    init(autoreset=True)
    sys.exit(run_script(main))
