"""Placing and matching: types, times in force, price-time priority, balances (S0-21 to S0-24)."""

from __future__ import annotations

import pytest

from cryptotrader.core.orders import ExecutionType, OrderStatus, OrderType, Side
from cryptotrader.exchange.engine.accounts import Fees
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.engine.events import BalancesChanged, OrderUpdate, TradePrinted
from cryptotrader.exchange.engine.orders import CancelOrder
from tests.support.engine_kit import (
    NOW_MS,
    SYMBOL,
    diff,
    free,
    levels,
    limit,
    locked,
    maker,
    market,
    market_engine,
    of_kind,
    p,
    snapshot,
)


def test_a_limit_order_that_meets_nothing_rests_and_locks_its_cost() -> None:
    engine = market_engine()
    order, events = engine.submit("alice", limit("BUY", "100", "2"), NOW_MS)
    assert (order.status, order.executed, order.working_ms) == (OrderStatus.NEW, 0, NOW_MS)
    assert (free(engine, "alice", "USDT"), locked(engine, "alice", "USDT")) == (p("9800"), p("200"))
    (update, balances) = events
    assert isinstance(update, OrderUpdate)
    assert (update.execution, update.client_order_id, update.orig_client_order_id) == (
        ExecutionType.NEW,
        order.client_order_id,
        "",
    )
    assert balances == BalancesChanged("alice", (("BTC", p("10"), 0), ("USDT", p("9800"), p("200"))), NOW_MS)


def test_a_resting_sell_locks_its_quantity() -> None:
    engine = market_engine()
    engine.submit("alice", limit("SELL", "100", "2"), NOW_MS)
    assert (free(engine, "alice", "BTC"), locked(engine, "alice", "BTC")) == (p("8"), p("2"))


def test_a_marketable_limit_order_walks_the_levels_and_rests_with_what_is_left() -> None:
    engine = market_engine(fees=Fees(0, 0))
    order, _ = engine.submit("alice", limit("BUY", "102", "4"), NOW_MS)
    assert order.status is OrderStatus.PARTIALLY_FILLED
    assert [(fill.price, fill.qty) for fill in order.fills] == [(p("101"), p("1")), (p("102"), p("2"))]
    assert engine.book(SYMBOL).levels(Side.BUY)[0] == (p("102"), p("1"))
    assert engine.book(SYMBOL).levels(Side.SELL) == []
    assert locked(engine, "alice", "USDT") == p("102")
    assert free(engine, "alice", "USDT") == p("10000") - p("305") - p("102")


def test_a_market_order_by_quantity_fills_across_levels_with_the_taker_fee_from_what_it_received() -> None:
    """S0-22: status FILLED, executedQty, cummulativeQuoteQty, fills with commission and its asset."""
    engine = market_engine(fees=Fees(5, 10))
    order, events = engine.submit("alice", market("BUY", "1.5"), NOW_MS)
    assert (order.status, order.executed, order.quote_executed) == (OrderStatus.FILLED, p("1.5"), p("152"))
    assert [(fill.commission, fill.commission_asset) for fill in order.fills] == [
        (p("0.001"), "BTC"),
        (p("0.0005"), "BTC"),
    ]
    assert free(engine, "alice", "BTC") == p("11.4985")
    kinds = [event.execution for event in of_kind(events, OrderUpdate)]
    assert kinds == [ExecutionType.NEW, ExecutionType.TRADE, ExecutionType.TRADE]
    statuses = [event.order.status for event in of_kind(events, OrderUpdate)]
    assert statuses == [OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED]


def test_a_market_sell_receives_quote_less_the_fee_in_quote() -> None:
    engine = market_engine()
    order, _ = engine.submit("alice", market("SELL", "1"), NOW_MS)
    assert order.fills[0].commission == p("0.099")
    assert order.fills[0].commission_asset == "USDT"
    assert free(engine, "alice", "USDT") == p("10098.901")


def test_a_market_order_that_empties_the_book_expires_with_what_it_got() -> None:
    engine = market_engine()
    order, events = engine.submit("alice", market("SELL", "5"), NOW_MS)
    assert (order.status, order.executed) == (OrderStatus.EXPIRED, p("3"))
    assert of_kind(events, OrderUpdate)[-1].execution is ExecutionType.EXPIRED
    assert locked(engine, "alice", "BTC") == 0


def test_a_market_buy_by_amount_spends_as_much_as_whole_steps_allow() -> None:
    engine = market_engine(fees=Fees(0, 0))
    order, _ = engine.submit("alice", market("BUY", quote="150"), NOW_MS)
    assert order.status is OrderStatus.FILLED
    assert order.qty == order.executed == p("1.480")
    assert order.quote_executed == p("149.96")
    assert order.quote_order_qty == p("150")
    assert free(engine, "alice", "USDT") == p("9850.04")


