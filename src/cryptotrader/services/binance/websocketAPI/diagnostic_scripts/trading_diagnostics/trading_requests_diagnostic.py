#!/usr/bin/env python3
"""
Binance Trading WebSocket Requests Diagnostic Script
----------------------------------------------------
Tests the trading requests of the WebSocket API: orders are tested, placed, queried, amended, replaced and cancelled,
and so are OCO pairs. Every order is small, rests far from the market, and is gone again at the end of its test.

Usage:
    To run this script from the project root directory:
    python src/cryptotrader/services/binance/websocketAPI/diagnostic_scripts/trading_diagnostics/trading_requests_diagnostic.py

Without a flag it starts a paper exchange for itself and needs no network and no key; elsewhere the key comes from
BINANCE_API_KEY and BINANCE_API_SECRET (or BINANCE_PRIVATE_KEY). With --live no order is ever placed.
"""  # noqa: E501 - a command to copy is one line

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
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
from cryptotrader.services.binance.websocketAPI.diagnostic_scripts._orders import ALREADY_GONE, OrdersTester
from cryptotrader.services.binance.websocketAPI.diagnostic_scripts._tester import TEST_SYMBOL, expect
from cryptotrader.services.binance.websocketAPI.trading_requests import (
    amend_order,
    cancel_oco_order,
    cancel_open_orders,
    cancel_order,
    create_new_oco_order,
    current_open_orders,
    get_oco_order,
    get_open_oco_orders,
    place_new_order,
    query_order,
    replace_order,
    test_new_order,
)

__all__ = ["TEST_SYMBOL", "TradingRequestsTester", "main", "print_test_header", "print_test_result"]

project_root = Path(__file__).resolve().parents[6]
logger = get_logger(__name__)

NO_SUCH_ORDER = (-2013, ALREADY_GONE)
"""Codes for an order that is not there, when queried and when cancelled. Source: ``errors.md``."""

NO_ORDER = 1 << 60
"""Number that no order or order list of today has."""


