"""Stop-loss and take-profit orders (``rest-api.md``, "New order"; ``enums.md``; ``user-data-stream.md``)."""

from __future__ import annotations

import msgspec
import pytest

from cryptotrader.core.orders import OrderStatus, OrderType, PegOffsetType, PegPriceType, Side
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.engine.events import OrderUpdate, TradePrinted
from cryptotrader.exchange.engine.orders import NOT_WORKING_MS, CancelOrder, Peg
from tests.support.contingent_kit import contingent, engine_at, passes, state_of, told
from tests.support.engine_kit import (
    NOW_MS,
    SYMBOL,
    diff,
    free,
    levels,
    limit,
    locked,
    market,
    market_engine,
    of_kind,
    p,
    trade,
)


def test_a_stop_waits_off_the_book_with_its_funds_locked() -> None:
    engine = engine_at()
    order, events = engine.submit("alice", contingent("SELL", "STOP_LOSS_LIMIT", "95", "2", price="94"), NOW_MS)
    assert (order.status, order.is_working, order.working_ms) == (OrderStatus.NEW, False, NOT_WORKING_MS)
    assert told(events) == [("1", "NEW", "NEW", "", "")]
    assert locked(engine, "alice", "BTC") == p("2")
    assert engine.book(SYMBOL).levels(Side.SELL) == [(p("101"), p("1")), (p("102"), p("2"))]
    assert [each.order_id for each in engine.open_orders("alice")] == [order.order_id]


@pytest.mark.parametrize(
    ("side", "kind", "at", "before", "reached"),
    [
        ("BUY", "STOP_LOSS_LIMIT", "105", "104.99", "105"),
        ("SELL", "TAKE_PROFIT_LIMIT", "105", "104.99", "106"),
        ("SELL", "STOP_LOSS_LIMIT", "95", "95.01", "95"),
        ("BUY", "TAKE_PROFIT_LIMIT", "95", "95.01", "94"),
    ],
)
def test_each_kind_triggers_on_its_side_of_the_market(side: str, kind: str, at: str, before: str, reached: str) -> None:
    engine = engine_at()
    price = "80" if side == "BUY" else "120"
    order, _ = engine.submit("alice", contingent(side, kind, at, price=price), NOW_MS)
    held = locked(engine, "alice", "USDT" if side == "BUY" else "BTC")
    assert told(passes(engine, 2, before)) == []
    assert told(passes(engine, 3, reached)) == [("1", "NEW", "NEW", "works", "")]
    order = engine.order("alice", SYMBOL, order_id=order.order_id)
    assert (order.is_working, order.working_ms, order.type) == (True, NOW_MS + 3, OrderType(kind))
    assert (p(price), p("1")) in engine.book(SYMBOL).levels(Side(side))
    assert locked(engine, "alice", "USDT" if side == "BUY" else "BTC") == held


@pytest.mark.parametrize(
    ("side", "kind", "at"),
    [
        ("BUY", "STOP_LOSS", "100"),
        ("SELL", "TAKE_PROFIT", "99"),
        ("SELL", "STOP_LOSS_LIMIT", "100"),
        ("BUY", "TAKE_PROFIT_LIMIT", "101"),
    ],
)
def test_a_stop_price_that_the_market_has_reached_is_refused(side: str, kind: str, at: str) -> None:
    engine = engine_at()
    with pytest.raises(Refusal) as refused:
        engine.submit("alice", contingent(side, kind, at, price="100" if "LIMIT" in kind else ""), NOW_MS)
    assert (refused.value.code, refused.value.message) == (-2010, "Order would trigger immediately.")
    assert engine.open_orders("alice") == []


def test_before_any_trade_every_stop_price_may_wait() -> None:
    engine = market_engine()
    engine.submit("alice", contingent("SELL", "STOP_LOSS", "150"), NOW_MS)
    assert told(passes(engine, 1, "100"))[0] == ("1", "NEW", "NEW", "works", "")


def test_a_stop_without_a_price_takes_the_market() -> None:
    engine = engine_at()
    order, _ = engine.submit("alice", contingent("SELL", "STOP_LOSS", "95", "2"), NOW_MS)
    events = passes(engine, 2, "95")
    assert told(events) == [
        ("1", "NEW", "NEW", "works", ""),
        ("1", "TRADE", "PARTIALLY_FILLED", "works", ""),
        ("1", "TRADE", "FILLED", "works", ""),
    ]
    assert [(each.trade.price, each.trade.qty) for each in of_kind(events, TradePrinted)] == [
        (p("95"), p("0.001")),
        (p("99"), p("1")),
        (p("98"), p("1")),
    ]
    assert engine.order("alice", SYMBOL, order_id=order.order_id).executed == p("2")
    assert (locked(engine, "alice", "BTC"), free(engine, "alice", "BTC")) == (0, p("8"))


