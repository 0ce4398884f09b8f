"""Names of streams: ``btcusdt@depth@100ms`` to what it asks for, and the lists of names in a URL.

Binance: ``web-socket-streams.md``, "General WSS information" and "Detailed Stream information".
"""

from __future__ import annotations

import re
from enum import StrEnum
from urllib.parse import parse_qsl

import msgspec

from cryptotrader.core.instruments import MAX_SYMBOL_CHARS
from cryptotrader.exchange.protocol.time_unit import wants_micros
from cryptotrader.market.candles import DAY_MS, HOUR_MS, INTERVALS, MINUTE_MS

SLOW_MS = 1_000
"""Pace of the streams that are not real-time. Unit: milliseconds. Source: "Update Speed" of each stream."""

FAST_MS = 100
"""Pace of ``@100ms`` streams. Unit: milliseconds."""

KLINE_MS = 2_000
"""Pace of candles longer than a second. Unit: milliseconds. Source: "Kline/Candlestick Streams for UTC"."""


class StreamKind(StrEnum):
    """What a market stream tells."""

    TRADE = "trade"
    AGG_TRADE = "aggTrade"
    DEPTH = "depth"
    PARTIAL_DEPTH = "partialDepth"
    TICKER = "ticker"
    MINI_TICKER = "miniTicker"
    ALL_MINI_TICKERS = "allMiniTickers"
    BOOK_TICKER = "bookTicker"
    KLINE = "kline"
    AVG_PRICE = "avgPrice"
    WINDOW_TICKER = "windowTicker"
    ALL_WINDOW_TICKERS = "allWindowTickers"
    REFERENCE_PRICE = "referencePrice"
    BLOCK_TRADE = "blockTrade"


class StreamName(msgspec.Struct, frozen=True):
    """A name that was understood."""

    text: str
    """As the client wrote it; combined events repeat it."""
    kind: StreamKind
    symbol: str = ""
    """Upper case; empty for streams of all symbols."""
    pace_ms: int = 0
    """Shortest time between two events in milliseconds; 0 is real-time."""
    levels: int = 0
    """Levels a side, of partial depth."""
    interval: str = ""
    """Interval of the candles, or length of the rolling window."""
    offset_min: int = 0
    """Minutes east of Greenwich where the days of the candles begin."""


_PLAIN = {
    "trade": (StreamKind.TRADE, 0),
    "aggTrade": (StreamKind.AGG_TRADE, 0),
    "bookTicker": (StreamKind.BOOK_TICKER, 0),
    "ticker": (StreamKind.TICKER, SLOW_MS),
    "miniTicker": (StreamKind.MINI_TICKER, SLOW_MS),
    "avgPrice": (StreamKind.AVG_PRICE, SLOW_MS),
    "referencePrice": (StreamKind.REFERENCE_PRICE, SLOW_MS),
    "blockTrade": (StreamKind.BLOCK_TRADE, 0),
}
_WINDOWS = {"1h": HOUR_MS, "4h": 4 * HOUR_MS, "1d": DAY_MS}
_KLINE = re.compile(r"kline_([0-9]+[smhdwM])(@\+08:00)?")
_ALL_WINDOWS = re.compile(r"!ticker_(1h|4h|1d)@arr")
_EAST_MIN = 8 * 60
"""The one zone of candles besides UTC. Unit: minutes east. Source: "Kline/Candlestick Streams with timezone offset"."""
_DEPTH = re.compile(r"depth(5|10|20)?(@100ms|@1000ms)?")
_SYMBOL = re.compile(rf"[^\W_]{{1,{MAX_SYMBOL_CHARS}}}")
_ALL_MINI_TICKERS = re.compile(r"!miniTicker@arr(@1000ms|@3000ms)?")
"""The pace is not in the document; python-binance and Binance's own pages ask with it."""


def parse_stream_name(text: str) -> StreamName | None:
    """Understand a name, or answer None: a name that means nothing is no error, it just yields nothing.

    Symbols must be in lower case.
    """
    if tickers := _ALL_MINI_TICKERS.fullmatch(text):
        pace_ms = 3 * SLOW_MS if tickers[1] == "@3000ms" else SLOW_MS
        return StreamName(text, StreamKind.ALL_MINI_TICKERS, pace_ms=pace_ms)
    if windows := _ALL_WINDOWS.fullmatch(text):
        return StreamName(text, StreamKind.ALL_WINDOW_TICKERS, pace_ms=SLOW_MS, interval=windows[1])
    symbol, at, rest = text.partition("@")
    if not at or symbol != symbol.lower() or not _SYMBOL.fullmatch(symbol):
        return None
    symbol = symbol.upper()
    if rest in _PLAIN:
        kind, pace_ms = _PLAIN[rest]
        return StreamName(text, kind, symbol, pace_ms)
    if depth := _DEPTH.fullmatch(rest):
        pace_ms = FAST_MS if depth[2] == "@100ms" else SLOW_MS
        if depth[1]:
            return StreamName(text, StreamKind.PARTIAL_DEPTH, symbol, pace_ms, levels=int(depth[1]))
        return StreamName(text, StreamKind.DEPTH, symbol, pace_ms)
    return _parse_interval(text, symbol, rest)


def _parse_interval(text: str, symbol: str, rest: str) -> StreamName | None:
    window = rest.removeprefix("ticker_")
    if window != rest and window in _WINDOWS:
        return StreamName(text, StreamKind.WINDOW_TICKER, symbol, SLOW_MS, interval=window)
    kline = _KLINE.fullmatch(rest)
    if kline is None or kline[1] not in INTERVALS:
        return None
    pace_ms = SLOW_MS if kline[1] == "1s" else KLINE_MS
    offset_min = _EAST_MIN if kline[2] else 0
    return StreamName(text, StreamKind.KLINE, symbol, pace_ms, interval=kline[1], offset_min=offset_min)


def window_open_ms(window: str, now_ms: int) -> int:
    """When a rolling window that ends now begins: on a whole minute, so it may be up to 59,999 ms too long."""
    start_ms = now_ms - _WINDOWS[window]
    return start_ms - start_ms % MINUTE_MS


class StreamUrl(msgspec.Struct, frozen=True):
    """What the path and query of a stream connection ask for."""

    names: tuple[str, ...]
    """Streams from the start, without duplicates."""
    combined: bool
    """Whether events are wrapped as ``{"stream":...,"data":...}``."""
    micros: bool
    """Whether times are in microseconds."""


def parse_stream_url(path: str, query: str) -> StreamUrl | None:
    """Read ``/ws``, ``/ws/<a>/<b>``, ``/stream`` and ``/stream?streams=<a>/<b>``; None for any other path.

    Args:
        path: Percent-decoded.
        query: Raw; ``timeUnit`` and ``streams`` are read, the rest is ignored.
    """
    options = dict(parse_qsl(query, keep_blank_values=True))
    micros = wants_micros(options.get("timeUnit"))
    if path.rstrip("/") == "/stream":
        # A plus sign in a query means a space, but names may hold one and never a space.
        listed = options.get("streams", "").replace(" ", "+")
        return StreamUrl(_names(listed), combined=True, micros=micros)
    if path == "/ws" or path.startswith("/ws/"):
        return StreamUrl(_names(path[3:]), combined=False, micros=micros)
    return None


def _names(joined: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in joined.split("/") if name))
