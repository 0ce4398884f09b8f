"""OTO and OTOCO: a filled order lets others begin (``rest-api.md``, "New Order list - OTO", "- OTOCO")."""

from __future__ import annotations

import pytest

from cryptotrader.core.orders import OrderStatus, OrderType, PegPriceType, Side
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.engine.order_lists import CancelList, ListKind, NewOrderList
from cryptotrader.exchange.engine.orders import NOT_WORKING_MS, AmendOrder, CancelOrder, NewOrder, Peg
from tests.support.contingent_kit import (
    contingent,
    engine_at,
    is_done,
    oto,
    passes,
    resting_buy,
    state_of,
    told,
    triggered,
)
from tests.support.engine_kit import NOW_MS, SYMBOL, diff, free, levels, limit, locked, maker, market, p, trade


def otoco(working: NewOrder, *, qty: str = "1", profit: str = "110", stop: str = "85") -> NewOrderList:
    """An OTOCO whose pending pair sells."""
    pair = (maker("SELL", profit, qty), contingent("SELL", "STOP_LOSS_LIMIT", stop, qty, price="80"))
    return triggered(ListKind.OTOCO, working, *pair)


def test_only_the_working_order_is_on_the_book() -> None:
    engine = engine_at()
    order_list, orders, events = engine.submit_list("alice", oto(resting_buy(), limit("SELL", "120", "1")), NOW_MS)
    assert told(events) == [
        ("list", "EXECUTING"),
        ("1", "NEW", "NEW", "works", ""),
        ("2", "NEW", "PENDING_NEW", "", ""),
    ]
    assert order_list.kind.contingency == "OTO"
    assert [order.working_ms for order in orders] == [NOW_MS, NOT_WORKING_MS]
    assert (p("95"), p("1")) in engine.book(SYMBOL).levels(Side.BUY)
    assert (p("120"), p("1")) not in engine.book(SYMBOL).levels(Side.SELL)
    assert [order.order_id for order in engine.open_orders("alice")] == [1, 2]


def test_both_orders_need_their_funds_when_the_list_is_placed() -> None:
    """``faqs/opo.md``: an OPO is different in that only the working order needs them."""
    engine = engine_at()
    engine.submit_list("alice", oto(resting_buy(), limit("SELL", "120", "2")), NOW_MS)
    assert (locked(engine, "alice", "USDT"), locked(engine, "alice", "BTC")) == (p("95"), p("2"))
    with pytest.raises(Refusal, match="Account has insufficient balance"):
        engine.submit_list("alice", oto(resting_buy(), limit("SELL", "120", "9")), NOW_MS)
    with pytest.raises(Refusal, match="Account has insufficient balance"):
        engine.submit_list("bob", oto(resting_buy(qty="60"), limit("BUY", "90", "60")), NOW_MS)


def test_the_pending_order_begins_when_the_working_one_is_filled_whole() -> None:
    engine = engine_at()
    order_list, _, _ = engine.submit_list("alice", oto(resting_buy(), limit("SELL", "120", "2")), NOW_MS)
    assert told(engine.on_trade(trade(2, "95", "0.4", sells=True), NOW_MS)) == [
        ("1", "TRADE", "PARTIALLY_FILLED", "works", "")
    ]
    assert told(engine.on_trade(trade(3, "95", "5", sells=True), NOW_MS + 9)) == [
        ("1", "TRADE", "FILLED", "works", ""),
        ("2", "NEW", "NEW", "works", ""),
    ]
    pending = engine.order("alice", SYMBOL, order_id=2)
    assert (pending.working_ms, pending.time_ms) == (NOW_MS + 9, NOW_MS)
    assert not is_done(engine, order_list.list_id)
    assert told(engine.on_trade(trade(4, "121", "5", sells=False), NOW_MS)) == [
        ("list", "ALL_DONE"),
        ("2", "TRADE", "FILLED", "works", ""),
    ]
    assert is_done(engine, order_list.list_id)


