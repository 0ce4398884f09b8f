"""Orders that a diagnostic may place: small, far from the market, gone again at the end of the test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from typing import Any

from cryptotrader.core.errors import VenueRejected
from cryptotrader.services.binance.websocketAPI.diagnostic_scripts._tester import TEST_SYMBOL, NotHere, RequestsTester
from cryptotrader.services.binance.websocketAPI.general_requests import exchange_information
from cryptotrader.services.binance.websocketAPI.market_data_requests import order_book
from cryptotrader.services.binance.websocketAPI.trading_requests import (
    cancel_order,
    current_open_orders,
    place_new_order,
)

AWAY = Decimal("0.1")
"""How far from the market orders rest. Unit: part of the price. Reason: far enough not to be filled during a test."""

TIMES_MINIMUM = 4
"""Value of an order in minimum notionals. Reason: half of it must still be allowed."""

ALREADY_GONE = -2011
"""Code for an order that is not open any more. Source: ``errors.md``, CANCEL_REJECTED."""


@dataclass(frozen=True)
class Figures:
    """Prices and a quantity that the symbol's filters accept, as the venue wants them written."""

    low: str
    """Below the market."""
    lower: str
    """Below that."""
    high: str
    """Above the market."""
    higher: str
    quantity: str
    half: str


class OrdersTester(RequestsTester):
    """Base of the testers that place orders."""

    async def figures(self) -> Figures:
        """From the trading rules and the book of this moment."""
        info = await self.ask(exchange_information, {"symbol": TEST_SYMBOL})
        book = await self.ask(order_book, {"symbol": TEST_SYMBOL, "limit": 5})
        filters = {each["filterType"]: each for each in info["symbols"][0]["filters"]}
        tick = Decimal(filters["PRICE_FILTER"]["tickSize"])
        step = Decimal(filters["LOT_SIZE"]["stepSize"])
        notional = filters.get("NOTIONAL") or filters["MIN_NOTIONAL"]
        bid, ask = Decimal(book["bids"][0][0]), Decimal(book["asks"][0][0])

        def price(value: Decimal) -> str:
            return format((value / tick).quantize(Decimal(1), ROUND_DOWN) * tick, "f")

        lowest = bid * (1 - AWAY - AWAY / 10)
        worth = Decimal(notional["minNotional"]) * TIMES_MINIMUM / 2
        half = (worth / lowest / step).quantize(Decimal(1), ROUND_UP) * step
        return Figures(
            low=price(bid * (1 - AWAY)),
            lower=price(lowest),
            high=price(ask * (1 + AWAY)),
            higher=price(ask * (1 + AWAY + AWAY / 10)),
            quantity=format(2 * half, "f"),
            half=format(half, "f"),
        )

    async def limit_order(self, **changes: Any) -> dict[str, Any]:
        """Parameters of a LIMIT order that buys below the market."""
        figures = await self.figures()
        return {
            "symbol": TEST_SYMBOL,
            "side": "BUY",
            "type": "LIMIT",
            "timeInForce": "GTC",
            "price": figures.low,
            "quantity": figures.quantity,
            **changes,
        }

    @asynccontextmanager
    async def resting_order(self, **changes: Any) -> AsyncIterator[dict[str, Any]]:
        """An order in the book, as the venue answered it; cancelled at the end, whatever the test did."""
        self.need_orders()
        placed = await self.ask(place_new_order, await self.limit_order(**changes))
        try:
            yield placed
        finally:
            await self.clean_up(placed["orderId"])

    async def clean_up(self, order_id: int) -> None:
        """Cancel an order unless it is gone already."""
        try:
            await self.ask(cancel_order, {"symbol": TEST_SYMBOL, "orderId": order_id})
        except VenueRejected as error:
            if error.venue_code != ALREADY_GONE:
                raise

    async def need_empty_book(self) -> None:
        """Pass the test over where it would cancel orders that somebody else has placed."""
        self.need_orders()
        others = await self.ask(current_open_orders, {"symbol": TEST_SYMBOL})
        if others:
            raise NotHere(f"{len(others)} orders in {TEST_SYMBOL} are not of this run and would be cancelled")
