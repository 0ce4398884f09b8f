"""Every request this product knows, found by its WebSocket method or by its REST verb and path."""

from __future__ import annotations

from typing import Any

from cryptotrader.services.binance.request import RequestSpec
from cryptotrader.services.binance.websocketAPI import (
    account_requests,
    general_requests,
    market_data_requests,
    order_list_requests,
    price_range_requests,
    session_requests,
    sor_requests,
    trading_requests,
    user_data_stream_requests,
)

AnySpec = RequestSpec[Any, Any]

SPECS: tuple[AnySpec, ...] = (
    general_requests.connectivity.SPEC,
    general_requests.exchange_information.SPEC,
    general_requests.server_time.SPEC,
    session_requests.log_on.SPEC,
    session_requests.log_out.SPEC,
    session_requests.session_status.SPEC,
    session_requests.session_subscriptions.SPEC,
    market_data_requests.aggregate_trades.SPEC,
    market_data_requests.current_average_price.SPEC,
    market_data_requests.historical_block_trades.SPEC,
    market_data_requests.historical_trades.SPEC,
    market_data_requests.klines.SPEC,
    market_data_requests.order_book.SPEC,
    market_data_requests.recent_trades.SPEC,
    market_data_requests.rolling_window_price.SPEC,
    market_data_requests.symbol_order_book_ticker.SPEC,
    market_data_requests.symbol_price_ticker.SPEC,
    market_data_requests.ticker_price_24h.SPEC,
    market_data_requests.trading_day_ticker.SPEC,
    market_data_requests.ui_klines.SPEC,
    price_range_requests.execution_rules.SPEC,
    price_range_requests.reference_price.SPEC,
    price_range_requests.reference_price_calculation.SPEC,
    trading_requests.amend_order.SPEC,
    trading_requests.cancel_oco_order.SPEC,
    trading_requests.cancel_open_orders.SPEC,
    trading_requests.cancel_order.SPEC,
    trading_requests.create_new_oco_order.SPEC,
    trading_requests.current_open_orders.SPEC,
    trading_requests.get_oco_order.SPEC,
    trading_requests.get_open_oco_orders.SPEC,
    trading_requests.place_new_order.SPEC,
    trading_requests.query_order.SPEC,
    trading_requests.replace_order.SPEC,
    trading_requests.test_new_order.SPEC,
    order_list_requests.place_legacy_oco.SPEC,
    order_list_requests.place_opo.SPEC,
    order_list_requests.place_opoco.SPEC,
    order_list_requests.place_oto.SPEC,
    order_list_requests.place_otoco.SPEC,
    sor_requests.place_sor_order.SPEC,
    sor_requests.test_sor_order.SPEC,
    account_requests.acct_oco_history.SPEC,
    account_requests.acct_order_history.SPEC,
    account_requests.acct_prevented_matches.SPEC,
    account_requests.acct_trade_history.SPEC,
    account_requests.commission_rates.SPEC,
    account_requests.get_order_rate_limits.SPEC,
    account_requests.get_user_acct_info.SPEC,
    account_requests.my_allocations.SPEC,
    account_requests.order_amendments.SPEC,
    account_requests.relevant_filters.SPEC,
    user_data_stream_requests.ping_user_data_stream.SPEC,
    user_data_stream_requests.start_user_data_stream.SPEC,
    user_data_stream_requests.stop_user_data_stream.SPEC,
    user_data_stream_requests.subscribe_by_signature.SPEC,
    user_data_stream_requests.subscribe_user_data_stream.SPEC,
    user_data_stream_requests.unsubscribe_user_data_stream.SPEC,
)
"""In the order of the categories; each method and each route occurs once."""

_BY_METHOD = {spec.method: spec for spec in SPECS if spec.method}
_BY_ROUTE = {(spec.verb, spec.path): spec for spec in SPECS if spec.rest}


def by_method(method: str) -> AnySpec | None:
    """The request of this name in the WebSocket API, such as ``depth``."""
    return _BY_METHOD.get(method)


def by_route(verb: str, path: str) -> AnySpec | None:
    """The request of this verb and path in the REST API, such as ``GET`` and ``/api/v3/depth``."""
    return _BY_ROUTE.get((verb.upper(), path))


def verbs_of(path: str) -> frozenset[str]:
    """The verbs that a path understands; empty where nothing does."""
    return frozenset(verb for verb, known in _BY_ROUTE if known == path)
