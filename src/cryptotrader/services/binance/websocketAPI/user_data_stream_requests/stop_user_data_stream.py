"""Give a listen key back (``userDataStream.stop``).

Binance retired it on 2026-02-20; the paper exchange and venues that still have listen keys answer it.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from cryptotrader.services.binance.models.market import Empty
from cryptotrader.services.binance.request import Params, RequestSpec, SecurityType, fixed_weight


class StopStreamParams(Params, frozen=True, kw_only=True):
    """Parameters of ``userDataStream.stop``."""

    listen_key: Annotated[str, Meta(min_length=1, max_length=128)]


SPEC = RequestSpec(
    method="userDataStream.stop",
    rest="DELETE /api/v3/userDataStream",
    security=SecurityType.USER_STREAM,
    weight=fixed_weight(2),
    params=StopStreamParams,
    result=Empty,
)
process_request = SPEC.process_request
