"""The account's own events: by subscription, and by listen key where a venue still has those."""

from cryptotrader.services.binance.websocketAPI.user_data_stream_requests import (
    ping_user_data_stream,
    start_user_data_stream,
    stop_user_data_stream,
    subscribe_by_signature,
    subscribe_user_data_stream,
    unsubscribe_user_data_stream,
)

__all__ = [
    "ping_user_data_stream",
    "start_user_data_stream",
    "stop_user_data_stream",
    "subscribe_by_signature",
    "subscribe_user_data_stream",
    "unsubscribe_user_data_stream",
]
