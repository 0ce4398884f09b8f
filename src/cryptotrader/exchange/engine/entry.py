"""An accepted order goes to work: it trades what was planned, then rests or expires."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptotrader.core.orders import OrderStatus, OrderType, TimeInForce
from cryptotrader.exchange.engine.accounts import TAKE_ANY_PRICE
from cryptotrader.exchange.engine.orders import Order

if TYPE_CHECKING:
    from cryptotrader.exchange.engine.execution import Execution
    from cryptotrader.exchange.engine.matching.market import SymbolMarket
    from cryptotrader.exchange.engine.matching.plan import Plan


def enter(market: SymbolMarket, order: Order, plan: Plan, run: Execution) -> None:
    """Carry out a plan; let the rest of the order rest, or expire."""
    for match in plan.matches:
        run.take(market, order, match)
    if not order.is_open:
        return
    reason = _why_not_rest(order)
    if reason:
        run.close(market, order, OrderStatus.EXPIRED, reason=reason)
    else:
        market.side(order.side).add(order)


def _why_not_rest(order: Order) -> str:
    """The expiry reason of an order that may not rest; empty for one that may."""
    if order.type in TAKE_ANY_PRICE:
        return "INSUFFICIENT_LIQUIDITY"
    if order.type is OrderType.LIMIT_MAKER or order.time_in_force is TimeInForce.GTC:
        return ""
    if order.time_in_force is TimeInForce.IOC:
        return "UNFILLED_IOC_QUANTITY_EXPIRED"
    return "UNFILLED_FOK_ORDER_EXPIRED"
