"""What happens in an account, as Binance tells it on a user data stream. Pure: an event goes in, JSON comes out.

Binance: ``user-data-stream.md``. Fields that the document calls conditional appear under its conditions only.
"""

from __future__ import annotations

from typing import assert_never

import msgspec

from cryptotrader.core.orders import ExecutionType, OrderStatus
from cryptotrader.core.scaled import format_scaled, mul_scaled
from cryptotrader.exchange.engine.events import BalanceAdjusted, BalancesChanged, ListUpdate, OrderUpdate, UserEvent
from cryptotrader.exchange.engine.orders import NO_TRADE, Order
from cryptotrader.exchange.protocol.render import ALLOCATED, asked_price, expiry_reason, working_floor

NO_PRICE = format_scaled(0)
NO_REASON = "NONE"
NO_TRADE_ID = -1
"""``t`` of a report without a trade."""

_ENCODER = msgspec.json.Encoder()


def render_user_event(event: UserEvent, *, event_ms: int, unit: int = 1) -> bytes:
    """The bare JSON of an event, as on ``/ws/<listenKey>``.

    Args:
        event: From the engine.
        event_ms: When it is sent (``E``), epoch milliseconds.
        unit: Units of time in a millisecond: 1, or 1000 for ``timeUnit=MICROSECOND``.
    """
    match event:
        case OrderUpdate():
            return _ENCODER.encode(execution_report(event, event_ms=event_ms, unit=unit))
        case ListUpdate():
            return _ENCODER.encode(list_status(event, event_ms=event_ms, unit=unit))
        case BalancesChanged():
            return _ENCODER.encode(account_position(event, event_ms=event_ms, unit=unit))
        case BalanceAdjusted():
            return _ENCODER.encode(balance_update(event, event_ms=event_ms, unit=unit))
        case _:
            assert_never(event)


def execution_report(update: OrderUpdate, *, event_ms: int, unit: int = 1) -> dict[str, object]:
    """``executionReport`` ("Order Update"), raw:
    ``{"e":"executionReport","E":1499405658658,"s":"ETHBTC","c":"mUvoqJxFIILMdfAW5iGSOW","S":"BUY","o":"LIMIT",...}``.
    """
    order, fill, stop = update.order, update.fill, update.order.stop
    report: dict[str, object] = {
        "e": "executionReport",
        "E": event_ms * unit,
        "s": order.symbol,
        "c": update.client_order_id,
        "S": order.side,
        "o": order.type,
        "f": order.time_in_force,
        "q": format_scaled(order.qty),
        "p": format_scaled(asked_price(order)),
        "P": NO_PRICE if stop is None else format_scaled(stop.price),
        "F": format_scaled(order.iceberg_qty),
        "g": order.order_list_id,
        "C": _orig_client_order_id(update),
        "x": update.execution,
        "X": order.status,
        "r": update.reason,
        "i": order.order_id,
        "l": format_scaled(fill.qty if fill else 0),
        "z": format_scaled(order.executed),
        "L": format_scaled(fill.price if fill else 0),
        "n": format_scaled(fill.commission) if fill else "0",
        "N": fill.commission_asset if fill else None,
        "T": update.time_ms * unit,
        "t": fill.trade_id if fill else NO_TRADE_ID,
        "I": update.execution_id,
        "w": order.is_open and order.is_working,
        "m": fill.is_maker if fill else False,
        # The document says "Ignore"; on the wire it is true for trades.
        "M": fill is not None,
        "O": order.time_ms * unit,
        "Z": format_scaled(order.quote_executed),
        "Y": format_scaled(fill.quote_qty if fill else 0),
        "Q": format_scaled(order.quote_order_qty),
    }
    if order.working_ms > 0:
        report["W"] = order.working_ms * unit
    report["V"] = order.self_trade_prevention_mode
    report.update(_of_order(order, unit))
    report.update(_of_prevention(update))
    if fill is not None and fill.allocation_id != NO_TRADE:
        report["b"] = ALLOCATED
        report["a"] = fill.allocation_id
    if update.execution is ExecutionType.EXPIRED and order.status is OrderStatus.EXPIRED:
        report["eR"] = expiry_reason(order)
    return report


def _orig_client_order_id(update: OrderUpdate) -> str:
    """``C``: the id that an amended order had, or that of an order that is cancelled."""
    if update.amendment is not None:
        return update.amendment.orig_client_order_id
    return update.orig_client_order_id


