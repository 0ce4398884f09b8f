"""REST client of Binance's API: limits, clock and errors in pure modules, one shell that sends."""

from cryptotrader.services.binance.restAPI.client import BinanceRest, RawReply, RestPolicy
from cryptotrader.services.binance.restAPI.errors import TooManyOrders

__all__ = ["BinanceRest", "RawReply", "RestPolicy", "TooManyOrders"]
