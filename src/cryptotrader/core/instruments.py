"""Instruments and the four ways in which the product's protocols spell them (C-12)."""

from __future__ import annotations

import re

import msgspec

from cryptotrader.core.errors import UnknownSymbol

MAX_SYMBOL_CHARS = 20
"""Longest symbol, as Binance's own pattern for the parameter allows."""

_LOOSE = re.compile(r"[^\W_]{1,20}([/_:-][^\W_]{1,20})?")


class Instrument(msgspec.Struct, frozen=True):
    """A pair of assets that trade against each other, named in upper case."""

    base: str
    quote: str

    @property
    def symbol(self) -> str:
        """Binance's spelling: ``BTCUSDT``."""
        return self.base + self.quote

    @property
    def slashed(self) -> str:
        """``BTC/USDT``."""
        return f"{self.base}/{self.quote}"


def compact_symbol(text: str) -> str:
    """Any spelling with base and quote (``btcusdt``, ``BTC/USDT``, ``btc-usdt``) to ``BTCUSDT``.

    Raises:
        UnknownSymbol: The text cannot be a symbol.
    """
    if len(text) > MAX_SYMBOL_CHARS + 1 or not _LOOSE.fullmatch(text):
        raise UnknownSymbol("Invalid symbol", param="symbol", problem="malformed")
    return re.sub(r"[/_:-]", "", text).upper()
