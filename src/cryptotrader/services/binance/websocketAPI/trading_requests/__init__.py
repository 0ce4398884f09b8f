"""Orders: place, test, query and cancel."""

from cryptotrader.services.binance.websocketAPI.trading_requests import (
    cancel_open_orders,
    cancel_order,
    current_open_orders,
    place_new_order,
    query_order,
    test_new_order,
)

__all__ = [
    "cancel_open_orders",
    "cancel_order",
    "current_open_orders",
    "place_new_order",
    "query_order",
    "test_new_order",
]