def test_an_answer_shows_the_pending_order_as_pending_even_if_the_working_one_is_filled_at_once() -> None:
    engine = engine_at()
    told_list, answers, events = engine.submit_list(
        "alice", oto(limit("BUY", "101", "1"), market("SELL", "0.5")), NOW_MS
    )
    assert [order.status for order in answers] == [OrderStatus.FILLED, OrderStatus.PENDING_NEW]
    assert told_list.is_open
    assert told(events)[3:] == [
        ("1", "TRADE", "FILLED", "works", ""),
        ("2", "NEW", "NEW", "works", ""),
        ("list", "ALL_DONE"),
        ("2", "TRADE", "FILLED", "works", ""),
    ]


def test_a_pending_stop_waits_once_it_is_released() -> None:
    engine = engine_at()
    engine.submit_list("alice", oto(resting_buy(), contingent("SELL", "STOP_LOSS_LIMIT", "90", price="85")), NOW_MS)
    assert told(passes(engine, 2, "96")) == []
    events = told(engine.on_trade(trade(4, "94", "5", sells=True), NOW_MS))
    assert events[-1] == ("2", "NEW", "NEW", "", "")
    assert told(passes(engine, 5, "90"))[0] == ("2", "NEW", "NEW", "works", "")


@pytest.mark.parametrize(
    ("pending", "why"),
    [
        (contingent("SELL", "STOP_LOSS", "96"), "its stop price is reached by then"),
        (maker("SELL", "93", "1"), "it would take"),
        (market("BUY", "50"), "it costs more than there is"),
    ],
)
def test_a_pending_order_that_may_not_enter_expires(pending: NewOrder, why: str) -> None:
    """``user-data-stream.md``, "Order Expiry Reason": REJECTED."""
    engine = engine_at()
    order_list, orders, _ = engine.submit_list("alice", oto(resting_buy(), pending), NOW_MS)
    engine.on_depth(diff(101, bids=levels(("99", "0"), ("98", "0"), ("94", "1"))), NOW_MS)
    if pending.side is Side.BUY:
        engine.on_depth(diff(102, asks=levels(("101", "0"), ("102", "0"), ("500", "90"))), NOW_MS)
    events = told(engine.on_trade(trade(2, "94", "5", sells=True), NOW_MS))
    assert events == [
        ("1", "TRADE", "FILLED", "works", ""),
        ("list", "ALL_DONE"),
        ("2", "EXPIRED", "EXPIRED", "", "REJECTED"),
    ], why
    assert is_done(engine, order_list.list_id)
    assert (locked(engine, "alice", "BTC"), locked(engine, "alice", "USDT")) == (0, 0)
    assert state_of(engine, orders[1]) == ("EXPIRED", "REJECTED")


@pytest.mark.parametrize("tif", ["IOC", "FOK"])
def test_a_working_order_that_expires_takes_the_pending_ones_with_it(tif: str) -> None:
    engine = engine_at()
    _, orders, events = engine.submit_list("alice", otoco(limit("BUY", "101", "5", tif)), NOW_MS)
    assert told(events)[-4:] == [
        ("list", "ALL_DONE"),
        ("1", "EXPIRED", "EXPIRED", "works", f"UNFILLED_{tif}_{'QUANTITY' if tif == 'IOC' else 'ORDER'}_EXPIRED"),
        ("2", "EXPIRED", "EXPIRED", "", "OTO_PHASE_ONE_EXPIRED"),
        ("3", "EXPIRED", "EXPIRED", "", "OTO_PHASE_ONE_EXPIRED"),
    ]
    assert (locked(engine, "alice", "BTC"), locked(engine, "alice", "USDT")) == (0, 0)
    assert orders[1].status is OrderStatus.EXPIRED