def _of_order(order: Order, unit: int) -> dict[str, object]:
    """Conditional fields that follow from what kind of order it is."""
    fields: dict[str, object] = {}
    if order.stop is not None and order.stop.trailing_delta:
        fields["d"] = order.stop.trailing_delta
        if order.trailing_ms:
            fields["D"] = order.trailing_ms * unit
    if order.strategy_id is not None:
        fields["j"] = order.strategy_id
    if order.strategy_type is not None:
        fields["J"] = order.strategy_type
    if order.use_sor:
        fields["k"] = working_floor(order)
        fields["uS"] = True
    if order.peg is not None:
        fields["gP"] = order.peg.price_type
        if order.peg.offset_type is not None:
            fields["gOT"] = order.peg.offset_type
            fields["gOV"] = order.peg.offset_value
        if order.price:
            fields["gp"] = format_scaled(order.price)
    return fields


def _of_prevention(update: OrderUpdate) -> dict[str, object]:
    """Conditional fields of an order from which self-trade prevention took something (``faqs/stp_faq.md``)."""
    order, match = update.order, update.prevented
    fields: dict[str, object] = {}
    if order.prevented_qty:
        fields["A"] = format_scaled(order.prevented_qty)
        if order.prevented_match_id != NO_TRADE:
            fields["v"] = order.prevented_match_id
    if match is None:
        return fields
    fields["v"] = match.prevented_match_id
    if update.execution is not ExecutionType.TRADE_PREVENTION:
        return fields
    is_taker = order.order_id == match.taker_order_id
    qty = match.qty or update.last_prevented_qty
    return fields | {
        "B": format_scaled(update.last_prevented_qty),
        "u": match.trade_group_id,
        "U": match.maker_order_id if is_taker else match.taker_order_id,
        "Cs": match.maker_symbol if is_taker else match.symbol,
        "pl": format_scaled(qty),
        "pL": format_scaled(match.price),
        "pY": format_scaled(mul_scaled(match.price, qty)),
    }


def list_status(update: ListUpdate, *, event_ms: int, unit: int = 1) -> dict[str, object]:
    """``listStatus`` ("Order Update"), raw:
    ``{"e":"listStatus","E":1564035303637,"s":"ETHBTC","g":2,"c":"OCO","l":"EXEC_STARTED","L":"EXECUTING",...}``.
    """
    told = update.order_list
    return {
        "e": "listStatus",
        "E": event_ms * unit,
        "s": told.symbol,
        "g": told.list_id,
        "c": told.kind.contingency,
        "l": told.status_type,
        "L": told.order_status,
        "r": told.reject_reason,
        "C": told.client_list_id,
        "T": update.time_ms * unit,
        "O": [{"s": told.symbol, "i": leg.order_id, "c": leg.client_order_id} for leg in told.legs],
    }


def account_position(changed: BalancesChanged, *, event_ms: int, unit: int = 1) -> dict[str, object]:
    """``outboundAccountPosition`` ("Account Update"), raw:
    ``{"e":"outboundAccountPosition","E":..,"u":..,"B":[{"a":"ETH","f":"10000.000000","l":"0.000000"}]}``.
    """
    return {
        "e": "outboundAccountPosition",
        "E": event_ms * unit,
        "u": changed.time_ms * unit,
        "B": [
            {"a": asset, "f": format_scaled(free), "l": format_scaled(locked)}
            for asset, free, locked in changed.balances
        ],
    }


def balance_update(adjusted: BalanceAdjusted, *, event_ms: int, unit: int = 1) -> dict[str, object]:
    """``balanceUpdate`` ("Balance Update"), raw:
    ``{"e":"balanceUpdate","E":1573200697110,"a":"BTC","d":"100.00000000","T":1573200697068}``.
    """
    return {
        "e": "balanceUpdate",
        "E": event_ms * unit,
        "a": adjusted.asset,
        "d": format_scaled(adjusted.delta),
        "T": adjusted.time_ms * unit,
    }


def listen_key_expired(key: str, *, event_ms: int, unit: int = 1) -> bytes:
    """``listenKeyExpired``: nothing more will come for this key."""
    return _ENCODER.encode({"e": "listenKeyExpired", "E": event_ms * unit, "listenKey": key})


def stream_terminated(*, event_ms: int, unit: int = 1) -> bytes:
    """``eventStreamTerminated`` ("Event Stream Terminated"), without its envelope."""
    return _ENCODER.encode({"e": "eventStreamTerminated", "E": event_ms * unit})


def enveloped(payload: bytes, subscription_id: int | None) -> bytes:
    """``{"subscriptionId":0,"event":{..}}``, as the WebSocket API sends it; without an id for connection events."""
    head = b"{" if subscription_id is None else b'{"subscriptionId":%d,' % subscription_id
    return head + b'"event":' + payload + b"}"
