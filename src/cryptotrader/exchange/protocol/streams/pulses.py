"""Streams that speak at a pace instead of at every event: what they have to say when their time comes.

A pulse is asked at its pace and answers with nothing where nothing changed. Pure: it looks at a ``MarketView`` that is
handed in. Binance: ``web-socket-streams.md``, "Update Speed" of each stream.
"""

from __future__ import annotations

from cryptotrader.core.events import Candle, DepthDiff, Ticker24h
from cryptotrader.exchange.protocol.stream_names import FAST_MS, StreamKind, StreamName
from cryptotrader.exchange.protocol.streams import payloads
from cryptotrader.exchange.protocol.streams.paced import MarketView, Paced, Pulse
from cryptotrader.exchange.protocol.streams.shared import Renderer
from cryptotrader.exchange.protocol.streams.windows import AllWindowTickersPulse, WindowTickerPulse
from cryptotrader.exchange.zones import Zone
from cryptotrader.market.candles import as_closed

SETTLE_MS = 200
"""How long after its end a candle is told for the last time. Unit: ms. Reason: a trade of its last moment may be a few
milliseconds on its way through the exchange, and a candle that was told closed must never change."""


class PartialDepthPulse(Paced):
    """``@depth5``, ``@depth10``, ``@depth20``."""

    def poll(self, now_ms: int) -> list[Renderer]:
        """The best levels, where the book has moved."""
        symbol = self.name.symbol
        if not self.changed(self.view.last_id(symbol)):
            return []
        last_id, bids, asks = self.view.top(symbol, self.name.levels)
        return [lambda unit: payloads.partial_depth(last_id, bids, asks)]


class TickerPulse(Paced):
    """``@ticker``."""

    def poll(self, now_ms: int) -> list[Renderer]:
        """All statistics, after a trade or where the best bid or ask moved."""
        stats = self.view.day(self.name.symbol, now_ms)
        top = (stats.bid_price, stats.bid_qty, stats.ask_price, stats.ask_qty)
        if not self.changed((*_trades_mark(stats), *top)):
            return []
        return [lambda unit: payloads.ticker(stats, unit)]


class MiniTickerPulse(Paced):
    """``@miniTicker``."""

    def poll(self, now_ms: int) -> list[Renderer]:
        """Short statistics, after a trade."""
        stats = self.view.day(self.name.symbol, now_ms)
        if not self.changed(_trades_mark(stats)):
            return []
        return [lambda unit: payloads.mini_ticker(stats, unit)]


class AllMiniTickersPulse(Paced):
    """``!miniTicker@arr``."""

    def __init__(self, name: StreamName, view: MarketView) -> None:
        super().__init__(name, view)
        self._marks: dict[str, object] = {}

    def refresh(self) -> None:
        """Tell of every symbol at the next poll."""
        self._marks.clear()

    def poll(self, now_ms: int) -> list[Renderer]:
        """Short statistics of the symbols that traded."""
        changed = []
        for symbol in self.view.symbols:
            stats = self.view.day(symbol, now_ms)
            mark = _trades_mark(stats)
            if self._marks.get(symbol) != mark:
                self._marks[symbol] = mark
                changed.append(stats)
        return [lambda unit: payloads.all_mini_tickers(changed, unit)] if changed else []


class AveragePricePulse(Paced):
    """``@avgPrice``."""

    def poll(self, now_ms: int) -> list[Renderer]:
        """The average price, where it changed."""
        average = self.view.average(self.name.symbol)
        if not self.changed(average):
            return []
        return [lambda unit: payloads.avg_price(average, now_ms, unit)]


class ReferencePricePulse(Paced):
    """``@referencePrice``."""

    def poll(self, now_ms: int) -> list[Renderer]:
        """The reference price, where it changed."""
        now = self.view.reference_price(self.name.symbol, now_ms)
        return [lambda unit: payloads.reference_price(now, unit)] if self.changed(now.price or "none") else []