class TradingRequestsTester(OrdersTester):
    """Tests the trading WebSocket requests."""

    category = "Trading"

    async def test_order_test(self) -> str:
        """Test an order (order.test): checked like a real one, never placed."""
        result = await self.ask(test_new_order, await self.limit_order())
        expect(result == {}, f"the answer is not empty: {result}")
        return "accepted, and nothing was placed"

    async def test_order_test_with_commission(self) -> str:
        """Test an order (order.test) with its commission rates."""
        rates = await self.ask(test_new_order, await self.limit_order(computeCommissionRates=True))
        return f"taker {rates['standardCommissionForOrder']['taker']}"

    async def test_order_test_refused(self) -> str:
        """Test an order (order.test) that breaks a filter: refused with -1013."""
        refusal = await self.refusal(test_new_order, await self.limit_order(quantity="0.00000001"))
        expect(refusal.venue_code == -1013, f"refused with {refusal.venue_code}: {refusal.message}")
        return f"refused: {refusal.message}"

    async def test_place_and_cancel(self) -> str:
        """Place (order.place) and cancel (order.cancel) an order."""
        async with self.resting_order() as placed:
            expect(placed["status"] == "NEW", f"its status is {placed['status']}")
            named = {"symbol": TEST_SYMBOL, "orderId": placed["orderId"]}
            cancelled = await self.ask(cancel_order, named)
            expect(cancelled["status"] == "CANCELED", f"its status is {cancelled['status']}")
        return f"order {placed['orderId']} was placed and cancelled"

    async def test_market_order(self) -> str:
        """Place (order.place) a market order: it is filled at once."""
        self.need_orders()
        figures = await self.figures()
        order = {"symbol": TEST_SYMBOL, "type": "MARKET", "quantity": figures.quantity}
        bought = await self.ask(place_new_order, {**order, "side": "BUY"})
        expect(bought["status"] == "FILLED", f"its status is {bought['status']}")
        filled = sum(Decimal(fill["qty"]) for fill in bought["fills"])
        expect(filled == Decimal(bought["executedQty"]), f"the fills make {filled}, not {bought['executedQty']}")
        await self.ask(place_new_order, {**order, "side": "SELL"})
        return f"bought {bought['executedQty']} for {bought['cummulativeQuoteQty']}, and sold as much again"

    async def test_query(self) -> str:
        """Query an order (order.status) by its number and by its own name."""
        async with self.resting_order() as placed:
            name = placed["clientOrderId"]
            by_number = await self.ask(query_order, {"symbol": TEST_SYMBOL, "orderId": placed["orderId"]})
            by_name = await self.ask(query_order, {"symbol": TEST_SYMBOL, "origClientOrderId": name})
            expect(by_number["clientOrderId"] == name, "the number finds another order")
            expect(by_name["orderId"] == placed["orderId"], "the name finds another order")
        return f"order {placed['orderId']} is {by_name['status']}"

    async def test_query_without_a_match(self) -> str:
        """Query (order.status) an order that does not exist: refused."""
        named = {"symbol": TEST_SYMBOL, "orderId": NO_ORDER}
        refusal = await self.refusal(query_order, named)
        expect(refusal.venue_code in NO_SUCH_ORDER, f"refused with {refusal.venue_code}: {refusal.message}")
        return f"refused: {refusal.message}"

    async def test_cancel_without_a_match(self) -> str:
        """Cancel (order.cancel) an order that does not exist: refused."""
        refusal = await self.refusal(cancel_order, {"symbol": TEST_SYMBOL, "orderId": NO_ORDER})
        expect(refusal.venue_code in NO_SUCH_ORDER, f"refused with {refusal.venue_code}: {refusal.message}")
        return f"refused: {refusal.message}"

    async def test_open_orders(self) -> str:
        """Open orders (openOrders.status): an order is among them while it rests."""
        async with self.resting_order() as placed:
            rows = await self.ask(current_open_orders, {"symbol": TEST_SYMBOL})
            expect(placed["orderId"] in [row["orderId"] for row in rows], "the order is missing")
        rows = await self.ask(current_open_orders, {"symbol": TEST_SYMBOL})
        expect(placed["orderId"] not in [row["orderId"] for row in rows], "the order is still there")
        return f"{len(rows)} orders are open"

    async def test_open_orders_of_the_account(self) -> str:
        """Open orders (openOrders.status) of all symbols, which changes nothing."""
        return f"{len(await self.ask(current_open_orders))} orders are open"

    async def test_cancel_all(self) -> str:
        """Cancel all orders of a symbol (openOrders.cancelAll)."""
        await self.need_empty_book()
        async with self.resting_order() as one, self.resting_order() as two:
            cancelled = await self.ask(cancel_open_orders, {"symbol": TEST_SYMBOL})
            gone = {row["orderId"] for row in cancelled}
            expect({one["orderId"], two["orderId"]} <= gone, f"cancelled were {sorted(gone)}")
        return f"{len(gone)} orders were cancelled"

    async def test_replace(self) -> str:
        """Replace an order (order.cancelReplace)."""
        async with self.resting_order() as placed:
            new = await self.limit_order(cancelReplaceMode="STOP_ON_FAILURE", cancelOrderId=placed["orderId"])
            replaced = await self.ask(replace_order, new)
            order_id = replaced["newOrderResponse"]["orderId"]
            await self.clean_up(order_id)
            expect(order_id != placed["orderId"], "the new order bears the old number")
        return f"order {placed['orderId']} became {order_id}"

    async def test_amend(self) -> str:
        """Make an order smaller without losing its place (order.amend.keepPriority)."""
        async with self.resting_order() as placed:
            figures = await self.figures()
            named = {"symbol": TEST_SYMBOL, "orderId": placed["orderId"], "newQty": figures.half}
            amended = await self.ask(amend_order, named)
            quantity = amended["amendedOrder"]["qty"]
            expect(Decimal(quantity) == Decimal(figures.half), f"the quantity is {quantity}, not {figures.half}")
        return f"from {placed['origQty']} to {quantity}"

    async def test_oco(self) -> str:
        """Place (orderList.place.oco), query (orderList.status) and cancel (orderList.cancel) an OCO pair."""
        async with self._resting_pair() as pair:
            named = {"orderListId": pair["orderListId"]}
            found = await self.ask(get_oco_order, named)
            expect(len(found["orders"]) == 2, f"the list has {len(found['orders'])} orders")
            rows = await self.ask(get_open_oco_orders)
            expect(
                pair["orderListId"] in [row["orderListId"] for row in rows], "the list is missing among the open ones"
            )
            gone = await self.ask(cancel_oco_order, {"symbol": TEST_SYMBOL, **named})
            expect(gone["listOrderStatus"] == "ALL_DONE", f"its status is {gone['listOrderStatus']}")
        return f"list {pair['orderListId']} was placed, found and cancelled"

    async def test_open_order_lists(self) -> str:
        """Open order lists (openOrderLists.status), which changes nothing."""
        return f"{len(await self.ask(get_open_oco_orders))} order lists are open"

    async def test_order_list_that_does_not_exist(self) -> str:
        """Query (orderList.status) an order list that does not exist: refused."""
        refusal = await self.refusal(get_oco_order, {"orderListId": NO_ORDER})
        return f"refused: {refusal.message}"

    async def test_cancel_order_list_that_does_not_exist(self) -> str:
        """Cancel (orderList.cancel) an order list that does not exist: refused."""
        refusal = await self.refusal(cancel_oco_order, {"symbol": TEST_SYMBOL, "orderListId": NO_ORDER})
        return f"refused: {refusal.message}"

    async def test_missing_parameter(self) -> str:
        """A required parameter that is missing: refused here, before anything is sent."""
        order = {"symbol": TEST_SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "1"}
        await self.missing(cancel_order, {}, "symbol")
        return await self.missing(test_new_order, order, "price")

    async def test_latency(self) -> str:
        """Test an order (order.test): latency of the WebSocket API beside REST."""
        return await self.compare_with_rest(test_new_order, await self.limit_order())

    @asynccontextmanager
    async def _resting_pair(self) -> AsyncIterator[dict[str, Any]]:
        """An OCO pair that sells above the market or stops below it; cancelled at the end."""
        self.need_orders()
        figures = await self.figures()
        pair = {
            "symbol": TEST_SYMBOL,
            "side": "SELL",
            "quantity": figures.quantity,
            "aboveType": "LIMIT_MAKER",
            "abovePrice": figures.high,
            "belowType": "STOP_LOSS_LIMIT",
            "belowStopPrice": figures.low,
            "belowPrice": figures.lower,
            "belowTimeInForce": "GTC",
        }
        placed = await self.ask(create_new_oco_order, pair)
        try:
            yield placed
        finally:
            try:
                await self.ask(cancel_oco_order, {"symbol": TEST_SYMBOL, "orderListId": placed["orderListId"]})
            except VenueRejected as error:
                if error.venue_code != ALREADY_GONE:
                    raise


async def main() -> int:
    """Run the diagnostic tests; returns the exit code."""
    choice = parse_choice(__doc__)
    print_banner("Trading WebSocket Requests", project_root)
    return exit_code_of(await run_diagnostics([TradingRequestsTester], choice))


if __name__ == "__main__":
    init(autoreset=True)
    sys.exit(run_script(main))
