"""The account: balances, fills, limits, and the old way to its stream."""

from __future__ import annotations

from collections.abc import Iterable

from cryptotrader.exchange.engine.accounts import FillQuery, Period
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.engine.matching.taker import NO_GROUP
from cryptotrader.exchange.engine.orders import NO_ORDER_LIST, Fill
from cryptotrader.exchange.engine.rules.terms import ACCOUNT_TYPE
from cryptotrader.exchange.protocol import render
from cryptotrader.exchange.protocol.operations.call import Call, Endpoint, endpoint, known_symbol
from cryptotrader.exchange.protocol.operations.market import DEFAULT_ROWS
from cryptotrader.exchange.protocol.operations.trading import check_period
from cryptotrader.services.binance.websocketAPI.account_requests import (
    acct_prevented_matches,
    acct_trade_history,
    commission_rates,
    get_order_rate_limits,
    get_user_acct_info,
    my_allocations,
    order_amendments,
    relevant_filters,
)
from cryptotrader.services.binance.websocketAPI.user_data_stream_requests import (
    ping_user_data_stream,
    start_user_data_stream,
    stop_user_data_stream,
)


def _account(call: Call, params: get_user_acct_info.AccountParams) -> object:
    account = call.venue.account(call.account)
    engine = call.venue.engine
    fees, terms, group = engine.fees(call.account), engine.terms(call.account), engine.trade_group(call.account)
    told: render.Json = {
        "makerCommission": fees.maker_bps,
        "takerCommission": fees.taker_bps,
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": render.rates(fees.on("").standard),
        "canTrade": terms.can_trade,
        "canWithdraw": True,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": terms.sor_disabled,
        "updateTime": call.venue.updated_ms(call.account),
        "accountType": ACCOUNT_TYPE,
        "balances": render.balances(call.venue.balances(call.account), omit_zero=bool(params.omit_zero_balances)),
        "permissions": list(terms.permissions),
        "uid": account.uid,
    }
    return told if group == NO_GROUP else told | {"tradeGroupId": group}


def _my_trades(call: Call, params: acct_trade_history.MyTradesParams) -> object:
    symbol = known_symbol(call, params.symbol)
    check_period(params.start_time, params.end_time)
    fills = call.venue.fills(
        call.account,
        symbol,
        FillQuery(
            order_id=params.order_id,
            from_trade_id=params.from_id,
            period=Period(params.start_time, params.end_time),
            limit=params.limit or DEFAULT_ROWS,
        ),
    )
    lists = _lists_of(call, symbol, fills)
    return [render.account_trade(fill, lists[fill.order_id]) for fill in fills]


def _lists_of(call: Call, symbol: str, fills: Iterable[Fill]) -> dict[int, int]:
    """To which order list the order of each fill belongs; what is no longer remembered counts as belonging to none."""
    found: dict[int, int] = {}
    for order_id in {fill.order_id for fill in fills}:
        try:
            found[order_id] = call.venue.order(call.account, symbol, order_id=order_id).order_list_id
        except Refusal:
            found[order_id] = NO_ORDER_LIST
    return found


def _order_limits(call: Call, params: get_order_rate_limits.OrderRateLimitsParams) -> object:
    return call.desk.orders.describe(call.account, call.now_ms)


def _commission(call: Call, params: commission_rates.CommissionParams) -> object:
    symbol = known_symbol(call, params.symbol)
    fees = call.venue.engine.fees(call.account)
    on_symbol = fees.on(symbol)
    return {
        "symbol": symbol,
        "standardCommission": render.rates(on_symbol.standard),
        "specialCommission": render.rates(on_symbol.special),
        "taxCommission": render.rates(on_symbol.tax),
        "discount": render.discount(fees, symbol),
    }


def _filters(call: Call, params: relevant_filters.RelevantFiltersParams) -> object:
    """Those that count what an account has, or bind what it may trade; prices and quantities are nobody's own."""
    rules = call.venue.rules[known_symbol(call, params.symbol)]
    return {
        "exchangeFilters": rules.exchange.filters(),
        "symbolFilters": rules.counting_filters(),
        "assetFilters": call.venue.engine.terms(call.account).asset_filters(rules),
    }


def _prevented_matches(call: Call, params: acct_prevented_matches.PreventedMatchesParams) -> object:
    symbol = known_symbol(call, params.symbol)
    found = call.venue.prevented_matches(
        call.account,
        symbol,
        prevented_match_id=params.prevented_match_id,
        order_id=params.order_id,
        from_id=params.from_prevented_match_id,
        limit=params.limit or DEFAULT_ROWS,
    )
    return [render.prevented_match(match) for match in found]


def _allocations(call: Call, params: my_allocations.AllocationsParams) -> object:
    symbol = known_symbol(call, params.symbol)
    check_period(params.start_time, params.end_time)
    found = call.venue.allocations(
        call.account,
        symbol,
        order_id=params.order_id,
        from_id=params.from_allocation_id,
        period=Period(params.start_time, params.end_time),
        limit=params.limit or DEFAULT_ROWS,
    )
    lists = _lists_of(call, symbol, found)
    return [render.allocation(fill, lists[fill.order_id]) for fill in found]


def _amendments(call: Call, params: order_amendments.AmendmentsParams) -> object:
    """An order that the account does not have is told as such."""
    symbol = known_symbol(call, params.symbol)
    call.venue.order(call.account, symbol, order_id=params.order_id)
    found = call.venue.amendments(
        call.account,
        symbol,
        params.order_id,
        from_execution_id=params.from_execution_id,
        limit=params.limit or DEFAULT_ROWS,
    )
    return [render.past_amendment(amendment) for amendment in found]


def _start_stream(call: Call, params: start_user_data_stream.StartStreamParams) -> object:
    return {"listenKey": call.desk.listen_keys.create(call.account, call.now_ms)}


def _keep_stream(call: Call, params: ping_user_data_stream.PingStreamParams) -> object:
    call.desk.listen_keys.keep_alive(params.listen_key, call.now_ms, account=call.account)
    return {}


def _stop_stream(call: Call, params: stop_user_data_stream.StopStreamParams) -> object:
    call.desk.listen_keys.close(params.listen_key, call.now_ms, account=call.account)
    return {}


ENDPOINTS: tuple[Endpoint, ...] = (
    endpoint(get_user_acct_info.SPEC, _account),
    endpoint(acct_trade_history.SPEC, _my_trades),
    endpoint(get_order_rate_limits.SPEC, _order_limits),
    endpoint(commission_rates.SPEC, _commission),
    endpoint(relevant_filters.SPEC, _filters),
    endpoint(acct_prevented_matches.SPEC, _prevented_matches),
    endpoint(my_allocations.SPEC, _allocations),
    endpoint(order_amendments.SPEC, _amendments),
    endpoint(start_user_data_stream.SPEC, _start_stream),
    endpoint(ping_user_data_stream.SPEC, _keep_stream),
    endpoint(stop_user_data_stream.SPEC, _stop_stream),
)
