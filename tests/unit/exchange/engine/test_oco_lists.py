"""OCO: one order cancels the other (``rest-api.md``, "New Order list - OCO"; ``user-data-stream.md``)."""

from __future__ import annotations

import pytest

from cryptotrader.core.orders import ListOrderStatus, ListStatusType, Side
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.engine.events import ListUpdate, OrderUpdate
from cryptotrader.exchange.engine.order_lists import CancelledList, CancelList, ListKind, NewOrderList
from cryptotrader.exchange.engine.orders import NOT_WORKING_MS, CancelOrder, NewOrder
from tests.support.contingent_kit import (
    buy_oco,
    contingent,
    engine_at,
    is_done,
    oco,
    passes,
    sell_oco,
    state_of,
    told,
)
from tests.support.engine_kit import NOW_MS, SYMBOL, free, limit, locked, maker, of_kind, p, trade


def test_the_list_is_told_first_and_the_stop_loss_gets_the_first_id() -> None:
    engine = engine_at()
    order_list, orders, events = engine.submit_list("alice", sell_oco(), NOW_MS)
    assert told(events) == [("list", "EXECUTING"), ("1", "NEW", "NEW", "", ""), ("2", "NEW", "NEW", "works", "")]
    assert (order_list.status_type, order_list.order_status) == (ListStatusType.EXEC_STARTED, ListOrderStatus.EXECUTING)
    assert [leg.order_id for leg in order_list.legs] == [order.order_id for order in orders] == [1, 2]
    assert [order.working_ms for order in orders] == [NOT_WORKING_MS, NOW_MS]
    assert {order.order_list_id for order in orders} == {order_list.list_id}


def test_both_legs_lock_once() -> None:
    engine = engine_at()
    engine.submit_list("alice", sell_oco("2"), NOW_MS)
    assert locked(engine, "alice", "BTC") == p("2")
    engine.submit_list("bob", buy_oco("2", profit="90", price="106"), NOW_MS)
    assert locked(engine, "bob", "USDT") == p("212"), "the larger need"


def test_a_triggered_stop_expires_the_limit_leg() -> None:
    engine = engine_at()
    order_list, _, _ = engine.submit_list("alice", sell_oco("0.5", price="97", stop="97"), NOW_MS)
    events = passes(engine, 2, "97")
    assert told(events) == [
        ("2", "EXPIRED", "EXPIRED", "works", "OCO_TRIGGER"),
        ("1", "NEW", "NEW", "works", ""),
        ("list", "ALL_DONE"),
        ("1", "TRADE", "FILLED", "works", ""),
    ]
    assert is_done(engine, order_list.list_id)
    assert locked(engine, "alice", "BTC") == 0
    assert engine.book(SYMBOL).levels(Side.SELL)[-1] == (p("102"), p("2")), "the limit leg is off the book"


def test_the_first_fill_of_the_limit_leg_expires_the_stop() -> None:
    engine = engine_at()
    order_list, _, _ = engine.submit_list("alice", sell_oco("2"), NOW_MS)
    events = engine.on_trade(trade(2, "110", "0.5", sells=False), NOW_MS)
    assert told(events) == [
        ("1", "EXPIRED", "EXPIRED", "", "OCO_TRIGGER"),
        ("2", "TRADE", "PARTIALLY_FILLED", "works", ""),
    ]
    assert locked(engine, "alice", "BTC") == p("1.5")
    assert not is_done(engine, order_list.list_id)
    events = engine.on_trade(trade(3, "111", "5", sells=False), NOW_MS)
    assert told(events) == [("list", "ALL_DONE"), ("2", "TRADE", "FILLED", "works", "")]
    assert passes(engine, 4, "90") != []
    assert locked(engine, "alice", "BTC") == 0


def test_what_the_larger_leg_held_is_free_again_when_the_smaller_one_trades() -> None:
    engine = engine_at()
    engine.submit_list("alice", buy_oco("2", profit="90", price="106"), NOW_MS)
    engine.on_trade(trade(2, "90", "0.5", sells=True), NOW_MS)
    assert locked(engine, "alice", "USDT") == p("135")
    assert free(engine, "alice", "USDT") == p("10000") - p("180")


@pytest.mark.parametrize("by", ["list", "client id", "stop leg", "limit leg", "all"])
def test_a_cancel_takes_the_whole_list(by: str) -> None:
    engine = engine_at()
    order_list, orders, _ = engine.submit_list("alice", sell_oco(), NOW_MS)
    list_id = order_list.list_id
    if by == "list":
        *_, events = engine.cancel_list("alice", CancelList(symbol=SYMBOL, list_id=list_id), NOW_MS)
    elif by == "client id":
        which = CancelList(symbol=SYMBOL, client_list_id=order_list.client_list_id, new_client_order_id="gone")
        told_list, answers, events = engine.cancel_list("alice", which, NOW_MS)
        assert told_list.status_type is ListStatusType.ALL_DONE
        assert [each.client_order_id for each in answers] == ["gone", "gone"]
        assert [each.orig_client_order_id for each in answers] == [each.client_order_id for each in orders]
    elif by == "all":
        engine.submit("alice", limit("BUY", "90", "1"), NOW_MS)
        found, events = engine.cancel_all("alice", SYMBOL, NOW_MS)
        assert isinstance(found[0], CancelledList)
        assert [each.order_id for each in found[0].orders] == [1, 2]
        events = [each for each in events if not isinstance(each, OrderUpdate) or each.order.order_id < 3]
    else:
        leg = orders[0 if by == "stop leg" else 1]
        _, events = engine.cancel("alice", CancelOrder(SYMBOL, order_id=leg.order_id), NOW_MS)
    assert [each.order_list.order_status for each in of_kind(events, ListUpdate)] == [ListOrderStatus.ALL_DONE]
    assert told(events)[0] == ("list", "ALL_DONE")
    assert {state_of(engine, order) for order in orders} == {("CANCELED", "")}
    assert locked(engine, "alice", "BTC") == 0
    assert engine.open_orders("alice") == []
    assert engine.open_order_lists("alice") == []


