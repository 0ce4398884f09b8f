"""Market events as Binance writes them on its streams. Pure: an event goes in, the bytes of its payload come out.

Binance: ``web-socket-streams.md``, "Detailed Stream information". Keys stand in the order of the documents, numbers
have eight places, and nothing is between the tokens, so a recorded message that passes through is the same bytes again.

Every function takes ``unit``: how many units of time a millisecond has, 1 or 1000 (``timeUnit=MICROSECOND``).
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from cryptotrader.core.events import BookTicker, Candle, DepthDiff, Level, Ticker24h, Trade
from cryptotrader.core.scaled import div_scaled, format_scaled
from cryptotrader.market.aggregates import AggTrade
from cryptotrader.market.blocks import BlockTrade

MILLIS = 1
MICROS = 1_000


def _levels(levels: Iterable[Level]) -> str:
    return ",".join([f'["{format_scaled(price)}","{format_scaled(qty)}"]' for price, qty in levels])


def depth_update(diff: DepthDiff, unit: int = MILLIS) -> bytes:
    """``{"e":"depthUpdate","E":1672515782136,"s":"BNBBTC","U":157,"u":160,"b":[["0.0024","10"]],"a":[]}``."""
    return (
        f'{{"e":"depthUpdate","E":{diff.event_ms * unit},"s":"{diff.symbol}","U":{diff.first_id},"u":{diff.last_id},'
        f'"b":[{_levels(diff.bids)}],"a":[{_levels(diff.asks)}]}}'
    ).encode()


def partial_depth(last_id: int, bids: Iterable[Level], asks: Iterable[Level]) -> bytes:
    """``{"lastUpdateId":160,"bids":[["0.0024","10"]],"asks":[["0.0026","100"]]}``."""
    return f'{{"lastUpdateId":{last_id},"bids":[{_levels(bids)}],"asks":[{_levels(asks)}]}}'.encode()


def trade(event: Trade, unit: int = MILLIS) -> bytes:
    """``{"e":"trade","E":..,"s":"BNBBTC","t":12345,"p":"0.001","q":"100","T":..,"m":true,"M":true}``."""
    return (
        f'{{"e":"trade","E":{event.event_ms * unit},"s":"{event.symbol}","t":{event.trade_id},'
        f'"p":"{format_scaled(event.price)}","q":"{format_scaled(event.qty)}","T":{event.time_ms * unit},'
        f'"m":{_bool(event.buyer_is_maker)},"M":true}}'
    ).encode()


def agg_trade(event: AggTrade, unit: int = MILLIS) -> bytes:
    """``{"e":"aggTrade","E":..,"s":"BNBBTC","a":12345,"p":"0.001","q":"100","f":100,"l":105,"T":..,"m":true,"M":true}``."""
    return (
        f'{{"e":"aggTrade","E":{event.event_ms * unit},"s":"{event.symbol}","a":{event.agg_id},'
        f'"p":"{format_scaled(event.price)}","q":"{format_scaled(event.qty)}","f":{event.first_id},'
        f'"l":{event.last_id},"T":{event.time_ms * unit},"m":{_bool(event.buyer_is_maker)},"M":true}}'
    ).encode()


def block_trade(event: BlockTrade, event_ms: int, unit: int = MILLIS) -> bytes:
    """``{"e":"blockTrade","E":..,"s":"BNBBTC","t":582,"p":"0.052","q":"5838","T":1772506983321,"m":true}``."""
    return (
        f'{{"e":"blockTrade","E":{event_ms * unit},"s":"{event.symbol}","t":{event.trade_id},'
        f'"p":"{format_scaled(event.price)}","q":"{format_scaled(event.qty)}","T":{event.time_ms * unit},'
        f'"m":{_bool(event.buyer_is_maker)}}}'
    ).encode()


def book_ticker(top: BookTicker) -> bytes:
    """``{"u":400900217,"s":"BNBUSDT","b":"25.35190000","B":"31.21","a":"25.36520000","A":"40.66"}``."""
    return (
        f'{{"u":{top.update_id},"s":"{top.symbol}","b":"{format_scaled(top.bid)}","B":"{format_scaled(top.bid_qty)}",'
        f'"a":"{format_scaled(top.ask)}","A":"{format_scaled(top.ask_qty)}"}}'
    ).encode()


def ticker(stats: Ticker24h, unit: int = MILLIS) -> bytes:
    """``{"e":"24hrTicker",..}``: all 24-hour statistics of a symbol."""
    return (
        f'{{"e":"24hrTicker","E":{stats.event_ms * unit},"s":"{stats.symbol}","p":"{stats.price_change}",'
        f'"P":"{stats.price_change_percent}","w":"{stats.weighted_avg_price}","x":"{stats.prev_close_price}",'
        f'"c":"{stats.last_price}","Q":"{stats.last_qty}","b":"{stats.bid_price}","B":"{stats.bid_qty}",'
        f'"a":"{stats.ask_price}","A":"{stats.ask_qty}","o":"{stats.open_price}","h":"{stats.high_price}",'
        f'"l":"{stats.low_price}","v":"{stats.volume}","q":"{stats.quote_volume}","O":{stats.open_ms * unit},'
        f'"C":{stats.close_ms * unit},"F":{stats.first_trade_id},"L":{stats.last_trade_id},"n":{stats.trade_count}}}'
    ).encode()


def mini_ticker(stats: Ticker24h, unit: int = MILLIS) -> bytes:
    """``{"e":"24hrMiniTicker",..}``: the short form of the 24-hour statistics."""
    return (
        f'{{"e":"24hrMiniTicker","E":{stats.event_ms * unit},"s":"{stats.symbol}","c":"{stats.last_price}",'
        f'"o":"{stats.open_price}","h":"{stats.high_price}","l":"{stats.low_price}","v":"{stats.volume}",'
        f'"q":"{stats.quote_volume}"}}'
    ).encode()


def all_mini_tickers(changed: Iterable[Ticker24h], unit: int = MILLIS) -> bytes:
    """``[{"e":"24hrMiniTicker",..},..]``: the symbols that changed."""
    return b"[" + b",".join(mini_ticker(stats, unit) for stats in changed) + b"]"


def kline(candle: Candle, event_ms: int, unit: int = MILLIS) -> bytes:
    """``{"e":"kline","E":..,"s":"BNBBTC","k":{"t":..,"T":..,"s":"BNBBTC","i":"1m",..,"x":false,..}}``."""
    # In microseconds a candle still ends right before the next one begins.
    close = (candle.close_ms + 1) * unit - 1
    return (
        f'{{"e":"kline","E":{event_ms * unit},"s":"{candle.symbol}","k":{{"t":{candle.open_ms * unit},"T":{close},'
        f'"s":"{candle.symbol}","i":"{candle.interval}","f":{candle.first_trade_id},"L":{candle.last_trade_id},'
        f'"o":"{format_scaled(candle.open)}","c":"{format_scaled(candle.close)}","h":"{format_scaled(candle.high)}",'
        f'"l":"{format_scaled(candle.low)}","v":"{format_scaled(candle.volume)}","n":{candle.trade_count},'
        f'"x":{_bool(candle.is_closed)},"q":"{format_scaled(candle.quote_volume)}",'
        f'"V":"{format_scaled(candle.taker_buy_volume)}","Q":"{format_scaled(candle.taker_buy_quote_volume)}",'
        f'"B":"0"}}}}'
    ).encode()


class AveragePrice(msgspec.Struct, frozen=True, gc=False):
    """The average price of the last minutes."""

    symbol: str
    price: int
    """Scaled."""
    mins: int
    last_trade_ms: int


def avg_price(average: AveragePrice, event_ms: int, unit: int = MILLIS) -> bytes:
    """``{"e":"avgPrice","E":..,"s":"BTCUSDT","i":"5m","w":"25776.86000000","T":1693907032213}``."""
    return (
        f'{{"e":"avgPrice","E":{event_ms * unit},"s":"{average.symbol}","i":"{average.mins}m",'
        f'"w":"{format_scaled(average.price)}","T":{average.last_trade_ms * unit}}}'
    ).encode()


class ReferencePrice(msgspec.Struct, frozen=True, gc=False):
    """What the price range is put around."""

    symbol: str
    price: int | None
    """Scaled; None where there is none."""
    time_ms: int
    """When it was so."""


def reference_price(now: ReferencePrice, unit: int = MILLIS) -> bytes:
    """``{"e":"referencePrice","s":"BAZUSD","r":"1.00","t":1770313263917}``."""
    told = "null" if now.price is None else f'"{format_scaled(now.price)}"'
    return f'{{"e":"referencePrice","s":"{now.symbol}","r":{told},"t":{now.time_ms * unit}}}'.encode()


class WindowTicker(msgspec.Struct, frozen=True, gc=False):
    """Price change over a rolling window."""

    window: str
    """``1h``, ``4h`` or ``1d``."""
    whole: Candle
    """Everything in it as one candle."""
    open_ms: int
    close_ms: int
    percent: str
    """Change in percent, as ``ticker`` tells it."""


def window_ticker(told: WindowTicker, unit: int = MILLIS) -> bytes:
    """``{"e":"1hTicker",..}``: the numbers of ``GET /api/v3/ticker``."""
    candle = told.whole
    average = div_scaled(candle.quote_volume, candle.volume) if candle.volume else candle.close
    return (
        f'{{"e":"{told.window}Ticker","E":{told.close_ms * unit},"s":"{candle.symbol}",'
        f'"p":"{format_scaled(candle.close - candle.open)}","P":"{told.percent}","o":"{format_scaled(candle.open)}",'
        f'"h":"{format_scaled(candle.high)}","l":"{format_scaled(candle.low)}","c":"{format_scaled(candle.close)}",'
        f'"w":"{format_scaled(average)}","v":"{format_scaled(candle.volume)}",'
        f'"q":"{format_scaled(candle.quote_volume)}","O":{told.open_ms * unit},"C":{told.close_ms * unit},'
        f'"F":{candle.first_trade_id},"L":{candle.last_trade_id},"n":{candle.trade_count}}}'
    ).encode()


def all_window_tickers(changed: Iterable[WindowTicker], unit: int = MILLIS) -> bytes:
    """``[{"e":"1hTicker",..},..]``: the symbols that changed."""
    return b"[" + b",".join(window_ticker(told, unit) for told in changed) + b"]"


def server_shutdown(event_ms: int, unit: int = MILLIS) -> bytes:
    """``{"e":"serverShutdown","E":1770123456789}`` ("Server Shutdown")."""
    return f'{{"e":"serverShutdown","E":{event_ms * unit}}}'.encode()


def combined(stream: str, payload: bytes) -> bytes:
    """``{"stream":"<streamName>","data":<rawPayload>}``; ``stream`` must need no escaping, as no known name does."""
    return b'{"stream":"' + stream.encode() + b'","data":' + payload + b"}"


def _bool(value: bool) -> str:
    return "true" if value else "false"
