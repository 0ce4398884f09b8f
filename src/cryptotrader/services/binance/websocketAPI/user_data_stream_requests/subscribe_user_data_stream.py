"""User data on this connection (``userDataStream.subscribe``), after ``session.logon``."""

from __future__ import annotations

from cryptotrader.services.binance.models.session import Subscription
from cryptotrader.services.binance.request import Params, RequestSpec, SecurityType, fixed_weight


class SubscribeParams(Params, frozen=True, kw_only=True):
    """``userDataStream.subscribe`` takes none."""


SPEC = RequestSpec(
    method="userDataStream.subscribe",
    rest="",
    security=SecurityType.USER_STREAM,
    weight=fixed_weight(2),
    params=SubscribeParams,
    result=Subscription,
)
process_request = SPEC.process_request
