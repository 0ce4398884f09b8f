"""The paper exchange as the streams look at it."""

from __future__ import annotations

from collections.abc import Collection

from cryptotrader.core.events import Candle, Level, Ticker24h
from cryptotrader.core.orders import Side
from cryptotrader.exchange.protocol.streams.payloads import AveragePrice
from cryptotrader.exchange.venue import PaperVenue


class VenueView:
    """``MarketView`` of a ``PaperVenue``."""

    def __init__(self, venue: PaperVenue) -> None:
        self._venue = venue

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

    def candles(self, symbol: str, interval: str, now_ms: int) -> list[Candle]:
        """The last closed candle and the one that is open, as far as there are any; oldest first."""
        return self._venue.statistics(symbol).candles(interval, now_ms=now_ms, limit=2)

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
