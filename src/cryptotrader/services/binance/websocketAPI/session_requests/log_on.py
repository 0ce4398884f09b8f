"""Log on with an Ed25519 key (``session.logon``), so that later requests need no signature."""

from __future__ import annotations

from cryptotrader.services.binance.models.session import SessionStatus
from cryptotrader.services.binance.request import RequestSpec, SecurityType, SignedParams, fixed_weight


class LogOnParams(SignedParams, frozen=True, kw_only=True):
    """``session.logon`` takes only what every signed request does."""


SPEC = RequestSpec(
    method="session.logon",
    rest="",
    security=SecurityType.NONE,
    weight=fixed_weight(2),
    params=LogOnParams,
    result=SessionStatus,
    signed=True,
)
process_request = SPEC.process_request
