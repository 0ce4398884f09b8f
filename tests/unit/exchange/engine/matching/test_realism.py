"""How readily resting orders are filled, per account, and what every fill says of itself."""

from __future__ import annotations

import msgspec
import pytest

from cryptotrader.core.orders import FillReason, OrderStatus, Realism, Side
from cryptotrader.exchange.engine.accounts import Fees
from cryptotrader.exchange.engine.engine import Engine
from cryptotrader.exchange.engine.orders import Order
from tests.support.engine_kit import (
    NOW_MS,
    RULES,
    SYMBOL,
    diff,
    levels,
    limit,
    market,
    market_engine,
    p,
    ticker,
    trade,
)

OPTIMISTIC, REALISTIC, PESSIMISTIC = Realism.OPTIMISTIC, Realism.REALISTIC, Realism.PESSIMISTIC


def waiting(realism: Realism, side: str = "BUY", price: str = "99", qty: str = "2") -> Engine:
    """Alice's order rests behind one external unit."""
    engine = market_engine(fees=Fees(0, 0))
    engine.set_realism("alice", realism)
    engine.submit("alice", limit(side, price, qty), NOW_MS)
    return engine


def hers(engine: Engine) -> Order:
    return engine.order("alice", SYMBOL, order_id=1)


@pytest.mark.parametrize(("realism", "executed"), [(OPTIMISTIC, "2"), (REALISTIC, "0.5"), (PESSIMISTIC, "0")])
def test_a_trade_at_the_price(realism: Realism, executed: str) -> None:
    engine = waiting(realism)
    engine.on_trade(trade(1, "99", "1.5", sells=True), NOW_MS)
    order = hers(engine)
    assert order.executed == p(executed)
    assert [fill.why for fill in order.fills] == {
        OPTIMISTIC: [FillReason.TOUCH],
        REALISTIC: [FillReason.QUEUE],
        PESSIMISTIC: [],
    }[realism]


@pytest.mark.parametrize(("realism", "executed"), [(OPTIMISTIC, "2"), (REALISTIC, "1.5"), (PESSIMISTIC, "1.5")])
def test_a_trade_beyond_the_price(realism: Realism, executed: str) -> None:
    engine = waiting(realism)
    engine.on_trade(trade(1, "98.5", "1.5", sells=True), NOW_MS)
    order = hers(engine)
    assert order.executed == p(executed)
    assert {fill.why for fill in order.fills} == {FillReason.THROUGH}


@pytest.mark.parametrize("realism", list(Realism))
@pytest.mark.parametrize("is_ticker", [False, True])
def test_offers_at_the_price(realism: Realism, is_ticker: bool) -> None:
    engine = waiting(realism, price="100")
    if is_ticker:
        engine.on_book_ticker(ticker(101, ("99", "1"), ("100", "1.5")), NOW_MS)
    else:
        engine.on_depth(diff(101, asks=levels(("100", "1.5"))), NOW_MS)
    order = hers(engine)
    expected = {OPTIMISTIC: ("2", FillReason.TOUCH), REALISTIC: ("1.5", FillReason.CROSSED), PESSIMISTIC: ("0", None)}
    executed, why = expected[realism]
    assert order.executed == p(executed)
    assert {fill.why for fill in order.fills} == ({why} if why else set())
    bid, ask = engine.book(SYMBOL).displayed_top()
    assert bid is None or ask is None or bid[0] < ask[0]


@pytest.mark.parametrize("realism", list(Realism))
@pytest.mark.parametrize("is_ticker", [False, True])
def test_offers_beyond_the_price(realism: Realism, is_ticker: bool) -> None:
    engine = waiting(realism, price="100")
    if is_ticker:
        engine.on_book_ticker(ticker(101, ("99", "1"), ("99.9", "1.5")), NOW_MS)
    else:
        engine.on_depth(diff(101, asks=levels(("99.9", "1.5"))), NOW_MS)
    assert hers(engine).executed == p("2" if realism is OPTIMISTIC else "1.5")


def test_who_is_behind_a_pessimistic_order_still_gets_what_is_offered_at_the_price() -> None:
    engine = waiting(PESSIMISTIC, price="100")
    engine.submit("bob", limit("BUY", "100", "1"), NOW_MS)
    engine.on_depth(diff(101, asks=levels(("100", "1.5"))), NOW_MS)
    assert (hers(engine).executed, engine.order("bob", SYMBOL, order_id=2).executed) == (0, p("1"))
    assert engine.book(SYMBOL).levels(Side.SELL)[0] == (p("101"), p("1"))


@pytest.mark.parametrize(
    ("realism", "fills", "asks_left"),
    [
        (REALISTIC, (("101", "1"), ("102", "0.5")), (("102", "1.5"),)),
        (PESSIMISTIC, (("101", "0.5"), ("102", "1")), ()),
    ],
)
def test_a_pessimistic_taker_gets_half_of_each_level_and_the_other_half_is_gone(
    realism: Realism, fills: tuple[tuple[str, str], ...], asks_left: tuple[tuple[str, str], ...]
) -> None:
    engine = market_engine()
    engine.set_realism("alice", realism)
    order, _ = engine.submit("alice", market("BUY", "1.5"), NOW_MS)
    assert [(fill.price, fill.qty) for fill in order.fills] == [(p(price), p(qty)) for price, qty in fills]
    assert engine.book(SYMBOL).levels(Side.SELL) == list(levels(*asks_left))


def test_half_of_a_level_is_rounded_up_to_a_step() -> None:
    engine = market_engine()
    engine.set_realism("alice", PESSIMISTIC)
    engine.on_depth(diff(101, asks=levels(("101", "0.501"))), NOW_MS)
    order, _ = engine.submit("alice", limit("BUY", "101", "1"), NOW_MS)
    assert order.executed == p("0.251")
    bid, ask = engine.book(SYMBOL).displayed_top()
    assert (bid, ask) == ((p("101"), p("0.749")), (p("102"), p("2")))


def test_users_trade_with_each_other_in_full_whatever_their_realism() -> None:
    engine = waiting(PESSIMISTIC, price="100")
    taker, _ = engine.submit("bob", limit("SELL", "100", "2"), NOW_MS)
    assert (hers(engine).status, taker.status) == (OrderStatus.FILLED, OrderStatus.FILLED)
    assert (hers(engine).fills[0].why, taker.fills[0].why) == (FillReason.USER, FillReason.TAKER)


def test_realism_can_change_while_orders_rest_and_survives_a_restart() -> None:
    engine = waiting(REALISTIC)
    engine.set_realism("alice", OPTIMISTIC)
    twin = Engine([msgspec.structs.replace(RULES)])
    twin.restore(engine.state())
    assert twin.realism("alice") is OPTIMISTIC
    engine.on_trade(trade(1, "99", "0.001", sells=False), NOW_MS)
    assert hers(engine).status is OrderStatus.FILLED


def test_public_trade_ids_stay_contiguous_when_an_optimistic_order_gets_more_than_traded() -> None:
    engine = waiting(OPTIMISTIC)
    ids = []
    for number, price in ((1, "99"), (2, "98"), (3, "97")):
        for event in engine.on_trade(trade(number, price, "0.5", sells=True), NOW_MS):
            if hasattr(event, "trade"):
                ids.append(event.trade.trade_id)
    assert ids == list(range(1, len(ids) + 1))
