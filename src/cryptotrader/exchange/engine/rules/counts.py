"""Filters that count what an account has open, on a symbol and on the whole exchange (``filters.md``)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from cryptotrader.core.orders import OrderType, Side
from cryptotrader.exchange.engine.errors import filter_failure
from cryptotrader.exchange.engine.orders import NO_ORDER_LIST, NewOrder, Order
from cryptotrader.exchange.engine.rules.exchange import NO_EXCHANGE_RULES as _NO_EXCHANGE
from cryptotrader.exchange.engine.rules.filters import ALGO_TYPES
from cryptotrader.exchange.engine.rules.symbol import SymbolRules

if TYPE_CHECKING:
    from cryptotrader.exchange.engine.accounts import Account


_LIMIT = OrderType.LIMIT


def check_counts(rules: SymbolRules, account: Account, new: NewOrder, *, ahead: tuple[NewOrder, ...] = ()) -> None:
    """Whether the account may have one order more open.

    Args:
        rules: The symbol's.
        account: Whose order it is.
        new: The order asked for.
        ahead: Orders of the same list that would enter before it, on the same symbol.

    Raises:
        Refusal: -1013 names the filter.
    """
    on_symbol = account.history(rules.symbol).open
    if new.type is _LIMIT and not (ahead or new.iceberg_qty or rules.max_position) and rules.exchange is _NO_EXCHANGE:
        # Most orders are such, and only one rule counts them.
        if rules.max_num_orders and len(on_symbol) >= rules.max_num_orders:
            raise filter_failure("MAX_NUM_ORDERS")
        return
    entering = (*ahead, new) if ahead else (new,)
    if rules.max_num_orders and len(on_symbol) + len(entering) > rules.max_num_orders:
        raise filter_failure("MAX_NUM_ORDERS")
    if rules.max_num_algo_orders and new.type in ALGO_TYPES:
        _check(rules.max_num_algo_orders, _algo(on_symbol.values()) + _algo(entering), "MAX_NUM_ALGO_ORDERS")
    if rules.max_num_iceberg_orders and new.iceberg_qty:
        count = _iceberg(on_symbol.values()) + _iceberg(entering)
        _check(rules.max_num_iceberg_orders, count, "MAX_NUM_ICEBERG_ORDERS")
    if rules.max_position and new.side is Side.BUY:
        _check_position(rules, account, entering)
    if rules.exchange is not _NO_EXCHANGE:
        _check_exchange(rules, account, entering)


def _check_exchange(rules: SymbolRules, account: Account, entering: tuple[NewOrder, ...]) -> None:
    exchange, new = rules.exchange, entering[-1]
    if exchange.max_num_orders:
        count = sum(len(history.open) for _, history in account.histories()) + len(entering)
        _check(exchange.max_num_orders, count, "EXCHANGE_MAX_NUM_ORDERS")
    if exchange.max_num_algo_orders and new.type in ALGO_TYPES:
        count = _algo(_all_open(account)) + _algo(entering)
        _check(exchange.max_num_algo_orders, count, "EXCHANGE_MAX_NUM_ALGO_ORDERS")
    if exchange.max_num_iceberg_orders and new.iceberg_qty:
        count = _iceberg(_all_open(account)) + _iceberg(entering)
        _check(exchange.max_num_iceberg_orders, count, "EXCHANGE_MAX_NUM_ICEBERG_ORDERS")


def check_list_counts(rules: SymbolRules, account: Account) -> None:
    """Whether the account may have one order list more open.

    Raises:
        Refusal: -1013 names the filter.
    """
    if rules.max_num_order_lists:
        count = _lists(account.history(rules.symbol).open.values()) + 1
        _check(rules.max_num_order_lists, count, "MAX_NUM_ORDER_LISTS")
    if rules.exchange.max_num_order_lists:
        count = _lists(_all_open(account)) + 1
        _check(rules.exchange.max_num_order_lists, count, "EXCHANGE_MAX_NUM_ORDER_LISTS")


def _check_position(rules: SymbolRules, account: Account, entering: tuple[NewOrder, ...]) -> None:
    """What the account has and would have if every order to buy were filled."""
    held = account.wallet.free(rules.base) + account.wallet.locked(rules.base)
    bought = sum(order.remaining for order in account.history(rules.symbol).open.values() if order.side is Side.BUY)
    wanted = sum(each.qty for each in entering if each.side is Side.BUY)
    _check(rules.max_position, held + bought + wanted, "MAX_POSITION")


def _check(limit: int, value: int, name: str) -> None:
    if value > limit:
        raise filter_failure(name)


def _all_open(account: Account) -> Iterable[Order]:
    return (order for _, history in account.histories() for order in history.open.values())


def _algo(orders: Iterable[Order | NewOrder]) -> int:
    return sum(order.type in ALGO_TYPES for order in orders)


def _iceberg(orders: Iterable[Order | NewOrder]) -> int:
    return sum(bool(order.iceberg_qty) for order in orders)


def _lists(orders: Iterable[Order]) -> int:
    return len({order.order_list_id for order in orders} - {NO_ORDER_LIST})
