"""Orders of every kind over the wire: what is answered, what the account hears, and that both agree with the balances.

Binance: ``rest-api.md``, "New order"; ``faqs/`` on trailing stops, self-trade prevention, pegs, amendments and routing.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from websockets.asyncio.client import connect

from cryptotrader.core.events import Trade
from cryptotrader.exchange.engine.rules.execution_rules import PriceRange, ReferenceRule
from cryptotrader.exchange.venue import PaperVenue
from cryptotrader.net import SystemClock
from cryptotrader.services.binance.models.orders import PlacedOrder
from tests.support.api_client import RESTING, SYMBOL, Api, served
from tests.support.paper import ASKS, BIDS, BTC, QuietSource, paper_venue, units
from tests.support.waiting import eventually

MARKET = SYMBOL | {"side": "SELL", "quantity": "0.001"}
FULL = {"newOrderRespType": "FULL"}
NONE = Decimal(0)


@dataclass
class Floor:
    """A client that listens, and a market that a test moves."""

    api: Api
    source: QuietSource
    last_id: int = 1_000

    async def trade(self, price: str) -> None:
        """The market trades at a price; returns when the exchange has heard of it."""
        self.last_id += 1
        venue = self.api.server.venue
        now_ms = venue.now_ms()
        self.source.queue.append(Trade("BTCUSDT", self.last_id, units(price), units("0.01"), now_ms, False, now_ms))
        await eventually(lambda: not self.source.queue)

    async def order(self, order_id: object) -> dict[str, Any]:
        """An order as it stands."""
        found: dict[str, Any] = await self.api.result("order.status", **SYMBOL, orderId=order_id)
        return found

    async def reports(self, order_id: object) -> list[str]:
        """Execution type and status of everything that was told about an order so far."""
        await self.api.result("time")
        return [f"{event['x']} {event['X']}" for event in self.api.events if event.get("i") == order_id]

    async def funds(self) -> dict[str, tuple[Decimal, Decimal]]:
        """Free and locked by asset."""
        rows = (await self.api.result("account.status"))["balances"]
        return {row["asset"]: (Decimal(row["free"]), Decimal(row["locked"])) for row in rows}


@asynccontextmanager
async def floor(venue: PaperVenue | None = None, source: QuietSource | None = None) -> AsyncIterator[Floor]:
    source = source or QuietSource()
    async with served(venue=venue or paper_venue(source)) as api:
        await api.result("userDataStream.subscribe.signature")
        yield Floor(api, source)


STOPS = [
    ("SELL", "STOP_LOSS", "44000", "44000"),
    ("BUY", "STOP_LOSS", "46000", "46000"),
    ("SELL", "TAKE_PROFIT", "46000", "46000"),
    ("BUY", "TAKE_PROFIT", "44000", "44000"),
]
"""Side, type, stop price, and the price of the trade that reaches it."""


@pytest.mark.parametrize(("side", "kind", "stop", "reached"), STOPS)
@pytest.mark.parametrize("is_limit", [False, True])
async def test_a_contingent_order_waits_for_its_price_and_then_works(
    side: str, kind: str, stop: str, reached: str, is_limit: bool
) -> None:
    limit = {"type": f"{kind}_LIMIT", "timeInForce": "GTC", "price": "50000" if side == "BUY" else "40000"}
    params = MARKET | {"side": side, "type": kind, "stopPrice": stop} | (limit if is_limit else {})
    async with floor() as at:
        before = await at.funds()
        placed = await at.api.result("order.place", **params)
        assert list(placed) == ["symbol", "orderId", "orderListId", "clientOrderId", "transactTime"]
        waiting = await at.order(placed["orderId"])
        assert (waiting["status"], waiting["isWorking"], waiting["workingTime"]) == ("NEW", False, -1)
        assert Decimal(waiting["stopPrice"]) == Decimal(stop)
        held = (await at.funds())["USDT" if side == "BUY" else "BTC"][1]
        assert held > 0
        await at.trade(reached)
        done = await at.order(placed["orderId"])
        assert (done["status"], done["isWorking"]) == ("FILLED", True)
        assert done["workingTime"] >= waiting["time"]
        assert await at.reports(placed["orderId"]) == ["NEW NEW", "NEW NEW", "TRADE FILLED"]
        (fill,) = await at.api.result("myTrades", **SYMBOL, orderId=placed["orderId"])
        after = await at.funds()
        sign = 1 if side == "BUY" else -1
        fee = {fill["commissionAsset"]: Decimal(fill["commission"])}
        assert after["BTC"] == (before["BTC"][0] + sign * Decimal(fill["qty"]) - fee.get("BTC", 0), NONE)
        assert after["USDT"] == (before["USDT"][0] - sign * Decimal(fill["quoteQty"]) - fee.get("USDT", 0), NONE)


async def test_a_trailing_stop_follows_the_price_and_tells_since_when() -> None:
    """``trailingTime`` is -1 until the stop price is reached (``faqs/trailing-stop-faq.md``)."""
    params = MARKET | {"type": "STOP_LOSS", "stopPrice": "44500", "trailingDelta": "100"}
    async with floor() as at:
        placed = await at.api.result("order.place", **params, newOrderRespType="RESULT")
        assert (placed["trailingDelta"], placed["trailingTime"], placed["workingTime"]) == (100, -1, -1)
        await at.trade("44500")
        assert (await at.order(placed["orderId"]))["trailingTime"] > 0
        await at.trade("44800")
        assert (await at.order(placed["orderId"]))["status"] == "NEW"
        await at.trade("44300")
        assert (await at.order(placed["orderId"]))["status"] == "FILLED"
        await at.api.result("time")
        reports = [event for event in at.api.events if event["e"] == "executionReport"]
        assert [("D" in event, event["d"]) for event in reports] == [(False, 100), (True, 100), (True, 100)]


async def test_an_iceberg_shows_a_part_of_itself() -> None:
    async with floor() as at:
        placed = await at.api.result(
            "order.place", **(RESTING | {"price": "45000.50", "quantity": "0.01", "icebergQty": "0.001"})
        )
        assert (placed["origQty"], placed["icebergQty"]) == ("0.01000000", "0.00100000")
        depth = await at.api.result("depth", **SYMBOL, limit=5)
        assert depth["bids"][0] == ["45000.50000000", "0.00100000"]
        event = await at.api.told(x="NEW", i=placed["orderId"])
        assert (event["q"], event["F"]) == ("0.01000000", "0.00100000")


PEGS: list[tuple[dict[str, str], str, str]] = [
    ({"pegPriceType": "PRIMARY_PEG"}, "45000.00000000", "NEW"),
    ({"pegPriceType": "PRIMARY_PEG", "pegOffsetType": "PRICE_LEVEL", "pegOffsetValue": "3"}, "44997.00000000", "NEW"),
    ({"pegPriceType": "MARKET_PEG", "timeInForce": "IOC"}, "45001.00000000", "FILLED"),
    ({"pegPriceType": "PRIMARY_PEG", "price": "45100.00"}, "45000.00000000", "NEW"),
]


@pytest.mark.parametrize(("changes", "price", "status"), PEGS)
async def test_a_pegged_order_takes_its_price_from_the_book(changes: dict[str, str], price: str, status: str) -> None:
    params = {name: value for name, value in RESTING.items() if name != "price"} | changes
    async with floor() as at:
        placed = await at.api.result("order.place", **params)
        assert (placed["peggedPrice"], placed["status"]) == (price, status)
        assert Decimal(placed["price"]) == Decimal(changes.get("price", "0"))
        assert placed["pegPriceType"] == changes["pegPriceType"]
        assert placed.get("pegOffsetValue") == (3 if "pegOffsetValue" in changes else None)
        event = await at.api.told(x="NEW", i=placed["orderId"])
        assert (event["gP"], event["gp"]) == (changes["pegPriceType"], price)
        assert (await at.order(placed["orderId"]))["peggedPrice"] == price


MODES = [
    ("EXPIRE_TAKER", "NEW", "EXPIRED_IN_MATCH", {"taker": "0.00100000"}),
    ("EXPIRE_MAKER", "EXPIRED_IN_MATCH", "NEW", {"maker": "0.00200000"}),
    ("EXPIRE_BOTH", "EXPIRED_IN_MATCH", "EXPIRED_IN_MATCH", {"maker": "0.00200000", "taker": "0.00100000"}),
    ("DECREMENT", "NEW", "EXPIRED_IN_MATCH", {"maker": "0.00100000", "taker": "0.00100000"}),
    ("TRANSFER", "NEW", "EXPIRED_IN_MATCH", {"maker": "0.00100000", "taker": "0.00100000"}),
]


@pytest.mark.parametrize(("mode", "maker_status", "taker_status", "lost"), MODES)
async def test_a_trade_with_oneself_is_prevented_as_the_taker_wants(
    mode: str, maker_status: str, taker_status: str, lost: dict[str, str]
) -> None:
    """``faqs/stp_faq.md``, scenarios B to H: answers, events, ``myPreventedMatches`` and balances tell the same."""
    async with floor() as at:
        before = await at.funds()
        maker = await at.api.result("order.place", **(RESTING | {"price": "45000.50", "quantity": "0.002"}))
        selling = RESTING | {"price": "45000.50", "side": "SELL", "selfTradePreventionMode": mode}
        taker = await at.api.result("order.place", **selling)
        quantities = {f"{who}PreventedQuantity": qty for who, qty in lost.items()}
        told = {"preventedMatchId": 0, "makerSymbol": "BTCUSDT", "makerOrderId": maker["orderId"]}
        assert taker["preventedMatches"] == [told | {"price": "45000.50000000"} | quantities]
        assert (taker["status"], taker["fills"]) == (taker_status, [])
        typed = msgspec.convert(taker, PlacedOrder)
        assert [each.maker_order_id for each in typed.prevented_matches] == [maker["orderId"]]
        states = {"maker": await at.order(maker["orderId"]), "taker": await at.order(taker["orderId"])}
        assert (states["maker"]["status"], states["taker"]["status"]) == (maker_status, taker_status)
        for who, state in states.items():
            assert state.get("preventedQuantity") == lost.get(who)
            assert state.get("preventedMatchId") == (0 if who in lost else None)
        (row,) = await at.api.result("myPreventedMatches", **SYMBOL, preventedMatchId=0)
        assert row["takerOrderId"] == taker["orderId"]
        assert row["selfTradePreventionMode"] == ("DECREMENT" if mode == "TRANSFER" else mode)
        assert {name: row[name] for name in row if name.endswith("Quantity")} == quantities
        assert await at.api.result("myPreventedMatches", **SYMBOL, orderId=maker["orderId"]) == [row]
        reports = [event for event in at.api.events if event.get("x") == "TRADE_PREVENTION"]
        assert {event["i"]: event["B"] for event in reports} == {
            states[who]["orderId"]: qty for who, qty in lost.items()
        }
        assert {event["pl"] for event in reports} == {"0.00100000"}
        if any(state["status"] == "NEW" for state in states.values()):
            await at.api.result("openOrders.cancelAll", **SYMBOL)
        assert await at.funds() == before


async def test_an_order_is_amended_in_its_place() -> None:
    async with floor() as at:
        placed = await at.api.result("order.place", **(RESTING | {"newClientOrderId": "first"}))
        answer = await at.api.result(
            "order.amend.keepPriority", **SYMBOL, orderId=placed["orderId"], newQty="0.0005", newClientOrderId="second"
        )
        order = answer["amendedOrder"]
        assert (order["origClientOrderId"], order["clientOrderId"], order["qty"]) == ("first", "second", "0.00050000")
        event = await at.api.told(x="REPLACED")
        assert (event["C"], event["c"], event["q"], event["I"]) == (
            "first",
            "second",
            "0.00050000",
            answer["executionId"],
        )
        (row,) = await at.api.result("order.amendments", **SYMBOL, orderId=placed["orderId"])
        assert row == {
            "symbol": "BTCUSDT",
            "orderId": placed["orderId"],
            "executionId": answer["executionId"],
            "origClientOrderId": "first",
            "newClientOrderId": "second",
            "origQty": "0.00100000",
            "newQty": "0.00050000",
            "time": answer["transactTime"],
        }
        assert (await at.funds())["USDT"][1] == Decimal("22")
        for qty, code, text in (
            ("0.0005", -2038, "The requested action would change no state; rejecting"),
            ("0.001", -2038, "Order amend (quantity increase) is not supported."),
            ("0.000001", -1013, "Filter failure: LOT_SIZE"),
        ):
            params = SYMBOL | {"orderId": placed["orderId"], "newQty": qty}
            assert await at.api.error("order.amend.keepPriority", **params) == (400, code, text)
        assert await at.api.unfilled() == 1


def used(answer: dict[str, Any]) -> int:
    """The weight that an answer tells."""
    return next(int(row["count"]) for row in answer["rateLimits"] if row["rateLimitType"] == "REQUEST_WEIGHT")


async def test_an_amendment_that_leaves_nothing_ends_the_order_and_weighs_nothing() -> None:
    """Binance's ``CHANGELOG.md``, 2026-04-02."""
    async with floor() as at:
        placed = await at.api.result("order.place", **(RESTING | {"price": "45001", "quantity": "0.7"}))
        assert placed["executedQty"] == "0.50000000"
        which = SYMBOL | {"orderId": placed["orderId"]}
        before = used(await at.api.ask("ping"))
        smaller = await at.api.ask("order.amend.keepPriority", **which, newQty="0.6")
        assert used(smaller) == before + 4
        ended = await at.api.ask("order.amend.keepPriority", **which, newQty="0.5")
        assert ended["result"]["amendedOrder"]["status"] == "EXPIRED"
        assert used(ended) == before + 4


