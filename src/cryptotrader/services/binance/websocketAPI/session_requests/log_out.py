"""Forget the key of this connection (``session.logout``)."""

from __future__ import annotations

from cryptotrader.services.binance.models.session import SessionStatus
from cryptotrader.services.binance.request import Params, RequestSpec, SecurityType, fixed_weight


class LogOutParams(Params, frozen=True, kw_only=True):
    """``session.logout`` takes none."""


SPEC = RequestSpec(
    method="session.logout",
    rest="",
    security=SecurityType.NONE,
    weight=fixed_weight(2),
    params=LogOutParams,
    result=SessionStatus,
)
process_request = SPEC.process_request
