"""OPO and OPOCO: the pending orders sell what the working one bought (``faqs/opo.md``)."""

from __future__ import annotations

import pytest

from cryptotrader.core.orders import OrderType, Side
from cryptotrader.exchange.engine.accounts import Fees
from cryptotrader.exchange.engine.engine import Engine
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.engine.order_lists import CancelList, ListKind, NewOrderList
from cryptotrader.exchange.engine.orders import NewOrder
from tests.support.contingent_kit import (
    contingent,
    engine_at,
    is_done,
    passes,
    resting_buy,
    state_of,
    told,
    triggered,
)
from tests.support.engine_kit import NOW_MS, SYMBOL, free, limit, locked, maker, p, trade


def opo(working: NewOrder, *pending: NewOrder) -> NewOrderList:
    """An OPO, with two pending orders an OPOCO."""
    return triggered(ListKind.OPO if len(pending) == 1 else ListKind.OPOCO, working, *pending)


def sell(price: str = "120") -> NewOrder:
    """A pending order, of which only the fills of the working one say how much."""
    return limit("SELL", price, "0")


def pair() -> tuple[NewOrder, NewOrder]:
    """A pending pair without a quantity."""
    return maker("SELL", "110", "0"), contingent("SELL", "STOP_LOSS_LIMIT", "85", "", price="80")


def with_carol(*, btc: str = "0", fees: Fees | None = None) -> Engine:
    """The kit's engine with one account more, which has USDT and perhaps BTC."""
    engine = engine_at()
    engine.open_account("carol", {"USDT": p("10000"), "BTC": p(btc)}, fees)
    return engine


def test_only_the_working_order_needs_funds() -> None:
    engine = with_carol()
    _, orders, _ = engine.submit_list("carol", opo(resting_buy(), sell()), NOW_MS)
    assert (locked(engine, "carol", "USDT"), locked(engine, "carol", "BTC")) == (p("95"), 0)
    assert orders[1].qty == 0


def test_what_is_bought_is_locked_until_the_pending_order_is_placed() -> None:
    engine = with_carol()
    engine.submit_list("carol", opo(resting_buy(), sell()), NOW_MS)
    engine.on_trade(trade(2, "95", "0.4", sells=True), NOW_MS)
    assert (free(engine, "carol", "BTC"), locked(engine, "carol", "BTC")) == (0, p("0.3996"))


def test_the_quantity_is_what_was_bought_less_commission_in_whole_lots() -> None:
    engine = with_carol()
    engine.submit_list("carol", opo(resting_buy(), sell()), NOW_MS)
    engine.on_trade(trade(2, "95", "0.4", sells=True), NOW_MS)
    events = told(engine.on_trade(trade(3, "94", "5", sells=True), NOW_MS))
    assert events[-1] == ("2", "NEW", "NEW", "works", "")
    assert engine.order("carol", SYMBOL, order_id=2).qty == p("0.999")
    assert (free(engine, "carol", "BTC"), locked(engine, "carol", "BTC")) == (0, p("0.999"))


def test_what_is_left_of_whole_lots_is_free_again() -> None:
    engine = with_carol(fees=Fees(maker_bps=5, taker_bps=5))
    engine.submit_list("carol", opo(resting_buy(), sell()), NOW_MS)
    engine.on_trade(trade(2, "94", "5", sells=True), NOW_MS)
    assert (free(engine, "carol", "BTC"), locked(engine, "carol", "BTC")) == (p("0.0005"), p("0.999"))


def test_commission_is_taken_from_other_free_funds_where_there_are_enough() -> None:
    engine = with_carol(btc="0.001")
    engine.submit_list("carol", opo(resting_buy(), sell()), NOW_MS)
    engine.on_trade(trade(2, "94", "5", sells=True), NOW_MS)
    assert engine.order("carol", SYMBOL, order_id=2).qty == p("1")
    assert (free(engine, "carol", "BTC"), locked(engine, "carol", "BTC")) == (0, p("1"))


def test_a_cancel_frees_what_was_bought_so_far() -> None:
    engine = with_carol()
    order_list, _, _ = engine.submit_list("carol", opo(resting_buy(), sell()), NOW_MS)
    engine.on_trade(trade(2, "95", "0.4", sells=True), NOW_MS)
    engine.cancel_list("carol", CancelList(symbol=SYMBOL, list_id=order_list.list_id), NOW_MS)
    assert (free(engine, "carol", "BTC"), locked(engine, "carol", "BTC")) == (p("0.3996"), 0)
    assert (free(engine, "carol", "USDT"), locked(engine, "carol", "USDT")) == (p("9962"), 0)


def test_a_quantity_that_breaks_a_filter_expires_the_pending_order() -> None:
    """The quantity is evaluated after the working order is filled; here its value is below NOTIONAL."""
    engine = with_carol()
    small = opo(resting_buy(qty="0.054"), limit("SELL", "93", "0"))
    order_list, orders, _ = engine.submit_list("carol", small, NOW_MS)
    events = told(engine.on_trade(trade(2, "94", "5", sells=True), NOW_MS))
    assert events[1:] == [("list", "ALL_DONE"), ("2", "EXPIRED", "EXPIRED", "", "REJECTED")]
    assert state_of(engine, orders[1]) == ("EXPIRED", "REJECTED")
    assert is_done(engine, order_list.list_id, "carol")
    assert locked(engine, "carol", "BTC") == 0


def test_a_pair_sells_once_what_was_bought() -> None:
    engine = with_carol()
    order_list, _, _ = engine.submit_list("carol", opo(resting_buy(), *pair()), NOW_MS)
    engine.on_trade(trade(2, "94", "5", sells=True), NOW_MS)
    assert {engine.order("carol", SYMBOL, order_id=each).qty for each in (2, 3)} == {p("0.999")}
    assert locked(engine, "carol", "BTC") == p("0.999")
    assert told(passes(engine, 3, "85"))[:2] == [
        ("3", "EXPIRED", "EXPIRED", "works", "OCO_TRIGGER"),
        ("2", "NEW", "NEW", "works", ""),
    ]
    assert is_done(engine, order_list.list_id, "carol")
    assert locked(engine, "carol", "BTC") == 0


def test_a_pending_market_order_sells_at_once() -> None:
    engine = with_carol()
    now = opo(limit("BUY", "101", "1"), NewOrder(symbol=SYMBOL, side=Side.SELL, type=OrderType.MARKET))
    *_, events = engine.submit_list("carol", now, NOW_MS)
    assert told(events)[-1] == ("2", "TRADE", "FILLED", "works", "")
    assert engine.order("carol", SYMBOL, order_id=2).executed == p("0.999")


@pytest.mark.parametrize(
    ("new", "code", "text"),
    [
        (opo(limit("SELL", "120", "1"), sell()), -1222, "Working order in an OPO list must be a bid."),
        (opo(resting_buy(), limit("BUY", "90", "0")), -1223, "Pending orders in an OPO list must be asks."),
    ],
)
def test_only_buying_before_selling_is_taken(new: NewOrderList, code: int, text: str) -> None:
    engine = with_carol()
    with pytest.raises(Refusal) as refused:
        engine.submit_list("carol", new, NOW_MS)
    assert (refused.value.code, refused.value.message) == (code, text)