def test_a_market_sell_by_amount_sells_as_little_as_brings_it() -> None:
    engine = market_engine(fees=Fees(0, 0))
    order, _ = engine.submit("alice", market("SELL", quote="99"), NOW_MS)
    assert (order.status, order.executed, order.quote_executed) == (OrderStatus.FILLED, p("1"), p("99"))


def test_a_market_order_by_amount_that_empties_the_book_expires() -> None:
    engine = market_engine()
    order, _ = engine.submit("alice", market("BUY", quote="1000"), NOW_MS)
    assert (order.status, order.executed, order.quote_executed) == (OrderStatus.EXPIRED, p("3"), p("305"))


def test_a_market_order_by_amount_on_an_empty_book_is_refused() -> None:
    engine = market_engine()
    engine.on_depth(diff(101, asks=levels(("101", "0"), ("102", "0"))), NOW_MS)
    with pytest.raises(Refusal, match=r"Order book liquidity is less than symbol minimum quantity\."):
        engine.submit("alice", market("BUY", quote="100"), NOW_MS)


def test_ioc_takes_what_it_can_and_expires_with_the_rest() -> None:
    engine = market_engine()
    order, events = engine.submit("alice", limit("BUY", "101", "3", "IOC"), NOW_MS)
    assert (order.status, order.executed) == (OrderStatus.EXPIRED, p("1"))
    assert locked(engine, "alice", "USDT") == 0
    assert of_kind(events, OrderUpdate)[-1].execution is ExecutionType.EXPIRED


def test_fok_that_cannot_fill_expires_whole_and_takes_nothing() -> None:
    engine = market_engine()
    order, events = engine.submit("alice", limit("BUY", "102", "3.001", "FOK"), NOW_MS)
    assert (order.status, order.executed) == (OrderStatus.EXPIRED, 0)
    assert of_kind(events, TradePrinted) == []
    assert free(engine, "alice", "USDT") == p("10000")


def test_fok_that_can_fill_fills() -> None:
    order, _ = market_engine().submit("alice", limit("BUY", "102", "3", "FOK"), NOW_MS)
    assert (order.status, order.executed) == (OrderStatus.FILLED, p("3"))


def test_limit_maker_that_would_take_is_refused_and_changes_nothing() -> None:
    engine = market_engine()
    before = engine.state()
    with pytest.raises(Refusal) as caught:
        engine.submit("alice", maker("BUY", "101", "1"), NOW_MS)
    assert (caught.value.code, caught.value.message) == (-2010, "Order would immediately match and take.")
    assert engine.state() == before


def test_limit_maker_that_would_not_take_rests() -> None:
    order, _ = market_engine().submit("alice", maker("BUY", "100", "1"), NOW_MS)
    assert (order.status, order.type) == (OrderStatus.NEW, OrderType.LIMIT_MAKER)


def test_users_orders_match_each_other_at_the_makers_price_with_maker_and_taker_fees() -> None:
    engine = market_engine(fees=Fees(5, 10))
    engine.submit("alice", limit("SELL", "100", "1"), NOW_MS)
    order, events = engine.submit("bob", limit("BUY", "100.5", "1"), NOW_MS)
    assert (order.status, order.quote_executed) == (OrderStatus.FILLED, p("100"))
    taker, seller = [update.fill for update in of_kind(events, OrderUpdate) if update.fill]
    assert taker.trade_id == seller.trade_id
    assert (taker.is_maker, taker.is_buyer, taker.commission) == (False, True, p("0.001"))
    assert (seller.is_maker, seller.is_buyer, seller.commission) == (True, False, p("0.05"))
    assert [event.account for event in of_kind(events, BalancesChanged)] == ["bob", "alice"]
    (printed,) = of_kind(events, TradePrinted)
    assert (printed.trade.price, printed.trade.qty, printed.trade.buyer_is_maker) == (p("100"), p("1"), False)


def test_better_prices_then_older_orders_are_filled_first() -> None:
    engine = market_engine()
    first, _ = engine.submit("alice", limit("SELL", "100", "1"), NOW_MS)
    second, _ = engine.submit("bob", limit("SELL", "100", "1"), NOW_MS + 1)
    better, _ = engine.submit("bob", limit("SELL", "99.5", "1"), NOW_MS + 2)
    engine.submit("alice", market("BUY", "2.5"), NOW_MS + 3)
    assert engine.order("bob", SYMBOL, order_id=better.order_id).status is OrderStatus.FILLED
    assert engine.order("alice", SYMBOL, order_id=first.order_id).status is OrderStatus.FILLED
    assert engine.order("bob", SYMBOL, order_id=second.order_id).executed == p("0.5")


