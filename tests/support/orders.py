"""Orders, fills and lists made by hand, as the engine would hand them out."""

from __future__ import annotations

from typing import Any

from cryptotrader.core.orders import ExecutionType, OrderType, Side, TimeInForce
from cryptotrader.core.scaled import SCALE, parse_scaled
from cryptotrader.exchange.engine.events import OrderUpdate
from cryptotrader.exchange.engine.order_lists import Leg, ListKind, OrderList
from cryptotrader.exchange.engine.orders import Fill, Order, PreventedMatch

TIME_MS = 1_684_804_350_068


def an_order(**changes: Any) -> Order:
    """A LIMIT order that rests, unless changed."""
    fields: dict[str, Any] = {
        "order_id": 28,
        "client_order_id": "mine",
        "account": "a",
        "symbol": "BTCUSDT",
        "side": Side.BUY,
        "type": OrderType.LIMIT,
        "time_in_force": TimeInForce.GTC,
        "price": parse_scaled("31000"),
        "qty": SCALE,
        "time_ms": TIME_MS,
        "update_ms": TIME_MS,
        "working_ms": TIME_MS,
    }
    return Order(**(fields | changes))


def waiting(**changes: Any) -> Order:
    """An order that does not work yet."""
    return an_order(**({"working_ms": -1, "is_working": False} | changes))


def a_fill(**changes: Any) -> Fill:
    """Half of it was bought for 30,000 each."""
    fields: dict[str, Any] = {
        "trade_id": 56,
        "order_id": 28,
        "account": "a",
        "symbol": "BTCUSDT",
        "price": parse_scaled("30000"),
        "qty": SCALE // 2,
        "quote_qty": parse_scaled("15000"),
        "commission": parse_scaled("0.0005"),
        "commission_asset": "BTC",
        "is_maker": False,
        "is_buyer": True,
        "time_ms": TIME_MS,
    }
    return Fill(**(fields | changes))


def a_match(**changes: Any) -> PreventedMatch:
    """Order 28 would have taken 0.4 from order 10 of the same account; the taker expired."""
    fields: dict[str, Any] = {
        "prevented_match_id": 3,
        "account": "a",
        "symbol": "BTCUSDT",
        "taker_order_id": 28,
        "maker_symbol": "BTCUSDT",
        "maker_order_id": 10,
        "trade_group_id": -1,
        "mode": "EXPIRE_TAKER",
        "price": parse_scaled("30500"),
        "qty": parse_scaled("0.4"),
        "taker_prevented_qty": SCALE,
        "time_ms": TIME_MS,
    }
    return PreventedMatch(**(fields | changes))


def a_list(**changes: Any) -> OrderList:
    """A pair of which one cancels the other."""
    fields: dict[str, Any] = {
        "list_id": 1929,
        "client_list_id": "the-list",
        "account": "a",
        "symbol": "BTCUSDT",
        "kind": ListKind.OCO,
        "time_ms": TIME_MS,
        "legs": (Leg(20, "above"), Leg(21, "below")),
    }
    return OrderList(**(fields | changes))


def an_update(of: Order, execution: ExecutionType, **changes: Any) -> OrderUpdate:
    """An order changed."""
    fields: dict[str, Any] = {
        "order": of,
        "execution": execution,
        "execution_id": 8641984,
        "time_ms": TIME_MS,
        "client_order_id": of.client_order_id,
    }
    return OrderUpdate(**(fields | changes))
