"""Public market data: books, trades, candles and prices."""

from cryptotrader.services.binance.websocketAPI.market_data_requests import (
    aggregate_trades,
    current_average_price,
    historical_block_trades,
    historical_trades,
    klines,
    order_book,
    recent_trades,
    rolling_window_price,
    symbol_order_book_ticker,
    symbol_price_ticker,
    ticker_price_24h,
    trading_day_ticker,
    ui_klines,
)

__all__ = [
    "aggregate_trades",
    "current_average_price",
    "historical_block_trades",
    "historical_trades",
    "klines",
    "order_book",
    "recent_trades",
    "rolling_window_price",
    "symbol_order_book_ticker",
    "symbol_price_ticker",
    "ticker_price_24h",
    "trading_day_ticker",
    "ui_klines",
]
