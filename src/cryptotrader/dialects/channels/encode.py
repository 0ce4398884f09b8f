"""Events as messages of the channel protocol. Each is made once and goes to every client that wants it.

Numbers are exact: ``4265050000000`` is written ``42650.5`` (C-14).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from cryptotrader.core.events import Level, LinkState, Ticker24h, Trade
from cryptotrader.core.scaled import SCALE
from cryptotrader.dialects.channels.messages import SystemData, SystemMessage
from cryptotrader.dialects.numbers import number, number_of

_encoder = msgspec.json.Encoder()


def encode_ticker(exchange: str, ticker: Ticker24h, *, now_ms: int) -> bytes:
    """S1-9."""
    return (
        f'{{"channel":"market_data","type":"ticker","exchange":"{exchange}","symbol":"{ticker.symbol}","data":'
        f'{{"price":{number_of(ticker.last_price)},"volume":{number_of(ticker.volume)},"timestamp":{ticker.event_ms},'
        f'"bid":{number_of(ticker.bid_price)},"ask":{number_of(ticker.ask_price)},'
        f'"high":{number_of(ticker.high_price)},"low":{number_of(ticker.low_price)}}},"timestamp":{now_ms}}}'
    ).encode()


def encode_book(
    exchange: str, symbol: str, sides: tuple[Sequence[Level], Sequence[Level]], *, event_ms: int, now_ms: int
) -> bytes:
    """S1-10: bids and asks, best first, as many as are given."""
    bids, asks = (",".join([f"[{number(price)},{number(qty)}]" for price, qty in side]) for side in sides)
    return (
        f'{{"channel":"orderbook","exchange":"{exchange}","symbol":"{symbol}","data":{{"bids":[{bids}],"asks":[{asks}],'
        f'"timestamp":{event_ms}}},"timestamp":{now_ms}}}'
    ).encode()


def encode_trade(exchange: str, trade: Trade, *, now_ms: int) -> bytes:
    """S1-11: ``side`` is the aggressor's."""
    side = "sell" if trade.buyer_is_maker else "buy"
    return (
        f'{{"channel":"trades","exchange":"{exchange}","symbol":"{trade.symbol}","data":{{"id":"{trade.trade_id}",'
        f'"price":{number(trade.price)},"amount":{number(trade.qty)},"side":"{side}","timestamp":{trade.time_ms}}},'
        f'"timestamp":{now_ms}}}'
    ).encode()


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """An order as this protocol shows it, scaled. ``price`` is the limit, or without one the average that was paid."""

    exchange: str
    symbol: str
    quote: str
    order_id: str
    event_ms: int
    type: str
    is_buy: bool
    amount: int
    price: int
    filled: int
    status: str
    rate: int
    """Rate of commission, scaled: 0.001 is 100000."""


def encode_order(order: OrderView, *, now_ms: int) -> bytes:
    """S1-12, with the arithmetic of S1-13."""
    cost = order.amount * order.price // SCALE
    fee = order.filled * order.price * order.rate // (SCALE * SCALE)
    return (
        f'{{"channel":"orders","exchange":"{order.exchange}","symbol":"{order.symbol}","event":"update","data":'
        f'{{"id":"{order.order_id}","symbol":"{order.symbol}","exchange":"{order.exchange}",'
        f'"timestamp":{order.event_ms},"type":"{order.type.lower()}","side":"{"buy" if order.is_buy else "sell"}",'
        f'"amount":{number(order.amount)},"price":{number(order.price)},"cost":{number(cost)},'
        f'"filled":{number(order.filled)},"remaining":{number(order.amount - order.filled)},'
        f'"status":"{order.status.lower()}","fee":{{"cost":{number(fee)},"currency":"{order.quote}",'
        f'"rate":{number(order.rate)}}}}},"timestamp":{now_ms}}}'
    ).encode()


class PositionView(msgspec.Struct, frozen=True, kw_only=True):
    """A position as this protocol shows it, scaled; None where nothing is set."""

    exchange: str
    symbol: str
    event_ms: int
    amount: int
    cost: int
    average_price: int
    unrealised_pnl: int
    unrealised_percent: int
    stop_loss: int | None = None
    take_profit: int | None = None
    trailing_stop: int | None = None


def encode_position(position: PositionView, *, now_ms: int) -> bytes:
    """S1-14."""
    return (
        f'{{"channel":"positions","exchange":"{position.exchange}","symbol":"{position.symbol}","event":"update",'
        f'"data":{position_data(position)},"timestamp":{now_ms}}}'
    ).encode()


def position_data(position: PositionView) -> str:
    """The inner object, which REST shows too."""
    return (
        f'{{"symbol":"{position.symbol}","exchange":"{position.exchange}","timestamp":{position.event_ms},'
        f'"type":"spot","side":"long","amount":{number(position.amount)},"cost":{number(position.cost)},'
        f'"average_price":{number(position.average_price)},"unrealized_pnl":{number(position.unrealised_pnl)},'
        f'"unrealized_pnl_percentage":{number(position.unrealised_percent)},"liquidation_price":null,'
        f'"stop_loss":{_optional(position.stop_loss)},"take_profit":{_optional(position.take_profit)},'
        f'"trailing_stop":{_optional(position.trailing_stop)}}}'
    )


def _optional(value: int | None) -> str:
    return "null" if value is None else number(value)


def encode_link(exchange: str, state: LinkState, *, event_ms: int, now_ms: int, detail: str | None = None) -> bytes:
    """S1-15: a connection to an exchange changed."""
    data = SystemData(exchange, state.value, event_ms, detail=detail)
    return _encoder.encode(SystemMessage("exchange_connection_status", data, now_ms))


def encode_system(event: str, data: SystemData, *, now_ms: int) -> bytes:
    """Any other event of the system: a book that was read again, a silent stream, a protection that fired."""
    return _encoder.encode(SystemMessage(event, data, now_ms))
