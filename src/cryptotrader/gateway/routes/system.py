"""Health, time, metrics, the OpenAPI document and its page."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from cryptotrader.core.clock import NS_PER_S, to_ms
from cryptotrader.gateway.http.contract import Call, NoQuery, Query
from cryptotrader.gateway.http.replies import value_reply
from cryptotrader.gateway.routes.market import SymbolText
from cryptotrader.gateway.routes.venue import ask, from_venue, symbol_of
from cryptotrader.services.binance.websocketAPI.general_requests.exchange_information import SPEC as EXCHANGE_INFO
from cryptotrader.telemetry import REGISTRY


class ExchangeInfoQuery(Query, frozen=True, kw_only=True):
    """Trading rules of one symbol, or of all."""

    symbol: SymbolText | None = None


async def health(call: Call[NoQuery]) -> Response:
    """``{"status":"ok","timestamp":1609459200000,"uptime_seconds":3600}`` (S0-60)."""
    clock = call.services.clock
    uptime_ns = clock.monotonic_ns() - call.services.started_ns
    return value_reply(
        {"status": "ok", "timestamp": to_ms(clock.now_ns()), "uptime_seconds": max(0, uptime_ns // NS_PER_S)}
    )


async def ping(call: Call[NoQuery]) -> Response:
    """``{}``: the gateway is there and the token is good."""
    return value_reply({})


async def server_time(call: Call[NoQuery]) -> Response:
    """The gateway's clock; clients need not sign, so the venue's own would tell them nothing more."""
    return value_reply({"serverTime": to_ms(call.services.clock.now_ns())})


async def exchange_info(call: Call[ExchangeInfoQuery]) -> Response:
    """Trading rules, as the venue states them."""
    text = call.query.symbol
    symbol = None if text is None else await symbol_of(call.services, text)
    return from_venue("exchangeInfo", await ask(call.services, EXCHANGE_INFO, {"symbol": symbol}))


async def metrics(call: Call[NoQuery]) -> Response:
    """Everything that is counted, as Prometheus reads it."""
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)
