"""Answers of the market data requests, exactly as Binance writes them: prices and quantities stay text.

Unknown fields are ignored and enumerations are plain text, so that an addition at the venue breaks nothing.
Source: ``rest-api.md``, "Market Data endpoints".
"""

from __future__ import annotations

import msgspec

PriceLevel = tuple[str, str]
"""(price, quantity)."""


class Wire(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of the wire structs: snake_case here, camelCase there."""


class Empty(Wire, frozen=True, kw_only=True):
    """``{}``."""


class ServerTime(Wire, frozen=True, kw_only=True):
    """``{"serverTime":1499827319559}``."""

    server_time: int
    """Milliseconds since 1970-01-01 UTC."""


class OrderBook(Wire, frozen=True, kw_only=True):
    """``{"lastUpdateId":1027024,"bids":[["4.00000000","431.00000000"]],"asks":[["4.00000200","12.00000000"]]}``."""

    last_update_id: int
    bids: list[PriceLevel]
    asks: list[PriceLevel]


class PublicTrade(Wire, frozen=True, kw_only=True):
    """``{"id":28457,"price":"4.00000100","qty":"12.00000000","quoteQty":"48.000012","time":1499865549590,...}``."""

    id: int
    price: str
    qty: str
    quote_qty: str
    time: int
    is_buyer_maker: bool
    is_best_match: bool = True


class AggTrade(msgspec.Struct, frozen=True, kw_only=True):
    """``{"a":26129,"p":"0.01633102","q":"4.70443515","f":27781,"l":27781,"T":1498793709153,"m":true,"M":true}``."""

    agg_id: int = msgspec.field(name="a")
    price: str = msgspec.field(name="p")
    qty: str = msgspec.field(name="q")
    first_id: int = msgspec.field(name="f")
    last_id: int = msgspec.field(name="l")
    time: int = msgspec.field(name="T")
    is_buyer_maker: bool = msgspec.field(name="m")
    is_best_match: bool = msgspec.field(name="M", default=True)


class Kline(msgspec.Struct, frozen=True, array_like=True):
    """One candlestick, a JSON array of twelve: ``[1499040000000,"0.01634790",...,"0"]``."""

    open_time: int
    open: str
    high: str
    low: str
    close: str
    volume: str
    close_time: int
    quote_volume: str
    trade_count: int
    taker_buy_volume: str
    taker_buy_quote_volume: str
    unused: str = "0"


class AveragePrice(Wire, frozen=True, kw_only=True):
    """``{"mins":5,"price":"9.35751834","closeTime":1694061154503}``."""

    mins: int
    price: str
    close_time: int = 0


class TickerMini(Wire, frozen=True, kw_only=True):
    """What every price statistic has (``type=MINI``)."""

    symbol: str
    open_price: str
    high_price: str
    low_price: str
    last_price: str
    volume: str
    quote_volume: str
    open_time: int
    close_time: int
    first_id: int
    last_id: int
    count: int


class WindowTicker(TickerMini, frozen=True, kw_only=True):
    """Statistics of a rolling window or a trading day; what ``MINI`` leaves out is empty."""

    price_change: str = ""
    price_change_percent: str = ""
    weighted_avg_price: str = ""


class DayTicker(WindowTicker, frozen=True, kw_only=True):
    """24-hour statistics; what ``MINI`` leaves out is empty."""

    prev_close_price: str = ""
    last_qty: str = ""
    bid_price: str = ""
    bid_qty: str = ""
    ask_price: str = ""
    ask_qty: str = ""


class PriceTicker(Wire, frozen=True, kw_only=True):
    """``{"symbol":"LTCBTC","price":"4.00000200"}``."""

    symbol: str
    price: str


class TopOfBook(Wire, frozen=True, kw_only=True):
    """``{"symbol":"LTCBTC","bidPrice":"4.00000000","bidQty":"431.0","askPrice":"4.00000200","askQty":"9.0"}``."""

    symbol: str
    bid_price: str
    bid_qty: str
    ask_price: str
    ask_qty: str


class BlockTrade(Wire, frozen=True, kw_only=True):
    """A trade agreed upon outside of the book (``blockTrades.historical``)."""

    id: int
    price: str
    qty: str
    quote_qty: str
    time: int
    is_buyer_maker: bool