@pytest.mark.parametrize("leg", [0, 1, None])
def test_whatever_is_cancelled_the_whole_list_is(leg: int | None) -> None:
    engine = engine_at()
    order_list, orders, _ = engine.submit_list("alice", otoco(resting_buy(qty="2")), NOW_MS)
    engine.on_trade(trade(2, "95", "0.5", sells=True), NOW_MS)
    if leg is None:
        *_, events = engine.cancel_list("alice", CancelList(symbol=SYMBOL, list_id=order_list.list_id), NOW_MS)
    else:
        _, events = engine.cancel("alice", CancelOrder(SYMBOL, order_id=orders[leg].order_id), NOW_MS)
    assert told(events)[0] == ("list", "ALL_DONE")
    assert sorted(told(events)[1:]) == [
        ("1", "CANCELED", "CANCELED", "works", ""),
        ("2", "CANCELED", "CANCELED", "", ""),
        ("3", "CANCELED", "CANCELED", "", ""),
    ]
    assert (locked(engine, "alice", "BTC"), locked(engine, "alice", "USDT")) == (0, 0)
    with pytest.raises(Refusal, match="Unknown order sent"):
        engine.cancel_list("alice", CancelList(symbol=SYMBOL, list_id=order_list.list_id), NOW_MS)


def test_of_a_released_pair_one_cancels_the_other() -> None:
    engine = engine_at()
    order_list, _, _ = engine.submit_list("alice", otoco(resting_buy()), NOW_MS)
    assert locked(engine, "alice", "BTC") == p("1"), "once for both"
    assert told(engine.on_trade(trade(2, "94", "5", sells=True), NOW_MS)) == [
        ("1", "TRADE", "FILLED", "works", ""),
        ("2", "NEW", "NEW", "", ""),
        ("3", "NEW", "NEW", "works", ""),
    ]
    assert told(engine.on_trade(trade(3, "111", "5", sells=False), NOW_MS)) == [
        ("2", "EXPIRED", "EXPIRED", "", "OCO_TRIGGER"),
        ("list", "ALL_DONE"),
        ("3", "TRADE", "FILLED", "works", ""),
    ]
    assert is_done(engine, order_list.list_id)
    assert free(engine, "alice", "BTC") + locked(engine, "alice", "BTC") == p("9.999")


def test_a_cancel_of_one_of_a_released_pair_cancels_the_other() -> None:
    engine = engine_at()
    order_list, orders, _ = engine.submit_list("alice", otoco(resting_buy()), NOW_MS)
    engine.on_trade(trade(2, "94", "5", sells=True), NOW_MS)
    answer, events = engine.cancel("alice", CancelOrder(SYMBOL, order_id=3, new_client_order_id="x"), NOW_MS)
    assert told(events) == [
        ("list", "ALL_DONE"),
        ("3", "CANCELED", "CANCELED", "works", ""),
        ("2", "CANCELED", "CANCELED", "", ""),
    ]
    assert answer.client_order_id == "x"
    assert state_of(engine, orders[0]) == ("FILLED", "")
    assert is_done(engine, order_list.list_id)


def test_a_released_pair_of_which_one_may_not_enter_expires_whole() -> None:
    """The other one goes because "the entire OCO expired" (``user-data-stream.md``, "Order Expiry Reason")."""
    engine = engine_at()
    engine.submit_list("alice", otoco(resting_buy(), stop="94.5"), NOW_MS)
    assert told(engine.on_trade(trade(2, "94", "5", sells=True), NOW_MS)) == [
        ("1", "TRADE", "FILLED", "works", ""),
        ("list", "ALL_DONE"),
        ("2", "EXPIRED", "EXPIRED", "", "REJECTED"),
        ("3", "EXPIRED", "EXPIRED", "", "OCO_TRIGGER"),
    ]
    assert locked(engine, "alice", "BTC") == 0


def test_a_pending_pair_may_be_named_the_other_way_round() -> None:
    """``web-socket-api.md``, OTOCO: the request of the example names a stop loss as the one above of a sell."""
    engine = engine_at()
    pair = (contingent("SELL", "STOP_LOSS", "85"), maker("SELL", "110", "1"))
    _, orders, _ = engine.submit_list("alice", triggered(ListKind.OTOCO, resting_buy(), *pair), NOW_MS)
    assert [order.type.value for order in orders] == ["LIMIT", "STOP_LOSS", "LIMIT_MAKER"]


