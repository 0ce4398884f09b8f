"""Best bid and ask of one symbol, as soon as they change."""

from __future__ import annotations

import msgspec

from cryptotrader.bus import Topic
from cryptotrader.core.events import BookTicker
from cryptotrader.feeds.base import Feed, FeedContext
from cryptotrader.services.binance.normalise import book_ticker


class TopFeed(Feed):
    """Tells every event of the stream; around a replacement of the connection one may come twice.

    There is nothing to fetch: a book tells the top until the first event comes.
    """

    def __init__(self, symbol: str, context: FeedContext) -> None:
        super().__init__(symbol, f"{symbol.lower()}@bookTicker", context)
        self.topic: Topic[BookTicker] = Topic(f"top {symbol}")

    def on_event(self, payload: msgspec.Raw) -> None:
        """``bookTicker``."""
        self.topic.publish(book_ticker(payload))

    async def _fill_once(self) -> None:
        """Nothing."""
