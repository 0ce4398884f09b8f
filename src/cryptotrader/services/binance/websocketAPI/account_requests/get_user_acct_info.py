"""Account information (``account.status``): balances, commissions, permissions."""

from __future__ import annotations

from cryptotrader.services.binance.models.account import Account
from cryptotrader.services.binance.request import RequestSpec, SecurityType, SignedParams, fixed_weight


class AccountParams(SignedParams, frozen=True, kw_only=True):
    """Parameters of ``account.status``."""

    omit_zero_balances: bool | None = None


SPEC = RequestSpec(
    method="account.status",
    rest="GET /api/v3/account",
    security=SecurityType.USER_DATA,
    weight=fixed_weight(20),
    params=AccountParams,
    result=Account,
)
process_request = SPEC.process_request
