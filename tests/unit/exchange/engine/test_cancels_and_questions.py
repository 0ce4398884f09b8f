"""Cancels, queries, deposits, saving and restoring (S0-25 to S0-30)."""

from __future__ import annotations

import msgspec
import pytest

from cryptotrader.core.orders import ExecutionType, OrderStatus, Side
from cryptotrader.exchange.engine.accounts import Fees, FillQuery, Period
from cryptotrader.exchange.engine.engine import Engine
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.engine.events import BalanceAdjusted, BalancesChanged, OrderUpdate
from cryptotrader.exchange.engine.orders import CancelOrder, Order
from cryptotrader.exchange.engine.records import AccountState, EngineState
from tests.support.engine_kit import (
    NOW_MS,
    RULES,
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
    snapshot,
    trade,
)


def test_a_cancel_answers_with_its_own_id_and_the_orders_as_original() -> None:
    """rest-api.md, "Cancel order": origClientOrderId is the order's, clientOrderId the cancel's; c and C alike."""
    engine = market_engine()
    engine.submit("alice", limit("BUY", "100", "1", client_id="mine"), NOW_MS)
    answer, events = engine.cancel(
        "alice", CancelOrder(SYMBOL, client_order_id="mine", new_client_order_id="away"), NOW_MS + 5
    )
    assert (answer.status, answer.client_order_id, answer.orig_client_order_id) == (
        OrderStatus.CANCELED,
        "away",
        "mine",
    )
    (update,) = of_kind(events, OrderUpdate)
    assert (update.execution, update.client_order_id, update.orig_client_order_id) == (
        ExecutionType.CANCELED,
        "away",
        "mine",
    )
    assert update.order.client_order_id == "mine"
    assert update.order.update_ms == NOW_MS + 5
    assert (free(engine, "alice", "USDT"), locked(engine, "alice", "USDT")) == (p("10000"), 0)
    assert engine.book(SYMBOL).levels(Side.BUY)[0] == (p("99"), p("1"))


def test_a_cancel_makes_an_id_where_none_is_given() -> None:
    engine = market_engine()
    order, _ = engine.submit("alice", limit("BUY", "100", "1"), NOW_MS)
    answer, _ = engine.cancel("alice", CancelOrder(SYMBOL, order_id=order.order_id), NOW_MS)
    assert len(answer.client_order_id) == 22
    assert answer.client_order_id != order.client_order_id


def test_only_ones_own_open_orders_can_be_cancelled() -> None:
    """errors.md: -2011 "Unknown order sent."."""
    engine = market_engine()
    order, _ = engine.submit("alice", limit("BUY", "100", "1", client_id="mine"), NOW_MS)
    engine.cancel("alice", CancelOrder(SYMBOL, order_id=order.order_id), NOW_MS)
    resting, _ = engine.submit("alice", limit("BUY", "100", "1", client_id="other"), NOW_MS)
    for account, order_id, client_id in (
        ("alice", order.order_id, None),
        ("bob", resting.order_id, None),
        ("alice", 999, None),
        ("alice", None, "nobody"),
        ("alice", resting.order_id, "mine"),
        ("alice", None, None),
    ):
        with pytest.raises(Refusal) as caught:
            engine.cancel(account, CancelOrder(SYMBOL, order_id=order_id, client_order_id=client_id), NOW_MS)
        assert (caught.value.code, caught.value.message) == (-2011, "Unknown order sent.")


def test_cancel_all_ends_every_open_order_of_the_symbol_or_is_refused_where_there_is_none() -> None:
    engine = market_engine()
    for price in ("90", "91"):
        engine.submit("alice", limit("BUY", price, "1"), NOW_MS)
    answers, events = engine.cancel_all("alice", SYMBOL, NOW_MS)
    assert [answer.price for answer in answers if isinstance(answer, Order)] == [p("90"), p("91")]
    assert len(of_kind(events, OrderUpdate)) == 2
    assert len(of_kind(events, BalancesChanged)) == 1
    assert engine.open_orders("alice") == []
    with pytest.raises(Refusal) as caught:
        engine.cancel_all("alice", SYMBOL, NOW_MS)
    assert caught.value.code == -2011


def test_a_partly_filled_order_that_is_cancelled_keeps_what_it_got() -> None:
    engine = market_engine(fees=Fees(0, 0))
    order, _ = engine.submit("alice", limit("BUY", "101", "3"), NOW_MS)
    answer, _ = engine.cancel("alice", CancelOrder(SYMBOL, order_id=order.order_id), NOW_MS)
    assert (answer.executed, answer.quote_executed) == (p("1"), p("101"))
    assert engine.balances("alice") == (("BTC", p("11"), 0), ("USDT", p("9899"), 0))


def test_an_order_is_found_by_either_id_and_others_do_not_exist() -> None:
    """errors.md: -2013 "Order does not exist."."""
    engine = market_engine()
    order, _ = engine.submit("alice", limit("BUY", "100", "1", client_id="mine"), NOW_MS)
    assert engine.order("alice", SYMBOL, order_id=order.order_id) == order
    assert engine.order("alice", SYMBOL, client_order_id="mine") == order
    for account, order_id in (("bob", order.order_id), ("alice", 999)):
        with pytest.raises(Refusal) as caught:
            engine.order(account, SYMBOL, order_id=order_id)
        assert (caught.value.code, caught.value.message) == (-2013, "Order does not exist.")


