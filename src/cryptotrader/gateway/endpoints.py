"""Every endpoint of the gateway: the table that routing, validation and the OpenAPI document share."""

from __future__ import annotations

from typing import Any

from cryptotrader.gateway.http.contract import Endpoint, NoQuery
from cryptotrader.gateway.http.errors import CLIENT_ORDER_ID_HEADER
from cryptotrader.gateway.openapi import schemas
from cryptotrader.gateway.openapi.positions import Portfolio, PositionState
from cryptotrader.gateway.routes import account, market, orders, positions, system, user_stream
from cryptotrader.gateway.routes.venue import MODE_HEADER
from cryptotrader.services.binance.models import account as account_models
from cryptotrader.services.binance.models import market as market_models
from cryptotrader.services.binance.models import orders as order_models
from cryptotrader.services.binance.models.exchange_info import ExchangeInfo
from cryptotrader.sessions.auth import Scope

BASE = "/api/v1"

MARKET = "Market data"
ORDERS = "Orders"
ACCOUNT = "Account"
POSITIONS = "Positions"
STREAM = "User stream"
OPERATIONS = "Operations"

ASKS_VENUE = (400, 502, 504)
"""What anything that may ask the venue can answer with, besides 401 and 429."""

SIGNED = (400, 403, 502, 504)
"""The same for what needs the exchange's credentials (S0-54)."""

BODY = (408, 413, 415)

MODE = {MODE_HEADER: "What the order is worth: paper, testnet or live."}
PLACED = {**MODE, CLIENT_ORDER_ID_HEADER: "The order's name, fit for origClientOrderId."}
IDEMPOTENCY = {
    orders.IDEMPOTENCY_HEADER: {
        "description": "The same key with the same body gives the same order's answer, for 24 hours; it is never placed"
        " twice. The answer to a repeated request carries Idempotent-Replayed: true. With a newClientOrderId of your"
        " own the key is remembered until the gateway restarts; without one it outlasts restarts.",
        "schema": {"type": "string", "pattern": orders.IDEMPOTENCY_PATTERN},
    }
}


def endpoints() -> tuple[Endpoint[Any], ...]:
    """All of them, in the order of the document."""
    return (*_market(), *_orders(), *_many_orders(), *_account(), *_positions(), *_stream(), *_operations())


def _market() -> tuple[Endpoint[Any], ...]:
    common: dict[str, Any] = {"tag": MARKET, "scope": Scope.READ, "errors": ASKS_VENUE}
    return (
        Endpoint(
            "GET",
            f"{BASE}/ticker/price",
            "Last price",
            market.ticker_price,
            market.SymbolQuery,
            market_models.PriceTicker,
            **common,
        ),
        Endpoint(
            "GET",
            f"{BASE}/ticker/24hr",
            "Statistics of 24 hours",
            market.ticker_day,
            market.SymbolQuery,
            market_models.DayTicker,
            **common,
        ),
        Endpoint(
            "GET",
            f"{BASE}/klines",
            "Candles",
            market.klines,
            market.KlinesQuery,
            schemas.KLINES,
            description="One symbol: an array of rows. Several, separated by commas (at most 20): an object with an"
            " array per symbol, in the order asked for.",
            **common,
        ),
        Endpoint(
            "GET",
            f"{BASE}/depth",
            "Order book",
            market.depth,
            market.DepthQuery,
            market_models.OrderBook,
            **common,
        ),
        Endpoint(
            "GET",
            f"{BASE}/trades",
            "Recent trades",
            market.trades,
            market.TradesQuery,
            list[market_models.PublicTrade],
            **common,
        ),
    )


def _orders() -> tuple[Endpoint[Any], ...]:
    trades: dict[str, Any] = {"tag": ORDERS, "scope": Scope.TRADE}
    return (
        Endpoint(
            "POST",
            f"{BASE}/order",
            "Place an order",
            orders.place,
            NoQuery,
            order_models.PlacedOrder,
            body=schemas.ORDER_BODY,
            errors=SIGNED + BODY,
            headers=IDEMPOTENCY,
            response_headers=PLACED,
            description="The order is named before it is sent and sent once. Where the exchange does not answer, it is"
            " asked what became of the order: 200 if it was placed; 504 if it surely was not; 504 with"
            f" {CLIENT_ORDER_ID_HEADER} if nobody knows, so that you can ask later.",
            **trades,
        ),
        Endpoint(
            "GET",
            f"{BASE}/order",
            "State of an order",
            account.order,
            account.OrderQuery,
            order_models.OrderReport,
            errors=SIGNED,
            tag=ORDERS,
            scope=Scope.READ,
        ),
        Endpoint(
            "DELETE",
            f"{BASE}/order",
            "Cancel an order",
            orders.cancel,
            orders.CancelQuery,
            order_models.CancelledOrder,
            errors=SIGNED,
            response_headers=MODE,
            **trades,
        ),
        Endpoint(
            "POST",
            f"{BASE}/order/test",
            "Check an order without placing it",
            orders.check,
            NoQuery,
            order_models.TestedOrder,
            body=schemas.ORDER_BODY,
            errors=SIGNED + BODY,
            **trades,
        ),
    )


