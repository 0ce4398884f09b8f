"""Words for tests of orders that wait: stops, order lists, and what reports say about them."""

from __future__ import annotations

from cryptotrader.core.orders import ListOrderStatus, OrderType, Side, TimeInForce
from cryptotrader.exchange.engine.engine import Engine
from cryptotrader.exchange.engine.events import Event, ListUpdate, OrderUpdate
from cryptotrader.exchange.engine.order_lists import ListKind, NewOrderList
from cryptotrader.exchange.engine.orders import NewOrder, Order, Stop
from tests.support.engine_kit import NOW_MS, SYMBOL, limit, maker, market_engine, p, trade

Told = tuple[str, ...]
"""What one event said: its kind and what matters of it."""


def engine_at(last: str = "100") -> Engine:
    """The kit's engine after one public trade."""
    engine = market_engine()
    engine.on_trade(trade(1, last, "0.001", sells=True), NOW_MS)
    return engine


def contingent(
    side: str, kind: str, at: str = "", qty: str = "1", *, price: str = "", delta: int = 0, tif: str = "GTC"
) -> NewOrder:
    """A STOP_LOSS, TAKE_PROFIT or their _LIMIT kinds, at a stop price, trailing or both."""
    return NewOrder(
        symbol=SYMBOL,
        side=Side(side),
        type=OrderType(kind),
        time_in_force=TimeInForce(tif),
        price=p(price) if price else 0,
        qty=p(qty) if qty else 0,
        stop=Stop(price=p(at) if at else 0, trailing_delta=delta),
    )


def passes(engine: Engine, trade_id: int, *prices: str) -> list[Event]:
    """The source's market trades a little at one price after another."""
    return [
        event
        for step, price in enumerate(prices)
        for event in engine.on_trade(trade(trade_id + step, price, "0.001", sells=True), NOW_MS + trade_id + step)
    ]


def told(events: list[Event]) -> list[Told]:
    """Orders' and lists' events: ("list", status) or (order id, execution, status, "works" or "", expiry reason)."""
    said: list[Told] = []
    for event in events:
        if isinstance(event, ListUpdate):
            said.append(("list", event.order_list.order_status.value))
        elif isinstance(event, OrderUpdate):
            order = event.order
            works = "works" if order.is_working else ""
            said.append((str(order.order_id), event.execution.value, order.status.value, works, order.expiry_reason))
    return said


def oco(above: NewOrder, below: NewOrder, *, client_id: str = "") -> NewOrderList:
    """An OCO."""
    return NewOrderList(symbol=SYMBOL, kind=ListKind.OCO, legs=(above, below), client_list_id=client_id)


def sell_oco(qty: str = "1", *, profit: str = "110", stop: str = "95", price: str = "94") -> NewOrderList:
    """A sell OCO of a LIMIT_MAKER above and a STOP_LOSS_LIMIT below."""
    return oco(maker("SELL", profit, qty), contingent("SELL", "STOP_LOSS_LIMIT", stop, qty, price=price))


def buy_oco(qty: str = "1", *, profit: str = "90", stop: str = "105", price: str = "106") -> NewOrderList:
    """A buy OCO of a STOP_LOSS_LIMIT above and a LIMIT_MAKER below."""
    return oco(contingent("BUY", "STOP_LOSS_LIMIT", stop, qty, price=price), maker("BUY", profit, qty))


def triggered(kind: ListKind, working: NewOrder, *pending: NewOrder, client_id: str = "") -> NewOrderList:
    """An OTO, OTOCO, OPO or OPOCO."""
    return NewOrderList(symbol=SYMBOL, kind=kind, legs=(working, *pending), client_list_id=client_id)


def oto(working: NewOrder, pending: NewOrder) -> NewOrderList:
    """An OTO."""
    return triggered(ListKind.OTO, working, pending)


def resting_buy(price: str = "95", qty: str = "1") -> NewOrder:
    """A working order that rests in the kit's book."""
    return limit("BUY", price, qty)


def is_done(engine: Engine, list_id: int, account: str = "alice") -> bool:
    """Whether a list is done."""
    return engine.order_list(account, list_id=list_id).order_status is ListOrderStatus.ALL_DONE


def state_of(engine: Engine, order: Order) -> tuple[str, str]:
    """Status and expiry reason of an order now."""
    found = engine.order(order.account, order.symbol, order_id=order.order_id)
    return found.status.value, found.expiry_reason
