"""Check server time (``time``)."""

from __future__ import annotations

from cryptotrader.services.binance.models.market import ServerTime
from cryptotrader.services.binance.request import Params, RequestSpec, SecurityType, fixed_weight


class ServerTimeParams(Params, frozen=True, kw_only=True):
    """``time`` takes none."""


SPEC = RequestSpec(
    method="time",
    rest="GET /api/v3/time",
    security=SecurityType.NONE,
    weight=fixed_weight(1),
    params=ServerTimeParams,
    result=ServerTime,
)
process_request = SPEC.process_request
