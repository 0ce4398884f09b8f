"""Binance's market and user data streams: connections that replace themselves, subscriptions that survive."""

from cryptotrader.services.binance.streams.link import LinkDeps
from cryptotrader.services.binance.streams.market import MarketStreams
from cryptotrader.services.binance.streams.policy import StreamPolicy
from cryptotrader.services.binance.streams.session import WireEvent
from cryptotrader.services.binance.streams.user import UserDeps, UserStream
from cryptotrader.services.binance.streams.user_session import SessionMaker

__all__ = ["LinkDeps", "MarketStreams", "SessionMaker", "StreamPolicy", "UserDeps", "UserStream", "WireEvent"]
