"""Answers of the account requests (``rest-api.md``, "Account Endpoints")."""

from __future__ import annotations

from typing import Any

from cryptotrader.services.binance.models.commission import CommissionRates
from cryptotrader.services.binance.models.exchange_info import RateLimit
from cryptotrader.services.binance.models.market import Wire


class Balance(Wire, frozen=True, kw_only=True):
    """``{"asset":"BTC","free":"4723846.89208129","locked":"0.00000000"}``."""

    asset: str
    free: str
    locked: str


class Account(Wire, frozen=True, kw_only=True):
    """Balances and what the account may do."""

    maker_commission: int = 0
    taker_commission: int = 0
    buyer_commission: int = 0
    seller_commission: int = 0
    commission_rates: CommissionRates = CommissionRates()
    can_trade: bool = True
    can_withdraw: bool = False
    can_deposit: bool = False
    brokered: bool = False
    require_self_trade_prevention: bool = False
    prevent_sor: bool = False
    update_time: int = 0
    account_type: str = "SPOT"
    balances: list[Balance]
    permissions: tuple[str, ...] = ()
    uid: int | None = None
    trade_group_id: int | None = None
    """Accounts of one group do not trade with each other (``faqs/stp_faq.md``); absent where it is in none."""


class AccountTrade(Wire, frozen=True, kw_only=True):
    """One fill of the account (``myTrades``)."""

    symbol: str
    id: int
    order_id: int
    order_list_id: int = -1
    price: str
    qty: str
    quote_qty: str
    commission: str
    commission_asset: str
    time: int
    is_buyer: bool
    is_maker: bool
    is_best_match: bool = True


class OrderCount(RateLimit, frozen=True, kw_only=True):
    """How many unfilled orders count against one interval (``account.rateLimits.orders``)."""


class PreventedMatch(Wire, frozen=True, kw_only=True):
    """A match that self-trade prevention did not let happen (``myPreventedMatches``)."""

    symbol: str
    prevented_match_id: int
    taker_order_id: int
    maker_symbol: str
    maker_order_id: int
    trade_group_id: int
    self_trade_prevention_mode: str
    price: str
    maker_prevented_quantity: str | None = None
    taker_prevented_quantity: str | None = None
    transact_time: int
    """Epoch milliseconds."""


class Allocation(Wire, frozen=True, kw_only=True):
    """A fill that smart order routing took from another book (``myAllocations``)."""

    symbol: str
    allocation_id: int
    allocation_type: str
    order_id: int
    order_list_id: int = -1
    price: str
    qty: str
    quote_qty: str
    commission: str
    commission_asset: str
    time: int
    """Epoch milliseconds."""
    is_buyer: bool
    is_maker: bool
    is_allocator: bool


class RelevantFilters(Wire, frozen=True, kw_only=True):
    """Filters that bind an account on a symbol (``myFilters``). Each is a mapping, since kinds differ in fields."""

    exchange_filters: tuple[dict[str, Any], ...] = ()
    symbol_filters: tuple[dict[str, Any], ...] = ()
    asset_filters: tuple[dict[str, Any], ...] = ()
