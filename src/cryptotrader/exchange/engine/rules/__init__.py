"""What an order must keep to: a symbol's rules, filters at every level, and what a fill costs."""

from cryptotrader.exchange.engine.rules.symbol import FilterInfo, SymbolRules

__all__ = ["FilterInfo", "SymbolRules"]
