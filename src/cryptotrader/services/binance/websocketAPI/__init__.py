"""Every request that Binance's WebSocket and REST APIs understand, one module each, by category.

The connection that they are sent over is in ``base_operations``, which stays out of this file: it imports requests.
"""

from cryptotrader.services.binance.websocketAPI import (
    account_requests,
    general_requests,
    market_data_requests,
    order_list_requests,
    price_range_requests,
    session_requests,
    sor_requests,
    trading_requests,
    user_data_stream_requests,
)

__all__ = [
    "account_requests",
    "general_requests",
    "market_data_requests",
    "order_list_requests",
    "price_range_requests",
    "session_requests",
    "sor_requests",
    "trading_requests",
    "user_data_stream_requests",
]
