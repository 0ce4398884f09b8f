"""Market events in the product's own words. Prices and quantities are scaled integers (``core.scaled``)."""

from __future__ import annotations

from enum import StrEnum

import msgspec

Level = tuple[int, int]
"""(price, quantity), both scaled. A quantity of zero takes the price out of the book."""


class DepthDiff(msgspec.Struct, frozen=True, gc=False):
    """Absolute quantities of the levels that changed between two update ids.

    Binance: ``web-socket-streams.md``, "Diff. Depth Stream".
    """

    symbol: str
    first_id: int
    """First update id in the event (``U``)."""
    last_id: int
    """Last update id in the event (``u``)."""
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    event_ms: int


class BookSnapshot(msgspec.Struct, frozen=True, gc=False):
    """A whole book, or as much of it as the venue tells. Best levels first."""

    symbol: str
    last_id: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


class Trade(msgspec.Struct, frozen=True, gc=False):
    """One public trade."""

    symbol: str
    trade_id: int
    price: int
    qty: int
    time_ms: int
    buyer_is_maker: bool
    """True where the aggressor sold."""
    event_ms: int


class BookTicker(msgspec.Struct, frozen=True, gc=False):
    """The best bid and ask at one update id."""

    symbol: str
    update_id: int
    bid: int
    bid_qty: int
    ask: int
    ask_qty: int


class Ticker24h(msgspec.Struct, frozen=True, gc=False):
    """Rolling 24-hour statistics. Numbers stay the venue's exact text, since a gateway only hands them on."""

    symbol: str
    event_ms: int
    price_change: str
    price_change_percent: str
    weighted_avg_price: str
    prev_close_price: str
    last_price: str
    last_qty: str
    bid_price: str
    bid_qty: str
    ask_price: str
    ask_qty: str
    open_price: str
    high_price: str
    low_price: str
    volume: str
    quote_volume: str
    open_ms: int
    close_ms: int
    first_trade_id: int
    last_trade_id: int
    trade_count: int


class Candle(msgspec.Struct, frozen=True, gc=False):
    """One candlestick (kline)."""

    symbol: str
    interval: str
    open_ms: int
    close_ms: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    quote_volume: int
    trade_count: int
    taker_buy_volume: int
    taker_buy_quote_volume: int
    is_closed: bool
    first_trade_id: int = -1
    last_trade_id: int = -1


class LinkState(StrEnum):
    """State of a connection to a venue."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"


class LinkChange(msgspec.Struct, frozen=True, gc=False):
    """A connection to a venue changed its state."""

    venue: str
    link: str
    """Which connection: ``market-1``, ``user``."""
    state: LinkState
    at_ms: int
    reason: str = ""


class SystemEvent(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Something that an operator wants to know: a protection that fired, a position that does not fit its balance."""

    event: str
    """What kind: ``protection_triggered``, ``position_mismatch``, ..."""
    status: str
    """What came of it, in one word."""
    at_ms: int
    symbol: str | None = None
    detail: str | None = None
    account: str | None = None
    """Whose affair it is; None where it is everybody's."""
