"""Amending in place (``faqs/order_amend_keep_priority.md``; ``errors.md``, -2038 and -2039)."""

from __future__ import annotations

import msgspec
import pytest

from cryptotrader.core.orders import ExecutionType, ListStatusType, OrderStatus, OrderType, Side
from cryptotrader.exchange.engine.engine import Engine
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.engine.events import ListUpdate, OrderUpdate
from cryptotrader.exchange.engine.order_lists import ListKind, NewOrderList
from cryptotrader.exchange.engine.orders import AmendOrder, NewOrder, Stop
from tests.support.engine_kit import (
    NOW_MS,
    RULES,
    SYMBOL,
    limit,
    locked,
    maker,
    market_engine,
    of_kind,
    p,
    trade,
)


def to(qty: str, order_id: int | None = 1, *, client_id: str | None = None, new_id: str = "") -> AmendOrder:
    return AmendOrder(
        symbol=SYMBOL, order_id=order_id, client_order_id=client_id, qty=p(qty), new_client_order_id=new_id
    )


def test_an_amended_order_keeps_its_place_and_gives_back_what_it_no_longer_needs() -> None:
    engine = market_engine()
    engine.submit("alice", limit("BUY", "100", "5.5", client_id="mine"), NOW_MS)
    engine.submit("bob", limit("BUY", "100", "4"), NOW_MS)
    amendment, order, order_list, events = engine.amend("alice", to("5"), NOW_MS + 1)
    assert (order.order_id, order.qty, order.status, order_list) == (1, p("5"), OrderStatus.NEW, None)
    assert locked(engine, "alice", "USDT") == p("500")
    assert engine.book(SYMBOL).levels(Side.BUY)[0] == (p("100"), p("9"))
    (update,) = of_kind(events, OrderUpdate)
    assert (update.execution, update.amendment) == (ExecutionType.REPLACED, amendment)
    assert (update.orig_client_order_id, update.client_order_id) == ("mine", order.client_order_id)
    engine.open_account("carol", {"BTC": p("10")})
    engine.submit("carol", limit("SELL", "100", "5"), NOW_MS)
    assert engine.order("alice", SYMBOL, order_id=1).status is OrderStatus.FILLED
    assert engine.order("bob", SYMBOL, order_id=2).executed == 0


def test_the_order_bears_the_new_id_or_one_made_for_it_or_keeps_its_own() -> None:
    """``faqs/order_amend_keep_priority.md``, "Is it possible to reuse the current clientOrderId"."""
    engine = market_engine()
    engine.submit("alice", limit("BUY", "100", "5", client_id="one"), NOW_MS)
    _, kept, _, _ = engine.amend("alice", to("4", new_id="one"), NOW_MS)
    assert (kept.client_order_id, kept.orig_client_order_id) == ("one", "one")
    _, named, _, _ = engine.amend("alice", to("3", new_id="two"), NOW_MS)
    assert (named.client_order_id, named.orig_client_order_id) == ("two", "one")
    _, made, _, _ = engine.amend("alice", to("2", None, client_id="two"), NOW_MS)
    assert made.client_order_id not in ("", "one", "two")
    with pytest.raises(Refusal, match="Order does not exist"):
        engine.order("alice", SYMBOL, client_order_id="one")
    assert engine.order("alice", SYMBOL, client_order_id=made.client_order_id).amends == 3


def test_amendments_are_remembered_with_both_ids_and_quantities() -> None:
    """``rest-api.md``, "Query Order Amendments"."""
    engine = market_engine()
    engine.submit("alice", limit("BUY", "100", "5", client_id="one"), NOW_MS)
    first, *_ = engine.amend("alice", to("4", new_id="two"), NOW_MS + 1)
    second, *_ = engine.amend("alice", to("3", new_id="three"), NOW_MS + 2)
    assert engine.amendments("alice", SYMBOL, 1) == [first, second]
    assert (first.orig_qty, first.new_qty, second.orig_qty, second.new_qty) == (p("5"), p("4"), p("4"), p("3"))
    assert (second.orig_client_order_id, second.new_client_order_id) == ("two", "three")
    assert engine.amendments("alice", SYMBOL, 1, from_execution_id=second.execution_id) == [second]
    twin = Engine([RULES])
    twin.restore(engine.state())
    assert twin.amendments("alice", SYMBOL, 1) == [first, second]


@pytest.mark.parametrize(
    ("which", "code", "text"),
    [
        (to("6"), -2038, "Order amend (quantity increase) is not supported."),
        (to("5"), -2038, "The requested action would change no state; rejecting"),
        (to("4", 9), -2038, "Unknown order sent."),
        (to("4", client_id="other"), -2039, "Client order ID is not correct for this order ID."),
        (to("0.0001"), -1013, "Filter failure: LOT_SIZE"),
        (to("0.01"), -1013, "Filter failure: NOTIONAL"),
        (to("4", new_id="taken"), -2038, "Duplicate order sent."),
    ],
)
def test_what_can_not_be_done_changes_nothing(which: AmendOrder, code: int, text: str) -> None:
    engine = market_engine()
    engine.submit("alice", limit("BUY", "98", "5", client_id="mine"), NOW_MS)
    engine.submit("alice", limit("BUY", "98", "1", client_id="taken"), NOW_MS)
    before = engine.state()
    with pytest.raises(Refusal) as refused:
        engine.amend("alice", which, NOW_MS + 1)
    assert (refused.value.code, refused.value.message) == (code, text)
    assert engine.state() == before


