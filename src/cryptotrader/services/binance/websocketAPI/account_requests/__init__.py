"""The account: balances, limits, commissions, orders and fills."""

from cryptotrader.services.binance.websocketAPI.account_requests import (
    acct_oco_history,
    acct_order_history,
    acct_prevented_matches,
    acct_trade_history,
    commission_rates,
    get_order_rate_limits,
    get_user_acct_info,
    my_allocations,
    order_amendments,
    relevant_filters,
)

__all__ = [
    "acct_oco_history",
    "acct_order_history",
    "acct_prevented_matches",
    "acct_trade_history",
    "commission_rates",
    "get_order_rate_limits",
    "get_user_acct_info",
    "my_allocations",
    "order_amendments",
    "relevant_filters",
]
