"""Aggregated prices, merged books and signals as messages of the signal protocol."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from cryptotrader.core.events import Level
from cryptotrader.dialects.numbers import number
from cryptotrader.dialects.signals.messages import ServerStatus

_encode = msgspec.json.Encoder().encode


class PriceView(msgspec.Struct, frozen=True, kw_only=True):
    """A symbol's price over all sources, scaled; the change in percent, the volume in the quote currency."""

    symbol: str
    price: int
    change_24h: int
    volume_24h: int
    time_ms: int


def encode_price(price: PriceView) -> bytes:
    """S3-4."""
    return (
        f'{{"type":"price_update","symbol":"{price.symbol}","price":{number(price.price)},'
        f'"change_24h":{number(price.change_24h)},"volume_24h":{number(price.volume_24h)},"timestamp":{price.time_ms}}}'
    ).encode()


def encode_book(symbol: str, bids: Sequence[Level], asks: Sequence[Level], *, time_ms: int) -> bytes:
    """S3-5: best levels first."""
    told_bids, told_asks = (
        ",".join([f'{{"price":{number(price)},"quantity":{number(qty)}}}' for price, qty in side])
        for side in (bids, asks)
    )
    return (
        f'{{"type":"orderbook_update","symbol":"{symbol}","bids":[{told_bids}],"asks":[{told_asks}],'
        f'"timestamp":{time_ms}}}'
    ).encode()


class SignalView(msgspec.Struct, frozen=True, kw_only=True):
    """What one indicator says; ``value`` and ``confidence`` are an indicator's floats."""

    symbol: str
    indicator: str
    signal: str
    value: float
    confidence: float
    time_ms: int


def encode_signal(signal: SignalView) -> bytes:
    """S3-6."""
    return _encode(
        {
            "type": "signal_update",
            "symbol": signal.symbol,
            "indicator": signal.indicator,
            "signal": signal.signal,
            "value": signal.value,
            "confidence": signal.confidence,
            "timestamp": signal.time_ms,
        }
    )


def encode_status(status: ServerStatus) -> bytes:
    """S3-7."""
    return _encode(status)
