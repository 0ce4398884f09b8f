"""Filters that bind the account on a symbol (``myFilters``); the only place that tells of ``MAX_ASSET``."""

from __future__ import annotations

from cryptotrader.services.binance.models.account import RelevantFilters
from cryptotrader.services.binance.request import RequestSpec, SecurityType, SignedParams, Symbol, fixed_weight


class RelevantFiltersParams(SignedParams, frozen=True, kw_only=True):
    """Parameters of ``myFilters``."""

    symbol: Symbol


SPEC = RequestSpec(
    method="myFilters",
    rest="GET /api/v3/myFilters",
    security=SecurityType.USER_DATA,
    weight=fixed_weight(40),
    params=RelevantFiltersParams,
    result=RelevantFilters,
)
process_request = SPEC.process_request
