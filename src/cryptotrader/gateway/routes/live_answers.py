"""REST answers made from live state, byte for byte what the venue's own REST would say. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from cryptotrader.core.events import Candle, Level, Ticker24h, Trade
from cryptotrader.core.scaled import format_scaled, mul_scaled

_encode = msgspec.json.Encoder().encode


def price_body(symbol: str, price: int) -> bytes:
    """``{"symbol":"BTCUSDT","price":"45000.50000000"}`` (S0-10)."""
    return _encode({"symbol": symbol, "price": format_scaled(price)})


def ticker_body(ticker: Ticker24h) -> bytes:
    """All statistics of 24 hours, with the venue's exact numbers (S0-11)."""
    return _encode(
        {
            "symbol": ticker.symbol,
            "priceChange": ticker.price_change,
            "priceChangePercent": ticker.price_change_percent,
            "weightedAvgPrice": ticker.weighted_avg_price,
            "prevClosePrice": ticker.prev_close_price,
            "lastPrice": ticker.last_price,
            "lastQty": ticker.last_qty,
            "bidPrice": ticker.bid_price,
            "bidQty": ticker.bid_qty,
            "askPrice": ticker.ask_price,
            "askQty": ticker.ask_qty,
            "openPrice": ticker.open_price,
            "highPrice": ticker.high_price,
            "lowPrice": ticker.low_price,
            "volume": ticker.volume,
            "quoteVolume": ticker.quote_volume,
            "openTime": ticker.open_ms,
            "closeTime": ticker.close_ms,
            "firstId": ticker.first_trade_id,
            "lastId": ticker.last_trade_id,
            "count": ticker.trade_count,
        }
    )


def depth_body(last_id: int, bids: Sequence[Level], asks: Sequence[Level]) -> bytes:
    """``{"lastUpdateId":1027024,"bids":[["44990.00000000","0.50000000"]],"asks":[...]}``, best first (S0-15)."""
    return _encode({"lastUpdateId": last_id, "bids": _levels(bids), "asks": _levels(asks)})


def _levels(levels: Sequence[Level]) -> list[tuple[str, str]]:
    return [(format_scaled(price), format_scaled(qty)) for price, qty in levels]


def trades_body(trades: Sequence[Trade]) -> bytes:
    """Public trades, oldest first (S0-17)."""
    return _encode(
        [
            {
                "id": trade.trade_id,
                "price": format_scaled(trade.price),
                "qty": format_scaled(trade.qty),
                "quoteQty": format_scaled(mul_scaled(trade.price, trade.qty)),
                "time": trade.time_ms,
                "isBuyerMaker": trade.buyer_is_maker,
                "isBestMatch": True,
            }
            for trade in trades
        ]
    )


def klines_body(candles: Sequence[Candle]) -> bytes:
    """Candles as rows of twelve, oldest first (S0-12)."""
    return _encode(
        [
            (
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
            )
            for candle in candles
        ]
    )
