"""Current average price (``avgPrice``)."""

from __future__ import annotations

from cryptotrader.services.binance.models.market import AveragePrice
from cryptotrader.services.binance.request import Params, RequestSpec, SecurityType, Symbol, fixed_weight


class AveragePriceParams(Params, frozen=True, kw_only=True):
    """Parameters of ``avgPrice``."""

    symbol: Symbol


SPEC = RequestSpec(
    method="avgPrice",
    rest="GET /api/v3/avgPrice",
    security=SecurityType.NONE,
    weight=fixed_weight(2),
    params=AveragePriceParams,
    result=AveragePrice,
)
process_request = SPEC.process_request
