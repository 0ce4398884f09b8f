"""Streams of rolling windows: ``@ticker_1h`` and its kin. Pure, like all pulses."""

from __future__ import annotations

from cryptotrader.exchange.protocol.render import percent
from cryptotrader.exchange.protocol.stream_names import StreamName, window_open_ms
from cryptotrader.exchange.protocol.streams import payloads
from cryptotrader.exchange.protocol.streams.paced import MarketView, Paced
from cryptotrader.exchange.protocol.streams.payloads import WindowTicker
from cryptotrader.exchange.protocol.streams.shared import Renderer


def read_window(view: MarketView, symbol: str, window: str, *, now_ms: int) -> WindowTicker | None:
    """The window that ends now; None before any trade."""
    open_ms = window_open_ms(window, now_ms)
    whole = view.window(symbol, open_ms, now_ms)
    if whole is None:
        return None
    change = percent(whole.close - whole.open, whole.open)
    return WindowTicker(window=window, whole=whole, open_ms=open_ms, close_ms=now_ms, percent=change)


def _mark(told: WindowTicker) -> object:
    """What must differ for a window to count as changed: a trade came, or one left."""
    return told.whole.last_trade_id, told.whole.trade_count


class WindowTickerPulse(Paced):
    """``@ticker_<window>``."""

    def poll(self, now_ms: int) -> list[Renderer]:
        """The window, where a trade came into it or left it."""
        told = read_window(self.view, self.name.symbol, self.name.interval, now_ms=now_ms)
        if told is None or not self.changed(_mark(told)):
            return []
        return [lambda unit: payloads.window_ticker(told, unit)]


class AllWindowTickersPulse(Paced):
    """``!ticker_<window>@arr``."""

    def __init__(self, name: StreamName, view: MarketView) -> None:
        super().__init__(name, view)
        self._marks: dict[str, object] = {}
        self._looked: dict[str, object] = {}

    def refresh(self) -> None:
        """Tell of every symbol at the next poll."""
        self._marks.clear()
        self._looked.clear()

    def poll(self, now_ms: int) -> list[Renderer]:
        """The windows of the symbols in which a trade came or left."""
        changed: list[WindowTicker] = []
        open_ms = window_open_ms(self.name.interval, now_ms)
        for symbol in self.view.symbols:
            # Putting a window together costs much more than seeing that nothing can have changed in it.
            looked = (self.view.last_trade_id(symbol), open_ms)
            if self._looked.get(symbol) == looked:
                continue
            self._looked[symbol] = looked
            told = read_window(self.view, symbol, self.name.interval, now_ms=now_ms)
            if told is not None and self._marks.get(symbol) != _mark(told):
                self._marks[symbol] = _mark(told)
                changed.append(told)
        return [lambda unit: payloads.all_window_tickers(changed, unit)] if changed else []