@pytest.mark.parametrize(
    ("above", "below"),
    [
        (contingent("SELL", "TAKE_PROFIT", "110"), contingent("SELL", "STOP_LOSS", "95")),
        (contingent("SELL", "TAKE_PROFIT_LIMIT", "110", price="109"), contingent("SELL", "STOP_LOSS", "95")),
        (maker("SELL", "110", "1"), contingent("SELL", "STOP_LOSS", delta=100)),
        (contingent("BUY", "STOP_LOSS", "110"), contingent("BUY", "TAKE_PROFIT", "95")),
        (contingent("BUY", "STOP_LOSS_LIMIT", "110", price="112"), maker("BUY", "95", "1")),
    ],
)
def test_every_pair_of_types_is_taken(above: NewOrder, below: NewOrder) -> None:
    engine = engine_at()
    _, orders, _ = engine.submit_list("alice", oco(above, below), NOW_MS)
    assert orders[0].type.value.startswith("STOP_LOSS")


def test_a_take_profit_that_triggers_expires_the_stop_loss() -> None:
    engine = engine_at()
    both = oco(contingent("SELL", "TAKE_PROFIT", "105", "0.5"), contingent("SELL", "STOP_LOSS", "95", "0.5"))
    order_list, _, _ = engine.submit_list("alice", both, NOW_MS)
    assert told(passes(engine, 2, "105")) == [
        ("1", "EXPIRED", "EXPIRED", "", "OCO_TRIGGER"),
        ("2", "NEW", "NEW", "works", ""),
        ("list", "ALL_DONE"),
        ("2", "TRADE", "FILLED", "works", ""),
    ]
    assert is_done(engine, order_list.list_id)


@pytest.mark.parametrize(
    ("new", "code", "text"),
    [
        (sell_oco(profit="99.5"), -2010, "The relationship of the prices for the orders is not correct."),
        (sell_oco(stop="100"), -2010, "The relationship of the prices for the orders is not correct."),
        (buy_oco(profit="100"), -2010, "The relationship of the prices for the orders is not correct."),
        (buy_oco(stop="100"), -2010, "The relationship of the prices for the orders is not correct."),
        (oco(maker("BUY", "110", "1"), maker("BUY", "90", "1")), -1168, "At least one OCO order must be contingent."),
        (
            oco(limit("SELL", "110", "1"), contingent("SELL", "STOP_LOSS", "90")),
            -1158,
            "Order type not supported in OCO.",
        ),
        (
            oco(maker("BUY", "110", "1"), contingent("BUY", "STOP_LOSS", "90")),
            -1165,
            "A limit order in a buy OCO must be below.",
        ),
        (
            oco(contingent("SELL", "TAKE_PROFIT", "110"), maker("SELL", "90", "1")),
            -1166,
            "A limit order in a sell OCO must be above.",
        ),
        (
            oco(contingent("BUY", "STOP_LOSS", "110"), contingent("BUY", "STOP_LOSS", "90")),
            -1196,
            "A stop loss order in a buy OCO must be above.",
        ),
        (
            oco(contingent("SELL", "STOP_LOSS", "110"), contingent("SELL", "STOP_LOSS", "90")),
            -1197,
            "A stop loss order in a sell OCO must be below.",
        ),
        (
            oco(contingent("BUY", "TAKE_PROFIT", "110"), contingent("BUY", "TAKE_PROFIT", "90")),
            -1198,
            "A take profit order in a buy OCO must be below.",
        ),
        (
            oco(contingent("SELL", "TAKE_PROFIT", "110"), contingent("SELL", "TAKE_PROFIT", "90")),
            -1199,
            "A take profit order in a sell OCO must be above.",
        ),
        (sell_oco("11"), -2010, "Account has insufficient balance for requested action."),
        (
            NewOrderList(symbol=SYMBOL, kind=ListKind.OCO, legs=(maker("SELL", "110", "1"),)),
            -2010,
            "Unsupported order combination",
        ),
    ],
)
def test_a_list_that_may_not_enter_is_refused_whole(new: NewOrderList, code: int, text: str) -> None:
    engine = engine_at()
    before = engine.state()
    with pytest.raises(Refusal) as refused:
        engine.submit_list("alice", new, NOW_MS)
    assert (refused.value.code, refused.value.message) == (code, text)
    assert engine.state() == before


def test_a_limit_leg_that_would_take_refuses_the_list() -> None:
    engine = engine_at("98.5")
    with pytest.raises(Refusal, match="Order would immediately match and take"):
        engine.submit_list("alice", sell_oco(profit="99"), NOW_MS)
