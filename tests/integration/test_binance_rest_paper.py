"""The REST client and the paper exchange speak the same language: every request that has a REST form, end to end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from cryptotrader.core.errors import VenueAuthError, VenueRejected
from cryptotrader.exchange.accounts import SAMPLE_KEY_ID, SAMPLE_SECRET
from cryptotrader.net import SystemClock
from cryptotrader.net.http import HttpClient
from cryptotrader.services.binance.endpoints import paper
from cryptotrader.services.binance.models import CancelledItem, OrderReport, PlacedOrder
from cryptotrader.services.binance.registry import SPECS, by_method
from cryptotrader.services.binance.restAPI import BinanceRest
from cryptotrader.services.binance.signing import Credentials
from cryptotrader.services.binance.validate import parse_params
from tests.support.paper import running_exchange

SYMBOL = {"symbol": "BTCUSDT"}
ORDER = SYMBOL | {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.001"}
READS: dict[str, dict[str, str]] = {
    "ping": {},
    "time": {},
    "exchangeInfo": SYMBOL,
    "depth": SYMBOL | {"limit": "5"},
    "trades.recent": SYMBOL | {"limit": "3"},
    "trades.historical": SYMBOL | {"limit": "3"},
    "trades.aggregate": SYMBOL | {"limit": "3"},
    "klines": SYMBOL | {"interval": "1h", "limit": "5"},
    "uiKlines": SYMBOL | {"interval": "1h", "limit": "5"},
    "avgPrice": SYMBOL,
    "ticker.24hr": SYMBOL,
    "ticker.price": {"symbols": '["BTCUSDT"]'},
    "ticker.book": SYMBOL,
    "ticker": SYMBOL | {"windowSize": "1h"},
    "ticker.tradingDay": SYMBOL,
    "openOrders.status": {},
    "account.status": {},
    "account.rateLimits.orders": {},
    "allOrders": SYMBOL,
    "myTrades": SYMBOL,
    "executionRules": SYMBOL,
    "blockTrades.historical": SYMBOL | {"fromId": "0"},
    "openOrderLists.status": {},
    "allOrderLists": {},
    "myPreventedMatches": SYMBOL | {"orderId": "1"},
    "myAllocations": SYMBOL,
    "account.commission": SYMBOL,
    "myFilters": SYMBOL,
}

NOTHING_TO_READ = {
    "order.status",
    "orderList.status",
    "order.amendments",
    "referencePrice",
    "referencePrice.calculation",
}
"""Requests for something that a fresh exchange does not have."""


@pytest.fixture
async def rest() -> AsyncIterator[BinanceRest]:
    async with running_exchange() as exchange, HttpClient() as http:
        credentials = Credentials.of(SAMPLE_KEY_ID, SAMPLE_SECRET)
        client = BinanceRest(http, paper("127.0.0.1", exchange.port), credentials, SystemClock())
        yield client
        await client.close()


async def call(rest: BinanceRest, method: str, given: dict[str, str]) -> Any:
    spec = by_method(method)
    assert spec is not None
    return await rest.call(spec, parse_params(spec, given))


async def test_every_read_is_answered_in_its_documented_shape(rest: BinanceRest) -> None:
    assert set(READS) == {spec.method for spec in SPECS if spec.is_idempotent} - NOTHING_TO_READ
    # This market stands still, so there is nothing in its past but one trade.
    for method in ("ticker", "ticker.tradingDay"):
        with pytest.raises(VenueRejected) as caught:
            await call(rest, method, READS[method])
        assert caught.value.venue_code == -2016
    await call(rest, "order.place", SYMBOL | {"side": "BUY", "type": "MARKET", "quantity": "0.001"})
    empty = {"openOrders.status", "klines", "uiKlines"}
    empty |= {"blockTrades.historical", "openOrderLists.status", "allOrderLists", "myPreventedMatches", "myAllocations"}
    for method in READS:
        answer = await call(rest, method, READS[method])
        assert answer or method in empty, method
    assert rest.ledger.used > 100


async def test_an_order_lives_from_test_to_cancellation(rest: BinanceRest) -> None:
    price = str(int(float((await call(rest, "ticker.price", SYMBOL)).price) * 0.9))
    await call(rest, "order.test", ORDER | {"price": price})
    placed = await call(rest, "order.place", ORDER | {"price": price, "newClientOrderId": "first-light"})
    assert isinstance(placed, PlacedOrder)
    report = await call(rest, "order.status", SYMBOL | {"origClientOrderId": "first-light"})
    assert isinstance(report, OrderReport)
    assert (report.order_id, report.status) == (placed.order_id, "NEW")
    cancelled = await call(rest, "order.cancel", SYMBOL | {"orderId": str(placed.order_id)})
    assert isinstance(cancelled, CancelledItem)
    assert cancelled.status == "CANCELED"
    await call(rest, "order.place", ORDER | {"price": price})
    assert [row.status for row in await call(rest, "openOrders.cancelAll", SYMBOL)] == ["CANCELED"]


async def test_a_market_order_leaves_fills(rest: BinanceRest) -> None:
    order = {key: value for key, value in ORDER.items() if key != "timeInForce"} | {"type": "MARKET"}
    placed = await call(rest, "order.place", order)
    assert placed.status == "FILLED"
    assert placed.fills
    trades = await call(rest, "myTrades", SYMBOL | {"orderId": str(placed.order_id)})
    assert [trade.id for trade in trades] == [fill.trade_id for fill in placed.fills]


async def test_listen_keys_still_work_here(rest: BinanceRest) -> None:
    """C-23."""
    key = (await call(rest, "userDataStream.start", {})).listen_key
    await call(rest, "userDataStream.ping", {"listenKey": key})
    await call(rest, "userDataStream.stop", {"listenKey": key})
    with pytest.raises(VenueRejected):
        await call(rest, "userDataStream.ping", {"listenKey": key})


async def test_refusals_are_told_apart(rest: BinanceRest) -> None:
    with pytest.raises(VenueRejected) as caught:
        await call(rest, "depth", {"symbol": "NOPE"})
    assert (caught.value.venue_code, caught.value.message) == (-1121, "Invalid symbol.")
    with pytest.raises(VenueRejected) as caught:
        await call(rest, "order.status", SYMBOL | {"orderId": "999999999"})
    assert caught.value.venue_code == -2013


@pytest.mark.parametrize(("key", "secret"), [(SAMPLE_KEY_ID, "wrong secret"), ("no-such-key", SAMPLE_SECRET)])
async def test_s0_54_wrong_credentials_are_refused(rest: BinanceRest, key: str, secret: str) -> None:
    async with HttpClient() as http:
        stranger = BinanceRest(http, rest.endpoints, Credentials.of(key, secret), SystemClock())
        with pytest.raises(VenueAuthError):
            await call(stranger, "account.status", {})
        await stranger.close()


async def test_our_clock_may_be_wrong(rest: BinanceRest) -> None:
    """A host an hour behind still trades: the first refusal teaches the offset."""

    class Late(SystemClock):
        def now_ns(self) -> int:
            return super().now_ns() - 3_600_000_000_000

    async with HttpClient() as http:
        late = BinanceRest(http, rest.endpoints, Credentials.of(SAMPLE_KEY_ID, SAMPLE_SECRET), Late())
        assert (await call(late, "account.status", {})).balances
        assert abs(late.clock_offset.offset_ms - 3_600_000) < 2_000
        await late.close()
