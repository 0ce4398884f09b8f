"""Pegged orders (``faqs/pegged_orders.md``; ``errors.md``)."""

from __future__ import annotations

import msgspec
import pytest

from cryptotrader.core.orders import OrderStatus, OrderType, PegOffsetType, PegPriceType, Side, TimeInForce
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.engine.orders import NewOrder, Peg, Stop
from tests.support.engine_kit import NOW_MS, RULES, SYMBOL, levels, limit, locked, market_engine, p, snapshot, trade

PRIMARY, MARKET = PegPriceType.PRIMARY_PEG, PegPriceType.MARKET_PEG


def pegged(side: str, peg: Peg, kind: OrderType = OrderType.LIMIT, tif: str = "GTC") -> NewOrder:
    return NewOrder(symbol=SYMBOL, side=Side(side), type=kind, time_in_force=TimeInForce(tif), qty=p("0.5"), peg=peg)


@pytest.mark.parametrize(
    ("side", "kind", "offset", "price"),
    [
        ("BUY", PRIMARY, 0, "99"),
        ("BUY", PRIMARY, 1, "98"),
        ("SELL", PRIMARY, 0, "101"),
        ("SELL", PRIMARY, 1, "102"),
        ("BUY", MARKET, 0, "101"),
        ("BUY", MARKET, 1, "102"),
        ("SELL", MARKET, 0, "99"),
        ("SELL", MARKET, 1, "98"),
    ],
)
def test_the_price_is_that_of_a_level_of_either_side(side: str, kind: PegPriceType, offset: int, price: str) -> None:
    engine = market_engine()
    order, _ = engine.submit("alice", pegged(side, Peg(kind, PegOffsetType.PRICE_LEVEL, offset)), NOW_MS)
    assert order.price == p(price)
    assert order.peg == Peg(kind, PegOffsetType.PRICE_LEVEL, offset)
    assert order.status is (OrderStatus.NEW if kind is PRIMARY else OrderStatus.FILLED)


def test_users_orders_count_as_levels_and_the_price_stays_when_the_book_moves() -> None:
    engine = market_engine()
    engine.submit("bob", limit("BUY", "99.5", "1"), NOW_MS)
    order, _ = engine.submit("alice", pegged("BUY", Peg(PRIMARY)), NOW_MS)
    assert (order.price, locked(engine, "alice", "USDT")) == (p("99.5"), p("49.75"))
    engine.on_snapshot(snapshot(levels(("99.8", "1")), levels(("101", "1")), 200), NOW_MS)
    assert engine.order("alice", SYMBOL, order_id=2).price == p("99.5")


def test_a_market_peg_with_ioc_takes_the_best_price_and_only_that() -> None:
    """``faqs/pegged_orders.md``: "cherry-pick" the lowest price."""
    engine = market_engine()
    new = msgspec.structs.replace(pegged("BUY", Peg(MARKET), tif="IOC"), qty=p("2"))
    order, _ = engine.submit("alice", new, NOW_MS)
    assert (order.executed, order.status, order.price) == (p("1"), OrderStatus.EXPIRED, p("101"))


TOO_DEEP = Peg(PRIMARY, PegOffsetType.PRICE_LEVEL, 2)
REFUSED = [
    (pegged("BUY", Peg(PRIMARY), OrderType.MARKET), "This order type may not use pegged price."),
    (pegged("BUY", Peg(MARKET), OrderType.LIMIT_MAKER), "This price peg cannot be used with this order type."),
    (pegged("BUY", Peg(PRIMARY), tif="IOC"), "Unsupported order combination"),
    (
        pegged("BUY", Peg(PRIMARY, PegOffsetType.PRICE_LEVEL, 2)),
        "Order book liquidity is too low for this pegged order.",
    ),
    (msgspec.structs.replace(pegged("BUY", Peg(PRIMARY)), use_sor=True), "Unsupported order combination"),
]


@pytest.mark.parametrize(("new", "text"), REFUSED)
def test_what_can_not_be_pegged_is_refused(new: NewOrder, text: str) -> None:
    """``errors.md``, messages for -2010."""
    with pytest.raises(Refusal) as refused:
        market_engine().submit("alice", new, NOW_MS)
    assert (refused.value.code, refused.value.message) == (-2010, text)


def test_a_symbol_may_not_allow_pegs() -> None:
    engine = market_engine(msgspec.structs.replace(RULES, peg_allowed=False))
    with pytest.raises(Refusal, match="Pegged orders are not supported for this symbol"):
        engine.submit("alice", pegged("BUY", Peg(PRIMARY)), NOW_MS)


def test_both_the_price_sent_and_the_pegged_price_must_pass_the_filters() -> None:
    """``faqs/pegged_orders.md``, "Which Filters are applicable to pegged orders?"."""
    engine = market_engine()
    with pytest.raises(Refusal, match="PRICE_FILTER"):
        engine.submit("alice", pegged("BUY", Peg(PRIMARY, price=p("99.001"))), NOW_MS)
    with pytest.raises(Refusal, match="NOTIONAL"):
        engine.submit("alice", msgspec.structs.replace(pegged("BUY", Peg(PRIMARY)), qty=p("0.01")), NOW_MS)


def test_a_pegged_stop_takes_its_price_when_it_triggers() -> None:
    """``faqs/pegged_orders.md``, "Stop-limit orders"."""
    engine = market_engine()
    engine.on_trade(trade(1, "100", "1", sells=False), NOW_MS)
    new = msgspec.structs.replace(pegged("SELL", Peg(PRIMARY), OrderType.STOP_LOSS_LIMIT), stop=Stop(price=p("99.5")))
    order, _ = engine.submit("alice", new, NOW_MS)
    assert (order.price, order.is_working) == (0, False)
    engine.on_snapshot(snapshot(levels(("97", "1")), levels(("100.5", "1")), 200), NOW_MS)
    engine.on_trade(trade(2, "99", "1", sells=True), NOW_MS)
    found = engine.order("alice", SYMBOL, order_id=order.order_id)
    assert (found.price, found.is_working, found.status) == (p("100.5"), True, OrderStatus.NEW)


def test_a_test_order_is_checked_without_the_book() -> None:
    """``order/test`` does not reach the matching engine."""
    engine = market_engine()
    engine.check("alice", pegged("BUY", TOO_DEEP), NOW_MS)
    with pytest.raises(Refusal, match="Unsupported order combination"):
        engine.check("alice", pegged("BUY", Peg(PRIMARY), tif="IOC"), NOW_MS)
    with pytest.raises(Refusal, match="PRICE_FILTER"):
        engine.check("alice", pegged("BUY", Peg(PRIMARY, price=p("99.001"))), NOW_MS)
