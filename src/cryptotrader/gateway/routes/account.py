"""The account and its orders, always asked of the venue, so nothing stale is shown (S0-24, S0-26 to S0-31)."""

from __future__ import annotations

from typing import Annotated

import msgspec
from starlette.responses import Response

from cryptotrader.core.errors import InvalidParams
from cryptotrader.gateway.http.contract import Call, Query
from cryptotrader.gateway.routes.market import Millis, Rows, SymbolQuery, SymbolText
from cryptotrader.gateway.routes.venue import ask, from_venue, symbol_of
from cryptotrader.services.binance.websocketAPI.account_requests.acct_order_history import SPEC as ALL_ORDERS
from cryptotrader.services.binance.websocketAPI.account_requests.acct_trade_history import SPEC as MY_TRADES
from cryptotrader.services.binance.websocketAPI.account_requests.get_user_acct_info import SPEC as ACCOUNT
from cryptotrader.services.binance.websocketAPI.trading_requests.current_open_orders import SPEC as OPEN_ORDERS
from cryptotrader.services.binance.websocketAPI.trading_requests.query_order import SPEC as QUERY_ORDER

Id = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
"""A number that every JSON reader keeps exact."""

OrderName = Annotated[str, msgspec.Meta(pattern=r"^[a-zA-Z0-9\-_.:/]{1,36}$")]


class OrderQuery(SymbolQuery, frozen=True, kw_only=True):
    """One order, by its number or by its client order id; with both, both must fit."""

    order_id: Id | None = None
    orig_client_order_id: OrderName | None = None

    def which(self, symbol: str) -> dict[str, str]:
        """Wire parameters that name the order.

        Raises:
            InvalidParams: Neither is there.
        """
        if self.order_id is None and self.orig_client_order_id is None:
            text = "Missing required parameter: orderId or origClientOrderId"
            raise InvalidParams(text, param="orderId", problem="missing")
        names = {"symbol": symbol}
        if self.order_id is not None:
            names["orderId"] = str(self.order_id)
        if self.orig_client_order_id is not None:
            names["origClientOrderId"] = self.orig_client_order_id
        return names


class OpenOrdersQuery(Query, frozen=True, kw_only=True):
    """Orders that still stand, of one symbol or of all."""

    symbol: SymbolText | None = None


class HistoryQuery(SymbolQuery, frozen=True, kw_only=True):
    """Orders of the past; start and end at most 24 hours apart."""

    order_id: Id | None = None
    start_time: Millis | None = None
    end_time: Millis | None = None
    limit: Rows | None = None


class MyTradesQuery(HistoryQuery, frozen=True, kw_only=True):
    """Fills of the account; start and end at most 24 hours apart."""

    from_id: Id | None = None


class AccountQuery(Query, frozen=True, kw_only=True):
    """Whether to leave out assets of which there is nothing."""

    omit_zero_balances: bool | None = None


async def account(call: Call[AccountQuery]) -> Response:
    """Balances and what the account may do (S0-29)."""
    omit = call.query.omit_zero_balances
    return from_venue("account", await ask(call.account, ACCOUNT, {"omitZeroBalances": omit}))


async def order(call: Call[OrderQuery]) -> Response:
    """State of one order (S0-24)."""
    which = call.query.which(await symbol_of(call.services, call.query.symbol))
    return from_venue("order", await ask(call.account, QUERY_ORDER, which))


async def open_orders(call: Call[OpenOrdersQuery]) -> Response:
    """Orders that still stand (S0-26)."""
    text = call.query.symbol
    symbol = None if text is None else await symbol_of(call.services, text)
    return from_venue("openOrders", await ask(call.account, OPEN_ORDERS, {"symbol": symbol}))


async def all_orders(call: Call[HistoryQuery]) -> Response:
    """Orders of any status (S0-27)."""
    return from_venue("allOrders", await ask(call.account, ALL_ORDERS, await _history(call)))


async def my_trades(call: Call[MyTradesQuery]) -> Response:
    """Fills of the account (S0-30)."""
    given = await _history(call) | {"fromId": call.query.from_id}
    return from_venue("myTrades", await ask(call.account, MY_TRADES, given))


async def _history(call: Call[HistoryQuery] | Call[MyTradesQuery]) -> dict[str, object]:
    query = call.query
    return {
        "symbol": await symbol_of(call.services, query.symbol),
        "orderId": query.order_id,
        "startTime": query.start_time,
        "endTime": query.end_time,
        "limit": query.limit,
    }
