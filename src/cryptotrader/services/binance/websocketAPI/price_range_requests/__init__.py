"""The price range that trades must keep to, and the reference price that it goes by."""

from cryptotrader.services.binance.websocketAPI.price_range_requests import (
    execution_rules,
    reference_price,
    reference_price_calculation,
)

__all__ = [
    "execution_rules",
    "reference_price",
    "reference_price_calculation",
]
