"""Calculation of the reference price (``referencePrice.calculation``)."""

from __future__ import annotations

from cryptotrader.services.binance.models.price_range import ReferencePriceCalculation
from cryptotrader.services.binance.request import Params, RequestSpec, SecurityType, Symbol, SymbolStatus, fixed_weight


class ReferencePriceCalculationParams(Params, frozen=True, kw_only=True):
    """Parameters of ``referencePrice.calculation``."""

    symbol: Symbol
    symbol_status: SymbolStatus | None = None


SPEC = RequestSpec(
    method="referencePrice.calculation",
    rest="GET /api/v3/referencePrice/calculation",
    security=SecurityType.NONE,
    weight=fixed_weight(2),
    params=ReferencePriceCalculationParams,
    result=ReferencePriceCalculation,
)
process_request = SPEC.process_request
