"""The price range rule and the reference price (``faqs/price_range_execution_rules.md``)."""

from __future__ import annotations

import msgspec
import pytest

from cryptotrader.core.orders import OrderStatus, Side
from cryptotrader.exchange.engine.events import OrderUpdate
from cryptotrader.exchange.engine.matching.reference import ReferencePrice
from cryptotrader.exchange.engine.rules.execution_rules import PriceRange, ReferenceRule
from tests.support.engine_kit import NOW_MS, RULES, SYMBOL, limit, market, market_engine, of_kind, p, trade

NARROW = PriceRange(bid_up=p("1.01"), bid_down=p("0.5"), ask_up=p("2"), ask_down=p("0.99"))
RULED = msgspec.structs.replace(RULES, price_range=NARROW, reference=ReferenceRule(1000, 60))


@pytest.mark.parametrize("tif", ["GTC", "IOC"])
def test_a_taker_that_reaches_a_price_outside_the_range_expires_whatever_its_time_in_force(tif: str) -> None:
    engine = market_engine(RULED)
    engine.on_trade(trade(1, "100", "1", sells=True), NOW_MS)
    order, events = engine.submit("alice", limit("BUY", "102", "2", tif), NOW_MS)
    assert (order.executed, order.status) == (p("1"), OrderStatus.EXPIRED)
    assert order.expiry_reason == "EXECUTION_RULE_PRICE_RANGE_EXCEEDED"
    assert of_kind(events, OrderUpdate)[-1].order.expiry_reason == order.expiry_reason
    assert engine.book(SYMBOL).levels(Side.SELL) == [(p("102"), p("2"))]


def test_a_market_order_too_and_the_bounds_themselves_are_allowed() -> None:
    """The document: trades "within and equal to a price range"."""
    engine = market_engine(RULED)
    engine.on_trade(trade(1, "100", "1", sells=True), NOW_MS)
    order, _ = engine.submit("alice", market("SELL", "2"), NOW_MS)
    assert (order.executed, order.expiry_reason) == (p("1"), "EXECUTION_RULE_PRICE_RANGE_EXCEEDED")


def test_an_order_that_ends_before_the_bound_is_not_touched() -> None:
    engine = market_engine(RULED)
    engine.on_trade(trade(1, "100", "1", sells=True), NOW_MS)
    order, _ = engine.submit("alice", limit("BUY", "102", "1"), NOW_MS)
    assert order.status is OrderStatus.FILLED


def test_without_a_reference_price_or_a_multiplier_there_is_no_bound() -> None:
    engine = market_engine(RULED)
    order, _ = engine.submit("alice", limit("BUY", "102", "2"), NOW_MS)
    assert order.status is OrderStatus.FILLED
    assert PriceRange(bid_up=p("2")).bounds(Side.BUY, p("10")) == (0, p("20"))
    assert PriceRange(bid_up=p("2")).bounds(Side.SELL, p("10")) == (0, 0)


def test_the_reference_price_is_the_mean_of_trade_prices_and_the_oldest_bucket_counts_in_proportion() -> None:
    """The document, "How does the Matching Engine calculate the reference price?"."""
    reference = ReferencePrice(ReferenceRule(bucket_width_ms=1000, bucket_count=3))
    assert reference.value(10_000) is None
    reference.add(p("10"), 10_100)
    reference.add(p("20"), 10_900)
    reference.add(p("40"), 11_500)
    assert reference.value(11_500) == p("70") // 3
    # At 13,500 ms half of the first bucket has left the window: (15 + 40) / (1 + 1).
    assert reference.value(13_500) == p("27.5")
    assert reference.value(14_000) == p("40")
    assert reference.value(15_000) is None


def test_the_engine_tells_the_reference_price() -> None:
    engine = market_engine(RULED)
    assert engine.reference_price(SYMBOL, NOW_MS) is None
    engine.on_trade(trade(1, "100", "1", sells=True), NOW_MS)
    engine.on_trade(trade(2, "101", "5", sells=True), NOW_MS)
    assert engine.reference_price(SYMBOL, NOW_MS) == p("100.5")
    assert market_engine().reference_price(SYMBOL, NOW_MS) is None
