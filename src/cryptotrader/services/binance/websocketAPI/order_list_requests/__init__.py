"""Order lists beyond the OCO of ``trading_requests``: orders that set others to work, and the OCO of old."""

from cryptotrader.services.binance.websocketAPI.order_list_requests import (
    place_legacy_oco,
    place_opo,
    place_opoco,
    place_oto,
    place_otoco,
)

__all__ = [
    "place_legacy_oco",
    "place_opo",
    "place_opoco",
    "place_oto",
    "place_otoco",
]
