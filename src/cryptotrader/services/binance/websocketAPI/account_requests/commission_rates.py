"""Commission rates of the account on a symbol (``account.commission``)."""

from __future__ import annotations

from cryptotrader.services.binance.models.commission import Commission
from cryptotrader.services.binance.request import RequestSpec, SecurityType, SignedParams, Symbol, fixed_weight


class CommissionParams(SignedParams, frozen=True, kw_only=True):
    """Parameters of ``account.commission``."""

    symbol: Symbol


SPEC = RequestSpec(
    method="account.commission",
    rest="GET /api/v3/account/commission",
    security=SecurityType.USER_DATA,
    weight=fixed_weight(20),
    params=CommissionParams,
    result=Commission,
)
process_request = SPEC.process_request
