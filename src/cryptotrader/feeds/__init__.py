"""Live data of a venue, kept up while somebody wants it: books, tickers, trades, candles, the account's own events."""

from cryptotrader.feeds.base import FeedPolicy, VenueRest
from cryptotrader.feeds.candles import CandleFeed
from cryptotrader.feeds.catalogue import SymbolCatalogue
from cryptotrader.feeds.depth import ALL_LEVELS, DepthChange, DepthFeed
from cryptotrader.feeds.live import DEPTH, TICKER, TRADES, Lease, LiveMarket, kline
from cryptotrader.feeds.tickers import TickerFeed
from cryptotrader.feeds.trades import TradeFeed
from cryptotrader.feeds.user import UserEvent, UserFeed, UserLease

__all__ = [
    "ALL_LEVELS",
    "DEPTH",
    "TICKER",
    "TRADES",
    "CandleFeed",
    "DepthChange",
    "DepthFeed",
    "FeedPolicy",
    "Lease",
    "LiveMarket",
    "SymbolCatalogue",
    "TickerFeed",
    "TradeFeed",
    "UserEvent",
    "UserFeed",
    "UserLease",
    "VenueRest",
    "kline",
]
