"""Unfilled order count (``account.rateLimits.orders``), per interval."""

from __future__ import annotations

from cryptotrader.services.binance.models.account import OrderCount
from cryptotrader.services.binance.request import RequestSpec, SecurityType, SignedParams, fixed_weight


class OrderRateLimitsParams(SignedParams, frozen=True, kw_only=True):
    """``account.rateLimits.orders`` takes none of its own."""


SPEC = RequestSpec(
    method="account.rateLimits.orders",
    rest="GET /api/v3/rateLimit/order",
    security=SecurityType.USER_DATA,
    weight=fixed_weight(40),
    params=OrderRateLimitsParams,
    result=list[OrderCount],
)
process_request = SPEC.process_request