class TwoBooks(QuietSource):
    """The same market for dollars of two kinds, the other one cheaper."""

    def __init__(self) -> None:
        super().__init__()
        self.symbols = ("BTCUSDT", "BTCUSDC")

    def snapshot(self, symbol: str) -> Any:
        found = super().snapshot(symbol)
        if symbol == "BTCUSDT":
            return found
        lower = units("10")
        return msgspec.structs.replace(
            found,
            bids=tuple((price - lower, qty) for price, qty in BIDS),
            asks=tuple((price - lower, qty) for price, qty in ASKS[:1]),
        )


async def test_a_routed_order_is_filled_from_the_better_book() -> None:
    """``faqs/sor_faq.md``: allocations, and the rest on its own book. REST answers an object, this API a list."""
    source = TwoBooks()
    other = msgspec.structs.replace(BTC, symbol="BTCUSDC", quote="USDC")
    venue = PaperVenue([BTC, other], [source], clock=SystemClock())
    async with floor(venue, source) as at:
        info = await at.api.result("exchangeInfo")
        assert info["sors"] == [{"baseAsset": "BTC", "symbols": ["BTCUSDT", "BTCUSDC"]}]
        before = await at.funds()
        params = RESTING | {"price": "45000.99", "quantity": "0.6"}
        assert await at.api.result("sor.order.test", **params) == {}
        (placed,) = await at.api.result("sor.order.place", **params)
        assert (placed["status"], placed["usedSor"], placed["workingFloor"]) == ("PARTIALLY_FILLED", True, "EXCHANGE")
        (fill,) = placed["fills"]
        assert (fill["matchType"], fill["tradeId"], fill["allocId"]) == ("ONE_PARTY_TRADE_REPORT", -1, 0)
        assert (fill["price"], fill["qty"]) == ("44991.00000000", "0.50000000")
        (row,) = await at.api.result("myAllocations", **SYMBOL)
        assert (row["allocationId"], row["orderId"], row["qty"]) == (0, placed["orderId"], fill["qty"])
        assert (row["isBuyer"], row["isMaker"], row["isAllocator"]) == (True, False, False)
        assert await at.api.result("myTrades", **SYMBOL) == []
        event = await at.api.told(x="TRADE")
        assert (event["t"], event["a"], event["b"], event["uS"]) == (-1, 0, "ONE_PARTY_TRADE_REPORT", True)
        after = await at.funds()
        assert after["BTC"][0] == before["BTC"][0] + Decimal(fill["qty"]) - Decimal(fill["commission"])
        assert sum(after["USDT"]) == before["USDT"][0] - Decimal(row["quoteQty"])
        queried = await at.order(placed["orderId"])
        assert (queried["usedSor"], queried["workingFloor"]) == (True, "EXCHANGE")


