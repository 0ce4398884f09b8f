"""UI klines (``uiKlines``): candlesticks adjusted for charts, oldest first."""

from __future__ import annotations

from cryptotrader.services.binance.models.market import Kline
from cryptotrader.services.binance.request import (
    Interval,
    Limit,
    Millis,
    Params,
    RequestSpec,
    SecurityType,
    Symbol,
    TimeZone,
    fixed_weight,
)


class UiKlinesParams(Params, frozen=True, kw_only=True):
    """Parameters of ``uiKlines``; times are UTC whatever the time zone."""

    symbol: Symbol
    interval: Interval
    start_time: Millis | None = None
    end_time: Millis | None = None
    time_zone: TimeZone | None = None
    limit: Limit | None = None


SPEC = RequestSpec(
    method="uiKlines",
    rest="GET /api/v3/uiKlines",
    security=SecurityType.NONE,
    weight=fixed_weight(2),
    params=UiKlinesParams,
    result=list[Kline],
)
process_request = SPEC.process_request
