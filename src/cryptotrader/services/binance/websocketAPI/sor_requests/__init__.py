"""Orders by smart order routing."""

from cryptotrader.services.binance.websocketAPI.sor_requests import (
    place_sor_order,
    test_sor_order,
)

__all__ = [
    "place_sor_order",
    "test_sor_order",
]