def test_a_buy_without_a_price_locks_what_it_costs_at_its_stop_price() -> None:
    engine = engine_at()
    engine.submit("alice", contingent("BUY", "STOP_LOSS", "105", "2"), NOW_MS)
    assert locked(engine, "alice", "USDT") == p("210")


def test_a_triggered_buy_that_costs_more_than_there_is_expires() -> None:
    """``user-data-stream.md``, "Order Expiry Reason": REJECTED, of which lack of funds is a common reason."""
    engine = engine_at()
    order, _ = engine.submit("alice", contingent("BUY", "STOP_LOSS", "105", "2"), NOW_MS)
    engine.submit("alice", limit("BUY", "50", "195"), NOW_MS)
    engine.on_depth(diff(101, asks=levels(("101", "0"), ("102", "0"), ("130", "9"))), NOW_MS)
    events = passes(engine, 2, "105")
    assert told(events) == [("1", "EXPIRED", "EXPIRED", "", "REJECTED")]
    assert [each.reason for each in of_kind(events, OrderUpdate)] == ["INSUFFICIENT_BALANCES"]
    assert state_of(engine, order) == ("EXPIRED", "REJECTED")
    assert locked(engine, "alice", "USDT") == p("9750")


def test_a_triggered_buy_may_cost_more_than_it_held() -> None:
    engine = engine_at()
    engine.submit("alice", contingent("BUY", "STOP_LOSS", "105", "2"), NOW_MS)
    engine.on_depth(diff(101, asks=levels(("101", "0"), ("102", "0"), ("130", "9"))), NOW_MS)
    assert told(passes(engine, 2, "105"))[-1] == ("1", "TRADE", "FILLED", "works", "")
    assert (locked(engine, "alice", "USDT"), free(engine, "alice", "USDT")) == (0, p("9740"))


def test_a_triggered_order_that_breaks_a_filter_by_then_expires() -> None:
    """``filters.md``, PERCENT_PRICE_BY_SIDE: the average price has moved since the order was accepted."""
    engine = engine_at()
    engine.submit("alice", contingent("SELL", "TAKE_PROFIT_LIMIT", "200", price="25"), NOW_MS)
    for trade_id in range(2, 40):
        events = engine.on_trade(trade(trade_id, "199", "1000", sells=False), NOW_MS)
    events = engine.on_trade(trade(40, "200", "1", sells=False), NOW_MS)
    assert told(events) == [("1", "EXPIRED", "EXPIRED", "", "REJECTED")]
    assert locked(engine, "alice", "BTC") == 0


@pytest.mark.parametrize(
    ("tif", "reason"), [("IOC", "UNFILLED_IOC_QUANTITY_EXPIRED"), ("FOK", "UNFILLED_FOK_ORDER_EXPIRED")]
)
def test_a_triggered_order_that_may_not_rest_expires_with_its_own_reason(tif: str, reason: str) -> None:
    engine = engine_at()
    engine.submit("alice", contingent("SELL", "STOP_LOSS_LIMIT", "95", "9", price="98", tif=tif), NOW_MS)
    assert told(passes(engine, 2, "95"))[-1] == ("1", "EXPIRED", "EXPIRED", "works", reason)
    assert locked(engine, "alice", "BTC") == 0


def test_a_triggered_market_order_expires_where_the_book_ends() -> None:
    engine = engine_at()
    engine.submit("alice", contingent("SELL", "STOP_LOSS", "95", "9"), NOW_MS)
    events = told(passes(engine, 2, "95"))
    assert events[-1] == ("1", "EXPIRED", "EXPIRED", "works", "INSUFFICIENT_LIQUIDITY")
    assert engine.order("alice", SYMBOL, order_id=1).executed == p("3")


