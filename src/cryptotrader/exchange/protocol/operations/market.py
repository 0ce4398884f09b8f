"""Public requests: what time it is, which rules apply, what the market does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cryptotrader.core.orders import Side
from cryptotrader.core.scaled import format_scaled
from cryptotrader.exchange.protocol import render
from cryptotrader.exchange.protocol.operations.call import Call, Endpoint, chosen_symbols, endpoint, known_symbol
from cryptotrader.exchange.protocol.operations.windows import zone_offset_min
from cryptotrader.exchange.zones import Zone
from cryptotrader.services.binance.websocketAPI.general_requests import (
    connectivity,
    exchange_information,
    server_time,
)
from cryptotrader.services.binance.websocketAPI.market_data_requests import (
    aggregate_trades,
    current_average_price,
    historical_block_trades,
    historical_trades,
    klines,
    order_book,
    recent_trades,
    symbol_order_book_ticker,
    symbol_price_ticker,
    ticker_price_24h,
    ui_klines,
)

DEFAULT_DEPTH: Final = 100
MAX_DEPTH: Final = 5_000
"""Most levels of a side. Source: ``rest-api.md``, "Order book"."""

MAX_LIMIT_DIGITS: Final = 18
"""Longest number that is read at all. Unit: digits. Reason: 64 bits hold no more."""

DEFAULT_ROWS: Final = 500
"""Rows where the request does not say how many. Source: ``rest-api.md``."""


def _ping(call: Call, params: connectivity.PingParams) -> object:
    return {}


def _time(call: Call, params: server_time.ServerTimeParams) -> object:
    return {"serverTime": call.told_ms}


def _exchange_info(call: Call, params: exchange_information.ExchangeInfoParams) -> object:
    names = chosen_symbols(call, symbol=params.symbol, symbols=params.symbols, status=params.symbol_status)
    wanted = set(params.permissions or ("SPOT", "MARGIN", "LEVERAGED"))
    entries = []
    for name in names:
        rules = call.venue.engine.rules(name)
        if not any(wanted.intersection(group) for group in rules.permission_sets):
            continue
        entry = rules.exchange_info()
        if params.show_permission_sets is False:
            entry["permissionSets"] = []
        entries.append(entry)
    told: render.Json = {
        "timezone": "UTC",
        "serverTime": call.told_ms,
        "rateLimits": call.desk.limits.describe(),
        "exchangeFilters": next(iter(call.venue.rules.values())).exchange.filters(),
        "symbols": entries,
    }
    sors = [group.describe() for group in call.venue.engine.sor_groups]
    return told | {"sors": sors} if sors else told


def _depth(call: Call, params: order_book.OrderBookParams) -> object:
    (symbol,) = chosen_symbols(call, symbol=params.symbol, symbols=None, status=params.symbol_status)
    limit = params.limit or DEFAULT_DEPTH
    book = call.venue.engine.book(symbol)
    return {
        "lastUpdateId": call.venue.engine.last_id(symbol),
        "bids": render.levels(book.levels(Side.BUY, limit)),
        "asks": render.levels(book.levels(Side.SELL, limit)),
    }


def _capped(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """More levels than there can be are no error here, unlike everywhere else (``rest-api.md``, "Order book")."""
    limit = str(given.get("limit", ""))
    if limit.isascii() and limit.isdigit() and len(limit) <= MAX_LIMIT_DIGITS and int(limit) > MAX_DEPTH:
        return {**given, "limit": str(MAX_DEPTH)}
    return given


def _depth_endpoint() -> Endpoint:
    exact = endpoint(order_book.SPEC, _depth)
    return Endpoint(spec=exact.spec, answer=lambda call, given: exact.answer(call, _capped(given)))


def _trades(call: Call, params: recent_trades.RecentTradesParams) -> object:
    tape = call.venue.statistics(known_symbol(call, params.symbol)).tape
    return [render.trade(trade) for trade in tape.latest(params.limit or DEFAULT_ROWS)]


def _historical_trades(call: Call, params: historical_trades.HistoricalTradesParams) -> object:
    tape = call.venue.statistics(known_symbol(call, params.symbol)).tape
    limit = params.limit or DEFAULT_ROWS
    if params.from_id is None:
        return [render.trade(trade) for trade in tape.latest(limit)]
    first = params.from_id
    return [render.trade(trade) for trade in tape.latest() if trade.trade_id >= first][:limit]


def _block_trades(call: Call, params: historical_block_trades.BlockTradesParams) -> object:
    symbol = known_symbol(call, params.symbol)
    rows = call.venue.blocks.since(symbol, params.from_id, params.limit or DEFAULT_ROWS)
    return [render.block_trade(block) for block in rows]


def _agg_trades(call: Call, params: aggregate_trades.AggregateTradesParams) -> object:
    aggregates = call.venue.statistics(known_symbol(call, params.symbol)).aggregates.latest()
    limit = params.limit or DEFAULT_ROWS
    first, start_ms, end_ms = params.from_id, params.start_time, params.end_time
    rows = [
        render.agg_trade(each)
        for each in aggregates
        if (first is None or each.agg_id >= first)
        and (start_ms is None or each.time_ms >= start_ms)
        and (end_ms is None or each.time_ms <= end_ms)
    ]
    return rows[:limit] if first is not None or start_ms is not None else rows[max(0, len(rows) - limit) :]


def _klines(call: Call, params: klines.KlinesParams | ui_klines.UiKlinesParams) -> object:
    statistics = call.venue.statistics(known_symbol(call, params.symbol))
    zone = Zone(params.interval, zone_offset_min(params.time_zone))
    candles = zone.candles(
        statistics,
        now_ms=call.now_ms,
        start_ms=params.start_time,
        end_ms=params.end_time,
        limit=params.limit or DEFAULT_ROWS,
    )
    return [render.kline(candle) for candle in candles]


def _avg_price(call: Call, params: current_average_price.AveragePriceParams) -> object:
    symbol = known_symbol(call, params.symbol)
    last = call.venue.statistics(symbol).tape.last
    return {
        "mins": call.venue.rules[symbol].avg_price_mins,
        "price": format_scaled(call.venue.average_price(symbol)),
        "closeTime": last.time_ms if last is not None else call.now_ms,
    }


def _ticker_24h(call: Call, params: ticker_price_24h.Ticker24hParams) -> object:
    names = chosen_symbols(call, symbol=params.symbol, symbols=params.symbols, status=params.symbol_status)
    mini = params.type == "MINI"
    rows = [render.ticker_24h(call.venue.day(name), mini=mini) for name in names]
    return rows[0] if params.symbol is not None else rows


def _ticker_price(call: Call, params: symbol_price_ticker.PriceTickerParams) -> object:
    names = chosen_symbols(call, symbol=params.symbol, symbols=params.symbols, status=params.symbol_status)
    rows = [{"symbol": name, "price": format_scaled(call.venue.last_price(name))} for name in names]
    return rows[0] if params.symbol is not None else rows


def _ticker_book(call: Call, params: symbol_order_book_ticker.BookTickerParams) -> object:
    names = chosen_symbols(call, symbol=params.symbol, symbols=params.symbols, status=params.symbol_status)
    rows = [render.book_ticker(call.venue.top(name)) for name in names]
    return rows[0] if params.symbol is not None else rows


ENDPOINTS: tuple[Endpoint, ...] = (
    endpoint(connectivity.SPEC, _ping),
    endpoint(server_time.SPEC, _time),
    endpoint(exchange_information.SPEC, _exchange_info),
    _depth_endpoint(),
    endpoint(recent_trades.SPEC, _trades),
    endpoint(historical_trades.SPEC, _historical_trades),
    endpoint(historical_block_trades.SPEC, _block_trades),
    endpoint(aggregate_trades.SPEC, _agg_trades),
    endpoint(klines.SPEC, _klines),
    endpoint(ui_klines.SPEC, _klines),
    endpoint(current_average_price.SPEC, _avg_price),
    endpoint(ticker_price_24h.SPEC, _ticker_24h),
    endpoint(symbol_price_ticker.SPEC, _ticker_price),
    endpoint(symbol_order_book_ticker.SPEC, _ticker_book),
)
