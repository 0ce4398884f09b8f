"""Orders as their answers tell them ("New order", "Cancel order", "Query order"; "Conditional fields in Order
Responses").
"""

from __future__ import annotations

from cryptotrader.core.orders import OrderStatus, TimeInForce
from cryptotrader.core.scaled import format_scaled
from cryptotrader.exchange.engine.orders import NO_TRADE, Amendment, Fill, Order, Peg, PreventedMatch

Json = dict[str, object]

NO_TIME = -1
"""``workingTime`` of an order that does not work yet, ``trailingTime`` of one that does not trail yet."""

ALLOCATED = "ONE_PARTY_TRADE_REPORT"
"""``matchType`` of a fill that is an allocation (``faqs/sor_faq.md``)."""

OWN_FLOOR = "EXCHANGE"

NOTHING = format_scaled(0)


def order_ack(order: Order) -> Json:
    """``newOrderRespType=ACK``."""
    return {
        "symbol": order.symbol,
        "orderId": order.order_id,
        "orderListId": order.order_list_id,
        "clientOrderId": order.client_order_id,
        "transactTime": order.update_ms,
    }


def order_result(order: Order) -> Json:
    """``newOrderRespType=RESULT``."""
    told = order_ack(order)
    told |= _amounts(order)
    told["workingTime"] = working_time(order)
    told["selfTradePreventionMode"] = order.self_trade_prevention_mode
    told |= _conditional(order)
    return told


def order_full(order: Order) -> Json:
    """``newOrderRespType=FULL``: with the fills that happened at once, and the matches that were prevented."""
    told = order_result(order)
    told["fills"] = [_placed_fill(fill) for fill in order.fills]
    if order.prevented_matches:
        told["preventedMatches"] = [_placed_match(match) for match in order.prevented_matches]
    return told


def cancelled_order(order: Order) -> Json:
    """``DELETE order``: the order's own id is ``origClientOrderId``, ``clientOrderId`` names the cancellation."""
    return {
        "symbol": order.symbol,
        "origClientOrderId": order.orig_client_order_id,
        "orderId": order.order_id,
        "orderListId": order.order_list_id,
        "clientOrderId": order.client_order_id,
        "transactTime": order.update_ms,
        **_amounts(order),
        "selfTradePreventionMode": order.self_trade_prevention_mode,
        **_conditional(order),
    }


def order_report(order: Order) -> Json:
    """A row of ``GET order``, ``openOrders`` and ``allOrders``."""
    return {
        "symbol": order.symbol,
        "orderId": order.order_id,
        "orderListId": order.order_list_id,
        "clientOrderId": order.client_order_id,
        **_amounts(order),
        "stopPrice": format_scaled(0),
        "icebergQty": format_scaled(0),
        "time": order.time_ms,
        "updateTime": order.update_ms,
        "isWorking": order.is_working,
        "workingTime": working_time(order),
        "selfTradePreventionMode": order.self_trade_prevention_mode,
        **_conditional(order),
    }


def amended_order(order: Order, amendment: Amendment) -> Json:
    """``amendedOrder``, in which some fields have names of their own."""
    told: Json = {
        "symbol": order.symbol,
        "orderId": order.order_id,
        "orderListId": order.order_list_id,
        "origClientOrderId": amendment.orig_client_order_id,
        "clientOrderId": amendment.new_client_order_id,
        "price": format_scaled(asked_price(order)),
        "qty": format_scaled(order.qty),
        "executedQty": format_scaled(order.executed),
        "preventedQty": format_scaled(order.prevented_qty),
        "quoteOrderQty": format_scaled(order.quote_order_qty),
        "cumulativeQuoteQty": format_scaled(order.quote_executed),
        "status": order.status.value,
        "timeInForce": order.time_in_force.value,
        "type": order.type.value,
        "side": order.side.value,
    }
    if working_time(order) != NO_TIME:
        told["workingTime"] = order.working_ms
    return {**told, "selfTradePreventionMode": order.self_trade_prevention_mode, **_conditional(order)}


def working_time(order: Order) -> int:
    """``workingTime``."""
    return order.working_ms if order.working_ms > 0 else NO_TIME