async def test_answers_are_as_long_as_their_kind_wants_unless_the_client_says() -> None:
    """LIMIT and MARKET in FULL, all others as ACK (``rest-api.md``, ``newOrderRespType``)."""
    kinds: list[tuple[dict[str, str], bool]] = [
        (RESTING, True),
        (MARKET | {"type": "MARKET"}, True),
        (MARKET | {"type": "LIMIT_MAKER", "price": "46000"}, False),
        (MARKET | {"type": "STOP_LOSS", "stopPrice": "44000"}, False),
        (MARKET | {"type": "TAKE_PROFIT", "trailingDelta": "50"}, False),
    ]
    async with floor() as at:
        for params, is_full in kinds:
            assert ("fills" in await at.api.result("order.place", **params)) is is_full
            assert "fills" in await at.api.result("order.place", **params, **FULL)
            result = await at.api.result("order.place", **params, newOrderRespType="RESULT")
            assert "fills" not in result
            assert "status" in result
            assert "status" not in await at.api.result("order.place", **params, newOrderRespType="ACK")
            if params["type"] != "MARKET":
                await at.api.result("openOrders.cancelAll", **SYMBOL)


async def test_an_order_is_replaced_by_one_of_another_kind() -> None:
    async with floor() as at:
        old = await at.api.result("order.place", **RESTING)
        params = MARKET | {"type": "STOP_LOSS", "stopPrice": "44000", "cancelReplaceMode": "STOP_ON_FAILURE"}
        told = await at.api.result("order.cancelReplace", **params, cancelOrderId=old["orderId"], **FULL)
        assert told["newOrderResponse"]["stopPrice"] == "44000.00000000"
        again = params | {"stopPrice": "46000"}
        answer = await at.api.ask("order.cancelReplace", **again, cancelOrderId=told["newOrderResponse"]["orderId"])
        assert answer["error"]["data"]["newOrderResponse"] == {"code": -2010, "msg": "Order would trigger immediately."}
        assert answer["error"]["data"]["cancelResponse"]["type"] == "STOP_LOSS"


