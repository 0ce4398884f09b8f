"""What the exchange says, in Binance's own shapes (``rest-api.md``); REST and WebSocket API share them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cryptotrader.core.events import BookTicker, Candle, Level, Ticker24h, Trade
from cryptotrader.core.orders import OrderStatus, TimeInForce
from cryptotrader.core.scaled import SCALE, div_scaled, format_scaled, mul_scaled
from cryptotrader.exchange.engine.orders import Fill, Order

Json = dict[str, object]

_BPS = SCALE // 10_000


def levels(side: Sequence[Level]) -> list[tuple[str, str]]:
    """Levels as pairs of text."""
    return [(format_scaled(price), format_scaled(qty)) for price, qty in side]


def trade(item: Trade) -> Json:
    """A row of ``trades`` and ``historicalTrades``."""
    return {
        "id": item.trade_id,
        "price": format_scaled(item.price),
        "qty": format_scaled(item.qty),
        "quoteQty": format_scaled(mul_scaled(item.price, item.qty)),
        "time": item.time_ms,
        "isBuyerMaker": item.buyer_is_maker,
        "isBestMatch": True,
    }


def agg_trade(item: Trade) -> Json:
    """A row of ``aggTrades``: here every trade is an aggregate of its own."""
    return {
        "a": item.trade_id,
        "p": format_scaled(item.price),
        "q": format_scaled(item.qty),
        "f": item.trade_id,
        "l": item.trade_id,
        "T": item.time_ms,
        "m": item.buyer_is_maker,
        "M": True,
    }


def kline(candle: Candle) -> list[object]:
    """A row of ``klines``: twelve columns, the last one unused."""
    return [
        candle.open_ms,
        format_scaled(candle.open),
        format_scaled(candle.high),
        format_scaled(candle.low),
        format_scaled(candle.close),
        format_scaled(candle.volume),
        candle.close_ms,
        format_scaled(candle.quote_volume),
        candle.trade_count,
        format_scaled(candle.taker_buy_volume),
        format_scaled(candle.taker_buy_quote_volume),
        "0",
    ]


def ticker_24h(stats: Ticker24h, *, mini: bool) -> Json:
    """``ticker/24hr``, whole or ``type=MINI``."""
    shared: Json = {
        "openPrice": stats.open_price,
        "highPrice": stats.high_price,
        "lowPrice": stats.low_price,
    }
    volumes: Json = {
        "volume": stats.volume,
        "quoteVolume": stats.quote_volume,
        "openTime": stats.open_ms,
        "closeTime": stats.close_ms,
        "firstId": stats.first_trade_id,
        "lastId": stats.last_trade_id,
        "count": stats.trade_count,
    }
    if mini:
        return {"symbol": stats.symbol, **shared, "lastPrice": stats.last_price, **volumes}
    return {
        "symbol": stats.symbol,
        "priceChange": stats.price_change,
        "priceChangePercent": stats.price_change_percent,
        "weightedAvgPrice": stats.weighted_avg_price,
        "prevClosePrice": stats.prev_close_price,
        "lastPrice": stats.last_price,
        "lastQty": stats.last_qty,
        "bidPrice": stats.bid_price,
        "bidQty": stats.bid_qty,
        "askPrice": stats.ask_price,
        "askQty": stats.ask_qty,
        **shared,
        **volumes,
    }


def window_ticker(candle: Candle, *, open_ms: int, close_ms: int, mini: bool) -> Json:
    """``ticker`` and ``ticker/tradingDay``: one candle as price change statistics."""
    average = div_scaled(candle.quote_volume, candle.volume) if candle.volume else candle.close
    change = candle.close - candle.open
    full: Json = {
        "priceChange": format_scaled(change),
        "priceChangePercent": percent(change, candle.open),
        "weightedAvgPrice": format_scaled(average),
    }
    return {
        "symbol": candle.symbol,
        **({} if mini else full),
        "openPrice": format_scaled(candle.open),
        "highPrice": format_scaled(candle.high),
        "lowPrice": format_scaled(candle.low),
        "lastPrice": format_scaled(candle.close),
        "volume": format_scaled(candle.volume),
        "quoteVolume": format_scaled(candle.quote_volume),
        "openTime": open_ms,
        "closeTime": close_ms,
        "firstId": candle.first_trade_id,
        "lastId": candle.last_trade_id,
        "count": candle.trade_count,
    }


def percent(change: int, opening: int) -> str:
    """``change / opening`` in percent with three places, rounded half away from zero."""
    if not opening:
        return "0.000"
    thousandths = (abs(change) * 200_000 + opening) // (2 * opening)
    sign = "-" if change < 0 and thousandths else ""
    return f"{sign}{thousandths // 1_000}.{thousandths % 1_000:03d}"


def book_ticker(top: BookTicker) -> Json:
    """``ticker/bookTicker``."""
    return {
        "symbol": top.symbol,
        "bidPrice": format_scaled(top.bid),
        "bidQty": format_scaled(top.bid_qty),
        "askPrice": format_scaled(top.ask),
        "askQty": format_scaled(top.ask_qty),
    }


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
    return {
        **order_ack(order),
        **_amounts(order),
        "workingTime": order.working_ms,
        "selfTradePreventionMode": order.self_trade_prevention_mode,
        **_conditional(order),
    }


def order_full(order: Order) -> Json:
    """``newOrderRespType=FULL``: with the fills that happened at once."""
    return {**order_result(order), "fills": [_placed_fill(fill) for fill in order.fills]}


def _placed_fill(fill: Fill) -> Json:
    return {
        "price": format_scaled(fill.price),
        "qty": format_scaled(fill.qty),
        "commission": format_scaled(fill.commission),
        "commissionAsset": fill.commission_asset,
        "tradeId": fill.trade_id,
    }


def _amounts(order: Order) -> Json:
    return {
        "price": format_scaled(order.price),
        "origQty": format_scaled(order.qty),
        "executedQty": format_scaled(order.executed),
        "origQuoteOrderQty": format_scaled(order.quote_order_qty),
        "cummulativeQuoteQty": format_scaled(order.quote_executed),
        "status": order.status.value,
        "timeInForce": order.time_in_force.value,
        "type": order.type.value,
        "side": order.side.value,
    }


def _conditional(order: Order) -> Json:
    """Fields that appear only under conditions ("Conditional fields in Order Responses")."""
    fields: Json = {}
    if order.strategy_id is not None:
        fields["strategyId"] = order.strategy_id
    if order.strategy_type is not None:
        fields["strategyType"] = order.strategy_type
    if order.status is OrderStatus.EXPIRED:
        fields["expiryReason"] = expiry_reason(order.time_in_force)
    return fields


def expiry_reason(time_in_force: TimeInForce) -> str:
    """Why an order of this kind expired ("Order Expiry Reason" in ``user-data-stream.md``)."""
    match time_in_force:
        case TimeInForce.IOC:
            return "UNFILLED_IOC_QUANTITY_EXPIRED"
        case TimeInForce.FOK:
            return "UNFILLED_FOK_ORDER_EXPIRED"
        case TimeInForce.GTC:
            return "INSUFFICIENT_LIQUIDITY"


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
        "isWorking": True,
        "workingTime": order.working_ms,
        "selfTradePreventionMode": order.self_trade_prevention_mode,
        **_conditional(order),
    }


def account_trade(fill: Fill) -> Json:
    """A row of ``myTrades``."""
    return {
        "symbol": fill.symbol,
        "id": fill.trade_id,
        "orderId": fill.order_id,
        "orderListId": -1,
        "price": format_scaled(fill.price),
        "qty": format_scaled(fill.qty),
        "quoteQty": format_scaled(fill.quote_qty),
        "commission": format_scaled(fill.commission),
        "commissionAsset": fill.commission_asset,
        "time": fill.time_ms,
        "isBuyer": fill.is_buyer,
        "isMaker": fill.is_maker,
        "isBestMatch": True,
    }


def commission_rate(bps: int) -> str:
    """Hundredths of a percent as a rate: 10 is ``0.00100000``."""
    return format_scaled(bps * _BPS)


def no_discount() -> Json:
    """``discount``: nobody gets one here."""
    return {
        "enabledForAccount": False,
        "enabledForSymbol": False,
        "discountAsset": "BNB",
        "discount": commission_rate(0),
    }


def balances(rows: Iterable[tuple[str, int, int]], *, omit_zero: bool) -> list[Json]:
    """``balances`` of ``account``."""
    return [
        {"asset": asset, "free": format_scaled(free), "locked": format_scaled(locked)}
        for asset, free, locked in rows
        if free or locked or not omit_zero
    ]
