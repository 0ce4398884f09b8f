"""What an account may do, and what a symbol that does not trade still does (errors.md, enums.md, CHANGELOG.md)."""

from __future__ import annotations

import msgspec
import pytest

from cryptotrader.core.orders import OrderStatus
from cryptotrader.exchange.engine.engine import Engine
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.engine.events import BalancesChanged, DepthChanged, OrderUpdate, TradePrinted
from cryptotrader.exchange.engine.order_lists import CancelList
from cryptotrader.exchange.engine.orders import CancelOrder, NewOrder
from cryptotrader.exchange.engine.rules import SymbolRules, SymbolStatus, Terms
from tests.support.engine_kit import (
    NOW_MS,
    RULES,
    SYMBOL,
    diff,
    free,
    levels,
    limit,
    market,
    market_engine,
    of_kind,
    p,
    snapshot,
    ticker,
    trade,
)

CLOSED = [status for status in SymbolStatus if status is not SymbolStatus.TRADING]


def refusal(engine: Engine, new: NewOrder, account: str = "alice") -> tuple[int, str] | None:
    """What both ``order/test`` and a real order say; None where the order is accepted."""
    said: list[tuple[int, str] | None] = []
    for ask in (engine.check, engine.submit):
        try:
            ask(account, new, NOW_MS)
        except Refusal as refused:
            said.append((refused.code, refused.message))
        else:
            said.append(None)
    assert said[0] == said[1]
    return said[0]


def with_terms(terms: Terms, rules: SymbolRules = RULES) -> Engine:
    engine = market_engine(rules)
    engine.set_terms("alice", terms)
    return engine


@pytest.mark.parametrize("status", CLOSED)
def test_a_symbol_that_does_not_trade_refuses_new_orders_and_lets_open_ones_be_cancelled(status: str) -> None:
    engine = market_engine()
    order, _ = engine.submit("alice", limit("BUY", "90", "1"), NOW_MS)
    assert engine.set_status(SYMBOL, status, NOW_MS) == []
    assert engine.rules(SYMBOL).exchange_info()["status"] == status
    assert refusal(engine, limit("BUY", "90", "1")) == (-1013, "Market is closed.")
    assert refusal(engine, market("BUY", "1")) == (-1013, "Market is closed.")
    cancelled, _ = engine.cancel("alice", CancelOrder(SYMBOL, order.order_id), NOW_MS)
    assert cancelled.status is OrderStatus.CANCELED
    assert free(engine, "alice", "USDT") == p("10000")
    engine.set_status(SYMBOL, "TRADING", NOW_MS)
    assert refusal(engine, limit("BUY", "90", "1")) is None


def test_nobody_invents_a_status() -> None:
    with pytest.raises(ValueError, match="SLEEPING"):
        market_engine().set_status(SYMBOL, "SLEEPING", NOW_MS)


def test_while_halted_the_market_stands_still_and_then_goes_on_from_the_sources_book() -> None:
    engine = market_engine()
    engine.on_trade(trade(1, "100", "1", sells=True), NOW_MS)
    order, _ = engine.submit("alice", limit("BUY", "100", "1"), NOW_MS)
    engine.set_status(SYMBOL, "HALT", NOW_MS)
    before = (engine.last_id(SYMBOL), engine.last_price(SYMBOL), engine.avg_price(SYMBOL))
    assert engine.on_trade(trade(2, "50", "5", sells=True), NOW_MS) == []
    assert engine.on_depth(diff(101, asks=levels(("99.5", "3"))), NOW_MS) == []
    assert engine.on_book_ticker(ticker(101, ("99", "1"), ("99.5", "3")), NOW_MS) == []
    assert (engine.last_id(SYMBOL), engine.last_price(SYMBOL), engine.avg_price(SYMBOL)) == before
    assert engine.order("alice", SYMBOL, order_id=order.order_id).status is OrderStatus.NEW

    engine.set_status(SYMBOL, "TRADING", NOW_MS)
    assert engine.on_depth(diff(102, asks=levels(("97", "1"))), NOW_MS) == []
    events = engine.on_snapshot(snapshot(levels(("99", "1")), levels(("99.5", "3"), ("101", "1")), 103), NOW_MS)
    assert engine.order("alice", SYMBOL, order_id=order.order_id).status is OrderStatus.FILLED
    assert [printed.trade.trade_id for printed in of_kind(events, TradePrinted)] == [2]
    (shown,) = of_kind(events, DepthChanged)
    assert (shown.diff.first_id, shown.diff.last_id) == (101, 103)
    # The source may still hand over changes that the book has in it already.
    assert engine.on_depth(diff(103, asks=levels(("101", "9"))), NOW_MS) == []
    assert of_kind(engine.on_depth(diff(104, asks=levels(("103", "1"))), NOW_MS), DepthChanged)
    (printed,) = of_kind(engine.on_trade(trade(3, "99", "1", sells=True), NOW_MS), TradePrinted)
    assert printed.trade.trade_id == 3