def test_trades_of_triggered_orders_trigger_others_in_order_of_time() -> None:
    """One trade triggers the first; what it sells at 98 triggers two more, the older first."""
    engine = engine_at()
    engine.submit("alice", contingent("SELL", "STOP_LOSS", "99.5", "2"), NOW_MS)
    engine.submit("bob", contingent("SELL", "STOP_LOSS_LIMIT", "98", "1", price="150"), NOW_MS)
    engine.submit("alice", contingent("SELL", "STOP_LOSS_LIMIT", "99", "1", price="151"), NOW_MS)
    events = told(engine.submit("bob", market("SELL", "0.5"), NOW_MS)[1])
    assert [said for said in events if said[1] == "NEW"] == [
        ("4", "NEW", "NEW", "works", ""),
        ("1", "NEW", "NEW", "works", ""),
        ("3", "NEW", "NEW", "works", ""),
        ("2", "NEW", "NEW", "works", ""),
    ]
    assert engine.book(SYMBOL).waiting is None


def test_a_market_order_is_answered_before_what_it_triggers_happens() -> None:
    engine = engine_at()
    engine.submit("alice", contingent("BUY", "STOP_LOSS", "101", "1"), NOW_MS)
    answer, events = engine.submit("bob", market("BUY", "0.5"), NOW_MS)
    assert answer.status is OrderStatus.FILLED
    ids = [said[0] for said in told(events)]
    assert ids == ["2", "2", "1", "1", "1"]


def test_a_user_s_trade_triggers_as_the_source_s_does_even_if_the_source_s_is_eaten_whole() -> None:
    engine = engine_at()
    engine.submit("bob", limit("BUY", "97", "1"), NOW_MS)
    engine.submit("alice", contingent("SELL", "STOP_LOSS_LIMIT", "97", "1", price="120"), NOW_MS)
    events = engine.on_trade(trade(2, "96", "0.5", sells=True), NOW_MS)
    assert [each.trade.price for each in of_kind(events, TradePrinted)] == [p("97")]
    assert told(events)[-1] == ("2", "NEW", "NEW", "works", "")


def test_a_waiting_stop_is_cancelled_and_frees_what_it_held() -> None:
    engine = engine_at()
    order, _ = engine.submit("alice", contingent("BUY", "STOP_LOSS_LIMIT", "105", "1", price="106"), NOW_MS)
    engine.cancel("alice", CancelOrder(SYMBOL, order_id=order.order_id), NOW_MS)
    assert locked(engine, "alice", "USDT") == 0
    assert told(passes(engine, 2, "110")) == []


def test_a_stop_needs_its_funds_at_once() -> None:
    engine = engine_at()
    with pytest.raises(Refusal, match="Account has insufficient balance"):
        engine.submit("alice", contingent("SELL", "STOP_LOSS", "95", "11"), NOW_MS)
    with pytest.raises(Refusal, match="Account has insufficient balance"):
        engine.submit("alice", contingent("BUY", "STOP_LOSS", "105", "99"), NOW_MS)


def test_a_stop_without_any_condition_is_refused() -> None:
    engine = engine_at()
    with pytest.raises(Refusal):
        engine.submit("alice", contingent("SELL", "STOP_LOSS"), NOW_MS)


def test_a_pegged_stop_takes_its_price_from_the_book_when_it_triggers() -> None:
    """``faqs/pegged_orders.md``, "Stop-limit orders"; it is checked again then."""
    engine = engine_at()
    pegged = msgspec.structs.replace(
        contingent("SELL", "STOP_LOSS_LIMIT", "95"), peg=Peg(PegPriceType.PRIMARY_PEG, PegOffsetType.PRICE_LEVEL, 1)
    )
    order, _ = engine.submit("alice", pegged, NOW_MS)
    assert (order.price, locked(engine, "alice", "BTC")) == (0, p("1"))
    engine.on_depth(diff(101, asks=levels(("103", "1"))), NOW_MS)
    passes(engine, 2, "95")
    assert engine.order("alice", SYMBOL, order_id=order.order_id).price == p("102")


def test_a_pegged_stop_expires_where_the_book_has_no_such_level() -> None:
    engine = engine_at()
    pegged = msgspec.structs.replace(
        contingent("BUY", "STOP_LOSS_LIMIT", "105"), peg=Peg(PegPriceType.PRIMARY_PEG, PegOffsetType.PRICE_LEVEL, 50)
    )
    engine.submit("alice", pegged, NOW_MS)
    assert locked(engine, "alice", "USDT") == p("105"), "what it costs at its stop price"
    assert told(passes(engine, 2, "105")) == [("1", "EXPIRED", "EXPIRED", "", "REJECTED")]
    assert locked(engine, "alice", "USDT") == 0
