#!/usr/bin/env python3
"""
Binance Order List WebSocket Requests Diagnostic Script
-------------------------------------------------------
Tests the other requests of the WebSocket API that place orders: the old OCO request, orders that trigger one another
(OTO, OTOCO, OPO, OPOCO) and smart order routing. Every order is small, rests far from the market, and is gone again at
the end of its test.

Usage:
    To run this script from the project root directory:
    python src/cryptotrader/services/binance/websocketAPI/diagnostic_scripts/trading_diagnostics/order_list_requests_diagnostic.py

Without a flag it starts a paper exchange for itself and needs no network and no key; elsewhere the key comes from
BINANCE_API_KEY and BINANCE_API_SECRET (or BINANCE_PRIVATE_KEY). With --live no order is ever placed.
"""  # noqa: E501 - a command to copy is one line

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

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
from cryptotrader.services.binance.websocketAPI.diagnostic_scripts._orders import Figures, OrdersTester
from cryptotrader.services.binance.websocketAPI.diagnostic_scripts._tester import TEST_SYMBOL, RequestModule, expect
from cryptotrader.services.binance.websocketAPI.order_list_requests import (
    place_legacy_oco,
    place_opo,
    place_opoco,
    place_oto,
    place_otoco,
)
from cryptotrader.services.binance.websocketAPI.sor_requests import place_sor_order, test_sor_order
from cryptotrader.services.binance.websocketAPI.trading_requests import cancel_oco_order

__all__ = ["TEST_SYMBOL", "OrderListRequestsTester", "main", "print_test_header", "print_test_result"]

project_root = Path(__file__).resolve().parents[6]
logger = get_logger(__name__)


class OrderListRequestsTester(OrdersTester):
    """Tests the order list and smart order routing WebSocket requests."""

    category = "Order List"

    async def test_legacy_oco(self) -> str:
        """Place an OCO pair by the old request (orderList.place)."""
        figures = await self.figures()
        return await self._place(
            place_legacy_oco,
            {
                "symbol": TEST_SYMBOL,
                "side": "SELL",
                "quantity": figures.quantity,
                "price": figures.high,
                "stopPrice": figures.low,
                "stopLimitPrice": figures.lower,
                "stopLimitTimeInForce": "GTC",
            },
            orders=2,
        )

    async def test_oto(self) -> str:
        """Place an order that triggers another (orderList.place.oto)."""
        figures = await self.figures()
        params = {**_working(figures), **_pending(figures), "pendingQuantity": figures.half}
        return await self._place(place_oto, params, orders=2)

    async def test_otoco(self) -> str:
        """Place an order that triggers an OCO pair (orderList.place.otoco)."""
        figures = await self.figures()
        params = {**_working(figures), **_pending_pair(figures), "pendingQuantity": figures.half}
        return await self._place(place_otoco, params, orders=3)

    async def test_opo(self) -> str:
        """Place an order that pays for another (orderList.place.opo)."""
        figures = await self.figures()
        return await self._place(place_opo, {**_working(figures), **_pending(figures)}, orders=2)

    async def test_opoco(self) -> str:
        """Place an order that pays for an OCO pair (orderList.place.opoco)."""
        figures = await self.figures()
        return await self._place(place_opoco, {**_working(figures), **_pending_pair(figures)}, orders=3)

    async def test_sor_order_test(self) -> str:
        """Test a smart order routing order (sor.order.test)."""
        result = await self.ask(test_sor_order, await self.limit_order())
        expect(result == {}, f"the answer is not empty: {result}")
        return "accepted, and nothing was placed"

    async def test_sor_order(self) -> str:
        """Place (sor.order.place) a smart order routing order."""
        self.need_orders()
        placed = await self.ask(place_sor_order, await self.limit_order())
        order = placed[0] if isinstance(placed, list) else placed
        await self.clean_up(order["orderId"])
        return f"order {order['orderId']} was placed and cancelled"

    async def test_missing_parameter(self) -> str:
        """A required parameter that is missing: refused here, before anything is sent."""
        return await self.missing(place_legacy_oco, {"symbol": TEST_SYMBOL, "side": "SELL"}, "quantity")

    async def _place(self, module: RequestModule, params: dict[str, Any], *, orders: int) -> str:
        """Place a list, see that it has its orders, and cancel it."""
        self.need_orders()
        placed = await self.ask(module, params)
        await self.ask(cancel_oco_order, {"symbol": TEST_SYMBOL, "orderListId": placed["orderListId"]})
        expect(len(placed["orders"]) == orders, f"the list has {len(placed['orders'])} orders, not {orders}")
        return f"list {placed['orderListId']} of {orders} orders was placed and cancelled"


def _working(figures: Figures) -> dict[str, Any]:
    """The order that works at once: it buys below the market."""
    return {
        "symbol": TEST_SYMBOL,
        "workingType": "LIMIT",
        "workingSide": "BUY",
        "workingPrice": figures.low,
        "workingQuantity": figures.quantity,
        "workingTimeInForce": "GTC",
    }


def _pending(figures: Figures) -> dict[str, Any]:
    """The order that waits: it sells above the market what was bought."""
    return {
        "pendingType": "LIMIT",
        "pendingSide": "SELL",
        "pendingPrice": figures.high,
        "pendingTimeInForce": "GTC",
    }


def _pending_pair(figures: Figures) -> dict[str, Any]:
    """The pair that waits: it sells above the market or stops below it."""
    return {
        "pendingSide": "SELL",
        "pendingAboveType": "LIMIT_MAKER",
        "pendingAbovePrice": figures.high,
        "pendingBelowType": "STOP_LOSS",
        "pendingBelowStopPrice": figures.lower,
    }


async def main() -> int:
    """Run the diagnostic tests; returns the exit code."""
    choice = parse_choice(__doc__)
    print_banner("Order List WebSocket Requests", project_root)
    return exit_code_of(await run_diagnostics([OrderListRequestsTester], choice))


if __name__ == "__main__":
    init(autoreset=True)
    sys.exit(run_script(main))
