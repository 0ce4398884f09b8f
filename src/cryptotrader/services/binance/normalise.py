"""Binance's messages to the product's events. Pure and fast: one typed decoder per kind, numbers to scaled integers.

Every function raises ``ValueError`` (``msgspec.DecodeError`` is one) where the message is not what it should be.
Sources: ``web-socket-streams.md`` and ``rest-api.md``, "Market Data endpoints".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from cryptotrader.core.events import BookSnapshot, BookTicker, Candle, DepthDiff, Level, Ticker24h, Trade
from cryptotrader.core.scaled import MAX_TEXT_CHARS, SCALE_DIGITS, parse_scaled
from cryptotrader.services.binance.models.market import AggTrade, DayTicker, Kline, OrderBook, PriceLevel, PublicTrade
from cryptotrader.services.binance.models.streams import (
    AggTradeEvent,
    BookTickerEvent,
    DayTickerEvent,
    DepthUpdate,
    Envelope,
    KlineEvent,
    TradeEvent,
)

Wire = bytes | memoryview | msgspec.Raw
MarketEvent = DepthDiff | Trade | BookTicker | Ticker24h | Candle

_POINT = -SCALE_DIGITS - 1

_envelope = msgspec.json.Decoder(Envelope).decode
_depth = msgspec.json.Decoder(DepthUpdate).decode
_trade = msgspec.json.Decoder(TradeEvent).decode
_agg_trade = msgspec.json.Decoder(AggTradeEvent).decode
_book_ticker = msgspec.json.Decoder(BookTickerEvent).decode
_day_ticker = msgspec.json.Decoder(DayTickerEvent).decode
_kline = msgspec.json.Decoder(KlineEvent).decode


def scaled(text: str) -> int:
    """``core.scaled.parse_scaled``, with a short cut for the eight places that Binance nearly always writes."""
    digits = text.replace(".", "", 1)
    if text[_POINT : _POINT + 1] == "." and digits.isdigit() and len(text) <= MAX_TEXT_CHARS:
        return int(digits)
    return parse_scaled(text)


def levels(pairs: Iterable[PriceLevel]) -> tuple[Level, ...]:
    """Price and quantity pairs, scaled, in the order given."""
    return tuple([(scaled(price), scaled(qty)) for price, qty in pairs])


def open_envelope(frame: bytes) -> tuple[str, msgspec.Raw]:
    """Stream name and message of a combined stream's frame; the name is empty where the frame is no envelope."""
    envelope = _envelope(frame)
    return envelope.stream, envelope.data


def depth_diff(data: Wire) -> DepthDiff:
    """``depthUpdate``."""
    wire = _depth(data)
    return DepthDiff(
        symbol=wire.symbol,
        first_id=wire.first_id,
        last_id=wire.last_id,
        bids=levels(wire.bids),
        asks=levels(wire.asks),
        event_ms=wire.event_ms,
    )


def trade(data: Wire) -> Trade:
    """``trade``."""
    wire = _trade(data)
    return Trade(
        symbol=wire.symbol,
        trade_id=wire.trade_id,
        price=scaled(wire.price),
        qty=scaled(wire.qty),
        time_ms=wire.time_ms,
        buyer_is_maker=wire.buyer_is_maker,
        event_ms=wire.event_ms,
    )


def agg_trade(data: Wire) -> Trade:
    """``aggTrade``; it bears the id of the last trade in it, so that ids of a tape stay comparable."""
    wire = _agg_trade(data)
    return Trade(
        symbol=wire.symbol,
        trade_id=wire.last_id,
        price=scaled(wire.price),
        qty=scaled(wire.qty),
        time_ms=wire.time_ms,
        buyer_is_maker=wire.buyer_is_maker,
        event_ms=wire.event_ms,
    )


def book_ticker(data: Wire) -> BookTicker:
    """``<symbol>@bookTicker``."""
    wire = _book_ticker(data)
    return BookTicker(
        symbol=wire.symbol,
        update_id=wire.update_id,
        bid=scaled(wire.bid),
        bid_qty=scaled(wire.bid_qty),
        ask=scaled(wire.ask),
        ask_qty=scaled(wire.ask_qty),
    )


def ticker_24h(data: Wire) -> Ticker24h:
    """``24hrTicker``."""
    wire = _day_ticker(data)
    return Ticker24h(*(getattr(wire, name) for name in _TICKER_FIELDS))


_TICKER_FIELDS = tuple(name for name in Ticker24h.__struct_fields__)


