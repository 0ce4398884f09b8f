"""User data subscriptions of this connection (``session.subscriptions``)."""

from __future__ import annotations

from cryptotrader.services.binance.models.session import Subscription
from cryptotrader.services.binance.request import Params, RequestSpec, SecurityType, fixed_weight


class SessionSubscriptionsParams(Params, frozen=True, kw_only=True):
    """``session.subscriptions`` takes none."""


SPEC = RequestSpec(
    method="session.subscriptions",
    rest="",
    security=SecurityType.NONE,
    weight=fixed_weight(2),
    params=SessionSubscriptionsParams,
    result=list[Subscription],
)
process_request = SPEC.process_request
