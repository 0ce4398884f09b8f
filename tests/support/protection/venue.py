"""A venue whose price runs along a drawn path, with one account, and with faults on every request.

It is the truth of the simulation: it carries out what reaches it, whether or not anybody hears of it, and allows a name
to be used again once its order is done, as Binance does, so that a second order would not be caught by it.
"""

from __future__ import annotations

import asyncio
import bisect
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from cryptotrader.core.clock import NS_PER_S
from cryptotrader.core.errors import VenueRateLimited, VenueRejected, VenueTimeout, VenueUnreachable
from cryptotrader.core.events import Trade
from cryptotrader.core.scaled import SCALE, format_scaled, mul_scaled, parse_scaled
from cryptotrader.testing.simulation import SimulatedClock

SYMBOL = "BTCUSDT"
STEP = SCALE // 1_000
MINUTE_MS = 60_000

RECV_WINDOW_S = 5.0
"""A request that arrives later than this after it was sent is refused (``rest-api.md``, "Timing security")."""

QUEUE_S = 0.9
"""Longest time that an order which was accepted in time may wait before it is carried out."""

SILENCE_S = 10.0
"""How long a client waits for an answer (S0-55)."""

INFO = {
    "timezone": "UTC",
    "serverTime": 0,
    "symbols": [
        {
            "symbol": SYMBOL,
            "status": "TRADING",
            "baseAsset": "BTC",
            "quoteAsset": "USDT",
            "filters": [
                {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "9000", "stepSize": "0.00100000"},
                {"filterType": "MARKET_LOT_SIZE", "minQty": "0", "maxQty": "50", "stepSize": "0"},
            ],
        }
    ],
}


@dataclass
class Order:
    """One order as the venue knows it."""

    name: str
    number: int
    qty: int
    placed_ms: int
    filled: int = 0
    status: str = "NEW"

    def report(self) -> dict[str, Any]:
        return {
            "symbol": SYMBOL, "orderId": self.number, "orderListId": -1, "clientOrderId": self.name, "price": "0",
            "origQty": format_scaled(self.qty), "executedQty": format_scaled(self.filled),
            "cummulativeQuoteQty": "0", "status": self.status, "timeInForce": "GTC", "type": "MARKET", "side": "SELL",
            "time": self.placed_ms, "updateTime": self.placed_ms,
        }  # fmt: skip


@dataclass
class Troubles:
    """How often what goes wrong, while it may; each from 0 to 1."""

    lost_reply: float = 0.0
    lost_order: float = 0.0
    unreachable: float = 0.0
    busy: float = 0.0
    slow_reads: float = 0.0
    refusal: str = ""
    """Every order is refused with these words."""
    partial: bool = False
    """Only a part of an order is filled; the rest expires."""
    lingers: bool = False
    """An order is not done at once."""
    darkness_s: float = 0.0
    """After an order that nobody was told of, nothing is answered for so long."""


