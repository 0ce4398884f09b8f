"""Price changes over a window of the client's choice, and over the trading day."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.protocol import render
from cryptotrader.exchange.protocol.operations.call import Call, Endpoint, chosen_symbols, endpoint
from cryptotrader.market.candles import DAY_MS, HOUR_MS, MINUTE_MS
from cryptotrader.services.binance.websocketAPI.market_data_requests import rolling_window_price, trading_day_ticker

NO_WINDOW: Final = (-2016, "No trading window could be found for the symbol. Try ticker/24hrs instead.")

_ZONE = re.compile(r"([+-]?)(\d{1,2})(?::(\d{2}))?")
_EARLIEST_ZONE_MIN: Final = -12 * 60
_LATEST_ZONE_MIN: Final = 14 * 60
_UNIT_MS: Final = {"m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}


def zone_offset_min(text: str | None) -> int:
    """Minutes east of Greenwich: ``-1:00`` is -60, ``8`` is 480, nothing is 0.

    Raises:
        Refusal: -1130, it is none from -12:00 to +14:00.
    """
    if text is None:
        return 0
    found = _ZONE.fullmatch(text)
    if found is not None:
        sign, hours, minutes = found.groups()
        offset_min = (int(hours) * 60 + int(minutes or 0)) * (-1 if sign == "-" else 1)
        if _EARLIEST_ZONE_MIN <= offset_min <= _LATEST_ZONE_MIN and int(minutes or 0) < 60:
            return offset_min
    raise Refusal(-1130, "Data sent for parameter 'timeZone' is not valid.")


def _rows(call: Call, names: Sequence[str], *, open_ms: int, close_ms: int, mini: bool) -> list[render.Json]:
    rows = []
    for name in names:
        candle = call.venue.statistics(name).window(open_ms, call.now_ms)
        if candle is not None:
            rows.append(render.window_ticker(candle, open_ms=open_ms, close_ms=close_ms, mini=mini))
    return rows


def _one(rows: Sequence[render.Json]) -> render.Json:
    """The row of the one symbol that was asked for.

    Raises:
        Refusal: -2016, nothing is known of the window.
    """
    if not rows:
        raise Refusal(*NO_WINDOW)
    return rows[0]


def _rolling(call: Call, params: rolling_window_price.RollingWindowParams) -> object:
    names = chosen_symbols(call, symbol=params.symbol, symbols=params.symbols, status=params.symbol_status)
    size = params.window_size or "1d"
    start_ms = call.now_ms - int(size[:-1]) * _UNIT_MS[size[-1]]
    open_ms = start_ms - start_ms % MINUTE_MS
    rows = _rows(call, names, open_ms=open_ms, close_ms=call.now_ms, mini=params.type == "MINI")
    return _one(rows) if params.symbol is not None else rows


def _trading_day(call: Call, params: trading_day_ticker.TradingDayParams) -> object:
    names = chosen_symbols(call, symbol=params.symbol, symbols=params.symbols, status=params.symbol_status)
    offset_ms = zone_offset_min(params.time_zone) * MINUTE_MS
    open_ms = (call.now_ms + offset_ms) // DAY_MS * DAY_MS - offset_ms
    rows = _rows(call, names, open_ms=open_ms, close_ms=open_ms + DAY_MS - 1, mini=params.type == "MINI")
    return _one(rows) if params.symbol is not None else rows


ENDPOINTS: tuple[Endpoint, ...] = (
    endpoint(rolling_window_price.SPEC, _rolling),
    endpoint(trading_day_ticker.SPEC, _trading_day),
)
