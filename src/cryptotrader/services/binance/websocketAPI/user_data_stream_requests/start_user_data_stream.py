"""Start a user data stream by listen key (``userDataStream.start``).

Binance retired it on 2026-02-20; the paper exchange and venues that still have listen keys answer it.
"""

from __future__ import annotations

from cryptotrader.services.binance.models.session import ListenKey
from cryptotrader.services.binance.request import Params, RequestSpec, SecurityType, fixed_weight


class StartStreamParams(Params, frozen=True, kw_only=True):
    """``userDataStream.start`` takes none."""


SPEC = RequestSpec(
    method="userDataStream.start",
    rest="POST /api/v3/userDataStream",
    security=SecurityType.USER_STREAM,
    weight=fixed_weight(2),
    params=StartStreamParams,
    result=ListenKey,
)
process_request = SPEC.process_request