def candle(data: Wire) -> Candle:
    """``kline``."""
    wire = _kline(data).kline
    return Candle(
        symbol=wire.symbol,
        interval=wire.interval,
        open_ms=wire.open_ms,
        close_ms=wire.close_ms,
        open=scaled(wire.open),
        high=scaled(wire.high),
        low=scaled(wire.low),
        close=scaled(wire.close),
        volume=scaled(wire.volume),
        quote_volume=scaled(wire.quote_volume),
        trade_count=wire.trade_count,
        taker_buy_volume=scaled(wire.taker_buy_volume),
        taker_buy_quote_volume=scaled(wire.taker_buy_quote_volume),
        is_closed=wire.is_closed,
        first_trade_id=wire.first_trade_id,
        last_trade_id=wire.last_trade_id,
    )


_BY_CHANNEL: dict[str, Callable[[Wire], MarketEvent]] = {
    "depth": depth_diff,
    "trade": trade,
    "aggTrade": agg_trade,
    "bookTicker": book_ticker,
    "ticker": ticker_24h,
    "kline": candle,
}


def market_event(stream: str, data: Wire) -> MarketEvent | None:
    """The event of a message by the name of its stream (``btcusdt@depth@100ms``); None where it is of no interest."""
    channel = stream.partition("@")[2].partition("@")[0].partition("_")[0]
    decode = _BY_CHANNEL.get(channel)
    return decode(data) if decode is not None else None


def snapshot_of(symbol: str, book: OrderBook) -> BookSnapshot:
    """REST ``depth``."""
    return BookSnapshot(symbol=symbol, last_id=book.last_update_id, bids=levels(book.bids), asks=levels(book.asks))


def trades_of(symbol: str, rows: Iterable[PublicTrade]) -> list[Trade]:
    """REST ``trades`` and ``historicalTrades``, oldest first."""
    return [
        Trade(
            symbol=symbol,
            trade_id=row.id,
            price=scaled(row.price),
            qty=scaled(row.qty),
            time_ms=row.time,
            buyer_is_maker=row.is_buyer_maker,
            event_ms=row.time,
        )
        for row in rows
    ]


def agg_trades_of(symbol: str, rows: Iterable[AggTrade]) -> list[Trade]:
    """REST ``aggTrades``; each bears the id of the last trade in it."""
    return [
        Trade(
            symbol=symbol,
            trade_id=row.last_id,
            price=scaled(row.price),
            qty=scaled(row.qty),
            time_ms=row.time,
            buyer_is_maker=row.is_buyer_maker,
            event_ms=row.time,
        )
        for row in rows
    ]


def candles_of(symbol: str, interval: str, rows: Iterable[Kline], *, now_ms: int) -> list[Candle]:
    """REST ``klines``, oldest first; a candle is closed once ``now_ms`` is past its end."""
    return [
        Candle(
            symbol=symbol,
            interval=interval,
            open_ms=row.open_time,
            close_ms=row.close_time,
            open=scaled(row.open),
            high=scaled(row.high),
            low=scaled(row.low),
            close=scaled(row.close),
            volume=scaled(row.volume),
            quote_volume=scaled(row.quote_volume),
            trade_count=row.trade_count,
            taker_buy_volume=scaled(row.taker_buy_volume),
            taker_buy_quote_volume=scaled(row.taker_buy_quote_volume),
            is_closed=now_ms > row.close_time,
        )
        for row in rows
    ]


def ticker_of(row: DayTicker, *, now_ms: int) -> Ticker24h:
    """REST ``ticker/24hr`` of one symbol; the answer has no event time, so it bears ``now_ms``."""
    return Ticker24h(
        symbol=row.symbol,
        event_ms=now_ms,
        price_change=row.price_change,
        price_change_percent=row.price_change_percent,
        weighted_avg_price=row.weighted_avg_price,
        prev_close_price=row.prev_close_price,
        last_price=row.last_price,
        last_qty=row.last_qty,
        bid_price=row.bid_price,
        bid_qty=row.bid_qty,
        ask_price=row.ask_price,
        ask_qty=row.ask_qty,
        open_price=row.open_price,
        high_price=row.high_price,
        low_price=row.low_price,
        volume=row.volume,
        quote_volume=row.quote_volume,
        open_ms=row.open_time,
        close_ms=row.close_time,
        first_trade_id=row.first_id,
        last_trade_id=row.last_id,
        trade_count=row.count,
    )
