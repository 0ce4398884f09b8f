"""Execution rules (``executionRules``): what binds trades at the time of execution, by symbol."""

from __future__ import annotations

from cryptotrader.services.binance.models.price_range import ExecutionRules
from cryptotrader.services.binance.request import (
    Params,
    RequestSpec,
    SecurityType,
    Symbol,
    SymbolStatus,
    weight_by_symbols,
)
from cryptotrader.services.binance.rules import at_most_one_of

EACH = 2
"""Weight of one symbol."""

CAP = 40
"""Weight of more symbols than that pays for, and of all."""


class ExecutionRulesParams(Params, frozen=True, kw_only=True):
    """Parameters of ``executionRules``; one of them, or none for every symbol."""

    symbol: Symbol | None = None
    symbols: list[Symbol] | None = None
    symbol_status: SymbolStatus | None = None


SPEC = RequestSpec(
    method="executionRules",
    rest="GET /api/v3/executionRules",
    security=SecurityType.NONE,
    weight=weight_by_symbols(one=EACH, steps={n: EACH * n for n in range(1, CAP // EACH)}, every=CAP),
    params=ExecutionRulesParams,
    result=ExecutionRules,
    rules=(at_most_one_of("symbol", "symbols", "symbolStatus"),),
)
