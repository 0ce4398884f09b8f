"""24-hour statistics of one symbol, about one a second."""

from __future__ import annotations

import msgspec

from cryptotrader.bus import Topic
from cryptotrader.core.clock import NS_PER_S, to_ms
from cryptotrader.core.events import LinkState, Ticker24h
from cryptotrader.feeds.base import Feed, FeedContext
from cryptotrader.services.binance.normalise import ticker_24h, ticker_of
from cryptotrader.services.binance.websocketAPI.market_data_requests import ticker_price_24h

SAME_AGAIN_MS = 10_000
"""How much older than the newest a ticker may be and still count as told before. Unit: milliseconds. Reason: longer
than two connections overlap; what is older still comes from a venue whose clock was set back."""


class TickerFeed(Feed):
    """The newest ticker, from REST at once and from the stream ever after."""

    def __init__(self, symbol: str, context: FeedContext) -> None:
        super().__init__(symbol, f"{symbol.lower()}@ticker", context)
        self.latest: Ticker24h | None = None
        self.topic: Topic[Ticker24h] = Topic(f"ticker {symbol}")
        self._at_ns = 0
        self._is_from_stream = False
        self._is_seeded = False

    @property
    def is_fresh(self) -> bool:
        """Whether ``latest`` is recent and more will come."""
        age_ns = self.context.clock.monotonic_ns() - self._at_ns
        return self.latest is not None and self.is_present and age_ns < self.context.policy.stale_ticker_s * NS_PER_S

    def on_event(self, payload: msgspec.Raw) -> None:
        """``24hrTicker``."""
        event = ticker_24h(payload)
        latest = self.latest
        if self._is_from_stream and latest is not None and 0 <= latest.event_ms - event.event_ms < SAME_AGAIN_MS:
            return  # The same again over a second connection.
        self._is_from_stream = True
        self._take(event)

    def on_link(self, state: LinkState) -> None:
        """After a break any ticker is newer than ours, even where the venue's clock went back."""
        if state is LinkState.DISCONNECTED:
            self._is_from_stream = self._is_seeded = False
        super().on_link(state)

    async def _fill_once(self) -> None:
        if self._is_seeded or self._is_from_stream:
            return
        params = ticker_price_24h.Ticker24hParams(symbol=self.symbol)
        row = await self.context.rest.call(ticker_price_24h.SPEC, params)
        if not isinstance(row, list) and not self._is_from_stream:
            self._is_seeded = True
            self._take(ticker_of(row, now_ms=to_ms(self.context.clock.now_ns())))

    def _take(self, event: Ticker24h) -> None:
        self.latest = event
        self._at_ns = self.context.clock.monotonic_ns()
        self.topic.publish(event)
