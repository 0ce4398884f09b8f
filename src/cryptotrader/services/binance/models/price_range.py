"""The price range rule and the reference price that it goes by (``faqs/price_range_execution_rules.md``)."""

from __future__ import annotations

from typing import Any

from cryptotrader.services.binance.models.market import Wire


class SymbolExecutionRules(Wire, frozen=True, kw_only=True):
    """Rules of one symbol. A rule stays a mapping with ``ruleType``, since each kind has fields of its own."""

    symbol: str
    rules: tuple[dict[str, Any], ...] = ()


class ExecutionRules(Wire, frozen=True, kw_only=True):
    """Rules that bind trades at the time of execution (``executionRules``)."""

    symbol_rules: tuple[SymbolExecutionRules, ...] = ()


class ReferencePrice(Wire, frozen=True, kw_only=True):
    """The price that the range is put around (``referencePrice``).

    For a symbol that never had one the WebSocket API's document shows a good answer that holds nothing but ``code``
    -2043 and ``msg``; ``symbol`` is then empty. Over REST, and from other venues, that is an error.
    """

    symbol: str = ""
    reference_price: str | None = None
    """None where none is set now."""
    timestamp: int | None = None
    """When it was valid, epoch milliseconds."""
    code: int | None = None
    msg: str | None = None


class ReferencePriceCalculation(Wire, frozen=True, kw_only=True):
    """How the venue comes by it (``referencePrice.calculation``)."""

    symbol: str
    calculation_type: str
    """``ARITHMETIC_MEAN`` (of ``bucket_count`` times ``bucket_width_ms``) or ``EXTERNAL``."""
    bucket_count: int | None = None
    bucket_width_ms: int | None = None
    """Milliseconds."""
    external_calculation_id: int | None = None
