"""Binance's market and user data streams: connections that replace themselves, subscriptions that survive."""

from cryptotrader.services.binance.streams.link import LinkDeps
from cryptotrader.services.binance.streams.market import MarketStreams
from cryptotrader.services.binance.streams.policy import StreamPolicy
from cryptotrader.services.binance.streams.session import WireEvent

__all__ = ["LinkDeps", "MarketStreams", "StreamPolicy", "WireEvent"]
