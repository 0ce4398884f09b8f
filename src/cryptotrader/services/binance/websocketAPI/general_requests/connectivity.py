"""Test connectivity (``ping``): an empty answer where the venue is up."""

from __future__ import annotations

from cryptotrader.services.binance.models.market import Empty
from cryptotrader.services.binance.request import Params, RequestSpec, SecurityType, fixed_weight


class PingParams(Params, frozen=True, kw_only=True):
    """``ping`` takes none."""


SPEC = RequestSpec(
    method="ping",
    rest="GET /api/v3/ping",
    security=SecurityType.NONE,
    weight=fixed_weight(1),
    params=PingParams,
    result=Empty,
)
process_request = SPEC.process_request