def test_lists_of_orders_and_fills_are_oldest_first_and_can_be_narrowed() -> None:
    engine = market_engine()
    for at in range(5):
        engine.submit("alice", limit("BUY", f"{90 + at}", "1"), NOW_MS + at)
    ids = [order.order_id for order in engine.orders("alice", SYMBOL)]
    assert ids == [1, 2, 3, 4, 5]
    assert [order.order_id for order in engine.orders("alice", SYMBOL, limit=2)] == [4, 5]
    assert [order.order_id for order in engine.orders("alice", SYMBOL, from_order_id=2, limit=2)] == [2, 3]
    some = engine.orders("alice", SYMBOL, period=Period(NOW_MS + 1, NOW_MS + 2))
    assert [order.order_id for order in some] == [2, 3]
    assert [order.order_id for order in engine.open_orders("alice", SYMBOL)] == ids

    order, _ = engine.submit("bob", market("SELL", "3"), NOW_MS + 9)
    fills = engine.fills("bob", SYMBOL)
    assert [fill.trade_id for fill in fills] == [1, 2]
    assert engine.fills("bob", SYMBOL, FillQuery(order_id=order.order_id, limit=10)) == fills
    assert engine.fills("bob", SYMBOL, FillQuery(from_trade_id=2, limit=10)) == fills[1:]
    assert engine.fills("bob", SYMBOL, FillQuery(order_id=1, limit=10)) == []


def test_a_deposit_is_told_and_a_withdrawal_cannot_exceed_what_is_free() -> None:
    engine = market_engine()
    events = engine.adjust("alice", "ETH", p("3"), NOW_MS)
    assert events == [
        BalanceAdjusted("alice", "ETH", p("3"), NOW_MS),
        BalancesChanged("alice", (("ETH", p("3"), 0),), NOW_MS),
    ]
    with pytest.raises(ValueError, match="negative"):
        engine.adjust("alice", "ETH", -p("4"), NOW_MS)


def test_accounts_are_opened_once() -> None:
    engine = market_engine()
    with pytest.raises(ValueError, match="exists"):
        engine.open_account("alice", {})
    with pytest.raises(ValueError, match="negative"):
        engine.open_account("carol", {"BTC": -1})


def test_state_survives_as_plain_data_and_restores_to_the_same_state() -> None:
    engine = market_engine()
    engine.on_trade(trade(500, "100", "1", sells=True), NOW_MS)
    engine.submit("alice", limit("BUY", "101", "2"), NOW_MS)
    engine.submit("bob", limit("SELL", "103", "2"), NOW_MS)
    kept = msgspec.msgpack.decode(msgspec.msgpack.encode(engine.state()), type=EngineState)
    twin = Engine([RULES])
    twin.restore(kept)
    assert twin.state() == engine.state()
    order, _ = twin.submit("bob", limit("SELL", "104", "1"), NOW_MS)
    assert order.order_id == 3
    assert twin.next_trade_id(SYMBOL) == 502
    (printed,) = twin.on_trade(trade(501, "102", "1", sells=True), NOW_MS)
    assert printed.trade.trade_id == 502  # type: ignore[union-attr]


def test_restored_orders_queue_behind_all_that_the_book_shows_and_cross_it_where_it_moved() -> None:
    engine = market_engine()
    engine.submit("alice", limit("BUY", "99", "1"), NOW_MS)
    engine.submit("bob", limit("SELL", "100", "1"), NOW_MS)
    twin = Engine([RULES])
    twin.restore(msgspec.structs.replace(engine.state(), queues=()))
    assert twin.on_trade(trade(1, "99", "50", sells=True), NOW_MS) != []
    assert twin.order("alice", SYMBOL, order_id=1).executed == 0
    twin.on_snapshot(snapshot(levels(("100", "0.25"), ("99", "3")), levels(("101", "1")), 200), NOW_MS)
    assert twin.order("bob", SYMBOL, order_id=2).executed == p("0.25")
    twin.on_trade(trade(2, "99", "3.5", sells=True), NOW_MS)
    assert twin.order("alice", SYMBOL, order_id=1).executed == p("0.5")
    twin.on_depth(diff(201, bids=levels(("98", "1"))), NOW_MS)


def test_a_state_whose_locks_are_not_what_its_orders_need_is_refused() -> None:
    damaged = EngineState(accounts=(AccountState("alice", Fees(), (("USDT", 0, 5),)),))
    with pytest.raises(ValueError, match="USDT locked"):
        Engine([RULES]).restore(damaged)
    with pytest.raises(ValueError, match="fresh"):
        market_engine().restore(EngineState())


def test_a_saved_state_keeps_the_places_in_the_queue() -> None:
    engine = market_engine()
    engine.submit("alice", limit("BUY", "99", "1"), NOW_MS)
    engine.submit("bob", limit("BUY", "99", "1"), NOW_MS)
    engine.on_trade(trade(1, "99", "0.75", sells=True), NOW_MS)
    twin = Engine([RULES])
    twin.restore(engine.state())
    assert twin.state() == engine.state()
    twin.on_trade(trade(2, "99", "0.5", sells=True), NOW_MS)
    assert twin.order("alice", SYMBOL, order_id=1).executed == p("0.25")
    assert twin.order("bob", SYMBOL, order_id=2).executed == 0
