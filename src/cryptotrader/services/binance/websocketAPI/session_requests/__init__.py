"""Requests that concern one WebSocket API connection: who it is logged on as and what it is subscribed to."""

from cryptotrader.services.binance.websocketAPI.session_requests import (
    log_on,
    log_out,
    session_status,
    session_subscriptions,
)

__all__ = [
    "log_on",
    "log_out",
    "session_status",
    "session_subscriptions",
]
