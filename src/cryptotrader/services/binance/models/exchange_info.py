"""Trading rules, as ``exchangeInfo`` tells them (``rest-api.md``, "Exchange information"; ``filters.md``)."""

from __future__ import annotations

from typing import Any

from cryptotrader.services.binance.models.market import Wire


class RateLimit(Wire, frozen=True, kw_only=True):
    """``{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":6000}``."""

    rate_limit_type: str
    interval: str
    interval_num: int
    limit: int
    count: int | None = None


class SymbolInfo(Wire, frozen=True, kw_only=True):
    """One symbol with its filters. A filter stays a mapping, since each kind has fields of its own."""

    symbol: str
    status: str
    base_asset: str
    quote_asset: str
    base_asset_precision: int = 8
    quote_precision: int = 8
    quote_asset_precision: int = 8
    base_commission_precision: int = 8
    quote_commission_precision: int = 8
    order_types: tuple[str, ...] = ()
    iceberg_allowed: bool = False
    oco_allowed: bool = False
    oto_allowed: bool = False
    opo_allowed: bool = False
    quote_order_qty_market_allowed: bool = False
    allow_trailing_stop: bool = False
    cancel_replace_allowed: bool = False
    amend_allowed: bool = False
    peg_instructions_allowed: bool = False
    is_spot_trading_allowed: bool = False
    is_margin_trading_allowed: bool = False
    filters: tuple[dict[str, Any], ...] = ()
    permissions: tuple[str, ...] = ()
    permission_sets: tuple[list[str], ...] = ()
    default_self_trade_prevention_mode: str = "NONE"
    allowed_self_trade_prevention_modes: tuple[str, ...] = ()


class SmartRouting(Wire, frozen=True, kw_only=True):
    """Symbols among which the venue may route an order for ``base_asset``."""

    base_asset: str
    symbols: tuple[str, ...] = ()


class ExchangeInfo(Wire, frozen=True, kw_only=True):
    """Rate limits and the symbols asked for."""

    timezone: str = "UTC"
    server_time: int = 0
    rate_limits: tuple[RateLimit, ...] = ()
    exchange_filters: tuple[dict[str, Any], ...] = ()
    symbols: tuple[SymbolInfo, ...] = ()
    sors: tuple[SmartRouting, ...] | None = None
