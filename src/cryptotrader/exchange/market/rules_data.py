"""Trading rules of the ten symbols of the paper exchange.

Filters of BTCUSDT, ETHUSDT and ADAUSDT are those that Binance publishes in ``exchangeInfo``; bounds of the others are
those of an older ``exchangeInfo`` with today's minimum notional. ``ICEBERG_PARTS`` is 100 since 2026-03-12 (Binance's
``CHANGELOG.md``).
"""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType

from cryptotrader.core.errors import ConfigError
from cryptotrader.core.scaled import SCALE, parse_scaled
from cryptotrader.exchange.engine.rules import SymbolRules
from cryptotrader.exchange.market.profiles import PROFILES

_ICEBERG_PARTS = 100

_BOUNDS = {
    "BTCUSDT": ("1000000", "9000", "128.52621715"),
    "ETHUSDT": ("1000000", "9000", "3277.54882761"),
    "BNBUSDT": ("100000", "900000", "28160.593369"),
    "SOLUSDT": ("10000", "90000", "52005.8128492"),
    "XRPUSDT": ("10000", "9222449", "9222449"),
    "ADAUSDT": ("1000", "900000", "3734056.71171548"),
    "DOGEUSDT": ("1000", "9000000", "32613681.7095205"),
    "LTCUSDT": ("100000", "90000", "25570.86240733"),
    "LINKUSDT": ("10000", "90000", "183978.65296038"),
    "ETHBTC": ("922327", "100000", "873.90727776"),
}
"""Highest price, largest quantity, largest quantity of a market order."""

_QUOTES = ("USDT", "BTC")

_OTHER_QUOTES = (*_QUOTES, "USDC", "FDUSD", "TUSD", "BUSD", "USD", "ETH", "BNB", "EUR", "GBP", "JPY", "TRY", "BRL")
"""Endings by which a recorded symbol is taken apart."""

_MIN_NOTIONAL = {"USDT": "5", "BTC": "0.0001"}

_MAX_NOTIONAL = "9000000"


def _rules(symbol: str) -> SymbolRules:
    profile = PROFILES[symbol]
    quote = next(quote for quote in _QUOTES if symbol.endswith(quote))
    max_price, max_qty, market_max_qty = map(parse_scaled, _BOUNDS[symbol])
    return SymbolRules(
        symbol=symbol,
        base=symbol.removesuffix(quote),
        quote=quote,
        tick=profile.tick,
        min_price=profile.tick,
        max_price=max_price,
        step=profile.lot,
        min_qty=profile.lot,
        max_qty=max_qty,
        market_max_qty=market_max_qty,
        min_notional=parse_scaled(_MIN_NOTIONAL[quote]),
        max_notional=parse_scaled(_MAX_NOTIONAL),
        bid_multiplier_up=5 * SCALE,
        bid_multiplier_down=SCALE // 5,
        ask_multiplier_up=5 * SCALE,
        ask_multiplier_down=SCALE // 5,
        iceberg_parts=_ICEBERG_PARTS,
    )


RULES = MappingProxyType({symbol: _rules(symbol) for symbol in PROFILES})
"""Rules by symbol, in the order in which ``exchangeInfo`` lists them."""


def rules_for(symbols: Iterable[str]) -> tuple[SymbolRules, ...]:
    """Rules of the given symbols. One that is not among the ten, from somebody's own tape, gets the widest bounds.

    Raises:
        ConfigError: A symbol ends with no quote asset known here.
    """
    return tuple(RULES[symbol] if symbol in RULES else _wide(symbol) for symbol in symbols)


def _wide(symbol: str) -> SymbolRules:
    quote = next((quote for quote in _OTHER_QUOTES if symbol.endswith(quote) and symbol != quote), None)
    if quote is None:
        raise ConfigError(f"symbol {symbol}: cannot tell its quote asset; known are {', '.join(_OTHER_QUOTES)}")
    largest = parse_scaled(_MAX_NOTIONAL)
    return SymbolRules(
        symbol=symbol,
        base=symbol.removesuffix(quote),
        quote=quote,
        tick=1,
        min_price=1,
        max_price=largest,
        step=1,
        min_qty=1,
        max_qty=largest,
        iceberg_parts=_ICEBERG_PARTS,
    )