@dataclass(frozen=True)
class Answer:
    """What the venue says."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class PathVenue:
    """Prices, orders and fills.

    Args:
        clock: The simulation's.
        draw: Its randomness.
        trades: The whole path, future included; what lies in the future nobody is told.
    """

    def __init__(self, clock: SimulatedClock, draw: random.Random, trades: list[Trade]) -> None:
        self.clock = clock
        self.draw = draw
        self.trades = trades
        self._times = [trade.time_ms for trade in trades]
        self.troubles = Troubles()
        self.orders: list[Order] = []
        self.fills: list[dict[str, Any]] = []
        self.btc, self.locked, self.usdt = 0, 0, 1_000_000 * SCALE
        self.on_fill: Callable[[dict[str, Any]], None] = lambda report: None
        self.on_request: Callable[[str], None] = lambda name: None
        self.requests = 0
        self.dark_until_ns = 0
        self._late: set[asyncio.Task[None]] = set()

    def past(self) -> list[Trade]:
        """Trades until now."""
        return self.trades[: bisect.bisect_right(self._times, self.clock.now_ms())]

    def price(self) -> int:
        """Of the last trade."""
        return self.trades[max(0, bisect.bisect_right(self._times, self.clock.now_ms()) - 1)].price

    def buy(self, qty: int) -> None:
        """The account buys, in a way that nothing here is about."""
        self._fill(Order("manual", len(self.orders) + 1_000, qty, self.clock.now_ms()), qty, is_buyer=True)

    def sell(self, qty: int) -> None:
        """The account sells by hand."""
        self._fill(Order("manual", len(self.orders) + 1_000, qty, self.clock.now_ms()), qty, is_buyer=False)

    def held(self) -> int:
        """What the account bought and has not sold."""
        return sum((1 if fill["isBuyer"] else -1) * parse_scaled(fill["qty"]) for fill in self.fills)

    def named(self, name: str) -> list[Order]:
        """Every order that ever bore a name."""
        return [order for order in self.orders if order.name == name]

    async def serve(self, name: str, params: Mapping[str, Any], *, may_trade: bool = False) -> Answer:
        """One request, as a client sees it."""
        self.requests += 1
        self.on_request(name)
        draw, troubles = self.draw, self.troubles
        await asyncio.sleep(draw.uniform(0.001, 0.05))
        if self.clock.monotonic_ns() < self.dark_until_ns:
            if draw.random() < 0.5:
                raise VenueUnreachable("no route")
            await asyncio.sleep(draw.uniform(0.1, SILENCE_S))
            raise VenueTimeout("silence")
        if draw.random() < troubles.unreachable:
            raise VenueUnreachable("no route")
        if draw.random() < troubles.busy:
            if draw.random() < 0.5:
                raise VenueRateLimited("wait", retry_after_s=draw.uniform(0.1, 3))
            raise VenueRejected("Server is busy.", venue_code=-1008, http_status=503)
        if may_trade:
            return await self._place(params)
        if draw.random() < troubles.slow_reads:
            await asyncio.sleep(SILENCE_S)
            raise VenueTimeout("silence")
        return Answer(msgspec.json.encode(self._read(name, params)))

    async def _place(self, params: Mapping[str, Any]) -> Answer:
        draw, troubles = self.draw, self.troubles
        dice = draw.random()
        if dice < troubles.lost_order:
            await asyncio.sleep(SILENCE_S)
            raise VenueTimeout("silence")
        if dice < troubles.lost_order + troubles.lost_reply:
            # It goes its own way: neither a client that gives up nor one that dies stops it.
            delay_s = draw.choice((0.0, draw.uniform(0, 1), draw.uniform(0, RECV_WINDOW_S + QUEUE_S)))
            task = asyncio.get_running_loop().create_task(self._later(delay_s, params))
            self._late.add(task)
            task.add_done_callback(self._late.discard)
            self.dark_until_ns = self.clock.monotonic_ns() + int(troubles.darkness_s * NS_PER_S)
            await asyncio.sleep(draw.choice((0.2, SILENCE_S)))
            raise VenueTimeout("silence")
        return Answer(msgspec.json.encode(self._carry_out(params)))

    async def _later(self, delay_s: float, params: Mapping[str, Any]) -> None:
        await asyncio.sleep(delay_s)
        try:
            self._carry_out(params)
        except VenueRejected:
            return

    def _carry_out(self, params: Mapping[str, Any]) -> dict[str, Any]:
        name, qty = str(params["newClientOrderId"]), parse_scaled(str(params["quantity"]))
        assert params["side"] == "SELL"
        assert params["type"] == "MARKET"
        if self.troubles.refusal:
            raise VenueRejected(self.troubles.refusal, venue_code=-1013)
        if any(order.status in ("NEW", "PARTIALLY_FILLED") for order in self.named(name)):
            raise VenueRejected("Duplicate order sent.", venue_code=-2010)
        if qty % STEP or qty > 50 * SCALE:
            raise VenueRejected("Filter failure: LOT_SIZE", venue_code=-1013)
        if qty > self.btc - self.locked:
            raise VenueRejected("Account has insufficient balance for requested action.", venue_code=-2010)
        order = Order(name, len(self.orders) + 1, qty, self.clock.now_ms())
        self.orders.append(order)
        if self.troubles.lingers:
            half = qty // 2 // STEP * STEP
            self._fill(order, half, is_buyer=False)
            order.status = "PARTIALLY_FILLED" if half else "NEW"
            asyncio.get_running_loop().call_later(self.draw.uniform(0.5, 20), lambda: self._finish(order))
        elif self.troubles.partial:
            self._fill(order, qty // 2 // STEP * STEP, is_buyer=False)
            order.status = "EXPIRED"
        else:
            self._finish(order)
        return order.report() | {"transactTime": order.placed_ms, "fills": []}

    def _finish(self, order: Order) -> None:
        self._fill(order, order.qty - order.filled, is_buyer=False)
        order.status = "FILLED"

    def _fill(self, order: Order, qty: int, *, is_buyer: bool) -> None:
        if not qty:
            return
        order.filled += qty
        price = self.price()
        sign = 1 if is_buyer else -1
        self.btc += sign * qty
        self.usdt -= sign * mul_scaled(price, qty)
        number = len(self.fills) + 1
        now_ms = self.clock.now_ms()
        self.fills.append(
            {
                "symbol": SYMBOL, "id": number, "orderId": order.number, "price": format_scaled(price),
                "qty": format_scaled(qty), "quoteQty": format_scaled(mul_scaled(price, qty)), "commission": "0",
                "commissionAsset": "USDT", "time": now_ms, "isBuyer": is_buyer, "isMaker": False,
            }
        )  # fmt: skip
        self.on_fill(
            {
                "e": "executionReport", "x": "TRADE", "s": SYMBOL, "S": "BUY" if is_buyer else "SELL",
                "i": order.number, "c": order.name, "t": number, "l": format_scaled(qty), "L": format_scaled(price),
                "Y": format_scaled(mul_scaled(price, qty)), "n": "0", "N": "USDT", "T": now_ms,
            }
        )  # fmt: skip

    def _read(self, name: str, params: Mapping[str, Any]) -> object:
        match name:
            case "account.status":
                return {"balances": self.balances()}
            case "openOrders.status":
                return []
            case "myTrades":
                first, wanted = params.get("fromId", 0), params.get("orderId")
                rows = [fill for fill in self.fills if fill["id"] >= first and wanted in (None, fill["orderId"])]
                return rows[: params.get("limit", 500)]
            case "order.status":
                found = self.named(str(params["origClientOrderId"]))
                if not found:
                    raise VenueRejected("Order does not exist.", venue_code=-2013)
                return found[-1].report()
            case "ticker.price":
                return {"symbol": SYMBOL, "price": format_scaled(self.price())}
            case "trades.aggregate":
                return self._aggregate(params)
            case "klines":
                return self._klines(params)
        raise VenueRejected("Not simulated.", venue_code=-1000)

    def balances(self) -> list[dict[str, str]]:
        """As ``account.status`` shows them."""
        free = self.btc - self.locked
        return [
            {"asset": "BTC", "free": format_scaled(free), "locked": format_scaled(self.locked)},
            {"asset": "USDT", "free": format_scaled(self.usdt), "locked": "0"},
        ]

    def _aggregate(self, params: Mapping[str, Any]) -> object:
        start, end = params.get("startTime", 0), params.get("endTime", 1 << 62)
        first = params.get("fromId", 0)
        rows = [row for row in self.past() if start <= row.time_ms <= end and row.trade_id >= first]
        return [
            {
                "a": row.trade_id, "p": format_scaled(row.price), "q": "1", "f": row.trade_id, "l": row.trade_id,
                "T": row.time_ms, "m": False,
            }
            for row in rows[: params["limit"]]
        ]  # fmt: skip

    def _klines(self, params: Mapping[str, Any]) -> object:
        start, end = params.get("startTime", 0), params.get("endTime", 1 << 62)
        minutes: dict[int, list[Trade]] = {}
        for row in self.past():
            minutes.setdefault(row.time_ms - row.time_ms % MINUTE_MS, []).append(row)
        rows = []
        for minute, inside in sorted(minutes.items()):
            if start <= minute <= end:
                prices = [row.price for row in inside]
                shown = (prices[0], max(prices), min(prices), prices[-1])
                texts = [format_scaled(price) for price in shown]
                rows.append([minute, *texts, "1", minute + MINUTE_MS - 1, "1", len(inside), "1", "1", "0"])
        return rows[: params["limit"]]
