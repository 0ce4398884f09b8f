"""What paced streams have in common, and what they want to know of the exchange. Pure."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from cryptotrader.core.events import Candle, Level, Ticker24h
from cryptotrader.exchange.protocol.stream_names import StreamName
from cryptotrader.exchange.protocol.streams.payloads import AveragePrice, ReferencePrice
from cryptotrader.exchange.protocol.streams.shared import Renderer
from cryptotrader.market.aggregates import AggTrade


class MarketView(Protocol):
    """What the streams want to know of the exchange besides its events."""

    @property
    def symbols(self) -> Collection[str]:
        """Every symbol, upper case."""
        ...

    def top(self, symbol: str, levels: int) -> tuple[int, list[Level], list[Level]]:
        """Last update id, best bids and best asks of the displayed book."""
        ...

    def last_id(self, symbol: str) -> int:
        """Last update id of the displayed book."""
        ...

    def day(self, symbol: str, now_ms: int) -> Ticker24h:
        """24-hour statistics."""
        ...

    def candles(self, name: StreamName, now_ms: int) -> list[Candle]:
        """The last closed candle of a stream and the one that is open, as far as there are any; oldest first."""
        ...

    def window(self, symbol: str, open_ms: int, now_ms: int) -> Candle | None:
        """Everything from a whole minute until now as one candle; None before any trade."""
        ...

    def last_trade_id(self, symbol: str) -> int:
        """Id of the last public trade; -1 before any."""
        ...

    def last_aggregate_id(self, symbol: str) -> int:
        """Id of the last aggregate that nothing is added to any more; -1 before any."""
        ...

    def aggregates_since(self, symbol: str, agg_id: int) -> list[AggTrade]:
        """Aggregates newer than an id, oldest first; nothing is added to them any more."""
        ...

    def reference_price(self, symbol: str, now_ms: int) -> ReferencePrice:
        """What the price range is put around."""
        ...

    def average(self, symbol: str) -> AveragePrice:
        """The average price."""
        ...

    def watch(self, symbol: str) -> None:
        """Somebody listens to this symbol now."""
        ...


class Pulse(Protocol):
    """One paced stream."""

    def poll(self, now_ms: int) -> list[Renderer]:
        """What there is to say now, in order."""
        ...

    def due_ms(self, now_ms: int) -> int:
        """When to poll next."""
        ...

    def refresh(self) -> None:
        """Somebody new listens: speak at the next poll even if nothing changed."""
        ...


def _next_beat(pace_ms: int, now_ms: int) -> int:
    return now_ms - now_ms % pace_ms + pace_ms


class Paced:
    """Speaks at full multiples of its pace, where its mark differs from the last one."""

    def __init__(self, name: StreamName, view: MarketView) -> None:
        self.name = name
        self.view = view
        self._mark: object = None

    def due_ms(self, now_ms: int) -> int:
        """When to poll next."""
        return _next_beat(self.name.pace_ms, now_ms)

    def refresh(self) -> None:
        """Speak at the next poll."""
        self._mark = None

    def changed(self, mark: object) -> bool:
        """Whether ``mark`` differs from the last one."""
        changed = mark != self._mark
        self._mark = mark
        return changed