def test_a_halted_symbol_takes_its_first_book_without_trading() -> None:
    """After a restart: the status is known before the source's book is."""
    engine = Engine([RULES])
    engine.open_account("alice", {"USDT": p("1000")})
    engine.set_status(SYMBOL, "HALT", NOW_MS)
    assert of_kind(engine.on_snapshot(snapshot(levels(("99", "1")), levels(("101", "1"))), NOW_MS), OrderUpdate) == []
    assert engine.last_id(SYMBOL) == 100


def test_an_account_that_may_not_trade_neither_places_nor_cancels() -> None:
    engine = market_engine()
    order, _ = engine.submit("alice", limit("BUY", "90", "1"), NOW_MS)
    engine.set_terms("alice", Terms(can_trade=False))
    text = "This account may not place or cancel orders."
    assert refusal(engine, limit("BUY", "90", "1")) == (-2010, text)
    for attempt in (
        lambda: engine.cancel("alice", CancelOrder(SYMBOL, order.order_id), NOW_MS),
        lambda: engine.cancel_all("alice", SYMBOL, NOW_MS),
        lambda: engine.cancel_list("alice", CancelList(symbol=SYMBOL, list_id=1), NOW_MS),
    ):
        with pytest.raises(Refusal) as caught:
            attempt()
        assert (caught.value.code, caught.value.message) == (-2011, text)
    engine.set_terms("alice", Terms())
    assert of_kind(engine.cancel_all("alice", SYMBOL, NOW_MS)[1], BalancesChanged)


@pytest.mark.parametrize(
    ("permissions", "sets", "is_permitted"),
    [
        (("SPOT",), (("SPOT", "TRD_GRP_004"),), True),
        (("TRD_GRP_004",), (("SPOT", "TRD_GRP_004"),), True),
        (("TRD_GRP_005",), (("SPOT", "TRD_GRP_004"),), False),
        (("SPOT",), (("SPOT",), ("TRD_GRP_004", "TRD_GRP_005")), False),
        (("SPOT", "TRD_GRP_005"), (("SPOT",), ("TRD_GRP_004", "TRD_GRP_005")), True),
        ((), ((),), True),
    ],
)
def test_an_account_needs_one_permission_of_each_of_the_symbols_sets(
    permissions: tuple[str, ...], sets: tuple[tuple[str, ...], ...], is_permitted: bool
) -> None:
    engine = with_terms(Terms(permissions=permissions), msgspec.structs.replace(RULES, permission_sets=sets))
    expected = None if is_permitted else (-2010, "This symbol is not permitted for this account.")
    assert refusal(engine, limit("BUY", "90", "1")) == expected


def test_a_symbol_without_spot_trading_is_restricted() -> None:
    engine = market_engine(msgspec.structs.replace(RULES, spot_allowed=False))
    assert refusal(engine, limit("BUY", "90", "1")) == (-2010, "This symbol is restricted for this account.")


def test_an_account_may_be_kept_from_smart_order_routing() -> None:
    engine = with_terms(Terms(sor_disabled=True))
    routed = msgspec.structs.replace(limit("BUY", "90", "1"), use_sor=True)
    with pytest.raises(Refusal) as caught:
        engine.check("alice", routed, NOW_MS)
    assert (caught.value.code, caught.value.message) == (-2010, "This action is disabled on this account.")


def test_terms_outlive_a_restart() -> None:
    engine = with_terms(Terms(permissions=("TRD_GRP_004",)))
    again = Engine([RULES])
    again.restore(engine.state())
    assert again.terms("alice") == Terms(permissions=("TRD_GRP_004",))
    assert again.terms("bob") == Terms()


def test_a_status_outlives_a_restart_and_is_part_of_the_fingerprint() -> None:
    engine = market_engine()
    trading = engine.state_hash()
    engine.set_status(SYMBOL, "BREAK", NOW_MS)
    assert engine.state_hash() != trading
    again = Engine([RULES])
    again.restore(engine.state())
    assert again.rules(SYMBOL).status == "BREAK"
    assert again.state_hash() == engine.state_hash()
    again.set_status(SYMBOL, "TRADING", NOW_MS)
    assert again.state_hash() == trading