def asked_price(order: Order) -> int:
    """``price``: what was asked for. A pegged order may ask for none, and tells what it got as ``peggedPrice``."""
    return order.price if order.peg is None else order.peg.price


def working_floor(order: Order) -> str:
    """``workingFloor`` of an order that uses smart order routing."""
    return order.working_floor or OWN_FLOOR


def expiry_reason(order: Order) -> str:
    """Why an order expired ("Order Expiry Reason" in ``user-data-stream.md``)."""
    if order.expiry_reason:
        return order.expiry_reason
    match order.time_in_force:
        case TimeInForce.IOC:
            return "UNFILLED_IOC_QUANTITY_EXPIRED"
        case TimeInForce.FOK:
            return "UNFILLED_FOK_ORDER_EXPIRED"
        case TimeInForce.GTC:
            return "INSUFFICIENT_LIQUIDITY"


def _placed_fill(fill: Fill) -> Json:
    told: Json = {
        "price": format_scaled(fill.price),
        "qty": format_scaled(fill.qty),
        "commission": format_scaled(fill.commission),
        "commissionAsset": fill.commission_asset,
        "tradeId": fill.trade_id,
    }
    if fill.allocation_id == NO_TRADE:
        return told
    return {"matchType": ALLOCATED, **told, "allocId": fill.allocation_id}


def _placed_match(match: PreventedMatch) -> Json:
    told: Json = {
        "preventedMatchId": match.prevented_match_id,
        "makerSymbol": match.maker_symbol,
        "makerOrderId": match.maker_order_id,
        "price": format_scaled(match.price),
    }
    if match.taker_prevented_qty:
        told["takerPreventedQuantity"] = format_scaled(match.taker_prevented_qty)
    if match.maker_prevented_qty:
        told["makerPreventedQuantity"] = format_scaled(match.maker_prevented_qty)
    return told


def _amounts(order: Order) -> Json:
    executed = order.executed
    return {
        "price": format_scaled(asked_price(order)),
        "origQty": format_scaled(order.qty),
        "executedQty": format_scaled(executed) if executed else NOTHING,
        "origQuoteOrderQty": format_scaled(order.quote_order_qty) if order.quote_order_qty else NOTHING,
        "cummulativeQuoteQty": format_scaled(order.quote_executed) if executed else NOTHING,
        # Words, which JSON needs no ``value`` of: to ask for it takes longer than to write it.
        "status": order.status,
        "timeInForce": order.time_in_force,
        "type": order.type,
        "side": order.side,
    }


def _conditional(order: Order) -> Json:
    """Fields that appear only under conditions ("Conditional fields in Order Responses")."""
    fields: Json = {}
    if order.iceberg_qty:
        fields["icebergQty"] = format_scaled(order.iceberg_qty)
    if order.prevented_qty:
        if order.prevented_match_id != NO_TRADE:
            fields["preventedMatchId"] = order.prevented_match_id
        fields["preventedQuantity"] = format_scaled(order.prevented_qty)
    if order.stop is not None:
        fields["stopPrice"] = format_scaled(order.stop.price)
        if order.stop.trailing_delta:
            fields["trailingDelta"] = order.stop.trailing_delta
            fields["trailingTime"] = order.trailing_ms or NO_TIME
    if order.strategy_id is not None:
        fields["strategyId"] = order.strategy_id
    if order.strategy_type is not None:
        fields["strategyType"] = order.strategy_type
    if order.use_sor:
        fields["usedSor"] = True
        fields["workingFloor"] = working_floor(order)
    if order.status is OrderStatus.EXPIRED:
        fields["expiryReason"] = expiry_reason(order)
    if order.peg is not None:
        fields |= _pegged(order, order.peg)
    return fields


def _pegged(order: Order, peg: Peg) -> Json:
    fields: Json = {"pegPriceType": peg.price_type.value}
    if peg.offset_type is not None:
        fields["pegOffsetType"] = peg.offset_type.value
        fields["pegOffsetValue"] = peg.offset_value
    if order.price:
        fields["peggedPrice"] = format_scaled(order.price)
    return fields
