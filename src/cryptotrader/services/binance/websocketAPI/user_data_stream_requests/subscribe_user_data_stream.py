"""User data on this connection (``userDataStream.subscribe``), after ``session.logon``."""

from __future__ import annotations

from cryptotrader.services.binance.models.session import Subscription
from cryptotrader.services.binance.request import Params, RequestSpec, SecurityType, fixed_weight


class SubscribeParams(Params, frozen=True, kw_only=True):
    """``userDataStream.subscribe`` takes none.

    A request of its own concerns the connection that it is sent over, and is not made again on the next one: its events
    go to ``on_message`` as they come, and nothing could say there what was missed or told twice in between.
    ``BinanceWebSocketConnection.user_data`` subscribes anew, in order and without copies, and tells of gaps.
    """


SPEC = RequestSpec(
    method="userDataStream.subscribe",
    rest="",
    security=SecurityType.USER_STREAM,
    weight=fixed_weight(2),
    params=SubscribeParams,
    result=Subscription,
)
process_request = SPEC.process_request
