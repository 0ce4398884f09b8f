"""Trading rules of the symbols of the paper exchange.

Filters of BTCUSDT, ETHUSDT and ADAUSDT are those that Binance published in ``exchangeInfo`` in 2024; bounds, ticks and
steps of the others are those of an older one (2021-10-12), with the minimum notional of 2024 where the quote is a
dollar or the euro, and a tenth of the tick where the price has fallen since so far that the old one would be coarse.
``ICEBERG_PARTS`` is 100 since 2026-03-12; ``MAX_NUM_ORDER_LISTS``, ``MAX_NUM_ORDER_AMENDS``, modes of self-trade
prevention and ``permissionSets`` are those of 2026 (Binance's ``CHANGELOG.md``).
"""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType

import msgspec

from cryptotrader.core.errors import ConfigError
from cryptotrader.core.scaled import SCALE, parse_scaled
from cryptotrader.exchange.engine.rules import ExchangeRules, SorGroup, SymbolRules
from cryptotrader.exchange.engine.rules.exchange import NO_EXCHANGE_RULES
from cryptotrader.exchange.engine.rules.execution_rules import PriceRange, ReferenceRule
from cryptotrader.exchange.market.table import ROWS, SymbolRow

_OTHER_QUOTES = ("USDT", "BTC", "USDC", "FDUSD", "TUSD", "BUSD", "USD", "ETH", "BNB", "EUR", "GBP", "JPY", "TRY", "BRL")
"""Endings by which a recorded symbol is taken apart."""

_MIN_NOTIONAL = {"USDT": "5", "USDC": "5", "EUR": "5", "BTC": "0.0001", "ETH": "0.005", "BNB": "0.05"}

_MAX_NOTIONAL = "9000000"

_STP_MODES = ("EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT", "TRANSFER")

_PERMISSIONS = ("SPOT", "TRD_GRP_004", "TRD_GRP_005", "TRD_GRP_006")
"""Accounts of these groups may trade every symbol. There is no margin trading here, so ``MARGIN`` is not among them."""

_STEADY = frozenset({"USDCUSDT", "EURUSDT"})
"""What is worth about the same at all times has a reference price and may not trade far from it."""

_STEADY_RANGE = PriceRange(
    bid_up=SCALE * 105 // 100, bid_down=SCALE * 95 // 100, ask_up=SCALE * 105 // 100, ask_down=SCALE * 95 // 100
)

_SOR_BASES = ("BTC", "ETH", "BNB", "SOL", "XRP")
_SOR_QUOTES = ("USDT", "USDC")


def _rules(row: SymbolRow) -> SymbolRules:
    return SymbolRules(
        symbol=row.symbol,
        base=row.base,
        quote=row.quote,
        tick=row.tick,
        min_price=row.tick,
        max_price=row.max_price,
        step=row.step,
        min_qty=row.step,
        max_qty=row.max_qty,
        market_max_qty=row.market_max_qty,
        min_notional=parse_scaled(_MIN_NOTIONAL[row.quote]),
        max_notional=parse_scaled(_MAX_NOTIONAL),
        bid_multiplier_up=5 * SCALE,
        bid_multiplier_down=SCALE // 5,
        ask_multiplier_up=5 * SCALE,
        ask_multiplier_down=SCALE // 5,
        default_stp_mode="EXPIRE_MAKER",
        allowed_stp_modes=_STP_MODES,
        permission_sets=(_PERMISSIONS,),
        price_range=_STEADY_RANGE if row.symbol in _STEADY else None,
        reference=ReferenceRule() if row.symbol in _STEADY else None,
    )


RULES = MappingProxyType({row.symbol: _rules(row) for row in ROWS})
"""Rules by symbol, in the order in which ``exchangeInfo`` lists them."""


def sor_groups(symbols: Iterable[str]) -> tuple[SorGroup, ...]:
    """``sors`` among the symbols given: those of one base asset that are quoted in dollars."""
    served = set(symbols)
    groups = (
        SorGroup(base, tuple(base + quote for quote in _SOR_QUOTES if base + quote in served)) for base in _SOR_BASES
    )
    return tuple(group for group in groups if len(group.symbols) > 1)


def rules_for(symbols: Iterable[str], *, exchange: ExchangeRules = NO_EXCHANGE_RULES) -> tuple[SymbolRules, ...]:
    """Rules of the given symbols. One that is not in the table, from somebody's own tape, gets the widest bounds.

    Args:
        symbols: What is to trade.
        exchange: Filters of the exchange as a whole; none by default, as at Binance.

    Raises:
        ConfigError: A symbol ends with no quote asset known here.
    """
    found = (RULES[symbol] if symbol in RULES else _wide(symbol) for symbol in symbols)
    if exchange is NO_EXCHANGE_RULES:
        return tuple(found)
    return tuple(msgspec.structs.replace(each, exchange=exchange) for each in found)


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
    )
