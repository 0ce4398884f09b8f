"""User data of any account on this connection (``userDataStream.subscribe.signature``), without a logon."""

from __future__ import annotations

from cryptotrader.services.binance.models.session import Subscription
from cryptotrader.services.binance.request import RequestSpec, SecurityType, SignedParams, fixed_weight


class SubscribeBySignatureParams(SignedParams, frozen=True, kw_only=True):
    """``userDataStream.subscribe.signature`` takes only what every signed request does."""


SPEC = RequestSpec(
    method="userDataStream.subscribe.signature",
    rest="",
    security=SecurityType.USER_STREAM,
    weight=fixed_weight(2),
    params=SubscribeBySignatureParams,
    result=Subscription,
    signed=True,
)
process_request = SPEC.process_request
