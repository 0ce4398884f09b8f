"""How an order enters the book: what it trades at once, and whether the rest of it rests or expires."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import merge
from typing import TYPE_CHECKING

from cryptotrader.core.orders import OrderStatus, OrderType, Realism, Side, TimeInForce
from cryptotrader.exchange.engine.accounts import TAKE_ANY_PRICE
from cryptotrader.exchange.engine.errors import (
    EMPTY_BOOK_TEXT,
    THIN_LOT_TEXT,
    THIN_MARKET_LOT_TEXT,
    WOULD_TAKE_TEXT,
    filter_failure,
    rejected,
)
from cryptotrader.exchange.engine.matching.market import SymbolMarket
from cryptotrader.exchange.engine.matching.plan import Cut, Match, Plan, nothing, plan_by_qty, plan_by_quote
from cryptotrader.exchange.engine.matching.taker import Taker
from cryptotrader.exchange.engine.matching.trades import prevent, take
from cryptotrader.exchange.engine.orders import NewOrder, Order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptotrader.exchange.engine.accounts import Account
    from cryptotrader.exchange.engine.execution import Execution
    from cryptotrader.exchange.engine.matching.book import Piece


_BUY = Side.BUY
_GTC = TimeInForce.GTC
_IOC = TimeInForce.IOC
_FOK = TimeInForce.FOK
_SELL = Side.SELL
_LIMIT_MAKER = OrderType.LIMIT_MAKER
_PESSIMISTIC = Realism.PESSIMISTIC
_UNCUT = Cut.NONE
_PRICE_RANGE = Cut.PRICE_RANGE
_NOTHING = nothing(0)
"""Of orders with a limit that nothing on the book reaches: the most frequent plan, made once."""


def taker_of(market: SymbolMarket, account: Account, order: NewOrder | Order, now_ms: int) -> Taker:
    """Who takes with an order that enters now."""
    lowest, highest = market.price_bounds(order.side, now_ms)
    return Taker(
        account.account_id,
        order.self_trade_prevention_mode,
        account.trade_group_id,
        market.accounts,
        lowest,
        highest,
        account.realism is _PESSIMISTIC,
        market.rules.step,
    )


def plan_entry(
    market: SymbolMarket,
    order: NewOrder | Order,
    account: Account,
    now_ms: int,
    others: Sequence[SymbolMarket] = (),
) -> Plan:
    """What an order that enters now trades at once. An order with a peg must have its price already.

    Args:
        market: Where it enters.
        order: A new order, or one that begins to work: a stop, a pending order of a list.
        account: Whose it is.
        now_ms: Epoch ms.
        others: Smart order routing: the other markets that it may trade with.

    Raises:
        Refusal: A LIMIT_MAKER would take, or an amount finds too little on the book.
    """
    if order.type in TAKE_ANY_PRICE:
        if order.quote_order_qty:
            return _plan_amount(market, order, taker_of(market, account, order, now_ms))
        taker = taker_of(market, account, order, now_ms)
        return plan_by_qty(_pieces(market, order.side, None, others), _qty(order), taker)
    book = market.asks if order.side is _BUY else market.bids
    if not others and not book.may_reach(order.price):
        return _NOTHING
    qty = _qty(order)
    taker = taker_of(market, account, order, now_ms)
    plan = plan_by_qty(_pieces(market, order.side, order.price, others), qty, taker)
    if order.type is _LIMIT_MAKER:
        if plan.matches or plan.cut is not _UNCUT:
            raise rejected(WOULD_TAKE_TEXT)
    elif order.time_in_force is _FOK and plan.is_dry:
        return nothing(qty, plan.cut if plan.cut is _PRICE_RANGE else _UNCUT)
    return plan


def _qty(order: NewOrder | Order) -> int:
    return order.remaining if isinstance(order, Order) else order.qty


def _pieces(market: SymbolMarket, side: Side, limit: int | None, others: Sequence[SymbolMarket]) -> Iterator[Piece]:
    book = market.asks if side is _BUY else market.bids
    if not others:
        return book.walk(limit)
    # At equal prices the order's own book comes first.
    walks = [book.walk(limit, market), *(each.side(side.opposite).walk(limit, each) for each in others)]
    return merge(*walks, key=_falling if side is _SELL else _rising)


def _rising(piece: Piece) -> int:
    return piece[0]


def _falling(piece: Piece) -> int:
    return -piece[0]


def _plan_amount(market: SymbolMarket, order: NewOrder | Order, taker: Taker) -> Plan:
    """By amount. What it comes to in base must pass the lot filters."""
    rules = market.rules
    book = market.side(order.side.opposite)
    if book.best() is None:
        raise rejected(EMPTY_BOOK_TEXT)
    step = rules.market_step or rules.step
    plan = plan_by_quote(book.walk(), order.quote_order_qty, step=step, taker=taker)
    qty = plan.qty + plan.prevented
    if plan.is_dry and qty < rules.min_qty:
        raise rejected(THIN_LOT_TEXT)
    if plan.is_dry and qty < rules.market_min_qty:
        raise rejected(THIN_MARKET_LOT_TEXT)
    if qty < rules.min_qty or (rules.max_qty and qty > rules.max_qty):
        raise filter_failure("LOT_SIZE")
    if rules.market_max_qty and qty > rules.market_max_qty:
        raise filter_failure("MARKET_LOT_SIZE")
    return plan


def enter(market: SymbolMarket, order: Order, plan: Plan, run: Execution) -> None:
    """Carry out a plan; let the rest of the order rest, or expire."""
    if plan is _NOTHING and order.time_in_force is _GTC and not order.use_sor:
        (market.bids if order.side is _BUY else market.asks).add(order)
        return
    if order.type in TAKE_ANY_PRICE:
        if order.side is _BUY:
            run.taking = (order.account, market.rules.quote, plan.quote_qty + plan.moved_quote)
        else:
            run.taking = (order.account, market.rules.base, plan.qty + plan.moved_qty)
    for step in plan.matches:
        if isinstance(step, Match):
            take(run, market, order, step)
        else:
            prevent(run, market, order, step)
    run.taking = ("", "", 0)
    if not order.is_open:
        return
    reason = expiry_reason(order, plan)
    if reason:
        if order.use_sor:
            order.working_floor = "SOR"
        run.close(market, order, OrderStatus.EXPIRED, reason=reason)
    else:
        if order.working_floor:
            order.working_floor = "EXCHANGE"
            run.keep(order)
        market.side(order.side).add(order)


def expiry_reason(order: Order, plan: Plan) -> str:
    """Why the rest of an order may not rest (``user-data-stream.md``, "Order Expiry Reason"); empty where it may."""
    if plan.cut is _PRICE_RANGE:
        return "EXECUTION_RULE_PRICE_RANGE_EXCEEDED"
    if order.type in TAKE_ANY_PRICE:
        return "INSUFFICIENT_LIQUIDITY"
    if order.type is not _LIMIT_MAKER:
        if order.time_in_force is _IOC:
            return "UNFILLED_IOC_QUANTITY_EXPIRED"
        if order.time_in_force is _FOK:
            return "UNFILLED_FOK_ORDER_EXPIRED"
    return ""
