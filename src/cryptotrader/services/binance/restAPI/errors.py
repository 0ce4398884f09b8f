"""Error answers of Binance, which mean the same on the WebSocket API."""

from cryptotrader.services.binance.errors import (
    DEFAULT_WAIT_S,
    MAX_NOTE_CHARS,
    TIMESTAMP_REFUSED,
    TOO_MANY_ORDERS,
    TooManyOrders,
    error_of,
)

__all__ = ["DEFAULT_WAIT_S", "MAX_NOTE_CHARS", "TIMESTAMP_REFUSED", "TOO_MANY_ORDERS", "TooManyOrders", "error_of"]