def test_a_taker_meets_external_liquidity_before_an_order_that_came_later() -> None:
    engine = market_engine()
    resting, _ = engine.submit("alice", limit("BUY", "99", "1"), NOW_MS)
    order, _ = engine.submit("bob", market("SELL", "1.25"), NOW_MS)
    assert [fill.qty for fill in order.fills] == [p("1"), p("0.25")]
    assert engine.order("alice", SYMBOL, order_id=resting.order_id).executed == p("0.25")


def test_external_liquidity_that_came_after_an_order_stands_behind_it() -> None:
    engine = market_engine()
    resting, _ = engine.submit("alice", limit("BUY", "99", "1"), NOW_MS)
    engine.on_depth(diff(101, bids=levels(("99", "5"))), NOW_MS)
    engine.submit("bob", market("SELL", "2"), NOW_MS)
    assert engine.order("alice", SYMBOL, order_id=resting.order_id).status is OrderStatus.FILLED
    assert engine.book(SYMBOL).levels(Side.BUY)[0] == (p("99"), p("4"))


def test_an_account_may_trade_with_itself_while_self_trade_prevention_is_none() -> None:
    engine = market_engine(fees=Fees(0, 0))
    engine.submit("alice", limit("SELL", "100", "1"), NOW_MS)
    engine.submit("alice", limit("BUY", "100", "1"), NOW_MS)
    assert engine.balances("alice") == (("BTC", p("10"), 0), ("USDT", p("10000"), 0))


def test_orders_that_cost_more_than_is_free_are_refused_with_binances_words() -> None:
    """errors.md: -2010, "Account has insufficient balance for requested action."."""
    engine = market_engine()
    before = engine.state()
    engine.on_snapshot(snapshot(levels(("99", "500")), levels(("101", "500")), 100), NOW_MS)
    for order in (
        limit("BUY", "100", "100.001"),
        limit("SELL", "100", "10.001"),
        market("BUY", "99.01"),
        market("SELL", "11"),
        market("BUY", quote="10000.01"),
        market("SELL", quote="5000"),
    ):
        with pytest.raises(Refusal) as caught:
            engine.submit("alice", order, NOW_MS)
        assert caught.value.code == -2010
        assert caught.value.message == "Account has insufficient balance for requested action."
    assert engine.state() == before


def test_the_engine_makes_the_same_client_order_ids_again_on_a_replay() -> None:
    first, _ = market_engine().submit("alice", limit("BUY", "100", "1"), NOW_MS)
    second, _ = market_engine().submit("alice", limit("BUY", "100", "1"), NOW_MS)
    assert first.client_order_id == second.client_order_id
    assert len(first.client_order_id) == 22
    assert first.client_order_id.isalnum()


def test_a_client_order_id_of_an_open_order_is_refused_and_one_of_a_closed_order_may_be_used_again() -> None:
    engine = market_engine()
    engine.submit("alice", limit("BUY", "90", "1", client_id="mine"), NOW_MS)
    with pytest.raises(Refusal) as caught:
        engine.submit("alice", limit("BUY", "90", "1", client_id="mine"), NOW_MS)
    assert (caught.value.code, caught.value.message) == (-2010, "Duplicate order sent.")
    engine.submit("bob", limit("BUY", "90", "1", client_id="mine"), NOW_MS)
    engine.cancel("alice", CancelOrder(SYMBOL, client_order_id="mine"), NOW_MS)
    again, _ = engine.submit("alice", limit("BUY", "91", "1", client_id="mine"), NOW_MS)
    assert engine.order("alice", SYMBOL, client_order_id="mine").order_id == again.order_id


def test_copies_that_left_the_engine_never_change() -> None:
    engine = market_engine()
    order, events = engine.submit("alice", limit("BUY", "100", "1"), NOW_MS)
    engine.submit("bob", market("SELL", "1"), NOW_MS)
    assert order.status is OrderStatus.NEW
    assert of_kind(events, OrderUpdate)[0].order.status is OrderStatus.NEW


def test_unknown_symbols_are_refused_everywhere() -> None:
    """errors.md: -1121 "Invalid symbol."."""
    engine = market_engine()
    for ask in (
        lambda: engine.cancel("alice", CancelOrder("NOSUCH", order_id=1), NOW_MS),
        lambda: engine.order("alice", "NOSUCH", order_id=1),
        lambda: engine.open_orders("alice", "NOSUCH"),
        lambda: engine.last_price("NOSUCH"),
    ):
        with pytest.raises(Refusal) as caught:
            ask()
        assert (caught.value.code, caught.value.message) == (-1121, "Invalid symbol.")