def test_a_symbol_may_not_amend_and_an_order_only_so_often() -> None:
    """``filters.md``, "MAX_NUM_ORDER_AMENDS"."""
    engine = market_engine(msgspec.structs.replace(RULES, amend_allowed=False))
    engine.submit("alice", limit("BUY", "98", "5"), NOW_MS)
    with pytest.raises(Refusal, match="Order amend is not supported for this symbol"):
        engine.amend("alice", to("4"), NOW_MS)
    engine = market_engine(msgspec.structs.replace(RULES, max_num_order_amends=1))
    engine.submit("alice", limit("BUY", "98", "5"), NOW_MS)
    engine.amend("alice", to("4"), NOW_MS)
    with pytest.raises(Refusal, match="MAX_NUM_ORDER_AMENDS"):
        engine.amend("alice", to("3"), NOW_MS)


def test_an_amendment_that_leaves_nothing_to_trade_ends_the_order() -> None:
    """``CHANGELOG.md``, 2026-04-02, speaks of orders that expire because of an amendment."""
    engine = market_engine()
    engine.submit("alice", limit("BUY", "100", "5"), NOW_MS)
    engine.on_trade(trade(1, "100", "3", sells=True), NOW_MS)
    amendment, order, _, events = engine.amend("alice", to("2"), NOW_MS)
    assert (amendment.new_qty, order.qty, order.executed) == (p("3"), p("3"), p("3"))
    assert order.status is OrderStatus.EXPIRED
    assert [event.execution for event in of_kind(events, OrderUpdate)] == [
        ExecutionType.REPLACED,
        ExecutionType.EXPIRED,
    ]
    assert engine.book(SYMBOL).levels(Side.BUY)[0] == (p("99"), p("1"))


def test_an_iceberg_shows_less_only_where_less_than_its_slice_is_left() -> None:
    """``faqs/order_amend_keep_priority.md``, "Can Iceberg Orders be amended?"."""
    engine = market_engine()
    engine.submit("alice", msgspec.structs.replace(limit("BUY", "100", "5"), iceberg_qty=p("2")), NOW_MS)
    engine.amend("alice", to("3"), NOW_MS)
    assert engine.book(SYMBOL).levels(Side.BUY)[0] == (p("100"), p("2"))
    engine.amend("alice", to("1.5"), NOW_MS)
    assert engine.book(SYMBOL).levels(Side.BUY)[0] == (p("100"), p("1.5"))


def leg(side: str, kind: OrderType, price: str, stop: str = "") -> NewOrder:
    return NewOrder(
        symbol=SYMBOL,
        side=Side(side),
        type=kind,
        price=p(price) if price else 0,
        qty=p("5"),
        stop=Stop(price=p(stop)) if stop else None,
    )


def test_amending_either_order_of_an_oco_amends_both_and_tells_of_the_list() -> None:
    """``faqs/order_amend_keep_priority.md``, "Can Order lists be amended?"."""
    engine = market_engine()
    engine.on_trade(trade(1, "100", "1", sells=True), NOW_MS)
    legs = (leg("SELL", OrderType.LIMIT_MAKER, "102"), leg("SELL", OrderType.STOP_LOSS_LIMIT, "95", "96"))
    engine.submit_list("alice", NewOrderList(symbol=SYMBOL, kind=ListKind.OCO, legs=legs), NOW_MS)
    _, order, order_list, events = engine.amend("alice", to("4", 2, new_id="new"), NOW_MS)
    assert [engine.order("alice", SYMBOL, order_id=order_id).qty for order_id in (1, 2)] == [p("4"), p("4")]
    assert locked(engine, "alice", "BTC") == p("4")
    (told,) = of_kind(events, ListUpdate)
    assert told.order_list.status_type is ListStatusType.UPDATED
    assert order_list == told.order_list
    assert "new" in [each.client_order_id for each in told.order_list.legs]
    assert (order.order_list_id, order.client_order_id) == (told.order_list.list_id, "new")
    assert len(of_kind(events, OrderUpdate)) == 2


def test_the_orders_of_an_oto_are_amended_one_by_one() -> None:
    engine = market_engine()
    legs = (maker("BUY", "98", "5"), leg("SELL", OrderType.MARKET, ""))
    engine.submit_list("alice", NewOrderList(symbol=SYMBOL, kind=ListKind.OTO, legs=legs), NOW_MS)
    _, order, order_list, _ = engine.amend("alice", to("4", 2), NOW_MS)
    assert (order.status, order.qty) == (OrderStatus.PENDING_NEW, p("4"))
    assert order_list is not None
    assert engine.order("alice", SYMBOL, order_id=1).qty == p("5")
    engine.amend("alice", to("3", 1), NOW_MS)
    assert engine.order("alice", SYMBOL, order_id=2).qty == p("4")


def test_the_pending_order_of_an_opo_can_not_be_amended() -> None:
    """``errors.md``: "Order amend (pending OPO order) is not supported."."""
    engine = market_engine()
    pending = msgspec.structs.replace(leg("SELL", OrderType.LIMIT, "105"), qty=0)
    legs = (maker("BUY", "98", "5"), pending)
    engine.submit_list("alice", NewOrderList(symbol=SYMBOL, kind=ListKind.OPO, legs=legs), NOW_MS)
    with pytest.raises(Refusal, match="pending OPO order"):
        engine.amend("alice", to("4", 2), NOW_MS)
