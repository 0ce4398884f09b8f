"""Candles of one symbol and interval."""

from __future__ import annotations

import msgspec

from cryptotrader.bus import Topic
from cryptotrader.core.clock import to_ms
from cryptotrader.core.events import Candle, LinkState
from cryptotrader.feeds.base import Feed, FeedContext
from cryptotrader.market.candles import CandleSeries
from cryptotrader.services.binance.normalise import candle, candles_of
from cryptotrader.services.binance.request import Interval
from cryptotrader.services.binance.websocketAPI.market_data_requests import klines

SEED_LIMIT = 1_000
"""Candles fetched at first and after a break, the most that Binance gives in one request. Unit: candles."""


class CandleFeed(Feed):
    """A series from REST, kept up by the stream."""

    def __init__(self, symbol: str, interval: Interval, context: FeedContext) -> None:
        super().__init__(symbol, f"{symbol.lower()}@kline_{interval}", context)
        self.interval: Interval = interval
        self.series = CandleSeries(symbol, interval, SEED_LIMIT)
        self.topic: Topic[Candle] = Topic(f"candles {symbol} {interval}")
        self._is_seeded = False

    @property
    def is_fresh(self) -> bool:
        """Whether the series has no hole and goes on."""
        return self._is_seeded and self.is_present

    def on_event(self, payload: msgspec.Raw) -> None:
        """``kline``."""
        event = candle(payload)
        last = self.series.last
        if last is not None and last.open_ms == event.open_ms and self._is_older(event, last):
            return
        if last is not None and event.open_ms < last.open_ms:
            return
        if last is not None and event.open_ms > last.open_ms and not self._follows(event, last):
            # How the last one ended, or what came after it, was lost.
            self._is_seeded = False
            self.fill()
        self.series.put(event)
        self.topic.publish(event)

    def on_link(self, state: LinkState) -> None:
        """Candles missed during a break are fetched after it."""
        if state is LinkState.DISCONNECTED:
            self._is_seeded = False
        super().on_link(state)

    async def _fill_once(self) -> None:
        if self._is_seeded:
            return
        while not self.is_active:
            await self.context.clock.sleep(self.context.policy.poll_s)
        params = klines.KlinesParams(symbol=self.symbol, interval=self.interval, limit=SEED_LIMIT)
        rows = await self.context.rest.call(klines.SPEC, params)
        for row in candles_of(self.symbol, self.interval, rows, now_ms=to_ms(self.context.clock.now_ns())):
            known = self.series.between(start_ms=row.open_ms, end_ms=row.open_ms)
            if not known or not self._is_older(row, known[0]):
                self.series.put(row)
        self._is_seeded = self.is_active

    @staticmethod
    def _follows(event: Candle, known: Candle) -> bool:
        """Whether nothing can be missing between two candles."""
        return known.is_closed and event.open_ms == known.close_ms + 1

    @staticmethod
    def _is_older(event: Candle, known: Candle) -> bool:
        """Whether ``event`` tells less of the same candle: it comes twice while one connection replaces another."""
        if event.trade_count != known.trade_count:
            return event.trade_count < known.trade_count
        return known.is_closed and not event.is_closed
