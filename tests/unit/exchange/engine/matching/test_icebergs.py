"""Iceberg orders: one slice shown, the next joins the end of the queue (``web-socket-api.md``, "Place new order")."""

from __future__ import annotations

import msgspec
import pytest

from cryptotrader.core.orders import OrderStatus, Side
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.engine.events import DepthChanged
from cryptotrader.exchange.engine.orders import NewOrder
from tests.support.engine_kit import (
    NOW_MS,
    SYMBOL,
    diff,
    levels,
    limit,
    locked,
    maker,
    market,
    market_engine,
    of_kind,
    p,
    snapshot,
    trade,
)


def iceberg(side: str, price: str, qty: str, shown: str) -> NewOrder:
    return msgspec.structs.replace(limit(side, price, qty), iceberg_qty=p(shown))


def test_the_book_shows_a_slice_and_the_whole_is_locked() -> None:
    engine = market_engine()
    engine.submit("alice", iceberg("BUY", "100", "5", "2"), NOW_MS)
    assert engine.book(SYMBOL).levels(Side.BUY)[0] == (p("100"), p("2"))
    assert locked(engine, "alice", "USDT") == p("500")
    (shown,) = of_kind(engine.on_depth(diff(101), NOW_MS), DepthChanged)
    assert shown.diff.bids == levels(("100", "2"))


def test_the_next_slice_goes_behind_who_came_meanwhile() -> None:
    engine = market_engine()
    engine.submit("alice", iceberg("BUY", "100", "5", "2"), NOW_MS)
    engine.submit("bob", limit("BUY", "100", "1"), NOW_MS)
    engine.open_account("carol", {"BTC": p("10")})
    engine.submit("carol", limit("SELL", "100", "2", "IOC"), NOW_MS)
    assert engine.order("alice", SYMBOL, order_id=1).executed == p("2")
    assert engine.book(SYMBOL).levels(Side.BUY)[0] == (p("100"), p("3"))
    engine.submit("carol", limit("SELL", "100", "1", "IOC"), NOW_MS)
    assert engine.order("bob", SYMBOL, order_id=2).status is OrderStatus.FILLED


def test_hidden_quantity_trades_after_all_that_is_shown_at_its_price_and_before_the_next_price() -> None:
    engine = market_engine()
    engine.on_snapshot(snapshot(levels(("100", "0.5"), ("99", "1")), levels(("101", "1")), 200), NOW_MS)
    engine.submit("alice", iceberg("BUY", "100", "2.5", "1"), NOW_MS)
    engine.submit("bob", limit("BUY", "100", "1"), NOW_MS)
    engine.open_account("carol", {"BTC": p("10")})
    taker, _ = engine.submit("carol", market("SELL", "4.5"), NOW_MS)
    assert [(fill.price, fill.qty) for fill in taker.fills] == [
        (p("100"), p("0.5")),
        (p("100"), p("1")),
        (p("100"), p("1")),
        (p("100"), p("1")),
        (p("100"), p("0.5")),
        (p("99"), p("0.5")),
    ]
    assert engine.order("alice", SYMBOL, order_id=1).status is OrderStatus.FILLED


def test_two_icebergs_take_turns() -> None:
    engine = market_engine()
    engine.submit("alice", iceberg("BUY", "100", "3", "1"), NOW_MS)
    engine.submit("bob", iceberg("BUY", "100", "4", "2"), NOW_MS)
    engine.open_account("carol", {"BTC": p("10")})
    taker, events = engine.submit("carol", limit("SELL", "100", "5", "IOC"), NOW_MS)
    assert [fill.qty for fill in taker.fills] == [p("1"), p("2"), p("1"), p("1")]
    assert engine.book(SYMBOL).levels(Side.BUY)[0] == (p("100"), p("2"))
    assert engine.order("bob", SYMBOL, order_id=2).executed == p("3")
    assert events


def test_a_trade_of_the_market_fills_the_slice_that_is_shown() -> None:
    engine = market_engine()
    engine.submit("alice", iceberg("BUY", "100", "5", "2"), NOW_MS)
    engine.on_trade(trade(1, "100", "9", sells=True), NOW_MS)
    assert engine.order("alice", SYMBOL, order_id=1).executed == p("2")
    engine.on_trade(trade(2, "99.5", "9", sells=True), NOW_MS)
    assert engine.order("alice", SYMBOL, order_id=1).status is OrderStatus.FILLED


def test_liquidity_beyond_its_price_fills_slice_after_slice() -> None:
    engine = market_engine()
    engine.submit("alice", iceberg("BUY", "100", "3", "1"), NOW_MS)
    engine.submit("bob", limit("BUY", "100", "1"), NOW_MS)
    engine.on_depth(diff(101, asks=levels(("99.9", "2.5"))), NOW_MS)
    assert engine.order("alice", SYMBOL, order_id=1).executed == p("1.5")
    assert engine.order("bob", SYMBOL, order_id=2).status is OrderStatus.FILLED
    assert engine.book(SYMBOL).levels(Side.SELL)[0] == (p("101"), p("1"))


def test_an_iceberg_is_good_till_cancelled_and_its_slice_smaller_than_the_order() -> None:
    """``rest-api.md``: any order with an ``icebergQty`` must be GTC; ``errors.md``: "IcebergQty exceeds QTY."."""
    engine = market_engine()
    with pytest.raises(Refusal, match="Unsupported order combination"):
        engine.submit("alice", msgspec.structs.replace(iceberg("BUY", "100", "5", "2"), time_in_force="IOC"), NOW_MS)
    with pytest.raises(Refusal, match="IcebergQty exceeds QTY"):
        engine.submit("alice", iceberg("BUY", "100", "1", "2"), NOW_MS)
    post = msgspec.structs.replace(maker("BUY", "100", "3"), iceberg_qty=p("1"))
    engine.submit("alice", post, NOW_MS)
    assert engine.book(SYMBOL).levels(Side.BUY)[0] == (p("100"), p("1"))


def test_self_trade_prevention_expires_the_hidden_part_as_well() -> None:
    engine = market_engine()
    engine.submit("alice", iceberg("BUY", "100", "5", "2"), NOW_MS)
    taker = msgspec.structs.replace(limit("SELL", "100", "3"), self_trade_prevention_mode="EXPIRE_MAKER")
    order, _ = engine.submit("alice", taker, NOW_MS)
    assert engine.order("alice", SYMBOL, order_id=1).prevented_qty == p("5")
    assert (order.status, len(order.prevented_matches)) == (OrderStatus.NEW, 1)
    assert locked(engine, "alice", "USDT") == 0
