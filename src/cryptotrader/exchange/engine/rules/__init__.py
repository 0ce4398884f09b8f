"""What an order must keep to: a symbol's rules, filters at every level, and what a fill costs."""

from cryptotrader.exchange.engine.rules.checks import check_amend, check_list, check_may_cancel, check_new
from cryptotrader.exchange.engine.rules.exchange import ExchangeRules, FilterInfo, SorGroup
from cryptotrader.exchange.engine.rules.symbol import ALL_ORDER_TYPES, ALL_STP_MODES, SymbolRules, SymbolStatus
from cryptotrader.exchange.engine.rules.terms import AssetLimit, Terms

__all__ = [
    "ALL_ORDER_TYPES",
    "ALL_STP_MODES",
    "AssetLimit",
    "ExchangeRules",
    "FilterInfo",
    "SorGroup",
    "SymbolRules",
    "SymbolStatus",
    "Terms",
    "check_amend",
    "check_list",
    "check_may_cancel",
    "check_new",
]
