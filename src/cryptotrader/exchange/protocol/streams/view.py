"""The paper exchange as the streams look at it."""

from __future__ import annotations

from collections.abc import Collection

from cryptotrader.core.events import Candle, Level, Ticker24h
from cryptotrader.core.orders import Side
from cryptotrader.exchange.protocol.stream_names import StreamName
from cryptotrader.exchange.protocol.streams.payloads import AveragePrice, ReferencePrice
from cryptotrader.exchange.statistics import merged
from cryptotrader.exchange.venue import PaperVenue
from cryptotrader.exchange.zones import Zone
from cryptotrader.market.aggregates import AggTrade
from cryptotrader.market.candles import MINUTE_MS

TURN_MS = 60_000
"""How long after its end a candle of another time zone is still looked at. Unit: milliseconds. Reason: it is told once
more a moment after its end; putting it together again at every look would cost ten times as much as the open one."""


class VenueView:
    """``MarketView`` of a ``PaperVenue``."""

    def __init__(self, venue: PaperVenue) -> None:
        self._venue = venue
        self._settled_ms = 0
        self._settled: dict[tuple[str, int], Candle | None] = {}

    @property
    def symbols(self) -> Collection[str]:
        """Every symbol, upper case."""
        return self._venue.rules.keys()

    def top(self, symbol: str, levels: int) -> tuple[int, list[Level], list[Level]]:
        """Last update id, best bids and best asks of the displayed book."""
        book = self._venue.engine.book(symbol)
        return self.last_id(symbol), list(book.levels(Side.BUY, levels)), list(book.levels(Side.SELL, levels))

    def last_id(self, symbol: str) -> int:
        """Last update id of the displayed book."""
        return self._venue.engine.last_id(symbol)

    def day(self, symbol: str, now_ms: int) -> Ticker24h:
        """24-hour statistics."""
        return self._venue.statistics(symbol).day(now_ms)

    def candles(self, name: StreamName, now_ms: int) -> list[Candle]:
        """The last closed candle of a stream and the one that is open, as far as there are any; oldest first."""
        statistics = self._venue.statistics(name.symbol)
        if not name.offset_min:
            return statistics.candles(name.interval, now_ms=now_ms, limit=2)
        zone = Zone(name.interval, name.offset_min)
        limit = 2 if now_ms - zone.open_ms(now_ms) < TURN_MS else 1
        return zone.candles(statistics, now_ms=now_ms, start_ms=None, end_ms=None, limit=limit)

    def window(self, symbol: str, open_ms: int, now_ms: int) -> Candle | None:
        """Everything from a whole minute until now as one candle; None before any trade."""
        statistics = self._venue.statistics(symbol)
        settled_ms = now_ms - now_ms % MINUTE_MS - MINUTE_MS
        if settled_ms <= open_ms:
            return statistics.window(open_ms, now_ms)
        # Everything but the last two minutes stays as it is, and costs much more to put together.
        if settled_ms != self._settled_ms:
            self._settled_ms = settled_ms
            self._settled.clear()
        key = (symbol, open_ms)
        if key not in self._settled:
            self._settled[key] = statistics.window(open_ms, settled_ms - 1)
        before, after = self._settled[key], statistics.window(settled_ms, now_ms)
        return merged(before, after) if before is not None and after is not None else before or after

    def last_trade_id(self, symbol: str) -> int:
        """Id of the last public trade; -1 before any."""
        return self._venue.statistics(symbol).ticker.last_trade_id

    def last_aggregate_id(self, symbol: str) -> int:
        """Id of the last aggregate that nothing is added to any more; -1 before any."""
        return self._venue.statistics(symbol).aggregates.last_id

    def aggregates_since(self, symbol: str, agg_id: int) -> list[AggTrade]:
        """Aggregates newer than an id, oldest first; nothing is added to them any more."""
        return self._venue.statistics(symbol).aggregates.since(agg_id)

    def reference_price(self, symbol: str, now_ms: int) -> ReferencePrice:
        """What the price range is put around; no price where the symbol has none, or nothing traded of late."""
        return ReferencePrice(symbol, self._venue.engine.reference_price(symbol, now_ms), now_ms)

    def average(self, symbol: str) -> AveragePrice:
        """The average price of the last minutes and when the last trade was."""
        last = self._venue.statistics(symbol).tape.last
        return AveragePrice(
            symbol=symbol,
            price=self._venue.average_price(symbol),
            mins=self._venue.rules[symbol].avg_price_mins,
            last_trade_ms=last.time_ms if last is not None else self._venue.started_ms,
        )

    def watch(self, symbol: str) -> None:
        """Somebody listens to this symbol now; an empty symbol stands for all."""
        for each in [symbol] if symbol else list(self.symbols):
            self._venue.watch(each)
