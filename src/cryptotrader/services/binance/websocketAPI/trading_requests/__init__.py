"""Orders and pairs of orders: place, test, query, amend, replace and cancel."""

from cryptotrader.services.binance.websocketAPI.trading_requests import (
    amend_order,
    cancel_oco_order,
    cancel_open_orders,
    cancel_order,
    create_new_oco_order,
    current_open_orders,
    get_oco_order,
    get_open_oco_orders,
    place_new_order,
    query_order,
    replace_order,
    test_new_order,
)

__all__ = [
    "amend_order",
    "cancel_oco_order",
    "cancel_open_orders",
    "cancel_order",
    "create_new_oco_order",
    "current_open_orders",
    "get_oco_order",
    "get_open_oco_orders",
    "place_new_order",
    "query_order",
    "replace_order",
    "test_new_order",
]
