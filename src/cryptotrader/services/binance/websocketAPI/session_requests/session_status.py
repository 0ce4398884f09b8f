"""Who this connection is logged on as (``session.status``)."""

from __future__ import annotations

from cryptotrader.services.binance.models.session import SessionStatus
from cryptotrader.services.binance.request import Params, RequestSpec, SecurityType, fixed_weight


class SessionStatusParams(Params, frozen=True, kw_only=True):
    """``session.status`` takes none."""


SPEC = RequestSpec(
    method="session.status",
    rest="",
    security=SecurityType.NONE,
    weight=fixed_weight(2),
    params=SessionStatusParams,
    result=SessionStatus,
)
process_request = SPEC.process_request