@pytest.mark.parametrize(
    ("new", "code"),
    [
        (oto(market("BUY", "1"), limit("SELL", "120", "1")), -2010),
        (oto(resting_buy(), market("SELL", quote="50")), -2010),
        (triggered(ListKind.OTOCO, resting_buy(), maker("SELL", "110", "1"), maker("SELL", "111", "1")), -1168),
        (otoco(resting_buy(), profit="80", stop="85"), -2010),
    ],
)
def test_a_list_of_the_wrong_orders_is_refused(new: NewOrderList, code: int) -> None:
    engine = engine_at()
    before = engine.state_hash()
    with pytest.raises(Refusal) as refused:
        engine.submit_list("alice", new, NOW_MS)
    assert refused.value.code == code
    assert engine.state_hash() == before


def test_names_are_unique_among_what_is_open() -> None:
    """``rest-api.md``: ``listClientOrderId`` and the client ids of the legs."""
    engine = engine_at()
    named = limit("BUY", "95", "1", client_id="w")
    one = triggered(ListKind.OTO, named, limit("SELL", "120", "1", client_id="p"), client_id="list")
    order_list, _, _ = engine.submit_list("alice", one, NOW_MS)
    assert order_list.client_list_id == "list"
    for new in (
        triggered(ListKind.OTO, resting_buy(), limit("SELL", "120", "1"), client_id="list"),
        oto(resting_buy(), limit("SELL", "120", "1", client_id="p")),
        oto(limit("BUY", "95", "1", client_id="q"), limit("SELL", "120", "1", client_id="q")),
    ):
        with pytest.raises(Refusal, match="Duplicate order sent"):
            engine.submit_list("alice", new, NOW_MS)
    with pytest.raises(Refusal, match="Duplicate order sent"):
        engine.submit("alice", limit("BUY", "90", "1", client_id="p"), NOW_MS)
    engine.cancel_list("alice", CancelList(symbol=SYMBOL, client_list_id="list"), NOW_MS)
    again, _, _ = engine.submit_list("alice", one, NOW_MS)
    assert engine.order_list("alice", client_list_id="list").list_id == again.list_id


def test_an_amended_working_order_releases_the_pending_one_when_its_new_quantity_is_filled() -> None:
    engine = engine_at()
    engine.submit_list("alice", oto(resting_buy(qty="2"), limit("SELL", "120", "1")), NOW_MS)
    engine.amend("alice", AmendOrder(symbol=SYMBOL, order_id=1, qty=p("1")), NOW_MS)
    assert locked(engine, "alice", "USDT") == p("95")
    assert told(engine.on_trade(trade(2, "94", "1", sells=True), NOW_MS))[-1] == ("2", "NEW", "NEW", "works", "")


def test_pegged_legs_take_their_price_when_they_enter() -> None:
    """``faqs/pegged_orders.md``, "OTO and OTOCO"."""
    engine = engine_at()
    best = Peg(PegPriceType.PRIMARY_PEG)
    working, pending = (
        NewOrder(symbol=SYMBOL, side=Side(side), type=OrderType.LIMIT, qty=p("1"), peg=best) for side in ("BUY", "SELL")
    )
    _, orders, _ = engine.submit_list("alice", oto(working, pending), NOW_MS)
    assert [order.price for order in orders] == [p("99"), 0]
    assert locked(engine, "alice", "USDT") == p("99")
    engine.on_depth(diff(101, asks=levels(("100.5", "1"))), NOW_MS)
    engine.on_trade(trade(2, "98", "5", sells=True), NOW_MS)
    assert engine.order("alice", SYMBOL, order_id=2).price == p("100.5")
    assert locked(engine, "alice", "BTC") == p("1")