class KlinePulse(Paced):
    """``@kline_<interval>[@+08:00]``: the open candle where it changed; each once more at its end, marked closed."""

    def __init__(self, name: StreamName, view: MarketView) -> None:
        super().__init__(name, view)
        self._zone = Zone(name.interval, name.offset_min)
        self._ended_ms: int | None = None
        """Candles that ended up to here are not told any more."""

    def due_ms(self, now_ms: int) -> int:
        """At the pace, or as soon as the candle that ended is settled."""
        if self._ended_ms is None:
            self._ended_ms = now_ms - 1
        open_ms = self._zone.open_ms(now_ms)
        settled_ms = open_ms + SETTLE_MS
        if settled_ms <= now_ms:
            settled_ms = self._zone.close_ms(open_ms) + 1 + SETTLE_MS
        return min(super().due_ms(now_ms), settled_ms)

    def poll(self, now_ms: int) -> list[Renderer]:
        """The candle that ended, if one did, and the open one."""
        rows = self.view.candles(self.name, now_ms)
        if not rows:
            return []
        newest = rows[-1]
        if now_ms < newest.open_ms + SETTLE_MS:
            return []
        ended_ms = newest.open_ms - 1 if self._ended_ms is None else self._ended_ms
        said = [_kline(as_closed(row), now_ms) for row in rows[:-1] if row.close_ms > ended_ms]
        self._ended_ms = max(ended_ms, newest.open_ms - 1)
        if self.changed((newest.open_ms, newest.trade_count, newest.last_trade_id)):
            said.append(_kline(newest, now_ms))
        return said


def _kline(candle: Candle, now_ms: int) -> Renderer:
    return lambda unit: payloads.kline(candle, now_ms, unit)


class DepthPulse(Paced):
    """``@depth``: the changes of a second in one event, its ids joined without a hole."""

    def __init__(self, name: StreamName, view: MarketView) -> None:
        super().__init__(name, view)
        self._first_id: int | None = None
        self._last: DepthDiff | None = None
        self._bids: dict[int, int] = {}
        self._asks: dict[int, int] = {}
        self._ready: list[DepthDiff] = []

    def absorb(self, diff: DepthDiff) -> None:
        """Take in a change; where its ids do not follow, what there was before becomes an event of its own."""
        if self._last is not None and diff.first_id != self._last.last_id + 1:
            self._finish()
        if self._first_id is None:
            self._first_id = diff.first_id
        self._last = diff
        self._bids.update(diff.bids)
        self._asks.update(diff.asks)

    def poll(self, now_ms: int) -> list[Renderer]:
        """The joined changes since the last poll."""
        self._finish()
        ready, self._ready = self._ready, []
        return [_depth_update(diff) for diff in ready]

    def _finish(self) -> None:
        if self._first_id is None or self._last is None:
            return
        joined = DepthDiff(
            symbol=self._last.symbol,
            first_id=self._first_id,
            last_id=self._last.last_id,
            bids=tuple(sorted(self._bids.items(), reverse=True)),
            asks=tuple(sorted(self._asks.items())),
            event_ms=self._last.event_ms,
        )
        self._ready.append(joined)
        self._first_id = None
        self._bids, self._asks = {}, {}


def _depth_update(diff: DepthDiff) -> Renderer:
    return lambda unit: payloads.depth_update(diff, unit)


def _trades_mark(stats: Ticker24h) -> tuple[int, int]:
    return stats.last_trade_id, stats.trade_count


def make_pulse(name: StreamName, view: MarketView) -> Pulse | None:
    """The pulse behind a name; None where the stream speaks at every event."""
    match name.kind:
        case StreamKind.DEPTH if name.pace_ms > FAST_MS:
            return DepthPulse(name, view)
        case StreamKind.PARTIAL_DEPTH:
            return PartialDepthPulse(name, view)
        case StreamKind.TICKER:
            return TickerPulse(name, view)
        case StreamKind.MINI_TICKER:
            return MiniTickerPulse(name, view)
        case StreamKind.ALL_MINI_TICKERS:
            return AllMiniTickersPulse(name, view)
        case StreamKind.AVG_PRICE:
            return AveragePricePulse(name, view)
        case StreamKind.KLINE:
            return KlinePulse(name, view)
        case StreamKind.WINDOW_TICKER:
            return WindowTickerPulse(name, view)
        case StreamKind.ALL_WINDOW_TICKERS:
            return AllWindowTickersPulse(name, view)
        case StreamKind.REFERENCE_PRICE:
            return ReferencePricePulse(name, view)
        case _:
            return None
