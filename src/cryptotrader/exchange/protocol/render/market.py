"""Public data: books, trades, candles, tickers."""

from __future__ import annotations

from collections.abc import Sequence

from cryptotrader.core.events import BookTicker, Candle, Level, Ticker24h, Trade
from cryptotrader.core.scaled import div_scaled, format_scaled, mul_scaled
from cryptotrader.exchange.protocol.render.orders import Json
from cryptotrader.market.aggregates import AggTrade
from cryptotrader.market.blocks import BlockTrade


def levels(side: Sequence[Level]) -> list[tuple[str, str]]:
    """Levels as pairs of text."""
    return [(format_scaled(price), format_scaled(qty)) for price, qty in side]


def trade(item: Trade) -> Json:
    """A row of ``trades`` and ``historicalTrades``."""
    return {
        "id": item.trade_id,
        "price": format_scaled(item.price),
        "qty": format_scaled(item.qty),
        "quoteQty": format_scaled(mul_scaled(item.price, item.qty)),
        "time": item.time_ms,
        "isBuyerMaker": item.buyer_is_maker,
        "isBestMatch": True,
    }


def agg_trade(item: AggTrade) -> Json:
    """A row of ``aggTrades``."""
    return {
        "a": item.agg_id,
        "p": format_scaled(item.price),
        "q": format_scaled(item.qty),
        "f": item.first_id,
        "l": item.last_id,
        "T": item.time_ms,
        "m": item.buyer_is_maker,
        "M": True,
    }


def block_trade(item: BlockTrade) -> Json:
    """A row of ``historicalBlockTrades``."""
    return {
        "id": item.trade_id,
        "price": format_scaled(item.price),
        "qty": format_scaled(item.qty),
        "quoteQty": format_scaled(mul_scaled(item.price, item.qty)),
        "time": item.time_ms,
        "isBuyerMaker": item.buyer_is_maker,
    }


def kline(candle: Candle) -> list[object]:
    """A row of ``klines``: twelve columns, the last one unused."""
    return [
        candle.open_ms,
        format_scaled(candle.open),
        format_scaled(candle.high),
        format_scaled(candle.low),
        format_scaled(candle.close),
        format_scaled(candle.volume),
        candle.close_ms,
        format_scaled(candle.quote_volume),
        candle.trade_count,
        format_scaled(candle.taker_buy_volume),
        format_scaled(candle.taker_buy_quote_volume),
        "0",
    ]


def ticker_24h(stats: Ticker24h, *, mini: bool) -> Json:
    """``ticker/24hr``, whole or ``type=MINI``."""
    shared: Json = {
        "openPrice": stats.open_price,
        "highPrice": stats.high_price,
        "lowPrice": stats.low_price,
    }
    volumes: Json = {
        "volume": stats.volume,
        "quoteVolume": stats.quote_volume,
        "openTime": stats.open_ms,
        "closeTime": stats.close_ms,
        "firstId": stats.first_trade_id,
        "lastId": stats.last_trade_id,
        "count": stats.trade_count,
    }
    if mini:
        return {"symbol": stats.symbol, **shared, "lastPrice": stats.last_price, **volumes}
    return {
        "symbol": stats.symbol,
        "priceChange": stats.price_change,
        "priceChangePercent": stats.price_change_percent,
        "weightedAvgPrice": stats.weighted_avg_price,
        "prevClosePrice": stats.prev_close_price,
        "lastPrice": stats.last_price,
        "lastQty": stats.last_qty,
        "bidPrice": stats.bid_price,
        "bidQty": stats.bid_qty,
        "askPrice": stats.ask_price,
        "askQty": stats.ask_qty,
        **shared,
        **volumes,
    }


def window_ticker(candle: Candle, *, open_ms: int, close_ms: int, mini: bool) -> Json:
    """``ticker`` and ``ticker/tradingDay``: one candle as price change statistics."""
    average = div_scaled(candle.quote_volume, candle.volume) if candle.volume else candle.close
    change = candle.close - candle.open
    full: Json = {
        "priceChange": format_scaled(change),
        "priceChangePercent": percent(change, candle.open),
        "weightedAvgPrice": format_scaled(average),
    }
    return {
        "symbol": candle.symbol,
        **({} if mini else full),
        "openPrice": format_scaled(candle.open),
        "highPrice": format_scaled(candle.high),
        "lowPrice": format_scaled(candle.low),
        "lastPrice": format_scaled(candle.close),
        "volume": format_scaled(candle.volume),
        "quoteVolume": format_scaled(candle.quote_volume),
        "openTime": open_ms,
        "closeTime": close_ms,
        "firstId": candle.first_trade_id,
        "lastId": candle.last_trade_id,
        "count": candle.trade_count,
    }


def percent(change: int, opening: int) -> str:
    """``change / opening`` in percent with three places, rounded half away from zero."""
    if not opening:
        return "0.000"
    thousandths = (abs(change) * 200_000 + opening) // (2 * opening)
    sign = "-" if change < 0 and thousandths else ""
    return f"{sign}{thousandths // 1_000}.{thousandths % 1_000:03d}"


def book_ticker(top: BookTicker) -> Json:
    """``ticker/bookTicker``."""
    return {
        "symbol": top.symbol,
        "bidPrice": format_scaled(top.bid),
        "bidQty": format_scaled(top.bid_qty),
        "askPrice": format_scaled(top.ask),
        "askQty": format_scaled(top.ask_qty),
    }
