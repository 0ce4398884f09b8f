"""All rules together, as a new order, an order list and an amendment meet them: the one entrance for admission."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptotrader.exchange.engine.errors import (
    AMEND_REJECTED,
    CANCEL_REJECTED,
    INVALID_MESSAGE,
    MARKET_CLOSED_TEXT,
    Refusal,
    rejected,
)
from cryptotrader.exchange.engine.order_lists import ListKind, NewOrderList
from cryptotrader.exchange.engine.orders import NewOrder, Order
from cryptotrader.exchange.engine.rules.counts import check_counts, check_list_counts
from cryptotrader.exchange.engine.rules.filters import (
    check_iceberg_parts,
    check_lot,
    check_notional,
    check_order,
    is_plain_and_fits,
)
from cryptotrader.exchange.engine.rules.symbol import SymbolRules, SymbolStatus
from cryptotrader.exchange.engine.rules.terms import NO_TRADING_TEXT, check_asset_limits, check_terms

if TYPE_CHECKING:
    from cryptotrader.exchange.engine.accounts import Account

OCO_TEXT = "OCO orders are not supported for this symbol"
OTO_TEXT = "OTO orders are not supported for this symbol."
OPO_TEXT = "OPO orders are not supported for this symbol."
AMEND_TEXT = "Order amend is not supported for this symbol."


def check_new(rules: SymbolRules, account: Account, new: NewOrder, average: int | None) -> None:
    """Everything that ``order/test`` checks: neither free balances nor the book.

    Args:
        rules: The symbol's.
        account: Whose order it is.
        new: The order asked for.
        average: Weighted average price of the symbol, None where nothing is known.

    Raises:
        Refusal: -1013 names the filter or says that the market is closed, -2010 says what is not done here.
    """
    terms = account.terms
    check_terms(rules, terms, new)
    if not is_plain_and_fits(rules, new, average):
        check_order(rules, new, average=average)
    if terms.asset_limits:
        check_asset_limits(rules, terms, new, average)
    check_counts(rules, account, new)


def check_list(rules: SymbolRules, account: Account, new: NewOrderList, average: int | None) -> None:
    """An order list with all of its orders: none of them may enter if one may not.

    The pending orders of OPO and OPOCO have no quantity yet; what it comes to is checked by whoever sets it.

    Raises:
        Refusal: As ``check_new``, or the symbol does not do such lists.
    """
    _check_kind(rules, new.kind)
    for place, leg in enumerate(new.legs):
        check_terms(rules, account.terms, leg)
        check_order(rules, leg, average=average, is_qty_open=place > 0 and new.kind.is_proportional)
        check_asset_limits(rules, account.terms, leg, average)
        check_counts(rules, account, leg, ahead=new.legs[:place])
    check_list_counts(rules, account)


def _check_kind(rules: SymbolRules, kind: ListKind) -> None:
    if kind is not ListKind.OCO and not rules.oto_allowed:
        raise rejected(OTO_TEXT)
    if kind.is_proportional and not rules.opo_allowed:
        raise rejected(OPO_TEXT)
    if kind in (ListKind.OCO, ListKind.OTOCO, ListKind.OPOCO) and not rules.oco_allowed:
        raise rejected(OCO_TEXT)


def check_amend(rules: SymbolRules, account: Account, order: Order, qty: int) -> None:
    """Whether an open order may have the quantity ``qty`` instead (``faqs/order_amend_keep_priority.md``).

    Whether that is less than now is for the caller to see.

    Raises:
        Refusal: -1013 names the filter or says that the market is closed; -2038 otherwise.
    """
    if rules.status != SymbolStatus.TRADING:
        raise Refusal(INVALID_MESSAGE, MARKET_CLOSED_TEXT)
    if not account.terms.can_trade:
        raise Refusal(AMEND_REJECTED, NO_TRADING_TEXT)
    if not rules.amend_allowed:
        raise Refusal(AMEND_REJECTED, AMEND_TEXT)
    if rules.max_num_order_amends and order.amends >= rules.max_num_order_amends:
        raise Refusal(AMEND_REJECTED, "Filter failure: MAX_NUM_ORDER_AMENDS")
    check_lot(rules, qty)
    if order.iceberg_qty:
        check_iceberg_parts(rules, qty=qty, shown=order.iceberg_qty)
    if order.price:
        check_notional(rules, order.price * qty)


def check_may_cancel(account: Account) -> None:
    """Orders can be cancelled whatever the symbol's status (``CHANGELOG.md``), unless the account may not trade.

    Raises:
        Refusal: -2011.
    """
    if not account.terms.can_trade:
        raise Refusal(CANCEL_REJECTED, NO_TRADING_TEXT)
