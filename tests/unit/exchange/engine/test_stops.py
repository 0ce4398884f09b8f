"""Stop-loss and take-profit orders (``rest-api.md``, "New order"; ``enums.md``; ``user-data-stream.md``)."""

from __future__ import annotations

import msgspec

from cryptotrader.core.orders import ExecutionType, OrderStatus, OrderType, Side, TimeInForce
from cryptotrader.exchange.engine.engine import Engine
from cryptotrader.exchange.engine.events import Event, OrderUpdate, TradePrinted
from cryptotrader.exchange.engine.orders import NOT_WORKING_MS, NewOrder, Stop
from tests.support.engine_kit import NOW_MS, RULES, SYMBOL, free, locked, market_engine, of_kind, p, trade

ALL_TYPES = msgspec.structs.replace(RULES, order_types=tuple(OrderType))


def engine_at(last: str = "100") -> Engine:
    """The kit's engine with every order type, after one trade."""
    engine = market_engine(ALL_TYPES)
    engine.on_trade(trade(1, last, "0.001", sells=True), NOW_MS)
    return engine


def stop(
    side: str, kind: str, at: str, qty: str = "1", *, price: str = "", tif: str = "GTC", client_id: str = ""
) -> NewOrder:
    """A STOP_LOSS, TAKE_PROFIT or their _LIMIT kinds."""
    return NewOrder(
        symbol=SYMBOL,
        side=Side(side),
        type=OrderType(kind),
        time_in_force=TimeInForce(tif),
        price=p(price) if price else 0,
        qty=p(qty),
        stop=Stop(price=p(at)),
        client_order_id=client_id,
    )


def passes(engine: Engine, trade_id: int, price: str, qty: str = "0.001") -> list[Event]:
    """The source's market trades at a price."""
    return engine.on_trade(trade(trade_id, price, qty, sells=True), NOW_MS + trade_id)


def reports(events: list[Event]) -> list[tuple[ExecutionType, OrderStatus, bool]]:
    """What execution reports say: type, status, whether the order works."""
    return [(told.execution, told.order.status, told.order.is_working) for told in of_kind(events, OrderUpdate)]


def test_a_stop_waits_off_the_book_with_its_funds_locked() -> None:
    engine = engine_at()
    order, events = engine.submit("alice", stop("SELL", "STOP_LOSS_LIMIT", "95", "2", price="94"), NOW_MS)
    assert (order.status, order.is_working, order.working_ms) == (OrderStatus.NEW, False, NOT_WORKING_MS)
    assert reports(events) == [(ExecutionType.NEW, OrderStatus.NEW, False)]
    assert locked(engine, "alice", "BTC") == p("2")
    assert engine.book(SYMBOL).levels(Side.SELL) == [(p("101"), p("1")), (p("102"), p("2"))]
    assert [each.order_id for each in engine.open_orders("alice")] == [order.order_id]


def test_a_limit_stop_triggered_by_a_public_trade_goes_on_the_book() -> None:
    engine = engine_at()
    order, _ = engine.submit("alice", stop("SELL", "TAKE_PROFIT_LIMIT", "105", "2", price="110"), NOW_MS)
    assert reports(passes(engine, 2, "104.99")) == []
    events = passes(engine, 3, "105")
    assert reports(events) == [(ExecutionType.NEW, OrderStatus.NEW, True)]
    order = engine.order("alice", SYMBOL, order_id=order.order_id)
    assert (order.is_working, order.working_ms, order.type) == (True, NOW_MS + 3, OrderType.TAKE_PROFIT_LIMIT)
    assert (p("110"), p("2")) in engine.book(SYMBOL).levels(Side.SELL)
    assert locked(engine, "alice", "BTC") == p("2")


def test_a_stop_without_a_price_takes_the_market_when_triggered() -> None:
    engine = engine_at()
    order, _ = engine.submit("alice", stop("SELL", "STOP_LOSS", "95", "2"), NOW_MS)
    events = passes(engine, 2, "95")
    assert reports(events) == [
        (ExecutionType.NEW, OrderStatus.NEW, True),
        (ExecutionType.TRADE, OrderStatus.PARTIALLY_FILLED, True),
        (ExecutionType.TRADE, OrderStatus.FILLED, True),
    ]
    assert [(told.trade.price, told.trade.qty) for told in of_kind(events, TradePrinted)] == [
        (p("95"), p("0.001")),
        (p("99"), p("1")),
        (p("98"), p("1")),
    ]
    assert engine.order("alice", SYMBOL, order_id=order.order_id).executed == p("2")
    assert locked(engine, "alice", "BTC") == 0
    assert free(engine, "alice", "BTC") == p("8")
