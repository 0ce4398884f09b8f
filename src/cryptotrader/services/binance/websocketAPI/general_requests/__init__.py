"""Requests that concern the venue as a whole: is it there, what time is it, what are its rules."""

from cryptotrader.services.binance.websocketAPI.general_requests import (
    connectivity,
    exchange_information,
    server_time,
)

__all__ = [
    "connectivity",
    "exchange_information",
    "server_time",
]
