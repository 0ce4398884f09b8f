"""Messages of the market streams (``web-socket-streams.md``), by the venue's one-letter names.

Unknown fields are ignored. Only what the product uses is read.
"""

from __future__ import annotations

import msgspec
from msgspec import field

from cryptotrader.services.binance.models.market import PriceLevel


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """``{"stream":"btcusdt@trade","data":{...}}``: how combined streams wrap a message."""

    stream: str = ""
    data: msgspec.Raw = msgspec.Raw(b"")


class DepthUpdate(msgspec.Struct, frozen=True, gc=False):
    """``{"e":"depthUpdate","E":1672515782136,"s":"BNBBTC","U":157,"u":160,"b":[["0.0024","10"]],"a":[]}``."""

    symbol: str = field(name="s")
    first_id: int = field(name="U")
    last_id: int = field(name="u")
    bids: tuple[PriceLevel, ...] = field(name="b")
    asks: tuple[PriceLevel, ...] = field(name="a")
    event_ms: int = field(name="E")


class TradeEvent(msgspec.Struct, frozen=True, gc=False):
    """``{"e":"trade","E":1672515782136,"s":"BNBBTC","t":12345,"p":"0.001","q":"100","T":1672515782136,"m":true}``."""

    symbol: str = field(name="s")
    trade_id: int = field(name="t")
    price: str = field(name="p")
    qty: str = field(name="q")
    time_ms: int = field(name="T")
    buyer_is_maker: bool = field(name="m")
    event_ms: int = field(name="E")


class AggTradeEvent(msgspec.Struct, frozen=True, gc=False):
    """``{"e":"aggTrade","E":..,"s":"BNBBTC","a":12345,"p":"0.001","q":"100","f":100,"l":105,"T":..,"m":true}``."""

    symbol: str = field(name="s")
    agg_id: int = field(name="a")
    price: str = field(name="p")
    qty: str = field(name="q")
    first_id: int = field(name="f")
    last_id: int = field(name="l")
    time_ms: int = field(name="T")
    buyer_is_maker: bool = field(name="m")
    event_ms: int = field(name="E")


class BookTickerEvent(msgspec.Struct, frozen=True, gc=False):
    """``{"u":400900217,"s":"BNBUSDT","b":"25.35","B":"31.21","a":"25.36","A":"40.66"}``; it has no ``e``."""

    update_id: int = field(name="u")
    symbol: str = field(name="s")
    bid: str = field(name="b")
    bid_qty: str = field(name="B")
    ask: str = field(name="a")
    ask_qty: str = field(name="A")


class DayTickerEvent(msgspec.Struct, frozen=True, gc=False):
    """``{"e":"24hrTicker","E":1672515782136,"s":"BNBBTC","p":"0.0015","P":"250.00","w":"0.0018",...}``."""

    event_ms: int = field(name="E")
    symbol: str = field(name="s")
    price_change: str = field(name="p")
    price_change_percent: str = field(name="P")
    weighted_avg_price: str = field(name="w")
    prev_close_price: str = field(name="x")
    last_price: str = field(name="c")
    last_qty: str = field(name="Q")
    bid_price: str = field(name="b")
    bid_qty: str = field(name="B")
    ask_price: str = field(name="a")
    ask_qty: str = field(name="A")
    open_price: str = field(name="o")
    high_price: str = field(name="h")
    low_price: str = field(name="l")
    volume: str = field(name="v")
    quote_volume: str = field(name="q")
    open_ms: int = field(name="O")
    close_ms: int = field(name="C")
    first_trade_id: int = field(name="F")
    last_trade_id: int = field(name="L")
    trade_count: int = field(name="n")


class KlineBody(msgspec.Struct, frozen=True, gc=False):
    """The ``k`` of a kline message."""

    open_ms: int = field(name="t")
    close_ms: int = field(name="T")
    symbol: str = field(name="s")
    interval: str = field(name="i")
    first_trade_id: int = field(name="f")
    last_trade_id: int = field(name="L")
    open: str = field(name="o")
    close: str = field(name="c")
    high: str = field(name="h")
    low: str = field(name="l")
    volume: str = field(name="v")
    trade_count: int = field(name="n")
    is_closed: bool = field(name="x")
    quote_volume: str = field(name="q")
    taker_buy_volume: str = field(name="V")
    taker_buy_quote_volume: str = field(name="Q")


class KlineEvent(msgspec.Struct, frozen=True, gc=False):
    """``{"e":"kline","E":1672515782136,"s":"BNBBTC","k":{...}}``."""

    event_ms: int = field(name="E")
    kline: KlineBody = field(name="k")
