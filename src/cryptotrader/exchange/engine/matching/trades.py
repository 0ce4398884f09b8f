"""Trades and prevented trades, as a plan or the market's liquidity brings them about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptotrader.core.orders import FillReason, Side
from cryptotrader.core.scaled import mul_scaled
from cryptotrader.exchange.engine.contingent import lists
from cryptotrader.exchange.engine.events import TradePrinted
from cryptotrader.exchange.engine.matching.plan import Match, Prevention
from cryptotrader.exchange.engine.orders import NO_TRADE, Order, PreventedMatch

if TYPE_CHECKING:
    from cryptotrader.exchange.engine.execution import Execution
    from cryptotrader.exchange.engine.matching.book import Resting
    from cryptotrader.exchange.engine.matching.market import SymbolMarket


_SELL = Side.SELL
_BUY = Side.BUY
_TAKER = FillReason.TAKER.value
_USER = FillReason.USER.value
_ALLOCATION = FillReason.ALLOCATION.value


def take(run: Execution, market: SymbolMarket, taker: Order, match: Match) -> None:
    """An order that enters trades with what rests: another user's order or external liquidity.

    By smart order routing it gets an allocation: the trade happens in the market where the liquidity lies, between its
    maker and the exchange, and the exchange passes it on in the taker's own quote asset (``faqs/sor_faq.md``).
    """
    price, qty, _, resting, place, consumed = match
    is_routed = place is not None
    if place is None:
        place = market
    is_sell = taker.side is _SELL
    trade = place.print_user(price, qty, buyer_is_maker=is_sell, now_ms=run.now_ms)
    run.events.append(TradePrinted(trade, taker.order_id))
    if not is_routed:
        run.fill(market, taker, match, (trade.trade_id, _TAKER, False, NO_TRADE))
    else:
        taker.working_floor = "SOR"
        allocation_id = market.next_allocation_id
        market.next_allocation_id += 1
        run.fill(market, taker, match, (NO_TRADE, _ALLOCATION, False, allocation_id))
    book = place.bids if is_sell else place.asks
    if resting is None:
        book.consume(price, consumed or qty)
        return
    run.fill(place, resting.order, match, (trade.trade_id, _USER, True, NO_TRADE))
    book.traded(resting, qty)


def fill_resting(run: Execution, market: SymbolMarket, resting: Resting, qty: int, why: FillReason) -> None:
    """External liquidity trades with a resting order at the order's own price."""
    order = resting.order
    is_buy = order.side is _BUY
    trade = market.print_user(order.price, qty, buyer_is_maker=is_buy, now_ms=run.now_ms)
    run.events.append(TradePrinted(trade))
    match = Match(order.price, qty, mul_scaled(order.price, qty), resting)
    run.fill(market, order, match, (trade.trade_id, why.value, True, NO_TRADE))
    (market.bids if is_buy else market.asks).traded(resting, qty)


def prevent(run: Execution, market: SymbolMarket, taker: Order, step: Prevention) -> None:
    """Self-trade prevention acts (``faqs/stp_faq.md``): what either order loses is told, and the match is recorded."""
    place = step.market or market
    maker = step.maker.order
    record = PreventedMatch(
        prevented_match_id=market.next_prevented_id,
        account=taker.account,
        symbol=market.rules.symbol,
        taker_order_id=taker.order_id,
        maker_symbol=place.rules.symbol,
        maker_order_id=maker.order_id,
        maker_account=maker.account,
        trade_group_id=run.account(taker.account).trade_group_id,
        mode=step.mode,
        price=step.price,
        qty=step.qty,
        taker_prevented_qty=step.taker_qty,
        maker_prevented_qty=step.maker_qty,
        time_ms=run.now_ms,
    )
    market.next_prevented_id += 1
    run.record_prevented(record)
    taker.prevented_matches += (record,)
    if step.taker_qty:
        taker.prevented_qty += step.taker_qty
        run.lose(market, taker, step.taker_qty, record)
    is_moved = step.mode == "TRANSFER" and maker.account != taker.account
    if step.maker_qty:
        if is_moved:
            # As by a trade: of what a pair holds once for both, a part changes hands now.
            lists.leg_touched(place, maker, run)
        maker.prevented_qty += step.maker_qty
        place.side(maker.side).shrunk(maker)
        run.lose(place, maker, step.maker_qty, record)
    if is_moved:
        _transfer(run, market, taker, maker, step)


def _transfer(run: Execution, market: SymbolMarket, taker: Order, maker: Order, step: Prevention) -> None:
    """What the accounts would have traded changes hands at the maker's price, without a fee and without a trade.

    By smart order routing each pays or receives the quote asset of its own order, as in a trade.
    """
    quote_qty = mul_scaled(step.price, step.taker_qty)
    for order, place in ((taker, market), (maker, step.market or market)):
        sign = 1 if order.side is _BUY else -1
        base, quote = place.assets
        wallet = run.account(order.account).wallet
        wallet.credit(base, sign * step.taker_qty)
        wallet.credit(quote, -sign * quote_qty)
        run.touch(order.account, place.assets)
    run.paid(quote_qty if taker.side is _BUY else step.taker_qty)
