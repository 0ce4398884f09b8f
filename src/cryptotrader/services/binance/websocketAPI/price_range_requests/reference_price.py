"""Reference price (``referencePrice``): what the price range is put around."""

from __future__ import annotations

from cryptotrader.services.binance.models.price_range import ReferencePrice
from cryptotrader.services.binance.request import Params, RequestSpec, SecurityType, Symbol, fixed_weight


class ReferencePriceParams(Params, frozen=True, kw_only=True):
    """Parameters of ``referencePrice``."""

    symbol: Symbol


SPEC = RequestSpec(
    method="referencePrice",
    rest="GET /api/v3/referencePrice",
    security=SecurityType.NONE,
    weight=fixed_weight(2),
    params=ReferencePriceParams,
    result=ReferencePrice,
)
process_request = SPEC.process_request
