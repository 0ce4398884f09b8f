"""Prices as messages of the price feed. Each is made once and goes to every client that wants it."""

from __future__ import annotations

from cryptotrader.dialects.feed.protocol import iso_time
from cryptotrader.dialects.numbers import number


def encode_price(symbol: str, source: str, *, price: int, volume: int | None, time_ms: int) -> bytes:
    """S2-7. Price and volume are scaled, the volume as the source reports it; ``symbol`` is ``BTC/USD``."""
    told = "null" if volume is None else number(volume)
    return (
        f'{{"type":"price_update","symbol":"{symbol}","price":{number(price)},"volume":{told},'
        f'"timestamp":"{iso_time(time_ms)}","source":"{source}"}}'
    ).encode()
