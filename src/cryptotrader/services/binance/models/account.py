"""Answers of the account requests (``rest-api.md``, "Account Endpoints")."""

from __future__ import annotations

from cryptotrader.services.binance.models.exchange_info import RateLimit
from cryptotrader.services.binance.models.market import Wire


class Balance(Wire, frozen=True, kw_only=True):
    """``{"asset":"BTC","free":"4723846.89208129","locked":"0.00000000"}``."""

    asset: str
    free: str
    locked: str


class CommissionRates(Wire, frozen=True, kw_only=True):
    """Fractions of the traded amount: ``"0.00150000"`` is 0.15 %."""

    maker: str = "0"
    taker: str = "0"
    buyer: str = "0"
    seller: str = "0"


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
