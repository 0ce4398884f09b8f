"""Execution rules (``executionRules``): what binds trades at the time of execution, by symbol."""

from __future__ import annotations

from cryptotrader.services.binance.models.price_range import ExecutionRules
from cryptotrader.services.binance.request import (
    Params,
    RequestSpec,
    SecurityType,
    Symbol,
    SymbolStatus,
    weight_per_symbol,
)
from cryptotrader.services.binance.rules import at_most_one_of


class ExecutionRulesParams(Params, frozen=True, kw_only=True):
    """Parameters of ``executionRules``; one of them, or none for every symbol."""

    symbol: Symbol | None = None
    symbols: list[Symbol] | None = None
    symbol_status: SymbolStatus | None = None


SPEC = RequestSpec(
    method="executionRules",
    rest="GET /api/v3/executionRules",
    security=SecurityType.NONE,
    weight=weight_per_symbol(2, cap=40, every=40),
    params=ExecutionRulesParams,
    result=ExecutionRules,
    rules=(at_most_one_of("symbol", "symbols", "symbolStatus"),),
)
process_request = SPEC.process_request
