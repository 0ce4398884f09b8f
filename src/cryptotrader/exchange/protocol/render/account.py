"""What an account has, pays and did: balances, commission, trades, allocations, prevented matches, amendments."""

from __future__ import annotations

from collections.abc import Iterable

from cryptotrader.core.scaled import format_scaled
from cryptotrader.exchange.engine.orders import NO_ORDER_LIST, Amendment, Fill, PreventedMatch
from cryptotrader.exchange.engine.rules.commission import Fees, OrderRates, Rates, describe_discount
from cryptotrader.exchange.protocol.render.orders import Json


def account_trade(fill: Fill, order_list_id: int = NO_ORDER_LIST) -> Json:
    """A row of ``myTrades``."""
    return {
        "symbol": fill.symbol,
        "id": fill.trade_id,
        "orderId": fill.order_id,
        "orderListId": order_list_id,
        **_execution(fill),
        "isBuyer": fill.is_buyer,
        "isMaker": fill.is_maker,
        "isBestMatch": True,
    }


def allocation(fill: Fill, order_list_id: int = NO_ORDER_LIST) -> Json:
    """A row of ``myAllocations``."""
    return {
        "symbol": fill.symbol,
        "allocationId": fill.allocation_id,
        "allocationType": "SOR",
        "orderId": fill.order_id,
        "orderListId": order_list_id,
        **_execution(fill),
        "isBuyer": fill.is_buyer,
        "isMaker": fill.is_maker,
        "isAllocator": False,
    }


def _execution(fill: Fill) -> Json:
    return {
        "price": format_scaled(fill.price),
        "qty": format_scaled(fill.qty),
        "quoteQty": format_scaled(fill.quote_qty),
        "commission": format_scaled(fill.commission),
        "commissionAsset": fill.commission_asset,
        "time": fill.time_ms,
    }


def prevented_match(match: PreventedMatch) -> Json:
    """A row of ``myPreventedMatches``; of the two prevented quantities the one that the mode took away, or both."""
    row: Json = {
        "symbol": match.symbol,
        "preventedMatchId": match.prevented_match_id,
        "takerOrderId": match.taker_order_id,
        "makerSymbol": match.maker_symbol,
        "makerOrderId": match.maker_order_id,
        "tradeGroupId": match.trade_group_id,
        "selfTradePreventionMode": match.mode,
        "price": format_scaled(match.price),
    }
    if match.taker_prevented_qty:
        row["takerPreventedQuantity"] = format_scaled(match.taker_prevented_qty)
    if match.maker_prevented_qty:
        row["makerPreventedQuantity"] = format_scaled(match.maker_prevented_qty)
    return {**row, "transactTime": match.time_ms}


def past_amendment(amendment: Amendment) -> Json:
    """A row of ``order.amendments``."""
    return {
        "symbol": amendment.symbol,
        "orderId": amendment.order_id,
        "executionId": amendment.execution_id,
        "origClientOrderId": amendment.orig_client_order_id,
        "newClientOrderId": amendment.new_client_order_id,
        "origQty": format_scaled(amendment.orig_qty),
        "newQty": format_scaled(amendment.new_qty),
        "time": amendment.time_ms,
    }


def rates(of: Rates) -> Json:
    """One kind of commission: ``{"maker":"0.00100000","taker":..,"buyer":..,"seller":..}``."""
    return {
        "maker": format_scaled(of.maker),
        "taker": format_scaled(of.taker),
        "buyer": format_scaled(of.buyer),
        "seller": format_scaled(of.seller),
    }


def order_rates(of: OrderRates) -> Json:
    """One kind of commission as an order would pay it, whose side is known: ``{"maker":..,"taker":..}``."""
    return {"maker": format_scaled(of.maker), "taker": format_scaled(of.taker)}


def discount(fees: Fees, symbol: str) -> Json:
    """``discount``: what the standard commission is multiplied by when it is paid in another asset."""
    told = describe_discount(fees, symbol)
    return {**told, "discount": format_scaled(fees.discount)}


def balances(rows: Iterable[tuple[str, int, int]], *, omit_zero: bool) -> list[Json]:
    """``balances`` of ``account``."""
    return [
        {"asset": asset, "free": format_scaled(free), "locked": format_scaled(locked)}
        for asset, free, locked in rows
        if free or locked or not omit_zero
    ]