def _many_orders() -> tuple[Endpoint[Any], ...]:
    return (
        Endpoint(
            "GET",
            f"{BASE}/openOrders",
            "Orders that still stand",
            account.open_orders,
            account.OpenOrdersQuery,
            list[order_models.OrderReport],
            errors=SIGNED,
            tag=ORDERS,
            scope=Scope.READ,
        ),
        Endpoint(
            "DELETE",
            f"{BASE}/openOrders",
            "Cancel all orders of a symbol",
            orders.cancel_all,
            market.SymbolQuery,
            list[order_models.CancelledItem],
            errors=SIGNED,
            response_headers=MODE,
            tag=ORDERS,
            scope=Scope.TRADE,
        ),
        Endpoint(
            "GET",
            f"{BASE}/allOrders",
            "Orders of any status",
            account.all_orders,
            account.HistoryQuery,
            list[order_models.OrderReport],
            errors=SIGNED,
            tag=ORDERS,
            scope=Scope.READ,
        ),
    )


def _account() -> tuple[Endpoint[Any], ...]:
    common: dict[str, Any] = {"tag": ACCOUNT, "scope": Scope.READ, "errors": SIGNED}
    return (
        Endpoint(
            "GET",
            f"{BASE}/account",
            "Balances",
            account.account,
            account.AccountQuery,
            account_models.Account,
            **common,
        ),
        Endpoint(
            "GET",
            f"{BASE}/myTrades",
            "Fills of the account",
            account.my_trades,
            account.MyTradesQuery,
            list[account_models.AccountTrade],
            **common,
        ),
    )


def _positions() -> tuple[Endpoint[Any], ...]:
    path = f"{BASE}/positions/{{symbol}}"
    read: dict[str, Any] = {"tag": POSITIONS, "scope": Scope.READ}
    trade: dict[str, Any] = {"tag": POSITIONS, "scope": Scope.TRADE}
    return (
        Endpoint(
            "GET",
            f"{BASE}/positions",
            "Positions of the account",
            positions.positions,
            NoQuery,
            Portfolio,
            errors=SIGNED,
            description="Folded from the account's fills: what is held, what it has cost, profit and loss. Where a"
            " balance is not what the positions say, reconciliation tells it.",
            **read,
        ),
        Endpoint(
            "GET", path, "One position", positions.position, NoQuery, PositionState, errors=(*SIGNED, 404), **read
        ),
        Endpoint(
            "PUT",
            path,
            "Protect a position",
            positions.protect,
            NoQuery,
            PositionState,
            body=schemas.TERMS_BODY,
            errors=(*SIGNED, *BODY, 404),
            description="When the price reaches a term, one market order sells the position: once, also when the price"
            " jumped over it or the gateway was down meanwhile. protection tells what came of it.",
            **trade,
        ),
        Endpoint(
            "DELETE",
            path,
            "Take a position's protection away",
            positions.unprotect,
            NoQuery,
            PositionState,
            errors=(*SIGNED, 404),
            **trade,
        ),
    )


def _stream() -> tuple[Endpoint[Any], ...]:
    path = f"{BASE}/userDataStream"
    common: dict[str, Any] = {"tag": STREAM, "scope": Scope.READ}
    return (
        Endpoint(
            "POST",
            path,
            "Start: get a listen key",
            user_stream.start,
            NoQuery,
            schemas.LISTEN_KEY,
            errors=(403,),
            description="For clients written before Binance retired listen keys. The key is this gateway's own and"
            " opens its WebSocket /ws/{listenKey}. New clients use /ws/user and need no key.",
            **common,
        ),
        Endpoint(
            "PUT",
            path,
            "Keep a listen key for 60 more minutes",
            user_stream.keep,
            user_stream.ListenKeyQuery,
            market_models.Empty,
            errors=(400, 403),
            **common,
        ),
        Endpoint(
            "DELETE",
            path,
            "End a listen key",
            user_stream.stop,
            user_stream.ListenKeyQuery,
            market_models.Empty,
            errors=(400, 403),
            **common,
        ),
    )


def _operations() -> tuple[Endpoint[Any], ...]:
    common: dict[str, Any] = {"tag": OPERATIONS}
    return (
        Endpoint(
            "GET",
            "/health",
            "Is the server up",
            system.health,
            NoQuery,
            schemas.HEALTH,
            **common,
        ),
        Endpoint(
            "GET",
            f"{BASE}/ping",
            "Is the token good",
            system.ping,
            NoQuery,
            market_models.Empty,
            scope=Scope.READ,
            errors=(403,),
            **common,
        ),
        Endpoint(
            "GET",
            f"{BASE}/time",
            "The server's clock",
            system.server_time,
            NoQuery,
            market_models.ServerTime,
            scope=Scope.READ,
            errors=(403,),
            **common,
        ),
        Endpoint(
            "GET",
            f"{BASE}/exchangeInfo",
            "Trading rules",
            system.exchange_info,
            system.ExchangeInfoQuery,
            ExchangeInfo,
            scope=Scope.READ,
            errors=ASKS_VENUE,
            **common,
        ),
        Endpoint(
            "GET",
            "/metrics",
            "Counters for Prometheus",
            system.metrics,
            NoQuery,
            {"type": "string"},
            media_type="text/plain",
            description="Open to whoever reaches the port: it holds no secrets and no names that clients choose.",
            **common,
        ),
    )