RANGED = msgspec.structs.replace(
    BTC, price_range=PriceRange(bid_up=units("1.0001"), ask_down=units("0.5")), reference=ReferenceRule()
)
"""Buys reach four and a half above the reference price and no further."""


async def test_an_order_trades_within_the_price_range_only() -> None:
    """``faqs/price_range_execution_rules.md``: what lies beyond expires; the reference price is told everywhere."""
    venue = PaperVenue([RANGED], [QuietSource()], clock=SystemClock())
    async with floor(venue) as at:
        none = await at.api.result("referencePrice", **SYMBOL)
        assert none["referencePrice"] is None
        await at.api.result("order.place", **(MARKET | {"type": "MARKET"}))
        now = await at.api.result("referencePrice", **SYMBOL)
        assert (now["referencePrice"], now["symbol"]) == ("45000.00000000", "BTCUSDT")
        async with connect(f"ws://127.0.0.1:{at.api.server.port}/ws/btcusdt@referencePrice") as stream:
            event = json.loads(await asyncio.wait_for(stream.recv(), 5))
        assert (event["r"], event["s"]) == ("45000.00000000", "BTCUSDT")
        rule = {"ruleType": "PRICE_RANGE", "bidLimitMultUp": "1.00010000", "askLimitMultDown": "0.50000000"}
        assert (await at.api.result("executionRules", **SYMBOL))["symbolRules"][0]["rules"] == [rule]
        calculation = await at.api.result("referencePrice.calculation", **SYMBOL)
        assert calculation == SYMBOL | {
            "calculationType": "ARITHMETIC_MEAN",
            "bucketCount": 300,
            "bucketWidthMs": 1000,
        }
        placed = await at.api.result("order.place", **SYMBOL, side="BUY", type="MARKET", quantity="3")
        reason = "EXECUTION_RULE_PRICE_RANGE_EXCEEDED"
        assert (placed["status"], placed["executedQty"], placed["expiryReason"]) == ("EXPIRED", "2.00000000", reason)
        assert (await at.api.told(i=placed["orderId"], x="EXPIRED"))["eR"] == reason
