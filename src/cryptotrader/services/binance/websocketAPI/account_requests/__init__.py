"""The account: balances, limits, orders and fills."""

from cryptotrader.services.binance.websocketAPI.account_requests import (
    acct_order_history,
    acct_trade_history,
    get_order_rate_limits,
    get_user_acct_info,
)

__all__ = [
    "acct_order_history",
    "acct_trade_history",
    "get_order_rate_limits",
    "get_user_acct_info",
]
