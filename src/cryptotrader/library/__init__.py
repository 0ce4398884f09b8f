"""For programs that use Binance directly: order books that are true, and the account's events as typed values.

The requests themselves are in ``cryptotrader.services.binance.websocketAPI``. ``docs/guide-websocket-api.md`` shows
both.
"""

from cryptotrader.library.book import BookNotReady, LocalOrderBook
from cryptotrader.library.market_data import MarketData
from cryptotrader.library.user_data import UserData
from cryptotrader.library.values import BookChange, Quote, TopOfBook

__all__ = ["BookChange", "BookNotReady", "LocalOrderBook", "MarketData", "Quote", "TopOfBook", "UserData"]
