"""End one or all user data subscriptions of this connection (``userDataStream.unsubscribe``)."""

from __future__ import annotations

from cryptotrader.services.binance.models.market import Empty
from cryptotrader.services.binance.request import Long, Params, RequestSpec, SecurityType, fixed_weight


class UnsubscribeParams(Params, frozen=True, kw_only=True):
    """Parameters of ``userDataStream.unsubscribe``; all subscriptions end without an id."""

    subscription_id: Long | None = None


SPEC = RequestSpec(
    method="userDataStream.unsubscribe",
    rest="",
    security=SecurityType.NONE,
    weight=fixed_weight(2),
    params=UnsubscribeParams,
    result=Empty,
)
process_request = SPEC.process_request
